//! Pure vocabulary of tidegate: ids, organizations, job states and their transitions, maintenance
//! calendar and gate, clock.
//!
//! Nothing in this crate reads a file, a socket or the time: whoever needs one of them hands it in.
//! Every other crate speaks in these words, so that code, command line, logs and documents agree
//! (see `docs/glossary.md`).

mod clock;
mod completion;
mod delivery;
mod id;
pub mod job;
pub mod maintenance;
mod name;
mod name_pattern;
mod org;
mod org_limits;
mod retention;
pub mod units;

pub use clock::{Clock, ManualClock, SystemClock};
pub use completion::{Completion, CompletionError};
pub use delivery::{DeliveryConfig, DeliveryKind, DeliveryTls};
pub use id::{JobId, JobIdError, JobIds};
pub use name::{NameError, UploadName};
pub use name_pattern::NamePattern;
pub use org::{
    Account, Hl7Profile, Mode, ModeError, OrgCode, OrgCodeError, Organization, Organizations, Warnings,
    WhenClosed, WhenClosedError,
};
pub use org_limits::OrgLimits;
pub use retention::{CLOCK_PROBATION, ClockWatch, LegalHold, Terms};
