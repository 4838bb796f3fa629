//! What the senders of the demo send, and what has to come of it. All patients are made up.

use tidegate_domain::job::{JobState, Outcome};
use tidegate_hl7::sample::{self, Defect};

use super::sender::Protocol;

/// One upload.
pub(super) struct File {
    /// Whose account sends it.
    pub(super) sender: &'static str,
    /// By which protocol.
    pub(super) protocol: Protocol,
    pub(super) name: &'static str,
    /// For the narration.
    pub(super) what: &'static str,
    pub(super) bytes: Vec<u8>,
    /// How it has to end.
    pub(super) state: JobState,
    pub(super) outcome: Option<Outcome>,
    /// Messages that must be delivered to the registry.
    pub(super) delivered: usize,
}

/// Everything that is sent, in this order.
pub(super) fn all() -> Vec<File> {
    let clean: Vec<Vec<u8>> = (1..=5).map(sample::message).collect();
    let friday = sample::file("FRIDAY", &clean);
    let mixed = [
        sample::message(11),
        sample::defective(12, Defect::NoName),
        sample::defective(13, Defect::WrongType),
        sample::message(14),
    ];
    let mut cut = sample::file("CUT", &[sample::message(21), sample::message(22)]);
    cut.truncate(cut.len() * 3 / 4);
    vec![
        File {
            sender: "acme",
            protocol: Protocol::Ftp,
            name: "friday.hl7",
            what: "five good messages",
            bytes: friday.clone(),
            state: JobState::Complete,
            outcome: Some(Outcome::Accepted),
            delivered: 5,
        },
        File {
            sender: "lakeside",
            protocol: Protocol::Ftps,
            name: "visits.hl7",
            what: "four messages, two of them with something wrong",
            bytes: sample::file("VISITS", &mixed),
            state: JobState::Complete,
            outcome: Some(Outcome::AcceptedWithErrors),
            delivered: 2,
        },
        File {
            sender: "lakeside",
            protocol: Protocol::Sftp,
            name: "cut-off.hl7",
            what: "a file whose end is missing",
            bytes: cut,
            state: JobState::Error,
            outcome: None,
            delivered: 0,
        },
        File {
            sender: "acme",
            protocol: Protocol::Sftp,
            name: "friday-again.hl7",
            what: "the first file once more, sent out of fear",
            bytes: friday,
            state: JobState::Duplicate,
            outcome: None,
            delivered: 0,
        },
    ]
}
