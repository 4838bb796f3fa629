//! Text on its way into an element.

use quick_xml::escape as xml;

/// A text as the content of an element, such that a parser gives back the same text: it would make a line feed of a
/// plain CR (XML 1.0, 2.11). `None` if it has a character that XML can't say (XML 1.0, 2.2).
pub fn escape(text: &str) -> Option<String> {
    let is_allowed = |char: char| matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().all(is_allowed).then(|| xml::escape(text).replace("&#13;", "&#xD;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_can_say_is_said_and_the_rest_is_not() {
        assert_eq!(escape("a|^~\\&|<>\r").as_deref(), Some("a|^~\\&amp;|&lt;&gt;&#xD;"));
        assert_eq!(escape("a\u{1}"), None);
        assert_eq!(escape("\u{fffe}"), None);
    }
}
