//! Jobs and amounts in the words that staff and senders use.

use tidegate_domain::job::{JobState, Outcome};

use crate::api::{JobView, Messages};

/// Where a job stands, in one or a few words.
pub(super) fn state(job: &JobView) -> String {
    let outcome = job.outcome.filter(|_| job.state == JobState::Complete);
    outcome.map_or_else(|| job.state.to_string(), |outcome| outcome.as_str().replace('_', " "))
}

/// The class that colours it; the words say the same.
pub(super) fn tone(job: &JobView) -> &'static str {
    match (job.state, job.outcome) {
        (JobState::Complete, Some(Outcome::Rejected)) | (JobState::Error | JobState::Exception, _) => {
            "tag is-bad"
        }
        (JobState::Complete, Some(Outcome::AcceptedWithErrors))
        | (JobState::Retrying | JobState::Held | JobState::Duplicate | JobState::Cancelled, _) => {
            "tag is-warn"
        }
        (JobState::Complete, _) => "tag is-good",
        (JobState::Queued | JobState::Processing, _) => "tag",
    }
}

/// Such as "12, 3 refused"; nothing while no message was looked at.
pub(super) fn messages(messages: &Messages) -> String {
    let refused = messages.errored + messages.rejected;
    match (messages.total, refused) {
        (0, _) => String::new(),
        (total, 0) => number(total),
        (total, refused) => format!("{}, {} refused", number(total), number(refused)),
    }
}

/// With a comma between thousands.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Such as "1.4 MB".
pub(super) fn size(bytes: u64) -> String {
    let (mut tenths, mut unit) = (bytes.saturating_mul(10), "bytes");
    for larger in ["kB", "MB", "GB", "TB"] {
        if tenths < 10_000 {
            break;
        }
        (tenths, unit) = (tenths / 1000, larger);
    }
    match unit {
        "bytes" => format!("{bytes} {unit}"),
        _ => format!("{}.{} {unit}", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_words() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 999, 1000, 1_440_000].map(size), ["0 bytes", "999 bytes", "1.0 kB", "1.4 MB"]);
    }
}
