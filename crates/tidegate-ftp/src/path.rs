//! The paths that a client speaks of.
//!
//! Invariant: a path is absolute, has neither `.` nor `..` nor empty parts in it, and so leads nowhere
//! but downwards from the session's root. Names are bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A place in the session's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VirtualPath(Vec<u8>);

impl VirtualPath {
    pub(crate) fn root() -> Self {
        Self(b"/".to_vec())
    }

    /// What `argument` means for a client that stands here.
    pub(crate) fn join(&self, argument: &[u8]) -> Self {
        let mut parts: Vec<&[u8]> = Vec::new();
        let start: &[u8] = if argument.starts_with(b"/") { b"" } else { &self.0 };
        for part in start.split(|byte| *byte == b'/').chain(argument.split(|byte| *byte == b'/')) {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                name => parts.push(name),
            }
        }
        let mut joined = Vec::with_capacity(self.0.len() + argument.len() + 1);
        for part in &parts {
            joined.push(b'/');
            joined.extend_from_slice(part);
        }
        if parts.is_empty() {
            joined.push(b'/');
        }
        Self(joined)
    }

    /// As a backend takes it.
    pub(crate) fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Its last part; empty for the root.
    pub(crate) fn name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// As PWD shows it: quotes are doubled (RFC 959, appendix II).
    pub(crate) fn quoted(&self) -> Vec<u8> {
        let mut quoted = vec![b'"'];
        for byte in &self.0 {
            quoted.push(*byte);
            if *byte == b'"' {
                quoted.push(b'"');
            }
        }
        quoted.push(b'"');
        quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(from: &str, argument: &str) -> String {
        let path = VirtualPath::root().join(from.as_bytes()).join(argument.as_bytes());
        String::from_utf8(path.0).unwrap()
    }

    #[test]
    fn no_path_leads_out() {
        assert_eq!(joined("/inbox", "a.hl7"), "/inbox/a.hl7");
        assert_eq!(joined("/inbox", "/outbox/b"), "/outbox/b");
        assert_eq!(joined("/inbox", "../../../etc/passwd"), "/etc/passwd");
        assert_eq!(joined("/a/b", ".."), "/a");
        assert_eq!(joined("/", ".."), "/");
        assert_eq!(joined("/inbox", "./x//y/."), "/inbox/x/y");
    }

    #[test]
    fn names_are_bytes() {
        let path = VirtualPath::root().join(b"inbox/\xe9\"x");
        assert_eq!(path.name(), b"\xe9\"x");
        assert_eq!(path.quoted(), b"\"/inbox/\xe9\"\"x\"");
        assert_eq!(path.as_path().as_os_str().as_bytes(), b"/inbox/\xe9\"x");
    }
}
