//! The SFTP door over TCP: a real store, a real listener on port 0, russh's client and packets by hand.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod broken;
mod client;
mod clock;
mod completion;
mod defence;
mod hostile;
mod limits;
mod logins;
mod outbox;
mod rekey;
mod resume;
mod rig;
#[path = "../site/mod.rs"]
mod site;
mod slow;
mod stopping;
mod tree;
mod uploads;
mod writes;
