//! The table of door rules as a whole: each rule with a good and a bad message, each field of Z22 ruled or left out for a
//! reason, and the page of the documentation that says all this.

use std::collections::BTreeSet;
use std::fmt::Write;

use tidegate_hl7::{Finding, Profile, RuleEntry, Severity, Tables, rule_table, sample};

use crate::rules::{BROKEN, KEPT, edited, one_dose};
use crate::support::{judge, segments, through_with};

/// A bad file: the number of the rule it breaks, and what is wrong with it.
type BadFile = (u8, &'static str, fn() -> Vec<u8>);

/// What no edit of a field can break.
const BAD_FILES: &[BadFile] = &[
    (9, "undeclared Latin-1", || {
        let text = sample::with_field(&one_dose(), "PID", 1, 5, "HERE^CHILD");
        let at = text.windows(4).position(|part| part == b"HERE").unwrap();
        [&text[..at], b"P\xe9REZ", &text[at + 4..]].concat()
    }),
    (10, "no PID", || sample::without_segments(&one_dose(), &["PID"])),
    (10, "PID twice", || {
        let pid: Vec<u8> = line(&one_dose(), b"PID");
        [&sample::without_segments(&one_dose(), &["PD1", "NK1", "ORC", "RXA", "RXR", "OBX"])[..], &pid, b"\r"]
            .concat()
    }),
    (10, "RXA without ORC", || sample::without_segments(&one_dose(), &["ORC"])),
    (10, "ORC without RXA", || sample::without_segments(&one_dose(), &["RXA", "RXR", "OBX"])),
    (10, "PD1 last", || {
        let pd1 = line(&one_dose(), b"PD1");
        [&sample::without_segments(&one_dose(), &["PD1"])[..], &pd1, b"\r"].concat()
    }),
    (10, "a patient who can't be named", || sample::with_field(&one_dose(), "PID", 1, 5, "")),
    (10, "the only vaccination unusable", || sample::with_field(&one_dose(), "RXA", 1, 5, "")),
    (10, "one of two vaccinations unusable", || {
        let dose = |name: &[u8]| [&line(&one_dose(), name)[..], b"\r"].concat();
        let other = [dose(b"ORC"), dose(b"RXA"), dose(b"RXR"), dose(b"OBX")].concat();
        sample::with_field(&[one_dose(), other].concat(), "RXA", 2, 5, "")
    }),
    (22, "no route", || sample::without_segments(&one_dose(), &["RXR"])),
    (22, "no eligibility", || sample::without_segments(&one_dose(), &["OBX"])),
    (24, "no orders", || sample::defective(1, sample::Defect::NoOrders)),
    (25, "a broken line", || sample::defective(1, sample::Defect::BrokenLine)),
    (25, "lines before the first message", || {
        sample::batch("B", &[[&b"lost|line\r"[..], &one_dose()].concat()])
    }),
    (26, "an id used twice", || [one_dose(), sample::with_field(&one_dose(), "PID", 1, 8, "U")].concat()),
    (26, "the same message twice", || [one_dose(), one_dose()].concat()),
    (30, "longer than the limit", || {
        sample::with_segment(&one_dose(), &format!("NTE|1||{}", "x".repeat(3_000)))
    }),
];

fn line(message: &[u8], name: &[u8]) -> Vec<u8> {
    message.split(|byte| *byte == b'\r').find(|line| line.starts_with(name)).unwrap().to_vec()
}

/// Rule, location and words of everything that the bad messages and files show.
fn shown() -> Vec<(u8, String, String)> {
    let of = |one: &Finding| {
        let (place, segment) = (one.location(), one.location().segment);
        let segment = String::from_utf8(segment.to_vec()).unwrap();
        let location = match (place.field, place.component) {
            (0, _) => segment.trim().to_owned(),
            (field, 0) => format!("{segment}-{field}"),
            (field, component) => format!("{segment}-{field}.{component}"),
        };
        (one.rule(), location, one.text())
    };
    let edits = BROKEN.iter().map(|(_, _, edits, ..)| judge(&edited(edits)));
    let found = edits.flat_map(|verdict| verdict.findings().iter().map(of).collect::<Vec<_>>());
    let files = BAD_FILES.iter().flat_map(|(number, what, file)| {
        let limits = tidegate_hl7::Limits { message_bytes_max: 4_000, ..Default::default() };
        let (_, response) = through_with(&file(), &Profile { limits, ..Profile::default() });
        let errors = segments(&response, "ERR");
        assert!(!errors.is_empty(), "rule {number}: {what} is not told");
        let told = |line: &&str| {
            let fields: Vec<&str> = line.split('|').collect();
            (*number, fields[2].split('^').next().unwrap().to_owned(), fields[8].to_owned())
        };
        errors.iter().map(told).collect::<Vec<_>>()
    });
    found.chain(files).collect()
}

#[test]
fn each_fault_of_each_rule_has_a_bad_message_and_each_rule_a_good_one() {
    let shown = shown();
    for RuleEntry { number, location, finds, name, .. } in rule_table() {
        for words in finds {
            let is_shown = |(rule, place, text): &(u8, String, String)| {
                let anywhere = location.is_empty() || location.starts_with(place.as_str());
                *rule == number && (place.starts_with(&location) || anywhere) && text.contains(words)
            };
            assert!(
                shown.iter().any(is_shown),
                "rule {number} ({location}, {name}): nothing shows {words:?}"
            );
        }
        assert!(KEPT.iter().any(|(rule, ..)| *rule == number), "rule {number} has no good message");
    }
}

#[test]
fn numbers_have_no_gaps() {
    let numbers: BTreeSet<u8> = rule_table().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>());
}

