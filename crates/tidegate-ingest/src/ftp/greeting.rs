//! The first words of a session.
//!
//! Invariant: whatever an announcement says, clients read one well-formed 220 reply (RFC 959, 4.2):
//! its lines are prefixed `220-`, carry no control characters and are few. The engine sends the last
//! line. So texts may change with every connection although libunftp takes only one fixed text.

use crate::announcement::lines;

/// The last line of the greeting.
pub(super) const READY: &str = "tidegate ready";

/// The lines before the last one.
pub(super) fn opening(announcement: &str) -> String {
    let mut opening = String::new();
    for line in lines(announcement) {
        opening.extend(["220-", &line, "\r\n"]);
    }
    opening
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_the_beginning_of_a_multi_line_reply() {
        assert_eq!(opening("Maintenance\n\n220 until 5:00\r\n"), "220-Maintenance\r\n220-220 until 5:00\r\n");
        assert_eq!(opening(" \n"), "");
    }

    #[test]
    fn an_announcement_can_not_end_the_reply() {
        let text = opening(&format!("a\r220 b\0{}\n{}", "c".repeat(500), "d\n".repeat(50)));
        assert!(text.split_terminator("\r\n").all(|line| line.starts_with("220-") && line.len() <= 204));
        assert_eq!(text.matches('\r').count(), 10);
    }
}
