//! Where everything lies below the data directory: the only place that knows these names.
//!
//! `docs/store-layout.md` says what each file is.

use std::path::{Path, PathBuf};

use tidegate_domain::{JobId, OrgCode, UploadName};

/// The data directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// Where an upload's bytes lie, by what became of its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not yet processed.
    Incoming,
    /// Processed, or taken out by staff.
    Archive,
    /// Refused as a whole.
    Error,
}

impl Place {
    pub(crate) const ALL: [Self; 3] = [Self::Incoming, Self::Archive, Self::Error];

    const fn directory(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Archive => "archive",
            Self::Error => "error",
        }
    }
}

/// The two files that answer an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The HL7 batch of acknowledgments.
    Response,
    /// The same for people.
    Report,
}

impl Answer {
    pub(crate) const ALL: [Self; 2] = [Self::Response, Self::Report];

    /// What follows the job id in the file's name.
    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Response => ".response",
            Self::Report => ".report.txt",
        }
    }
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Held locked while a process has the store.
    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// There while the store was closed in good order and not opened since.
    pub(crate) fn clean(&self) -> PathBuf {
        self.root.join("clean")
    }

    /// There while a directory is a backup that is not whole.
    pub(crate) fn incomplete(&self) -> PathBuf {
        self.root.join(tidegate_migrations::INCOMPLETE)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.root.join("queue")
    }

    /// A new index while it is made, then the old one until it is removed.
    pub(crate) fn next_queue(&self) -> PathBuf {
        self.root.join("queue.next")
    }

    /// Uploads while they run; emptied at every start.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    pub(crate) fn orgs(&self) -> PathBuf {
        self.root.join("orgs")
    }

    pub(crate) fn staged_uploads(&self) -> PathBuf {
        self.root.join("staged")
    }

    pub(crate) fn org(&self, org: &OrgCode) -> PathBuf {
        self.orgs().join(org.as_str())
    }

    /// Uploads that wait for what submits them: a rename, or a sidecar.
    pub(crate) fn staged_of(&self, org: &OrgCode) -> PathBuf {
        self.staged_uploads().join(org.as_str())
    }

    pub(crate) fn staged(&self, org: &OrgCode, name: &UploadName) -> PathBuf {
        self.staged_of(org).join(file_name(name.as_bytes()))
    }

    /// What is known of messages that were delivered.
    pub(crate) fn known(&self) -> PathBuf {
        self.root.join("known")
    }

    pub(crate) fn known_of(&self, org: &OrgCode) -> PathBuf {
        self.known().join(org.as_str())
    }

    /// What is kept of uploads that broke off.
    pub(crate) fn broken_uploads(&self) -> PathBuf {
        self.root.join("broken")
    }

    pub(crate) fn broken_of(&self, org: &OrgCode) -> PathBuf {
        self.broken_uploads().join(org.as_str())
    }

    pub(crate) fn broken(&self, org: &OrgCode, name: &UploadName) -> PathBuf {
        self.broken_of(org).join(file_name(name.as_bytes()))
    }

    pub(crate) fn place(&self, org: &OrgCode, place: Place) -> PathBuf {
        self.org(org).join(place.directory())
    }

    pub(crate) fn payload(&self, org: &OrgCode, place: Place, id: JobId) -> PathBuf {
        self.place(org, place).join(format!("{id}.hl7"))
    }

    /// The copy of an answer that stays with staff.
    pub(crate) fn answer(&self, org: &OrgCode, id: JobId, answer: Answer) -> PathBuf {
        self.place(org, Place::Archive).join(format!("{id}{}", answer.ending()))
    }

    pub(crate) fn outbox_of(&self, org: &OrgCode) -> PathBuf {
        self.org(org).join("outbox")
    }

    /// Where the worker notes what a registry answered while a file is processed; it makes that file.
    pub(crate) fn outcomes(&self, org: &OrgCode, id: JobId) -> PathBuf {
        self.place(org, Place::Archive).join(format!("{id}.outcomes.part"))
    }

    /// Where a report's paragraphs lie while its file is processed; the worker makes that file.
    pub(crate) fn report_part(&self, org: &OrgCode, id: JobId) -> PathBuf {
        self.answer(org, id, Answer::Report).with_extension("txt.part")
    }

    /// The second name of an answer that a backup still needs; gone at the next start.
    pub(crate) fn kept_answer(&self, id: JobId, answer: Answer) -> PathBuf {
        self.uploads().join(format!("{id}{}", answer.ending()))
    }

    /// The name under which the sender finds an answer.
    pub(crate) fn published(&self, org: &OrgCode, upload: &UploadName, id: JobId, answer: Answer) -> PathBuf {
        let mut name = upload.as_bytes().to_vec();
        name.extend_from_slice(format!(".{id}{}", answer.ending()).as_bytes());
        self.outbox_of(org).join(file_name(&name))
    }
}

fn file_name(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}
