//! What people see: tables, times, sizes and colours.
//!
//! Invariant: whatever is printed for people goes through a [`Screen`], so that colours stop when the
//! output is piped and times carry their zone. Nothing here asks the server or decides anything.

mod bans;
mod fold;
mod gate;
mod job;
mod keys;
mod maintenance;
mod report;
mod retention;
mod screen;
mod status;
mod table;
mod watch;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use bans::ban_list;
pub(crate) use fold::fold;
pub(crate) use gate::{gate_text, headline};
pub(crate) use job::{job_list, job_text};
pub(crate) use keys::{KEYS_WIDTH, Keys};
pub(crate) use maintenance::{hold_line, maintenance_text, occurrence_line};
pub(crate) use report::report_text;
pub(crate) use retention::{legal_hold_line, pass_text, retention_text};
pub(crate) use screen::{Ink, Screen};
pub(crate) use status::status_text;
pub(crate) use table::Table;
pub(crate) use watch::{Watched, watch_lines};
pub(crate) use words::{by, length, number, one_line, plural, size, some_of};
