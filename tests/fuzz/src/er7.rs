//! Messages read beside the parser of the crate er7. Where the two differ on purpose, the reason stands here, and nothing
//! else may differ; `docs/conformance.md` lists the differences.

use tidegate_hl7::fuzzing::{Line, Reading, reading};
use tidegate_hl7::{Splitter, UnitKind};

/// A message, as the splitter gives it: both readers see the same segments, fields, repetitions and components.
pub fn er7(bytes: &[u8]) {
    // er7 reads UTF-8 alone; we read bytes, and look at MSH-18 later.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if !text.starts_with("MSH") || text.as_bytes().get(3).is_some_and(u8::is_ascii_alphanumeric) {
        return;
    }
    match (reading(bytes), er7::parse(text)) {
        (Some(ours), Ok(theirs)) => same_message(text, &ours, &theirs),
        (None, Ok(theirs)) => assert!(is_refused_here(text, &theirs.separators), "only er7 reads it"),
        (None, Err(_)) => {}
        (Some(_), Err(error)) => panic!("only we read it: {error}"),
    }
}

/// A file that is in order: both find the same messages. In others they differ wherever a line belongs to no message, which
/// er7 takes for a message or adds to one, and we answer as what it is.
pub fn er7_file(bytes: &[u8]) {
    let mut splitter = Splitter::new(bytes, bytes.len());
    let mut ours = Vec::new();
    while let Some(unit) = splitter.next_unit().unwrap() {
        if unit.kind == UnitKind::Message {
            ours.push(unit.bytes.to_vec());
        }
    }
    let theirs = er7::split_messages(std::str::from_utf8(bytes).unwrap());
    assert!(ours.iter().map(Vec::as_slice).eq(theirs.iter().map(|message| message.as_bytes())));
    for message in &ours {
        er7(message);
    }
}

/// er7 makes up what is missing of MSH-2, reads five signs of a longer one, and takes any character but letters, digits and
/// line ends; we answer 207, since nobody could say what such a message means.
fn is_refused_here(text: &str, separators: &er7::Separators) -> bool {
    let declared = text.split(['\r', '\n']).next().unwrap_or_default();
    let signs = declared.chars().skip(4).take_while(|sign| *sign != separators.field);
    !matches!(signs.clone().count(), 4 | 5)
        || !separators.field.is_ascii_punctuation()
        || !signs.clone().all(|sign| sign.is_ascii_punctuation())
}

fn same_message(text: &str, ours: &Reading<'_>, theirs: &er7::Message) {
    let er7::Separators { field, component, repetition, escape, subcomponent, .. } = theirs.separators;
    assert_eq!(ours.separators.map(char::from), [field, component, repetition, escape, subcomponent]);
    let (mut lines, mut segments) = (ours.lines.iter(), theirs.segments.iter());
    for raw in text.split(['\r', '\n']) {
        // Framing and padding are no line for us, blanks of Unicode are none for er7; of anything else neither loses a line.
        let is_padding = raw.chars().all(|sign| matches!(sign, ' ' | '\t' | '\x0b' | '\x1c' | '\0' | '\x1a'));
        let line = (!is_padding).then(|| lines.next().expect("we lost a line"));
        let segment = (!raw.trim().is_empty()).then(|| segments.next().expect("er7 lost a line"));
        if let (Some(line), Some(segment)) = (line, segment) {
            assert!(line.text == raw.as_bytes(), "another line");
            same_segment(line, segment, &theirs.separators);
        }
    }
    assert!(lines.next().is_none() && segments.next().is_none(), "more lines than there are");
}

fn same_segment(line: &Line<'_>, segment: &er7::Segment, separators: &er7::Separators) {
    // er7 takes any text before the first separator for a name; we answer 100 to what cannot be one (rule 25).
    let name = segment.name.as_bytes();
    let is_name = name.len() == 3
        && name.first().is_some_and(u8::is_ascii_uppercase)
        && name.iter().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit());
    assert_eq!(line.name.as_ref().map(|name| &name[..]), is_name.then_some(name));
    if !is_name {
        return;
    }
    for number in line.numbers() {
        let field = segment.field(usize::from(number));
        match number {
            // The separator itself is no field that anybody asks us for, and MSH-2 is not split by either.
            1 if segment.is_header() => {}
            2 if segment.is_header() => assert!(line.field(2) == field.map_or(Vec::new(), raw)),
            _ => same_field(line, number, field.unwrap_or(&er7::Field::default()), separators),
        }
    }
}

/// MSH-2, which er7 keeps as one value.
fn raw(field: &er7::Field) -> Vec<u8> {
    let value = field.component(1).and_then(|component| component.subcomponent(1));
    value.map_or(Vec::new(), |value| value.raw.clone().into_bytes())
}

/// An empty field has one empty repetition here and none in er7.
fn same_field(line: &Line<'_>, number: u8, theirs: &er7::Field, separators: &er7::Separators) {
    let ours = line.repetitions(number);
    assert_eq!(ours.len(), theirs.repetitions.len().max(1), "repetitions of field {number}");
    assert!(!theirs.repetitions.is_empty() || line.field(number).is_empty(), "field {number}");
    for (at, (ours, theirs)) in ours.iter().zip(&theirs.repetitions).enumerate() {
        // One more than there are: what is not there reads as empty.
        for component in 1..=u8::try_from(theirs.components.len() + 1).unwrap_or(u8::MAX) {
            let expected = theirs.component(usize::from(component)).map(|theirs| joined(theirs, separators));
            let expected = expected.unwrap_or_default();
            assert!(line.component_of(ours, component) == expected, "{number}.{component}");
            assert!(
                at > 0 || line.component(number, component) == expected,
                "{number}.{component} of the first"
            );
        }
    }
}

/// Subcomponents are not told apart here.
fn joined(component: &er7::Component, separators: &er7::Separators) -> Vec<u8> {
    let raw: Vec<&str> = component.subcomponents.iter().map(|value| value.raw.as_str()).collect();
    raw.join(&separators.subcomponent.to_string()).into_bytes()
}
