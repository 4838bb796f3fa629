//! The `tidegate` binary: composition root, configuration, commands.

fn main() {}
