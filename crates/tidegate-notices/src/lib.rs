//! What people are told outside of the program: announcements of maintenance, by mail and as files; alerts.
//!
//! Invariant: nothing here knows the store or the server. Whoever calls hands in what is known; what was sent
//! to whom is kept in one file beside the store, see [`Ledger`].

pub mod alerts;
mod announce;
mod calendar;
mod channels;
pub mod config;
mod event;
mod ledger;
mod mail;
mod notice;
mod report;
#[cfg(test)]
mod smtp_server;
mod templates;
mod words;

pub use announce::{AnnounceError, Announcement, Outcome, Recipient, Recipients};
pub use calendar::{calendar, feed};
pub use channels::Channels;
pub use event::{Event, State};
pub use ledger::{Ledger, LedgerError, Record, Told};
pub use mail::{Mail, MailError, Mailer, is_address};
pub use notice::{Changed, Known, Notice};
pub use report::{mail_report, unreported};
pub use templates::{BUILT_IN, Page, TemplateError, Templates};
