//! Files and directories as SFTP shows them.

use bytes::BufMut;
use russh_sftp::protocol::FileAttributes;
use russh_sftp::ser::to_bytes;
use unftp_core::storage::Metadata;

use crate::storage::Entry;

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;

/// What STAT says of an entry. Directories have the time at which the epoch began.
pub(super) fn shown(entry: &Entry) -> FileAttributes {
    let kind = if entry.is_dir() { DIRECTORY } else { REGULAR };
    let modified = Some(seconds(entry));
    FileAttributes {
        size: Some(entry.len()),
        uid: Some(entry.uid()),
        gid: Some(entry.gid()),
        permissions: Some(kind | entry.permissions().0),
        atime: modified,
        mtime: modified,
        ..FileAttributes::empty()
    }
}

/// Adds one name to the body of a NAME reply.
pub(super) fn put_name(bytes: &mut Vec<u8>, name: &[u8], entry: &Entry) {
    put_string(bytes, name);
    put_string(bytes, &long_name(name, entry));
    // It can't fail: all fields have a fixed length.
    bytes.put_slice(&to_bytes(&shown(entry)).unwrap_or_default());
}

/// A line as `ls -l` has it; some clients show nothing else.
fn long_name(name: &[u8], entry: &Entry) -> Vec<u8> {
    let modes = if entry.is_dir() { "drwxr-xr-x" } else { "-r--r--r--" };
    let modified = entry.modified().unwrap_or(std::time::UNIX_EPOCH);
    let date = chrono::DateTime::<chrono::Utc>::from(modified).format("%b %d %Y");
    let mut line = format!("{modes}    1 0        0        {:>12} {date} ", entry.len()).into_bytes();
    line.extend_from_slice(name);
    line
}

fn put_string(bytes: &mut Vec<u8>, string: &[u8]) {
    bytes.put_u32(u32::try_from(string.len()).unwrap_or(u32::MAX));
    bytes.put_slice(string);
}

/// Version 3 counts seconds in 32 bits.
fn seconds(entry: &Entry) -> u32 {
    let modified = entry.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    u32::try_from(modified.unwrap_or_default().as_secs()).unwrap_or(u32::MAX)
}
