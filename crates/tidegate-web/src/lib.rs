//! The control API on the Unix socket.
