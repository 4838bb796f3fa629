//! Durations and sizes as people write them in the configuration and on the command line.
//!
//! Invariant: whatever is printed here is read back as the same value. Numbers are whole and carry
//! their unit; there is no guessing, no fraction and no sign.

mod duration;
mod size;
#[cfg(test)]
mod tests;

pub use duration::{DURATION_MAX, DurationError, HumanDuration, format_duration, parse_duration};
pub use size::{ByteSize, SizeError, format_size, parse_size};
