//! Sidecars: small files that say that the file beside them is whole.
//!
//! Invariant: a sidecar is never a submission. It submits the one staged upload that it belongs to, or
//! nothing: where there is none, or more than one, or the checksum in it is not that of the file, it is
//! refused and the file stays staged.
//!
//! `friday.hl7.done` belongs to `friday.hl7`; so does `friday.done`, as some senders name it, as long as no
//! other staged file has that name without its last ending.

use std::sync::Arc;

use tidegate_domain::{OrgCode, UploadName};
use tidegate_store::{Store, StoreError};

use super::backend::InboxStorage;
use super::changes::upload_name;
use super::error::TransferError;
use crate::audit::Event;
use crate::session::SessionUser;

/// Longest sidecar that is read, in bytes: a checksum with a long path behind it.
const BYTES_MAX: u64 = 4096;
const SHA256_DIGITS: usize = 64;

/// What can be wrong with a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SidecarError {
    /// Nothing is staged that it belongs to.
    #[error("the file that it belongs to is not here; upload that one first, then this")]
    NoFile,
    /// It is named without the ending of its file, and several files are staged that differ in theirs alone.
    #[error("it may belong to several files here; name it after one, with that one's ending")]
    SeveralFiles,
    /// No marker is so long.
    #[error("it is longer than 4096 bytes; .done and .sha256 are for short files that submit another")]
    TooLong,
    /// There is no checksum in it.
    #[error("it has no SHA-256; write 64 hexadecimal digits as its first word, as sha256sum does")]
    NoChecksum,
    /// Its file has another checksum.
    #[error("the file's SHA-256 is not this one; upload the file again, then its checksum")]
    Mismatch,
}

/// A sidecar by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sidecar {
    kind: Kind,
    /// The name of its file, with or without that one's last ending.
    of: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// That it is there is all.
    Done,
    /// It has its file's checksum in it.
    Sha256,
}

impl Sidecar {
    /// The sidecar of this name, if it is one's.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        [(Kind::Done, ".done"), (Kind::Sha256, ".sha256")].into_iter().find_map(|(kind, ending)| {
            let (of, rest) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
            let is_one = !of.is_empty() && rest.eq_ignore_ascii_case(ending.as_bytes());
            is_one.then(|| Self { kind, of: of.to_vec() })
        })
    }

    /// Whether it is named after this file, but without that one's last ending.
    fn is_of_stem(&self, name: &[u8]) -> bool {
        let ending = name.strip_prefix(self.of.as_slice()).and_then(|rest| rest.strip_prefix(b"."));
        ending.is_some_and(|ending| !ending.is_empty() && !ending.contains(&b'.'))
    }

    /// The checksum that its file must have, if it says one.
    fn sha256(&self, content: &[u8]) -> Result<Option<[u8; 32]>, SidecarError> {
        if content.len() as u64 > BYTES_MAX {
            return Err(SidecarError::TooLong);
        }
        match self.kind {
            Kind::Done => Ok(None),
            Kind::Sha256 => parse_sha256(content).map(Some).ok_or(SidecarError::NoChecksum),
        }
    }
}

/// Reads the first word of the only line. What follows is a path on the sender's side, which need not be the
/// name here; GNU's `sha256sum` writes `\` in front where that path has odd characters.
fn parse_sha256(content: &[u8]) -> Option<[u8; 32]> {
    let line = content.trim_ascii();
    let (digits, rest) = line.strip_prefix(b"\\").unwrap_or(line).split_at_checked(SHA256_DIGITS)?;
    let ends = rest.is_empty() || rest.starts_with(b" ") || rest.starts_with(b"\t");
    if !ends || rest.contains(&b'\n') {
        return None;
    }
    let mut sha256 = [0; SHA256_DIGITS / 2];
    for (byte, pair) in sha256.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0, |byte, digit| Some((byte << 4) | hex(*digit)?))?;
    }
    Some(sha256)
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

impl InboxStorage {
    /// Submits the file of a sidecar that has come.
    pub(super) async fn submit_with(
        &self,
        user: &SessionUser,
        sidecar: &Sidecar,
        content: &[u8],
    ) -> Result<(), TransferError> {
        let sha256 = sidecar.sha256(content)?;
        let name = self.file_of(user, sidecar).await?;
        let (store, sender) = (self.intake.store(), self.sender(user));
        // Nothing is withdrawn if its sender is gone by now: that the file is whole was said already.
        let job = match store.accept_staged_if(user.org(), &name, sender, name.clone(), sha256).await {
            Err(StoreError::OtherBytes) => return Err(SidecarError::Mismatch.into()),
            accepted => accepted?,
        };
        let size_bytes = job.submission.size_bytes;
        self.note(user, Event::Accepted { job: job.id, size_bytes });
        self.submitted.remember(name, size_bytes);
        self.remarks.leave("The file that it belongs to is submitted");
        tracing::info!(job = %job.id, size_bytes, "upload accepted by its sidecar");
        Ok(())
    }

