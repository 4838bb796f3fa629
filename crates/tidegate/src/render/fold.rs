//! Long lines on a terminal, broken between words.

/// `line` in lines of at most `width` characters, where there is a width, each indented like the first. A word that is
/// longer has a line of its own.
pub(crate) fn fold(line: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| shown(line) > *width) else { return line.to_owned() };
    let text = line.trim_start_matches(' ');
    let indent = " ".repeat(line.len() - text.len());
    let (mut lines, mut last) = (Vec::new(), String::new());
    for word in text.split(' ') {
        if !last.is_empty() && indent.len() + shown(&last) + 1 + shown(word) > width {
            lines.push(format!("{indent}{}", last.trim_end()));
            last.clear();
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines.push(format!("{indent}{last}"));
    lines.join("\n")
}

/// How many characters are seen: colours take no room.
fn shown(text: &str) -> usize {
    let (mut count, mut is_colour) = (0, false);
    for char in text.chars() {
        match char {
            '\u{1b}' => is_colour = true,
            'm' if is_colour => is_colour = false,
            _ if is_colour => {}
            _ => count += 1,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_words_never() {
        let text = "one two three /a/path/that/is/long end";
        assert_eq!(fold(text, None), text);
        assert_eq!(fold(text, Some(text.len())), text);
        assert_eq!(fold(text, Some(9)), "one two\nthree\n/a/path/that/is/long\nend");
        assert_eq!(fold("nine char", Some(9)), "nine char");
        assert_eq!(fold("  one  two three", Some(9)), "  one\n  two\n  three", "as the first is indented");
    }

    #[test]
    fn colours_take_no_room() {
        let coloured = "\u{1b}[31mnine char\u{1b}[0m";
        assert_eq!(shown(coloured), 9);
        assert_eq!(fold(coloured, Some(9)), coloured);
        assert_eq!(fold(coloured, Some(8)), "\u{1b}[31mnine\nchar\u{1b}[0m");
    }
}