/// Fields that a rule looks at without being its place.
const RULED_ELSEWHERE: &[(&str, u8)] = &[("MSH-1", 1), ("RXA-18", 21)];

/// Fields of Z22 that no rule looks at, and why.
const NOT_RULED: &[(&str, &str)] = &[
    (
        "May be empty. Who sends to whom is only echoed in the answer.",
        "MSH-3 MSH-4 MSH-5 MSH-6 MSH-22 MSH-23",
    ),
    (
        "May be empty, and nothing is decided here by what it says: the registry judges its content.",
        "PID-6 PID-10 PID-11 PID-13 PID-22 PID-24 PID-30 PD1-11 PD1-12 PD1-16 NK1-4 NK1-5 IN1-29 ORC-2 ORC-10 \
         ORC-17 RXR-2 OBX-14",
    ),
    (
        "Needed only if another field that may be empty says so; registries differ in how strict they are.",
        "PID-25 PID-29 PD1-13 PD1-17 PD1-18 ORC-12 RXA-7 RXA-10 RXA-11 OBX-6 OBX-17",
    ),
    ("A number that the order of segments tells as well.", "PID-1 NK1-1 GT1-1 IN1-1 IN3-1 OBX-1"),
    ("Groups observations; a message with a single one of a kind needs it not.", "OBX-4"),
    (
        "In a segment that is optional in Z22: passed on and not looked into (CDC guide 1.5, table 3-1).",
        "SFT-1 SFT-2 SFT-3 SFT-4 PV1-2 PV2-1 PV2-47 GT1-3 IN1-2 IN1-3 IN1-15 TQ1-12 TQ2-3 TQ2-4 TQ2-5 TQ2-6 TQ2-7 \
         TQ2-10 NTE-3",
    ),
];

/// Fields of Z22 with their usage.
fn z22() -> Vec<(String, &'static str)> {
    let lines = include_str!("../data/z22-fields.txt").lines().filter(|line| !line.starts_with('#'));
    let of_segment = |line: &'static str| {
        let (segment, fields) = line.split_once(": ").unwrap();
        fields.split(' ').map(move |field| {
            let (number, usage) = field.split_once('/').unwrap();
            (format!("{segment}-{number}"), usage)
        })
    };
    lines.flat_map(of_segment).collect()
}

#[test]
fn each_field_that_z22_asks_for_is_ruled_or_left_out_for_a_reason() {
    let places = rule_table().into_iter().map(|entry| entry.location.split('.').next().unwrap().to_owned());
    let ruled: BTreeSet<String> =
        places.chain(RULED_ELSEWHERE.iter().map(|(field, _)| (*field).to_owned())).collect();
    let left_out: Vec<&str> = NOT_RULED.iter().flat_map(|(_, fields)| fields.split_whitespace()).collect();
    let fields = z22();
    assert_eq!(fields.len(), 96);
    for (field, usage) in &fields {
        let times =
            usize::from(ruled.contains(field)) + left_out.iter().filter(|left| *left == field).count();
        assert_eq!(times, 1, "{field} ({usage}): ruled or left out, and not both");
    }
    for left in left_out {
        assert!(fields.iter().any(|(field, _)| field == left), "{left} is nothing that Z22 asks for");
    }
}

#[test]
fn what_z22_requires_of_the_segments_it_requires_is_ruled() {
    let left_out: Vec<&str> = NOT_RULED.iter().flat_map(|(_, fields)| fields.split_whitespace()).collect();
    let set_ids = ["PID-1", "OBX-1", "OBX-4"];
    for (field, usage) in z22() {
        let is_looked_into =
            ["MSH", "PID", "ORC", "RXA", "RXR", "OBX"].iter().any(|name| field.starts_with(name));
        if usage == "R" && is_looked_into && !set_ids.contains(&field.as_str()) {
            assert!(!left_out.contains(&field.as_str()), "{field}");
        }
    }
}

