//! Names with wildcards, as people type them after `mget` and `ls`: clients pass them on in NLST and LIST.
//!
//! RFC 959 has nothing of them, but clients that expand no names themselves rely on their servers to do so.

/// Longest pattern in bytes: as long as a file's name can be. A longer one could take seconds over many names.
const PATTERN_BYTES_MAX: usize = 255;

/// Whether `name` may stand for others.
pub(crate) fn is_pattern(name: &[u8]) -> bool {
    name.len() <= PATTERN_BYTES_MAX && name.iter().any(|byte| matches!(byte, b'*' | b'?'))
}

/// Whether `pattern` stands for `name`: `*` for any bytes, `?` for one. Takes at most as many steps as the
/// product of both lengths.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // Where to go on if what follows the last `*` does not fit: it then stands for one byte more.
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name) {
            ([b'*', rest @ ..], _) => {
                again = Some((rest, name));
                pattern = rest;
            }
            ([], []) => return true,
            ([wanted, pattern_rest @ ..], [found, name_rest @ ..]) if wanted == found || *wanted == b'?' => {
                (pattern, name) = (pattern_rest, name_rest);
            }
            _ => {
                let Some((behind_star, [_, longer @ ..])) = again else { return false };
                again = Some((behind_star, longer));
                (pattern, name) = (behind_star, longer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_bytes() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "a"),
            ("*.response", "a.hl7.06H0.response"),
            ("a*b*c", "abbcbc"),
            ("a?c", "abc"),
            ("**?", "x"),
            ("a*a", "aba"),
        ] {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.response", "a.report.txt"), ("a?c", "ac"), ("", "a"), ("a", ""), ("a*a", "a"), ("?", "")]
        {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        assert!(matches(b"?\xe9*", b"\xff\xe9"));
    }

    /// With a step back for each star it would take longer than anybody waits.
    #[test]
    fn many_stars_take_no_longer_than_one() {
        let (pattern, name) = ("*a".repeat(127) + "b", "a".repeat(200));
        assert!(!matches(pattern.as_bytes(), name.as_bytes()));
        assert!(is_pattern(pattern.as_bytes()) && !is_pattern(name.as_bytes()));
        assert!(!is_pattern("*".repeat(256).as_bytes()), "no name is as long");
    }
}
