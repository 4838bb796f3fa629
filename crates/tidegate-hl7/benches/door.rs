//! Throughput of the door.
fn main() {}