/// The page, written from the rules.
fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    let _ = writeln!(
        page,
        "| # | where | what | ERR-3 | ERR-5 | sev | MSA-1 | switch |\n|---|---|---|---|---|---|---|---|"
    );
    for entry in rule_table() {
        let joined = |codes: Vec<String>| codes.join(", ");
        let _ = writeln!(
            page,
            "| {} | {} | {} {} | {} | {} | {} | {} | {} |",
            entry.number,
            if entry.location.is_empty() { "anywhere" } else { &entry.location },
            entry.name,
            entry.finds.join("; "),
            joined(entry.codes.iter().map(u16::to_string).collect()),
            joined(entry.application_codes.iter().map(u8::to_string).collect()),
            entry.severity.code(),
            answer(&entry),
            entry.switch.map_or(String::new(), |switch| format!("`{switch}`")),
        );
    }
    page.push_str(SWITCHES);
    let _ = writeln!(page, "| table | date of the one compiled in |\n|---|---|");
    for (name, date) in Tables::default().dates() {
        let _ = writeln!(page, "| `{name}.txt` | {date} |");
    }
    page.push_str("\n## Deliberately not ruled\n\n");
    page.push_str("Every field that NIST's profile of Z22 has as R, RE or C is in the table above or here; a test says so.\n\n");
    let _ = writeln!(page, "| why | fields |\n|---|---|");
    for (why, fields) in NOT_RULED {
        let _ = writeln!(page, "| {why} | {} |", fields.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    page
}

fn answer(entry: &RuleEntry) -> &'static str {
    match entry.severity {
        _ if entry.codes.iter().any(|code| code / 100 == 2) => "AR",
        Severity::Information => "AA",
        _ => "AE",
    }
}

const INTRODUCTION: &str = "\
# HL7 rules

What each message is checked for, and how that is answered. Written by a test from the rules in `tidegate-hl7/src/rules/`
(`WRITE_DOCS=1 cargo test -p tidegate-hl7 --test hl7 rulebook`). Sources: CDC's guide 1.5 with its addendum, NIST's profiles Z22 and Z23.

- An **E** in MSH or PID: the message is not delivered. An E in an order group (ORC, RXA, RXR, OBX): nor is it, unless
  `forward_on_group_error` is set and another group has none; nothing is ever cut out of a message.
- What follows from an E is told as well (guide, table 3-1), with 100: its segment counts as missing, and its order group or the
  message with it.
- A **W** is delivered, an **I** is only told. MSA-1 is AR if a code is 200 or more, AE if there is an E or a W, else AA.
- At most 50 ERR for a message; one more, of severity I, says how many are left out. No ERR, no report and no log holds a value out
  of a message.

";

const SWITCHES: &str = "
## An organization's switches

Keys of `[hl7]` in its file in `orgs.d`.

| key | default | |
|---|---|---|
| `versions` | `[\"2.5.1\"]` | values of MSH-12 that are taken |
| `processing_id` | `\"P\"` | value of MSH-11 that is taken |
| `mode` | by `processing_id` | `\"production\"`, or `\"test\"`: everything is answered and nothing delivered; left out: production for P, test for T and D |
| `strict_counts` | `false` | a BTS-1 or FTS-1 that differs refuses the whole file, rather than being told in BTS-2 or FTS-2 |
| `default_charset` | `\"UTF-8\"` | what a message without MSH-18 is taken to be written in: `ASCII`, `UTF-8`, `8859/1` to `8859/16`, `windows-1252` |
| `forward_on_group_error` | `false` | deliver a message although one of its order groups has an E, if another has none |
| `warnings` | `\"error\"` | a message with W only is answered `\"error\"`: AE, as NIST does; `\"accept\"`: AA with the W; `\"off\"`: AA without them |

## Code tables

`hl7.tables` in `tidegate.toml` names a directory whose files replace the tables that are compiled in, without a release; they are
read when the program starts, and a broken one is an error of the configuration. A file holds a line `date YYYY-MM-DD`, codes
with blanks between them, and comments after `#`. The files in `crates/tidegate-hl7/tables/` say where their codes come from.

";

#[test]
fn the_documentation_says_what_the_rules_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hl7-rules.md");
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    for (written, expected) in written.lines().zip(page().lines()) {
        assert_eq!(written, expected, "docs/hl7-rules.md is stale; see its second line");
    }
    assert_eq!(written, page());
}
