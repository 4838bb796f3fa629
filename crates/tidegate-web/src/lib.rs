//! HTTP of tidegate: the control API on a Unix socket, under `/v1/`, what monitoring asks for, the web service and the web
//! pages.
//!
//! Invariant: whatever staff can do to the running server they do through here, and each change
//! carries who asked and why. The shapes in [`api`] are shared with the command line. Nothing here
//! reads configuration or opens a store.

pub mod announcing;
pub mod api;
pub mod config;
pub mod control;
pub mod listener;
pub mod metrics;
pub mod org_words;
pub mod pages;
pub mod service;
pub mod staff;
