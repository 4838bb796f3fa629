//! The five separators a message declares in MSH-1 and MSH-2 (HL7 2.5.1, section 2.5.4).
//!
//! Invariant: a set that exists is usable: five different printable ASCII signs, none of them a letter or digit. It
//! does not look beyond the header's second field.

/// Separators of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delimiters {
    pub(crate) field: u8,
    pub(crate) component: u8,
    pub(crate) repetition: u8,
    pub(crate) escape: u8,
    pub(crate) subcomponent: u8,
}

impl Delimiters {
    /// `|^~\&`, which nearly everyone uses and we always write.
    pub(crate) const STANDARD: Self =
        Self { field: b'|', component: b'^', repetition: b'~', escape: b'\\', subcomponent: b'&' };

    /// Reads those of a header line (`MSH`, `FHS` or `BHS`); `None` if they are unusable. A fifth sign in the second
    /// field is the truncation mark of HL7 2.7.
    pub(crate) fn of(header: &[u8]) -> Option<Self> {
        let (&field, rest) = header.get(3..)?.split_first()?;
        let end = rest.iter().position(|byte| *byte == field || matches!(byte, b'\r' | b'\n'));
        let signs = rest.get(..end.unwrap_or(rest.len()))?;
        let (4 | 5, &[component, repetition, escape, subcomponent, ..]) = (signs.len(), signs) else {
            return None;
        };
        let usable = |byte: &u8| byte.is_ascii_punctuation() && *byte != field;
        let repeats = (1..signs.len()).any(|at| {
            signs.get(..at).is_some_and(|before| before.contains(&signs.get(at).copied().unwrap_or(field)))
        });
        (field.is_ascii_punctuation() && signs.iter().all(usable) && !repeats).then_some(Self {
            field,
            component,
            repetition,
            escape,
            subcomponent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usable_sets_are_read_and_others_refused() {
        for good in [&b"MSH|^~\\&|"[..], b"BHS|^~\\&", b"FHS|^~\\&\r", b"MSH|^~\\&#|x", b"MSH#*!$%#APP"] {
            assert!(Delimiters::of(good).is_some(), "{good:?}");
        }
        let custom = Delimiters::of(b"MSH#*!$%#APP").unwrap();
        assert_eq!((custom.field, custom.component, custom.repetition), (b'#', b'*', b'!'));
        assert_eq!((custom.escape, custom.subcomponent), (b'$', b'%'));
        for bad in [
            &b""[..],
            b"MSH",
            b"MSH|",
            b"MSH||",
            b"MSH|^~\\|",
            b"MSH|^~\\&#!|",
            b"MSH|^^\\&|",
            b"MSH|^~\\~|",
            b"MSH|^~\\&&|",
            b"MSH|a~\\&|",
            b"MSH|^~\\1|",
            b"MSHA^~\\&A",
            b"MSH ^~\\& x",
            b"MSH|^~\\\x07|",
            b"MSH|^~\xe9&|",
            b"MSH\r^~\\&\r",
        ] {
            assert_eq!(Delimiters::of(bad), None, "{bad:?}");
        }
    }
}
