use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tidegate_domain::job::Protocol;
use tidegate_domain::{ManualClock, OrgCode};

use super::*;
use crate::session::{ControlLink, Waiting};

/// A file for the log, and a session to note.
struct Bench {
    folder: tempfile::TempDir,
    session: Session,
}

impl Bench {
    fn new() -> Self {
        let place = Waiting::new(1).enter(7, Arc::new(ControlLink::detached())).unwrap();
        let peer = "192.0.2.1:4711".parse().unwrap();
        let session = Session::new(7, Protocol::Ftp, peer, Arc::new(ControlLink::detached()), place, None);
        Self { folder: tempfile::tempdir().unwrap(), session }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("audit.log")
    }

    fn open(&self) -> Audit {
        let clock = ManualClock::new("2026-12-04T19:00:00.5Z".parse().unwrap());
        Audit::open(&self.path(), Arc::new(clock)).unwrap()
    }
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn refused(number: u64) -> Event {
    Event::Refused { reason: number.to_string() }
}

#[tokio::test]
async fn each_entry_is_a_line_of_a_file_for_its_owner_only() {
    let bench = Bench::new();
    fs::write(bench.path(), "").unwrap();
    fs::set_permissions(bench.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let audit = bench.open();
    let login = Login { org: OrgCode::new("ACME01").unwrap(), account: "acme\n".to_owned() };
    audit.note(
        &bench.session,
        Some(&login),
        Event::Accepted { job: "06H0ATRG01W59E5R".parse().unwrap(), size_bytes: 5 },
    );
    audit.note(&bench.session, None, Event::LoginRefused { reason: "unknown account".to_owned() });
    audit.flushed().await;
    let text = fs::read_to_string(bench.path()).unwrap();
    let first = "{\"at\":\"2026-12-04T19:00:00.500Z\",\"event\":\"accepted\",\"job\":\"06H0ATRG01W59E5R\",\
                 \"size_bytes\":5,\"session\":7,\"protocol\":\"ftp\",\"peer\":\"192.0.2.1:4711\",\
                 \"org\":\"ACME01\",\"account\":\"acme\\n\"}";
    assert_eq!(text.lines().next(), Some(first));
    assert_eq!(lines(&bench.path())[1]["event"], "login_refused");
    assert_eq!(lines(&bench.path()).len(), 2);
    assert_eq!(fs::metadata(bench.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_was_moved_away_is_followed_until_it_is_opened_anew() {
    let bench = Bench::new();
    let audit = bench.open();
    audit.note(&bench.session, None, refused(1));
    audit.flushed().await;
    let old = bench.folder.path().join("audit.log.1");
    fs::rename(bench.path(), &old).unwrap();
    audit.note(&bench.session, None, refused(2));
    audit.reopen();
    audit.note(&bench.session, None, refused(3));
    audit.flushed().await;
    assert_eq!((lines(&old).len(), lines(&bench.path()).len()), (2, 1));
    assert_eq!(fs::metadata(bench.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_disk_that_refuses_is_told_and_what_was_lost_is_counted_in_the_log() {
    let bench = Bench::new();
    fs::create_dir(bench.path()).unwrap();
    let audit = bench.open();
    audit.note(&bench.session, None, refused(1));
    audit.flushed().await;
    audit.note(&bench.session, None, refused(2));
    audit.flushed().await;
    let trouble = audit.trouble().unwrap();
    assert!(trouble.contains("audit.log") && trouble.contains("2 entries lost"), "{trouble}");
    fs::remove_dir(bench.path()).unwrap();
    audit.note(&bench.session, None, refused(3));
    audit.flushed().await;
    assert_eq!(audit.trouble(), None);
    let written = lines(&bench.path());
    assert_eq!((&written[0]["event"], &written[0]["entries"]), (&"lost".into(), &2.into()));
    assert_eq!(written[1]["reason"], "3");
}

#[tokio::test]
async fn a_queue_that_is_full_holds_nobody_up() {
    let bench = Bench::new();
    // A pipe that nobody reads takes 64 KiB and then nothing more.
    let status = std::process::Command::new("mkfifo").arg(bench.path()).status().unwrap();
    assert!(status.success());
    let pipe = fs::OpenOptions::new().read(true).write(true).open(bench.path()).unwrap();
    let audit = bench.open();
    let count = 3 * QUEUE_MAX as u64;
    for number in 0..count {
        audit.note(&bench.session, None, refused(number));
    }
    let lost = audit.log.as_ref().unwrap().shared.lost.load(Ordering::Relaxed);
    assert!(lost > 0 && lost < count, "{lost}");
    drop((audit, pipe));
}

#[test]
fn without_a_file_nothing_is_kept() {
    let bench = Bench::new();
    Audit::default().note(&bench.session, None, Event::Login);
    assert_eq!(Audit::default().trouble(), None);
}

#[tokio::test]
async fn an_upload_that_nobody_went_on_with_is_noted_with_its_organization_alone() {
    let bench = Bench::new();
    let audit = bench.open();
    audit.note_abandoned(&OrgCode::new("ACME01").unwrap(), 5);
    audit.flushed().await;
    let noted = serde_json::json!({
        "at": "2026-12-04T19:00:00.500Z", "event": "abandoned", "size_bytes": 5, "org": "ACME01",
    });
    assert_eq!(lines(&bench.path()), [noted]);
}
