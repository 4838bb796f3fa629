//! The doors: an upload becomes one accepted job.
