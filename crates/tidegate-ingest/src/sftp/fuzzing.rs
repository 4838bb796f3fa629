//! What must hold for any bytes that a client sends, as functions for a fuzzer. No part of the interface.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use tidegate_domain::UploadName;

use super::request::{Asked, Request};
use crate::config::UploadsConfig;
use crate::storage::{Place, TemporaryNames};

/// How much of a packet is cut off byte by byte.
const CUTS_MAX: usize = 64;

/// A packet without its length: no beginning of it is taken for another request than the whole, and no path
/// leads out of the sender's tree.
///
/// # Panics
/// If one of this does not hold.
pub fn packet(bytes: &[u8]) {
    let whole = Request::parse(bytes);
    for length in 0..bytes.len().min(CUTS_MAX) {
        let cut = Request::parse(bytes.get(..length).unwrap_or_default());
        assert!(cut.is_none() || cut == whole, "{length} bytes of a packet mean something else");
    }
    match whole.map(|request| request.asked) {
        Some(
            Asked::Open { path, .. }
            | Asked::Stat { path }
            | Asked::Setstat { path, .. }
            | Asked::Opendir { path }
            | Asked::Remove { path }
            | Asked::Mkdir { path }
            | Asked::Rmdir { path }
            | Asked::Realpath { path },
        ) => check_path(path),
        Some(Asked::Rename { from, to }) => [from, to].into_iter().for_each(check_path),
        _ => {}
    }
}

fn check_path(bytes: &[u8]) {
    let path = Path::new(OsStr::from_bytes(bytes));
    let (place, normal) = (Place::of(path), Place::normal_path(path));
    assert!(normal.starts_with(b"/") && Place::of(Path::new(OsStr::from_bytes(&normal))) == place);
    let (Place::Upload(name) | Place::Response(name)) = place else { return };
    assert!(!matches!(&name[..], b"" | b"." | b"..") && !name.contains(&b'/') && normal.ends_with(&name));
    let is_sound = !name.iter().any(u8::is_ascii_control) && name.len() <= UploadName::BYTES_MAX;
    assert_eq!(UploadName::new(name.clone()).is_ok(), is_sound);
    TemporaryNames::new(&UploadsConfig::default().temporary_names).contains(&name);
}
