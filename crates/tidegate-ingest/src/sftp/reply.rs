//! Replies of SFTP version 3.
//!
//! Invariant: every reply carries the number of its request, and every refusal words that say what to do.

use bytes::{BufMut, Bytes};
use russh_sftp::protocol::{
    Attrs, Data, ExtendedReply, FileAttributes, Handle, Packet, Status, StatusCode, Version,
};

use crate::storage::TransferError;

/// A reply that is about to be sent.
pub(super) struct Reply {
    bytes: Bytes,
    ends_channel: bool,
}

impl Reply {
    pub(super) fn ok(id: u32) -> Self {
        Self::status(id, StatusCode::Ok, "")
    }

    pub(super) fn end_of_file(id: u32) -> Self {
        Self::status(id, StatusCode::Eof, "")
    }

    pub(super) fn status(id: u32, status_code: StatusCode, text: &str) -> Self {
        let (error_message, language_tag) = (text.to_owned(), "en".to_owned());
        Packet::Status(Status { id, status_code, error_message, language_tag }).into()
    }

    pub(super) fn refused(id: u32, reason: &TransferError) -> Self {
        Self::status(id, reason.status(), &reason.to_string())
    }

    pub(super) fn no_handle(id: u32) -> Self {
        Self::status(id, StatusCode::Failure, "no such handle")
    }

    /// The extensions that are offered, each in a version of its own.
    pub(super) fn version(extensions: &[(&str, &str)]) -> Self {
        let mut version = Version::new();
        let owned = |(name, number): &(&str, &str)| ((*name).to_owned(), (*number).to_owned());
        version.extensions = extensions.iter().map(owned).collect();
        Packet::Version(version).into()
    }

    pub(super) fn handle(id: u32, handle: u32) -> Self {
        Packet::Handle(Handle { id, handle: handle.to_string() }).into()
    }

    pub(super) fn data(id: u32, data: Vec<u8>) -> Self {
        Packet::Data(Data { id, data }).into()
    }

    pub(super) fn attributes(id: u32, attrs: FileAttributes) -> Self {
        Packet::Attrs(Attrs { id, attrs }).into()
    }

    pub(super) fn extended(id: u32, data: Vec<u8>) -> Self {
        Packet::ExtendedReply(ExtendedReply { id, data }).into()
    }

    /// Names that were encoded already, because they need not be UTF-8.
    pub(super) fn names(id: u32, count: u32, names: &[u8]) -> Self {
        const NAME: u8 = 104;
        let length = size_of::<u8>() + 2 * size_of::<u32>() + names.len();
        let mut bytes = Vec::with_capacity(size_of::<u32>() + length);
        bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        bytes.put_u8(NAME);
        bytes.put_u32(id);
        bytes.put_u32(count);
        bytes.put_slice(names);
        Self { bytes: bytes.into(), ends_channel: false }
    }

    /// The same as the last reply of its channel, for a client that might not look at it: what it asks next
    /// fails.
    pub(super) fn last(self) -> Self {
        Self { ends_channel: true, ..self }
    }

    pub(super) fn ends_channel(&self) -> bool {
        self.ends_channel
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl From<Packet> for Reply {
    fn from(packet: Packet) -> Self {
        // It fails only for packets of 4 GiB.
        Self { bytes: Bytes::try_from(packet).unwrap_or_default(), ends_channel: false }
    }
}
