//! What a sender sees of its own files: accepted ones, staged ones, responses.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use tidegate_domain::job::{Job, JobEvent, Submission};
use tidegate_domain::{JobId, OrgCode, UploadName};

use crate::Store;
use crate::committer::Command;
use crate::error::StoreError;
use crate::layout::Answer;

/// Jobs that are looked at for a name: a sender asks right after its upload.
const SUBMISSIONS_SOUGHT_MAX: usize = 1_000;

/// A file as a sender sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderFile {
    /// Its name: of an upload as it was sent; of a response that name with the job id and an ending,
    /// up to 228 bytes.
    pub name: Vec<u8>,
    /// Its length.
    pub size_bytes: u64,
    /// When it was accepted, staged or published.
    pub modified: DateTime<Utc>,
}

impl Store {
    /// The organization's accepted uploads that are not yet processed, the newest of each name last.
    pub fn inbox(&self, org: &OrgCode) -> Result<Vec<SenderFile>, StoreError> {
        let files = self.core.reader()?.inbox(org)?.into_iter().map(|(name, file)| SenderFile {
            name: name.as_bytes().to_vec(),
            size_bytes: file.size_bytes,
            modified: file.received_at,
        });
        Ok(files.collect())
    }

    /// The newest accepted upload of a name that is not yet processed.
    pub fn inbox_entry(&self, org: &OrgCode, name: &UploadName) -> Result<Option<SenderFile>, StoreError> {
        let found = self.core.reader()?.inbox_file(org, name)?;
        Ok(found.map(|file| SenderFile {
            name: name.as_bytes().to_vec(),
            size_bytes: file.size_bytes,
            modified: file.received_at,
        }))
    }

    /// What was handed over under a name, the newest of it: of an upload that is not yet processed, else
    /// among the organization's newest 1,000.
    pub fn newest_submission(
        &self,
        org: &OrgCode,
        name: &UploadName,
    ) -> Result<Option<Submission>, StoreError> {
        let reader = self.core.reader()?;
        let waiting = reader.newest_in_inbox(org, name)?;
        let recent = reader.newest_of(org, &[], None).take(SUBMISSIONS_SOUGHT_MAX);
        for id in waiting.into_iter().map(Ok).chain(recent) {
            match reader.job(id?)? {
                Some(job) if job.submission.name == *name => return Ok(Some(job.submission)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Uploads that wait for what submits them.
    pub fn staged(&self, org: &OrgCode) -> Result<Vec<SenderFile>, StoreError> {
        list(self.core.layout.staged_of(org))
    }

    /// A staged upload.
    pub fn staged_entry(&self, org: &OrgCode, name: &UploadName) -> Result<Option<SenderFile>, StoreError> {
        look_at(self.core.layout.staged(org, name), name.as_bytes())
    }

    /// The first bytes of a staged upload, up to `bytes_max` of them.
    pub fn read_staged(
        &self,
        org: &OrgCode,
        name: &UploadName,
        bytes_max: u64,
    ) -> Result<Vec<u8>, StoreError> {
        let doing = "reading a staged upload";
        let file = self.core.disk().open_read(&self.core.layout.staged(org, name));
        let mut bytes = Vec::new();
        let mut file = file.map_err(StoreError::file(doing))?.take(bytes_max);
        file.read_to_end(&mut bytes).map_err(StoreError::io(doing))?;
        Ok(bytes)
    }

    /// Gives a staged upload another name, in place of what is staged under it; it stays staged.
    pub fn rename_staged(&self, org: &OrgCode, from: &UploadName, to: &UploadName) -> Result<(), StoreError> {
        let layout = &self.core.layout;
        self.core
            .disk()
            .rename(&layout.staged(org, from), &layout.staged(org, to))
            .map_err(StoreError::file("renaming a staged upload"))
    }

    /// Drops a staged upload.
    pub fn remove_staged(&self, org: &OrgCode, name: &UploadName) -> Result<(), StoreError> {
        self.core
            .disk()
            .remove(&self.core.layout.staged(org, name))
            .map_err(StoreError::file("removing a staged upload"))
    }

    /// The organization's responses and reports.
    pub fn outbox(&self, org: &OrgCode) -> Result<Vec<SenderFile>, StoreError> {
        list(self.core.layout.outbox_of(org))
    }

    /// One file of the outbox.
    pub fn outbox_entry(&self, org: &OrgCode, name: &[u8]) -> Result<Option<SenderFile>, StoreError> {
        match self.outbox_path(org, name) {
            Some((path, ..)) => look_at(path, name),
            None => Ok(None),
        }
    }

    /// The job that a file of the outbox answers.
    pub fn outbox_job(&self, org: &OrgCode, name: &[u8]) -> Result<Option<Job>, StoreError> {
        let Some((_, id, _)) = self.outbox_path(org, name) else { return Ok(None) };
        self.core.reader()?.job(id)
    }

    /// Opens a file of the outbox for reading.
    pub fn open_outbox(&self, org: &OrgCode, name: &[u8]) -> Result<File, StoreError> {
        let (path, ..) = self.outbox_path(org, name).ok_or(StoreError::NotFound)?;
        self.core.disk().open_read(&path).map_err(StoreError::file("opening a response"))
    }

    /// Removes a file from the outbox for its sender; staff keep theirs. That it was removed is durable
    /// before it is, so that no restart brings it back.
    pub async fn delete_outbox(&self, org: &OrgCode, name: &[u8], account: &str) -> Result<(), StoreError> {
        let (path, id, answer) = self.outbox_path(org, name).ok_or(StoreError::NotFound)?;
        if fs::symlink_metadata(path).is_err() {
            return Err(StoreError::NotFound);
        }
        let event = JobEvent::ResponseDeleted { report: answer == Answer::Report };
        let actor = format!("sender:{account}");
        match self.ask(|reply| Command::Change { id, fence: None, event, actor, reply }).await {
            // Its term was over just now, and the file goes by itself.
            Err(StoreError::UnknownJob) => Err(StoreError::NotFound),
            deleted => deleted.map(drop),
        }
    }

    /// What a name in the outbox stands for; only names that this store gives are looked up.
    fn outbox_path(&self, org: &OrgCode, name: &[u8]) -> Option<(PathBuf, JobId, Answer)> {
        let (answer, rest) = Answer::ALL
            .into_iter()
            .find_map(|answer| Some((answer, name.strip_suffix(answer.ending().as_bytes())?)))?;
        let (upload, id) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
        let id = std::str::from_utf8(id).ok()?.parse().ok()?;
        let upload = UploadName::new(upload.strip_suffix(b".")?).ok()?;
        Some((self.core.layout.published(org, &upload, id, answer), id, answer))
    }
}

fn list(directory: PathBuf) -> Result<Vec<SenderFile>, StoreError> {
    let doing = "listing a sender's files";
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(StoreError::io(doing))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io(doing))?;
        // A file that went away meanwhile is not there; that is no reason to fail.
        if let Ok(metadata) = entry.metadata() {
            files.push(sender_file(entry.file_name().into_vec(), &metadata));
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

pub(crate) fn look_at(path: PathBuf, name: &[u8]) -> Result<Option<SenderFile>, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(sender_file(name.to_vec(), &metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("looking at a sender's file")(error)),
    }
}

fn sender_file(name: Vec<u8>, metadata: &fs::Metadata) -> SenderFile {
    let modified = metadata.modified().map_or(DateTime::UNIX_EPOCH, DateTime::<Utc>::from);
    SenderFile { name, size_bytes: metadata.len(), modified }
}
