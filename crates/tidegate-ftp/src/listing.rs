//! What directories look like to clients (LIST, NLST: RFC 959, 4.1.3; MLSD, MLST: RFC 3659, 7).
//!
//! Names are bytes: they go out as the backend gives them, but for control characters, which could end
//! a line.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Duration, Utc};
use unftp_core::storage::{Fileinfo, Metadata};

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As `ls -l` would (LIST).
    Long,
    /// Names alone (NLST).
    Names,
    /// Facts (MLSD).
    Facts(Facts),
}

/// The facts that the engine knows (RFC 3659, 7.5).
const FACTS: [&str; 4] = ["type", "size", "modify", "perm"];

/// Which facts a client wants (OPTS MLST, RFC 3659, 7.9), in the order of [`FACTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts([bool; FACTS.len()]);

impl Default for Facts {
    fn default() -> Self {
        Self([true; FACTS.len()])
    }
}

impl Facts {
    /// As OPTS MLST asks for them; unknown ones are left out.
    pub(crate) fn chosen(list: &str) -> Self {
        Self(FACTS.map(|name| list.split(';').any(|fact| fact.trim().eq_ignore_ascii_case(name))))
    }

    fn with_names(self) -> impl Iterator<Item = (&'static str, bool)> {
        FACTS.into_iter().zip(self.0)
    }

    /// Those that are on, as OPTS MLST answers.
    pub(crate) fn names(self) -> String {
        self.with_names().filter(|(_, on)| *on).fold(String::new(), |names, (name, _)| names + name + ";")
    }

    /// As FEAT lists them: those that are on are starred.
    pub(crate) fn feature(self) -> String {
        self.with_names().fold(String::new(), |names, (name, on)| names + name + if on { "*;" } else { ";" })
    }

    /// The facts of one entry, with the space before its name.
    pub(crate) fn of(self, metadata: &impl Metadata) -> String {
        let values = [
            Some(if metadata.is_dir() { "dir" } else { "file" }.to_owned()),
            (!metadata.is_dir()).then(|| metadata.len().to_string()),
            metadata.modified().ok().map(timestamp),
            Some(if metadata.is_dir() { "elc" } else { "rdf" }.to_owned()),
        ];
        let mut text = String::new();
        for ((name, on), value) in self.with_names().zip(values) {
            if let Some(value) = value.filter(|_| on) {
                text.extend([name, "=", &value, ";"]);
            }
        }
        text + " "
    }
}

/// `YYYYMMDDhhmmss` in UTC (RFC 3659, 2.3).
pub(crate) fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%Y%m%d%H%M%S").to_string()
}

/// A listing; `prefix` stands before names that are listed alone.
pub(crate) fn render<M: Metadata>(
    entries: &[Fileinfo<PathBuf, M>],
    style: Style,
    prefix: &[u8],
    now: SystemTime,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(entries.len() * 80);
    for entry in entries {
        match style {
            Style::Long => text.extend_from_slice(long(&entry.metadata, now).as_bytes()),
            Style::Names => text.extend_from_slice(prefix),
            Style::Facts(facts) => text.extend_from_slice(facts.of(&entry.metadata).as_bytes()),
        }
        text.extend(name_of(&entry.path).iter().filter(|byte| !byte.is_ascii_control()));
        text.extend_from_slice(b"\r\n");
    }
    text
}

pub(crate) fn name_of(path: &Path) -> &[u8] {
    path.file_name().map(OsStrExt::as_bytes).unwrap_or_default()
}

/// Times of the last half year with the hour, older ones with the year, as `ls -l` has it.
fn long(metadata: &impl Metadata, now: SystemTime) -> String {
    let now = DateTime::<Utc>::from(now);
    let modified = metadata.modified().map_or(DateTime::UNIX_EPOCH, DateTime::<Utc>::from);
    let is_recent = modified <= now + Duration::days(1) && modified > now - Duration::days(180);
    let time = modified.format(if is_recent { "%b %e %H:%M" } else { "%b %e  %Y" });
    let kind = if metadata.is_dir() { 'd' } else { '-' };
    let (permissions, links, size) = (metadata.permissions(), metadata.links(), metadata.len());
    format!("{kind}{permissions} {links:>3} ftp      ftp      {size:>12} {time} ")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use chrono::TimeZone;
    use unftp_core::storage::{Permissions, Result};

    use super::*;

    struct Entry(bool, u64, DateTime<Utc>);

    impl Metadata for Entry {
        fn len(&self) -> u64 {
            self.1
        }
        fn is_dir(&self) -> bool {
            self.0
        }
        fn is_file(&self) -> bool {
            !self.0
        }
        fn is_symlink(&self) -> bool {
            false
        }
        fn modified(&self) -> Result<SystemTime> {
            Ok(self.2.into())
        }
        fn gid(&self) -> u32 {
            0
        }
        fn uid(&self) -> u32 {
            0
        }
        fn permissions(&self) -> Permissions {
            Permissions(if self.0 { 0o755 } else { 0o444 })
        }
    }

    fn at(month: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, month, 7, 9, 5, 1).unwrap()
    }

    fn listing(style: Style) -> String {
        let info =
            |name: &[u8], metadata| Fileinfo { path: OsString::from_vec(name.into()).into(), metadata };
        let entries = [info(b"inbox", Entry(true, 0, at(11))), info(b"a b\n.hl7", Entry(false, 4096, at(1)))];
        String::from_utf8(render(&entries, style, b"", at(11).into())).unwrap()
    }

    #[test]
    fn each_style_has_its_lines() {
        assert_eq!(
            listing(Style::Long),
            "drwxr-xr-x   1 ftp      ftp                 0 Nov  7 09:05 inbox\r\n\
             -r--r--r--   1 ftp      ftp              4096 Jan  7  2026 a b.hl7\r\n"
        );
        assert_eq!(listing(Style::Names), "inbox\r\na b.hl7\r\n");
        assert_eq!(
            listing(Style::Facts(Facts::default())),
            "type=dir;modify=20261107090501;perm=elc; inbox\r\n\
             type=file;size=4096;modify=20260107090501;perm=rdf; a b.hl7\r\n"
        );
    }

    #[test]
    fn clients_choose_their_facts() {
        let facts = Facts::chosen("Type;size;bogus;");
        assert_eq!(facts.names(), "type;size;");
        assert_eq!(facts.feature(), "type*;size*;modify;perm;");
        assert_eq!(facts.of(&Entry(false, 5, at(1))), "type=file;size=5; ");
        assert_eq!(Facts::chosen("").of(&Entry(false, 5, at(1))), " ");
    }
}
