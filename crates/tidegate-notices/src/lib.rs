//! What people are told outside of the program: announcements of maintenance, by mail and as files.
//!
//! Invariant: nothing here knows the store or the server. Whoever calls hands in what is known; what was sent
//! to whom is kept in one file beside the store, see [`Ledger`].

mod calendar;
pub mod config;
mod event;
mod ledger;
mod notice;
mod templates;
mod words;

pub use calendar::calendar;
pub use event::{Event, State};
pub use ledger::{Ledger, LedgerError, Record, Told};
pub use notice::{Changed, Known, Notice};
pub use templates::{BUILT_IN, Page, TemplateError, Templates};
