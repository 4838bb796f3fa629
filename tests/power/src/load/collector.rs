//! A session that fetches responses and deletes some of them.

use std::sync::Arc;
use std::time::Duration;

use suppaftp::FtpStream;

use super::Client;
use crate::ledger::Told;
use crate::server::log_in;
use crate::upload::Upload;

/// Of the responses that are fetched, every so many stay.
const KEPT_EVERY: u64 = 3;
const PAUSE: Duration = Duration::from_millis(40);

/// Collects for these organizations until the server is gone.
pub(super) fn run(mut client: Client, orgs: &[&'static str]) {
    let sessions: Result<Vec<_>, _> = orgs.iter().map(|org| log_in(client.ftp, org)).collect();
    let Ok(mut sessions) = sessions else { return };
    while client.goes_on() {
        for session in &mut sessions {
            if collect(&mut client, session).is_none() {
                return;
            }
        }
        std::thread::sleep(PAUSE);
    }
}

/// Fetches the responses that are new; `None` when the session is broken.
fn collect(client: &mut Client, session: &mut FtpStream) -> Option<()> {
    for name in session.nlst(Some("/outbox")).ok()? {
        let Some(upload) = answered_by(&name) else { continue };
        let is_new = client.ledger.lock().uploads.get(&upload.0).is_some_and(|it| it.fetched.is_none());
        if !client.goes_on() || !is_new {
            continue;
        }
        let path = format!("/outbox/{name}");
        let bytes = session.retr_as_buffer(&path).ok()?.into_inner();
        client.ledger.lock().raise(upload, |entry| entry.fetched = Some(Arc::from(bytes)));
        if !client.random.one_in(KEPT_EVERY) {
            client.ledger.lock().raise(upload, |entry| entry.deleted = Told::Begun);
            session.rm(&path).ok()?;
            client.ledger.lock().raise(upload, |entry| entry.deleted = Told::Yes);
        }
    }
    Some(())
}

/// The upload that a name in the outbox answers; `None` for reports.
fn answered_by(name: &str) -> Option<Upload> {
    let (upload, _job) = name.strip_suffix(".response")?.rsplit_once('.')?;
    Upload::of_name(upload)
}
