//! Watched folders with real files and a real store.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod left_alone;
mod limits;
mod responses;
mod rig;
mod taken;