    /// The same with a sidecar that is staged under another name, which goes with it; the sidecar's length.
    pub(super) async fn submit_with_staged(
        &self,
        user: &SessionUser,
        sidecar: &Sidecar,
        from: UploadName,
    ) -> Result<u64, TransferError> {
        let staged = from.clone();
        let read = move |store: &Store, org: &OrgCode| Ok(store.read_staged(org, &staged, BYTES_MAX + 1)?);
        let content = self.ask(user, read).await?;
        self.submit_with(user, sidecar, &content).await?;
        if let Err(error) = self.ask(user, move |store, org| Ok(store.remove_staged(org, &from)?)).await {
            // It is of no use any more, and in nobody's way.
            tracing::warn!(%error, "sidecar not removed");
        }
        Ok(content.len() as u64)
    }

    /// The staged upload that a sidecar belongs to.
    pub(super) async fn file_of(
        &self,
        user: &SessionUser,
        sidecar: &Sidecar,
    ) -> Result<UploadName, TransferError> {
        let (sidecar, intake) = (sidecar.clone(), Arc::clone(&self.intake));
        let named = self.ask(user, move |store, org| {
            let may_be =
                |name: &[u8]| !intake.temporary_names().contains(name) && Sidecar::named(name).is_none();
            let exact = upload_name(sidecar.of.clone()).ok().filter(|name| may_be(name.as_bytes()));
            if let Some(name) = exact
                && store.begun(org, &name)?.is_some()
            {
                return Ok(sidecar.of);
            }
            let staged = store.staged(org)?.into_iter().map(|file| file.name);
            let mut found = staged.filter(|name| sidecar.is_of_stem(name) && may_be(name));
            match (found.next(), found.next()) {
                (Some(name), None) => Ok(name),
                (None, _) => Err(SidecarError::NoFile.into()),
                (Some(_), Some(_)) => Err(SidecarError::SeveralFiles.into()),
            }
        });
        self.whole_name(user, named.await?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(name: &str) -> Option<(Kind, String)> {
        let found = Sidecar::named(name.as_bytes())?;
        Some((found.kind, String::from_utf8(found.of).unwrap()))
    }

    #[test]
    fn a_sidecar_is_known_by_its_ending() {
        let of = |kind, name: &str| Some((kind, name.to_owned()));
        assert_eq!(sidecar("a.hl7.done"), of(Kind::Done, "a.hl7"));
        assert_eq!(sidecar("A.HL7.DONE"), of(Kind::Done, "A.HL7"));
        assert_eq!(sidecar("a.Sha256"), of(Kind::Sha256, "a"));
        assert_eq!(sidecar("a.done.done"), of(Kind::Done, "a.done"));
        for name in ["a.hl7", "done", ".done", ".sha256", "a.md5", "adone", "a.done2", "ä"] {
            assert_eq!(sidecar(name), None, "{name}");
        }
    }

    #[test]
    fn a_stem_is_the_name_without_its_last_ending() {
        let sidecar = Sidecar::named(b"a.b.done").unwrap();
        assert!(sidecar.is_of_stem(b"a.b.hl7"));
        for name in [&b"a.b"[..], b"a.b.", b"a.b.hl7.gz", b"a.bhl7", b"a.c.hl7", b"b.hl7"] {
            assert!(!sidecar.is_of_stem(name), "{name:?}");
        }
    }

    #[test]
    fn a_checksum_is_read_as_sha256sum_writes_it() {
        let sum = "00ff".repeat(16);
        let expected = [0x00, 0xff].repeat(16);
        let sidecar = Sidecar::named(b"a.sha256").unwrap();
        for text in ["SUM", "SUM\n", "SUM  a.hl7\n", "SUM *C:\\out\\a b.hl7\r\n", "\\SUM  a\\nb\n", " SUM\tx"]
        {
            for sum in [sum.clone(), sum.to_uppercase()] {
                let found = sidecar.sha256(text.replace("SUM", &sum).as_bytes());
                assert_eq!(found.unwrap().unwrap().as_slice(), expected, "{text}");
            }
        }
        for text in ["", "\n", "SUMa", "SUM0", "SU", "xSUM", "SUM  a\nSUM  b\n", "SHA256 (a) = SUM", "ä"] {
            let text = text.replace("SUM", &sum).replace("SU", &sum[1..]);
            assert_eq!(sidecar.sha256(text.as_bytes()), Err(SidecarError::NoChecksum), "{text}");
        }
        let not_hex = sum.replace("ff", "fg");
        assert_eq!(sidecar.sha256(not_hex.as_bytes()), Err(SidecarError::NoChecksum));
        let long = sum + &" ".repeat(4096);
        assert_eq!(sidecar.sha256(long.as_bytes()), Err(SidecarError::TooLong));
    }

    #[test]
    fn a_done_file_may_say_anything_that_is_short() {
        let sidecar = Sidecar::named(b"a.done").unwrap();
        for content in [&b""[..], b"\xff\0", &[b'x'; 4096]] {
            assert_eq!(sidecar.sha256(content), Ok(None));
        }
        assert_eq!(sidecar.sha256(&[b'x'; 4097]), Err(SidecarError::TooLong));
    }
}
