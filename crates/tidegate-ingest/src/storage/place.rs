//! What a path means.
//!
//! Invariant: every path means exactly one place inside the sender's own tree; `..` at the top stays
//! at the top, so nothing leads out.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A place in the tree that a sender sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `/`
    Root,
    /// `/inbox`
    Inbox,
    /// `/outbox`
    Outbox,
    /// A file in `/inbox`, or in `/`, which means the same.
    Upload(Vec<u8>),
    /// A file in `/outbox`.
    Response(Vec<u8>),
    /// Below a directory that does not exist.
    Nowhere,
}

impl Place {
    /// Reads a path from the root; without a leading `/` it is read as if it had one.
    pub fn of(path: &Path) -> Self {
        match parts(path).as_slice() {
            [] => Self::Root,
            [b"inbox"] => Self::Inbox,
            [b"outbox"] => Self::Outbox,
            [b"outbox", name] => Self::Response(name.to_vec()),
            [name] | [b"inbox", name] => Self::Upload(name.to_vec()),
            _ => Self::Nowhere,
        }
    }

    /// The path from the root, without `.` and `..`; it need not exist.
    pub fn normal_path(path: &Path) -> Vec<u8> {
        [b"/", parts(path).join(&b'/').as_slice()].concat()
    }

    /// Whether it is one of the three directories.
    pub fn is_directory(&self) -> bool {
        matches!(self, Self::Root | Self::Inbox | Self::Outbox)
    }
}

fn parts(path: &Path) -> Vec<&[u8]> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.as_os_str().as_bytes().split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => _ = parts.pop(),
            name => parts.push(name),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> Place {
        Place::of(Path::new(path))
    }

    #[test]
    fn the_tree_has_three_directories() {
        for path in ["", "/", "//", ".", "/inbox/..", "../../.."] {
            assert_eq!(place(path), Place::Root, "{path}");
        }
        assert_eq!(place("/inbox/./"), Place::Inbox);
        assert_eq!(place("/../outbox"), Place::Outbox);
        assert_eq!(place("/inbox/../a.hl7"), Place::Upload(b"a.hl7".to_vec()));
        assert_eq!(place("inbox/a.hl7"), Place::Upload(b"a.hl7".to_vec()));
        assert_eq!(place("/outbox/a"), Place::Response(b"a".to_vec()));
    }

    #[test]
    fn a_normal_path_begins_at_the_root_and_goes_down() {
        for (path, normal) in [(".", "/"), ("", "/"), ("a", "/a"), ("/inbox/./../../outbox//x/", "/outbox/x")]
        {
            assert_eq!(Place::normal_path(Path::new(path)), normal.as_bytes(), "{path}");
        }
    }

    #[test]
    fn nothing_leads_out() {
        assert_eq!(place("/../../etc/passwd"), Place::Nowhere);
        assert_eq!(place("/inbox/../../../etc"), Place::Upload(b"etc".to_vec()), "a name, not a path");
        assert_eq!(place("/inbox/a/b"), Place::Nowhere);
        assert_eq!(place("/INBOX/a"), Place::Nowhere);
    }
}
