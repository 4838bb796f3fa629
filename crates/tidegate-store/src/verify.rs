//! Does everything that was acknowledged lie where it should?

use std::io;

use chrono::{DateTime, Utc};
use tidegate_domain::JobId;

use crate::Store;
use crate::committer::Command;
use crate::error::StoreError;
use crate::journal::{Damage, Journal};

/// How often the journal is begun to be read: it is compacted far less often than it is read.
const LOOKS_MAX: usize = 4;

/// What a look at the whole store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Changes in the journal that were read.
    pub changes: u64,
    /// When the last of them was made.
    pub last_change_at: Option<DateTime<Utc>>,
    /// Jobs not yet in a final state, whose bytes must be there.
    pub jobs_waiting: u64,
    /// What is wrong, for people, with what to do.
    pub findings: Vec<String>,
}

pub(crate) fn journal_damaged(place: &Damage) -> String {
    format!("the journal is damaged, {place}: keep a copy of the data directory and restore a backup")
}

pub(crate) fn bytes_missing(id: JobId) -> String {
    format!("the bytes of job {id} are missing: ask its sender for the file")
}

impl Store {
    /// Reads the whole journal, adds the index up and looks for the bytes of each job that waits. The
    /// store goes on meanwhile, but for the moment in which the index is added up.
    pub async fn verify(&self) -> Result<Verification, StoreError> {
        let mut found = Verification::default();
        if !self.ask(|reply| Command::Verify { reply }).await? {
            found.findings.push(
                "the index does not add up: stop the service and run `tidegate store rebuild`".to_owned(),
            );
        }
        let store = self.clone();
        let rest = tokio::task::spawn_blocking(move || {
            store.verify_journal(&mut found)?;
            store.verify_payloads(&mut found)?;
            Ok(found)
        });
        rest.await.map_err(|_| StoreError::Closed)?
    }

    fn verify_journal(&self, found: &mut Verification) -> Result<(), StoreError> {
        let damage = self.read_journal(found).map_err(StoreError::io("reading the journal"))?;
        for place in damage {
            // A batch that is being written at this moment looks like a torn end.
            if !matches!(place, Damage::TornEnd { .. }) {
                found.findings.push(journal_damaged(&place));
            }
        }
        Ok(())
    }

    /// Again from its beginning if a segment was replaced meanwhile by one that stands for more.
    fn read_journal(&self, found: &mut Verification) -> io::Result<Vec<Damage>> {
        let mut looks = 0;
        loop {
            found.changes = 0;
            looks += 1;
            let Some(journal) = Journal::find(self.core.disk(), &self.core.layout.journal())? else {
                return Ok(Vec::new());
            };
            let read = journal.read::<io::Error>(0, |item, _| {
                found.changes += 1;
                found.last_change_at = Some(item.entry.at);
                Ok(())
            });
            match read {
                Err(error) if error.kind() == io::ErrorKind::NotFound && looks < LOOKS_MAX => {}
                read => return read,
            }
        }
    }

    fn verify_payloads(&self, found: &mut Verification) -> Result<(), StoreError> {
        for item in self.core.reader()?.lanes() {
            let Some(job) = self.core.reader()?.job(item?.id)? else { continue };
            found.jobs_waiting += 1;
            let spool = &self.core.spool;
            // Whose file the disk refuses has its bytes in the journal.
            let missing = !job.state.is_final()
                && spool.find_payload(&job).is_none()
                && !spool.deferred.is_refused(job.id);
            // The job may have been finished since; then its bytes are where they belong by now.
            if missing && self.core.reader()?.job(job.id)?.is_some_and(|now| now.state == job.state) {
                found.findings.push(bytes_missing(job.id));
            }
        }
        Ok(())
    }
}
