//! Replies: a code, and text of one or more lines (RFC 959, 4.2).
//!
//! Invariant: whatever the text holds, the client reads exactly one well-formed reply.

/// What the client hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    code: u16,
    /// The first line, if there are more than one, and those in the middle.
    before: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(code: u16, text: impl AsRef<[u8]>) -> Self {
        Self { code, before: Vec::new(), last: clean(text.as_ref()) }
    }

    /// A reply whose lines in the middle are indented, as those of FEAT have to be (RFC 2389, 3.2).
    pub(crate) fn list<T: AsRef<[u8]>>(
        code: u16,
        first: &str,
        lines: impl IntoIterator<Item = T>,
        last: &str,
    ) -> Self {
        let mut before = vec![clean(first.as_bytes())];
        before.extend(lines.into_iter().map(|line| [b" ".as_slice(), &clean(line.as_ref())].concat()));
        Self { code, before, last: clean(last.as_bytes()) }
    }

    /// A reply that begins with the lines of `text` and ends with `last`.
    pub(crate) fn greeting(code: u16, text: &str, last: &str) -> Self {
        let lines = text.lines().map(|line| clean(line.as_bytes())).filter(|line| !line.is_empty());
        let before = lines.map(|line| [format!("{code}-").as_bytes(), &line].concat()).collect();
        Self { code, before, last: clean(last.as_bytes()) }
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> u16 {
        self.code
    }

    /// As it goes over the wire.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let code = self.code.to_string();
        let mut bytes = Vec::with_capacity(64);
        for (place, line) in self.before.iter().enumerate() {
            let has_code = line.starts_with(code.as_bytes()) && line.get(3) == Some(&b'-');
            if place == 0 && !has_code {
                bytes.extend_from_slice(code.as_bytes());
                bytes.push(b'-');
            }
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(code.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&self.last);
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

/// Without control characters, which could end the reply or a terminal's patience.
fn clean(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !byte.is_ascii_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_well_formed() {
        assert_eq!(Reply::new(226, "done").to_bytes(), b"226 done\r\n");
        assert_eq!(
            Reply::list(211, "Features:", ["SIZE", "MDTM"], "End").to_bytes(),
            b"211-Features:\r\n SIZE\r\n MDTM\r\n211 End\r\n"
        );
        assert_eq!(
            Reply::greeting(220, "Maintenance\n\nuntil 5:00\r\n", "ready").to_bytes(),
            b"220-Maintenance\r\n220-until 5:00\r\n220 ready\r\n"
        );
        assert_eq!(Reply::greeting(220, "", "ready").to_bytes(), b"220 ready\r\n");
    }

    #[test]
    fn no_text_ends_a_reply_early() {
        let reply = Reply::new(257, b"\"a\r\n226 b\0\xff\"");
        assert_eq!(reply.to_bytes(), b"257 \"a226 b\xff\"\r\n");
        assert_eq!(reply.code(), 257);
    }
}
