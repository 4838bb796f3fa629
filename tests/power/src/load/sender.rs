//! A session that uploads: some files directly, some under a temporary name first.

use std::ops::Range;
use std::time::Duration;

use suppaftp::{FtpResult, FtpStream};

use super::Client;
use crate::ledger::Told;
use crate::server::log_in;
use crate::upload::Upload;

/// Every so many files one goes through a temporary name.
const STAGED_EVERY: u64 = 4;
/// Every so many files the session rests, for up to so long.
const REST_EVERY: u64 = 3;
const REST_MAX_MS: u64 = 80;

/// Uploads the files with these numbers, until the server is gone.
pub(super) fn run(mut client: Client, org: &'static str, numbers: Range<u64>) {
    let Ok(mut session) = log_in(client.ftp, org) else { return };
    for upload in numbers.map(Upload) {
        if !client.goes_on() {
            return;
        }
        client.ledger.lock().begin(upload, org);
        let staged = client.random.one_in(STAGED_EVERY);
        if send(&mut session, upload, staged).is_err() {
            return;
        }
        client.ledger.lock().raise(upload, |entry| entry.accepted = Told::Yes);
        if client.random.one_in(REST_EVERY) {
            std::thread::sleep(Duration::from_millis(client.random.below(REST_MAX_MS)));
        }
    }
}

/// `Ok` only if success was read.
fn send(session: &mut FtpStream, upload: Upload, staged: bool) -> FtpResult<()> {
    let bytes = upload.bytes();
    if !staged {
        return session.put_file(upload.name(), &mut bytes.as_slice()).map(drop);
    }
    let name = format!("{}.part", upload.0);
    session.put_file(&name, &mut bytes.as_slice())?;
    session.rename(name, upload.name())
}
