//! Code tables that change more often than this program: vaccines, manufacturers, and the HL7 tables that rules need.
//!
//! Invariant: a table has a date and at least one code, so that a broken file can't turn every message into a bad one.
//! The tables in `tables/` are compiled in; the program may replace each without a release (`hl7.tables`). Reads no file.

/// A table that rules look codes up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// HL7 table 0001, for PID-8.
    Sex,
    /// HL7 table 0125 as far as Z22 takes it, for OBX-2.
    ValueType,
    /// HL7 table 0322, for RXA-20.
    Completion,
    /// HL7 table 0323, for RXA-21.
    Action,
    /// CDC table NIP001, for RXA-9.
    Source,
    /// CVX, for RXA-5.
    Vaccine,
    /// MVX, for RXA-17.
    Manufacturer,
}

/// Each table with the name of its file and what is compiled in, in the order of [`Table`].
const BUILT_IN: [(Table, &str, &str); 7] = [
    (Table::Sex, "hl70001", include_str!("../tables/hl70001.txt")),
    (Table::ValueType, "hl70125", include_str!("../tables/hl70125.txt")),
    (Table::Completion, "hl70322", include_str!("../tables/hl70322.txt")),
    (Table::Action, "hl70323", include_str!("../tables/hl70323.txt")),
    (Table::Source, "nip001", include_str!("../tables/nip001.txt")),
    (Table::Vaccine, "cvx", include_str!("../tables/cvx.txt")),
    (Table::Manufacturer, "mvx", include_str!("../tables/mvx.txt")),
];

/// Longest code, in bytes.
const CODE_BYTES_MAX: usize = 16;

/// Most codes of a table.
const CODES_MAX: usize = 10_000;

/// Why a text is no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// No rule looks into a table of this name.
    #[error("no rule uses a table of this name; there are {}", Tables::names().join(", "))]
    Unknown,
    /// A line is neither a comment nor a date nor codes.
    #[error(
        "line {0}: write codes of 1 to {CODE_BYTES_MAX} letters, digits, - or _ with blanks between them"
    )]
    Line(usize),
    /// There is no line `date YYYY-MM-DD`, or none that is a date.
    #[error("write a line with its date: date YYYY-MM-DD")]
    NoDate,
    /// No codes, or too many.
    #[error("a table has 1 to {CODES_MAX} codes")]
    Size,
}

/// All code tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    codes: [Codes; BUILT_IN.len()],
}

impl Tables {
    /// Names of the tables; `NAME.txt` is the file that replaces one.
    pub fn names() -> [&'static str; BUILT_IN.len()] {
        BUILT_IN.map(|(_, name, _)| name)
    }

    /// Replaces the table `name` by what `text` says: comments after `#`, one line `date YYYY-MM-DD`, and codes.
    pub fn replace(&mut self, name: &str, text: &str) -> Result<(), TableError> {
        let at = BUILT_IN.iter().position(|(_, known, _)| *known == name).ok_or(TableError::Unknown)?;
        let codes = Codes::parse(text)?;
        if let Some(slot) = self.codes.get_mut(at) {
            *slot = codes;
        }
        Ok(())
    }

    /// The date of each table with its name, as its file says.
    pub fn dates(&self) -> impl Iterator<Item = (&'static str, &str)> {
        Self::names().into_iter().zip(self.codes.iter().map(|codes| codes.date.as_str()))
    }

    pub(crate) fn has(&self, table: Table, code: &[u8]) -> bool {
        self.codes.get(table as usize).is_some_and(|codes| codes.has(code))
    }
}

impl Default for Tables {
    /// Those that are compiled in.
    fn default() -> Self {
        // A test reads each of them.
        Self { codes: BUILT_IN.map(|(_, _, text)| Codes::parse(text).unwrap_or_default()) }
    }
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Codes {
    date: String,
    /// As numbers, in order.
    codes: Vec<u128>,
}

impl Codes {
    fn parse(text: &str) -> Result<Self, TableError> {
        let mut found = Self::default();
        for (line, number) in text.lines().zip(1..) {
            let line = line.split('#').next().unwrap_or_default();
            if let Some(date) = line.strip_prefix("date ") {
                date.trim().clone_into(&mut found.date);
                continue;
            }
            for code in line.split_whitespace() {
                found.codes.push(packed(code.as_bytes()).ok_or(TableError::Line(number))?);
            }
        }
        if !is_date(&found.date) {
            return Err(TableError::NoDate);
        }
        found.codes.sort_unstable();
        if (1..=CODES_MAX).contains(&found.codes.len()) { Ok(found) } else { Err(TableError::Size) }
    }

    fn has(&self, code: &[u8]) -> bool {
        packed(code).is_some_and(|code| self.codes.binary_search(&code).is_ok())
    }
}

/// A code as a number, which compares faster than text.
fn packed(code: &[u8]) -> Option<u128> {
    let fits = (1..=CODE_BYTES_MAX).contains(&code.len())
        && code.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    fits.then(|| code.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let separated = matches!(text.len(), 4 | 7 | 10)
        && text.bytes().enumerate().all(|(at, byte)| (byte == b'-') == matches!(at, 4 | 7));
    separated && crate::dtm::Dtm::parse(&digits).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_that_is_compiled_in_can_be_read_and_stands_in_its_place() {
        for (at, (table, name, text)) in BUILT_IN.into_iter().enumerate() {
            assert_eq!(table as usize, at, "{name}");
            let codes = Codes::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(codes.codes.windows(2).all(|pair| pair[0] < pair[1]), "{name} has a code twice");
        }
    }

    #[test]
    fn vaccines_of_the_guide_and_later_ones_are_known() {
        let tables = Tables::default();
        for known in ["01", "08", "141", "208", "313", "801", "998"] {
            assert!(tables.has(Table::Vaccine, known.as_bytes()), "{known}");
        }
        for unknown in ["1", "8", "99", "777", "0208", "", "208 ", "\u{e9}"] {
            assert!(!tables.has(Table::Vaccine, unknown.as_bytes()), "{unknown}");
        }
        assert!(tables.has(Table::Manufacturer, b"SKB") && !tables.has(Table::Manufacturer, b"08"));
    }

    #[test]
    fn a_table_is_replaced_as_a_whole_or_not_at_all() {
        let mut tables = Tables::default();
        tables.replace("cvx", "# ours\ndate 2026-02-28\n08 20 # two\n").unwrap();
        assert!(tables.has(Table::Vaccine, b"20") && !tables.has(Table::Vaccine, b"141"));
        assert_eq!(tables.dates().find(|(name, _)| *name == "cvx"), Some(("cvx", "2026-02-28")));
        let before = tables.clone();
        for (name, text, expected) in [
            ("hl79999", "date 2026\n1", TableError::Unknown),
            ("cvx", "date 2026\n1\n2 b@d\n", TableError::Line(3)),
            ("cvx", "date 2026\n12345678901234567\n", TableError::Line(2)),
            ("cvx", "08\n", TableError::NoDate),
            ("cvx", "date 2026-02-30\n08\n", TableError::NoDate),
            ("cvx", "date 26\n08\n", TableError::NoDate),
            ("cvx", "date 2026-02\n# none\n", TableError::Size),
        ] {
            assert_eq!(tables.replace(name, text), Err(expected), "{name}: {text}");
            assert_eq!(tables, before);
        }
        assert!(tables.replace("cvx", &format!("date 2026\n{}", "1 ".repeat(CODES_MAX + 1))).is_err());
    }
}
