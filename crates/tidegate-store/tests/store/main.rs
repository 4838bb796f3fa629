//! The store from outside: what its callers may rely on, whatever happens to the machine.

mod accept;
mod claim;
mod maintenance;
mod outbox;
mod recovery;
mod rig;
mod staged;
