//! HL7 v2 files at the door: bytes to batches, messages, verdicts, acknowledgments and a report for people.
//!
//! Invariant: what goes in may be anything; nothing panics, memory stays bounded whatever the size of the file, and no
//! value of a message reaches an error text, a report or a `Debug` form. No I/O beyond the readers and writers handed
//! in; nothing is delivered, stored or logged here.
//!
//! A file takes three passes: [`sniff`] looks at its first bytes, [`read_envelope`] at its whole length (a file that
//! was cut off is refused before anything of it is used), and a [`Door`] takes it through message by message.
//! [`examine`] does all three without a store, as `tidegate hl7 check` needs it. A worker uses the same parts with a loop
//! of its own, which may stop after any message and go on from the [`Progress`] it recorded:
//!
//! ```
//! use tidegate_hl7::{Delivery, Door, Outcome, Outputs, Profile, Reply, read_envelope, sample};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = sample::file("F-1", &[sample::message(1), sample::message(2)]);
//! let (profile, now) = (Profile::default(), chrono::DateTime::parse_from_rfc3339("2026-03-16T08:30:00-05:00")?);
//! let reply = Reply::new("01HZX3K7Q2W5M8RT", now);
//!
//! let envelope = read_envelope(&file[..], &profile)??;
//! let outputs = Outputs { response: Vec::new(), details: Vec::new() };
//! let mut door = Door::open(&file[..], &envelope, &profile, &reply, outputs);
//! let mut delivered = 0;
//! while let Some(step) = door.step()? {
//!     delivered += usize::from(step.deliverable().is_some()); // hand it to the registry; if that fails, just step again
//!     let _progress = door.commit(Delivery::Done)?; // from here on it counts; record the progress now and then
//! }
//! let finished = door.finish()?;
//!
//! assert_eq!((delivered, finished.summary.outcome), (2, Outcome::Accepted));
//! assert!(finished.outputs.response.starts_with(b"FHS|"));
//! # Ok(())
//! # }
//! ```
//!
//! Where the documents are silent, this crate decided:
//!
//! - A trailer without line end is whole only if its count is there and right; otherwise the file is `truncated`.
//! - Lines that belong to no message are answered like a message (AE 100) and counted with them, but not in BTS-1.
//! - Counts that differ are told in BTS-2 and FTS-2 of the response; the messages themselves stay AA.
//! - A copy of a message keeps the code of the first and gets an ERR of severity I.
//! - Dates are compared as days, as written, with the day of [`Reply::at`] in its own zone.
//! - Nothing is cut out of a message: a segment that counts as missing (CDC guide 1.5, table 3-1) is told, and the
//!   message is held back or passed on as a whole.
//! - A message in test mode has no identity, so that it is nobody's first copy once the organization goes live.
//! - HL7 2.5.1 lets a file leave `BHS` and `BTS` out; so does this crate.

mod ack;
mod charset;
mod check;
mod count;
mod delimiters;
mod door;
mod dtm;
mod duplicates;
mod envelope;
mod escape;
mod examine;
mod fault;
mod finding;
mod forward;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod order;
mod profile;
mod progress;
mod refusal;
mod reply;
pub mod report;
mod response;
mod routing;
mod rules;
pub mod sample;
mod sniff;
mod splitter;
mod summary;
mod tables;
mod unit;
mod verdict;
mod view;
mod walk;

pub use ack::{NO_CONTROL_ID, acknowledge_queued};
pub use charset::Charset;
pub use check::{Checker, Place, check};
pub use door::{Delivery, Door, Finished, Outputs, Step};
pub use duplicates::{Duplicates, GENERATION_MAX, Identity, Seen};
pub use envelope::{Envelope, NOTES_MAX, Shape, read_envelope};
pub use examine::{Examined, examine, survey};
pub use finding::{Finding, Location, Severity, TEXT_BYTES_MAX};
pub use forward::forward;
pub use profile::{Limits, Profile, Warnings};
pub use progress::{Counts, Progress};
pub use refusal::{Refusal, RefusalKind};
pub use reply::Reply;
pub use response::{Response, ResponseState, refuse};
pub use routing::Routing;
pub use rules::listing::{RuleEntry, rule_table};
pub use sniff::{SNIFF_BYTES, sniff};
pub use splitter::{CHUNK_BYTES, Position, Splitter};
pub use summary::{Outcome, State, Summary};
pub use tables::{TableError, Tables};
pub use unit::{HEAD_BYTES_MAX, Unit, UnitKind};
pub use verdict::{Class, Code, FINDINGS_MAX, Verdict};
