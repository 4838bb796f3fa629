//! Tests that several rules share.
//!
//! Invariant: a test sees one value and its [`Scope`] and says at most one fault.

use super::Scope;
use crate::dtm::{Day, Dtm};
use crate::fault::Fault;
use crate::tables::Table;
use crate::view::is_filled;

/// What [`one_of`] and [`listed`] may find.
pub(super) const MISSING_OR_UNKNOWN: &[Fault] = &[Fault::Missing, Fault::NotInTable];

pub(super) fn filled(_: &Scope<'_>, value: &[u8]) -> Option<Fault> {
    (!is_filled(value)).then_some(Fault::Missing)
}

/// The first component of the field is filled.
pub(super) fn first_filled(scope: &Scope<'_>, value: &[u8]) -> Option<Fault> {
    filled(scope, scope.fields.component_of(value, 1))
}

/// Filled, and with one of these codes.
pub(super) fn one_of(value: &[u8], codes: &[&[u8]]) -> Option<Fault> {
    if is_filled(value) { known(value, codes) } else { Some(Fault::Missing) }
}

fn known(value: &[u8], codes: &[&[u8]]) -> Option<Fault> {
    (!codes.contains(&value)).then_some(Fault::NotInTable)
}

/// Filled, and with a code of this table.
pub(super) fn listed(scope: &Scope<'_>, table: Table, value: &[u8]) -> Option<Fault> {
    if is_filled(value) { listed_if_filled(scope, table, value) } else { Some(Fault::Missing) }
}

/// Empty, or with a code of this table.
pub(super) fn listed_if_filled(scope: &Scope<'_>, table: Table, value: &[u8]) -> Option<Fault> {
    (is_filled(value) && !scope.profile.tables.has(table, value)).then_some(Fault::NotInTable)
}

/// Filled and among what the organization may send.
pub(super) fn supported(allowed: &[String], value: &[u8]) -> Option<Fault> {
    (!allowed.iter().any(|one| one.as_bytes() == value)).then_some(Fault::Unsupported)
}

/// A real day, not in the future.
pub(super) fn past_day(scope: &Scope<'_>, value: &[u8]) -> Result<Day, Fault> {
    let value = scope.fields.component_of(value, 1);
    if !is_filled(value) {
        return Err(Fault::Missing);
    }
    let day = Dtm::parse(value).and_then(Dtm::day).ok_or(Fault::BadDate)?;
    if day > scope.today { Err(Fault::Future) } else { Ok(day) }
}
