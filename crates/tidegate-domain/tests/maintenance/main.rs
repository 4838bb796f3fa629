//! The maintenance calendar and the gate, through their public interface.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod announcement;
mod calendar;
mod config;
mod gate;
mod hold;
mod local;
mod notice_window;
mod overrides;
mod persistence;
mod properties;
mod recurring;
mod scope;
mod support;
mod zones;
