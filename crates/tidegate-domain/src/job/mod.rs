//! A job: one submission on its way from the sender's upload to the response in its outbox.
//!
//! Invariant: a job's state changes in [`Job::apply`] and nowhere else, and only by a [`JobEvent`],
//! which is also its line in the history. `docs/state-machine.md` draws the states.

mod backlog;
mod event;
mod record;
mod retry;
mod state;
#[cfg(test)]
mod tests;

pub use backlog::Backlog;
pub use event::{HistoryEntry, JobEvent, Submission};
pub use record::{IllegalTransition, Job};
pub use retry::RetryPolicy;
pub use state::{Counts, JobState, Outcome, Protocol};
