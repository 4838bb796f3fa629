//! Requests of SFTP version 3, with the extensions of OpenSSH that clients use.
//!
//! Invariant: names are the bytes that the client sent, and no length that it names is believed before the
//! bytes are there.

use russh_sftp::extensions::{FSYNC, LIMITS, STATVFS};
use russh_sftp::protocol::OpenFlags;

/// Longest packet: more than any client sends, so that none is cut off. In bytes.
pub(super) const PACKET_BYTES_MAX: usize = 1 << 20;

/// A rename that may replace what is there, as POSIX has it.
pub(super) const POSIX_RENAME: &str = "posix-rename@openssh.com";

/// Stands for what is no handle of ours.
pub(super) const NO_HANDLE: u32 = 0;

/// The attributes that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) size_bytes: Option<u64>,
}

/// What a client asks for; a handle is the number that we gave it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    Init,
    Open {
        path: &'a [u8],
        flags: u32,
    },
    Close {
        handle: u32,
    },
    Read {
        handle: u32,
        offset: u64,
        length: u32,
    },
    Write {
        handle: u32,
        offset: u64,
        bytes: &'a [u8],
    },
    /// STAT or LSTAT: there are no links.
    Stat {
        path: &'a [u8],
    },
    Fstat {
        handle: u32,
    },
    Setstat {
        path: &'a [u8],
        attributes: Attributes,
    },
    Fsetstat {
        handle: u32,
        attributes: Attributes,
    },
    Opendir {
        path: &'a [u8],
    },
    Readdir {
        handle: u32,
    },
    Remove {
        path: &'a [u8],
    },
    Mkdir {
        path: &'a [u8],
    },
    Rmdir {
        path: &'a [u8],
    },
    Realpath {
        path: &'a [u8],
    },
    Rename {
        from: &'a [u8],
        to: &'a [u8],
    },
    Fsync {
        handle: u32,
    },
    Limits,
    Statvfs,
    /// Links, and whatever else is not spoken here.
    Unsupported,
}

/// A request and the number by which its reply is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) id: u32,
    pub(super) asked: Asked<'a>,
}

impl<'a> Request<'a> {
    /// Reads a packet without its length; `None` if it is malformed.
    pub(super) fn parse(packet: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(packet);
        let kind = fields.byte()?;
        if kind == 1 {
            return Some(Self { id: 0, asked: Asked::Init });
        }
        let id = fields.u32()?;
        let asked = match kind {
            3 => Asked::Open { path: fields.string()?, flags: fields.u32()? },
            4 => Asked::Close { handle: fields.handle()? },
            5 => Asked::Read { handle: fields.handle()?, offset: fields.u64()?, length: fields.u32()? },
            6 => Asked::Write { handle: fields.handle()?, offset: fields.u64()?, bytes: fields.string()? },
            7 | 17 => Asked::Stat { path: fields.string()? },
            8 => Asked::Fstat { handle: fields.handle()? },
            9 => Asked::Setstat { path: fields.string()?, attributes: fields.attributes()? },
            10 => Asked::Fsetstat { handle: fields.handle()?, attributes: fields.attributes()? },
            11 => Asked::Opendir { path: fields.string()? },
            12 => Asked::Readdir { handle: fields.handle()? },
            13 => Asked::Remove { path: fields.string()? },
            14 => Asked::Mkdir { path: fields.string()? },
            15 => Asked::Rmdir { path: fields.string()? },
            16 => Asked::Realpath { path: fields.string()? },
            18 => Asked::Rename { from: fields.string()?, to: fields.string()? },
            200 => fields.extended()?,
            _ => Asked::Unsupported,
        };
        Some(Self { id, asked })
    }
}

/// Whether an OPEN wants to write.
pub(super) fn wants(flags: u32, flag: OpenFlags) -> bool {
    flags & flag.bits() != 0
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes().map(u8::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_be_bytes)
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        let (string, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(string)
    }

    fn handle(&mut self) -> Option<u32> {
        let text = std::str::from_utf8(self.string()?).unwrap_or_default();
        Some(text.parse().unwrap_or(NO_HANDLE))
    }

    fn attributes(&mut self) -> Option<Attributes> {
        const SIZE: u32 = 1;
        let size_bytes = if self.u32()? & SIZE == 0 { None } else { Some(self.u64()?) };
        Some(Attributes { size_bytes })
    }

    fn extended(&mut self) -> Option<Asked<'a>> {
        let name = self.string()?;
        Some(match std::str::from_utf8(name).unwrap_or_default() {
            POSIX_RENAME => Asked::Rename { from: self.string()?, to: self.string()? },
            FSYNC => Asked::Fsync { handle: self.handle()? },
            LIMITS => Asked::Limits,
            STATVFS => Asked::Statvfs,
            _ => Asked::Unsupported,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &[u8]) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap();
        [&length.to_be_bytes()[..], text].concat()
    }

    #[test]
    fn a_name_is_what_was_sent_whatever_its_encoding() {
        let packet = [&[7, 0, 0, 0, 9][..], &string(b"caf\xe9")].concat();
        let asked = Asked::Stat { path: b"caf\xe9" };
        assert_eq!(Request::parse(&packet), Some(Request { id: 9, asked }));
    }

    #[test]
    fn no_cut_of_a_request_is_taken_for_one() {
        let offset = 5_u64.to_be_bytes();
        let write = [&[6, 0, 0, 0, 1][..], &string(b"7"), &offset, &string(b"MSH")].concat();
        let whole = Asked::Write { handle: 7, offset: 5, bytes: b"MSH" };
        assert_eq!(Request::parse(&write), Some(Request { id: 1, asked: whole }));
        for length in 0..write.len() {
            assert_eq!(Request::parse(&write[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_length_beyond_the_packet_and_a_foreign_handle_are_noticed() {
        assert_eq!(Request::parse(&[7, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, b'a']), None);
        let packet = [&[4, 0, 0, 0, 9][..], &string(b"\xff\0")].concat();
        assert_eq!(Request::parse(&packet).unwrap().asked, Asked::Close { handle: NO_HANDLE });
    }

    #[test]
    fn what_is_not_spoken_here_is_said_so_and_nothing_more() {
        for kind in [19, 20, 0, 2, 255] {
            assert_eq!(Request::parse(&[kind, 0, 0, 0, 3]).unwrap().asked, Asked::Unsupported);
        }
        let extended = [&[200, 0, 0, 0, 3][..], &string(b"hardlink@openssh.com")].concat();
        assert_eq!(Request::parse(&extended).unwrap(), Request { id: 3, asked: Asked::Unsupported });
    }
}
