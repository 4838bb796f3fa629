//! The accounts of staff for the console: a file each, in `staff.d/` beside the configuration.
//!
//! Invariant: the files are the truth and are read at each use, so that whoever is shut out is out at once. Passwords
//! are kept as hashes only. A file that can't be read lets nobody in.

mod account;
mod totp;

#[cfg(test)]
mod tests;

pub use account::{Account, Role, StaffError, StaffFolder};
pub use totp::{Totp, TotpError};
