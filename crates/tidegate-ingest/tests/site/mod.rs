//! What every door of a test has behind it: a store and accounts, in a directory of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidegate_domain::SystemClock;
use tidegate_domain::job::Job;
use tidegate_domain::units::HumanDuration;
use tidegate_ingest::accounts::{Directory, PasswordHashing};
use tidegate_ingest::audit::Audit;
use tidegate_ingest::config::{AuthConfig, LimitsConfig, UploadsConfig};
use tidegate_ingest::{Announcement, Intake};
use tidegate_store::{Filter, Options, Store};

pub(crate) const PASSWORD: &str = "correct horse";

/// What a test wants different.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) limits: LimitsConfig,
    pub(crate) auth: AuthConfig,
    pub(crate) store: Options,
    pub(crate) announcement: Option<String>,
}

pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
    pub(crate) directory: Arc<Directory>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) announcement: Announcement,
}

impl Site {
    /// The organizations `ACME01` (account `acme`) and `BETA02` (account `beta`), and accounts that are shut
    /// out.
    pub(crate) fn new(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let orgs = folder.path().join("orgs.d");
        std::fs::create_dir(&orgs).unwrap();
        write_org(&orgs, "ACME01", "acme", "");
        write_org(&orgs, "BETA02", "beta", "");
        write_org(&orgs, "GONE03", "gone", "disabled = true");
        write_org(&orgs, "FAR04", "far", "allow_from = ['192.0.2.0/24']");
        let directory = Arc::new(Directory::open(&orgs).unwrap());
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let (store, _) = Store::open(&data, setup.store, Arc::new(SystemClock)).unwrap();
        let auth = AuthConfig { refusal_delay: HumanDuration(Duration::ZERO), ..setup.auth };
        let uploads = UploadsConfig::default();
        let intake =
            Intake::new(store.clone(), Arc::clone(&directory), setup.limits, &auth, &uploads).unwrap();
        let audit = Audit::open(&folder.path().join("audit.log"), Arc::new(SystemClock)).unwrap();
        let intake = Arc::new(intake.audited(audit));
        let announcement = setup.announcement;
        let announcement: Announcement = Arc::new(move || announcement.clone());
        Self { folder, store, directory, intake, announcement }
    }
}

/// Writes an organization's file with one account; `more` are further lines of the account.
pub(crate) fn write_org(folder: &Path, code: &str, account: &str, more: &str) {
    let hash = PasswordHashing::new(&AuthConfig::default()).unwrap().hash(PASSWORD).unwrap();
    let text =
        format!("code = '{code}'\n[[account]]\nname = '{account}'\npassword_hash = '{hash}'\n{more}\n");
    std::fs::write(folder.join(format!("{code}.toml")), text).unwrap();
}

/// Has `ACME01` ask its senders for `completion` from now on.
pub(crate) fn ask_for(directory: &Directory, completion: &str) {
    let file = directory.path().join("ACME01.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let others: Vec<_> = text.lines().filter(|line| !line.starts_with("completion")).collect();
    std::fs::write(file, format!("completion = '{completion}'\n{}\n", others.join("\n"))).unwrap();
    assert_eq!(directory.reload(), []);
}

/// All jobs, the oldest first.
pub(crate) fn jobs(store: &Store) -> Vec<Job> {
    let mut jobs = store.list(&Filter { limit: 100, ..Filter::default() }).unwrap();
    jobs.reverse();
    jobs
}

/// The bytes that a job was made of.
pub(crate) fn payload(store: &Store, job: &Job) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut store.open_payload(job).unwrap(), &mut bytes).unwrap();
    bytes
}
