//! Responses: there once the job's end is durable, gone for good once the sender deleted them.

use tidegate_domain::job::{Counts, JobEvent, JobState, Outcome};
use tidegate_store::StoreError;

use crate::rig::{Rig, org};

#[tokio::test]
async fn the_response_appears_under_the_uploads_name_and_the_bytes_move_to_the_archive() {
    let rig = Rig::new();
    let job = rig.accept("A", "march.hl7", b"1").await;
    let claim = rig.claim().await;
    rig.complete(&claim).await;
    let id = job.id;
    assert_eq!(
        rig.files("orgs/A/outbox"),
        [format!("march.hl7.{id}.report.txt"), format!("march.hl7.{id}.response")]
    );
    assert_eq!(rig.files("orgs/A/incoming"), Vec::<String>::new());
    assert!(rig.files("orgs/A/archive").contains(&format!("{id}.hl7")));
    assert_eq!(rig.store.inbox(&org("A")).unwrap(), []);
}

#[tokio::test]
async fn a_response_that_a_crash_kept_from_the_outbox_is_put_there_by_the_next_start() {
    let rig = Rig::new();
    rig.accept("A", "march.hl7", b"1").await;
    let claim = rig.claim().await;
    rig.complete(&claim).await;
    let image = rig.crash_image();
    for file in std::fs::read_dir(image.path().join("orgs/A/outbox")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let archive = image.path().join("orgs/A/archive").join(format!("{}.hl7", claim.id()));
    std::fs::rename(archive, image.path().join("orgs/A/incoming").join(format!("{}.hl7", claim.id())))
        .unwrap();
    let after = Rig::open(image);
    assert_eq!(after.store.outbox(&org("A")).unwrap().len(), 2);
    assert_eq!(after.files("orgs/A/incoming"), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_sender_deleted_does_not_come_back() {
    let rig = Rig::new();
    let job = rig.accept("A", "march.hl7", b"1").await;
    let claim = rig.claim().await;
    rig.complete(&claim).await;
    let name = format!("march.hl7.{}.response", job.id);
    rig.store.delete_outbox(&org("A"), name.as_bytes(), "acme").await.unwrap();
    for rig in [&rig, &rig.after_kill()] {
        assert_eq!(rig.files("orgs/A/outbox"), [format!("march.hl7.{}.report.txt", job.id)]);
        assert!(rig.files("orgs/A/archive").contains(&format!("{}.response", job.id)), "staff keep theirs");
        let again = rig.store.delete_outbox(&org("A"), name.as_bytes(), "acme").await;
        assert!(matches!(again, Err(StoreError::NotFound)));
    }
}

#[tokio::test]
async fn no_name_leads_out_of_the_outbox() {
    let rig = Rig::new();
    rig.accept("A", "march.hl7", b"1").await;
    for name in ["../archive/x", "", "..", "x.response", "../../B/outbox/y.0123456789ABCDEF.response"] {
        assert_eq!(rig.store.outbox_entry(&org("A"), name.as_bytes()).unwrap(), None, "{name}");
        assert!(rig.store.open_outbox(&org("A"), name.as_bytes()).is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_duplicate_is_answered_with_the_first_response() {
    let rig = Rig::new();
    let first = rig.accept("A", "march.hl7", b"same").await;
    let claim = rig.claim().await;
    rig.complete(&claim).await;
    let again = rig.accept("A", "april.hl7", b"same").await;
    let claim = rig.claim().await;
    assert_eq!(rig.store.original_of(&claim.job).unwrap(), Some(first.id));
    let job = rig.store.finish(&claim, JobEvent::FoundDuplicate { of: first.id }).await.unwrap();
    assert_eq!(job.state, JobState::Duplicate);
    let response = format!("april.hl7.{}.response", again.id);
    let mut text = String::new();
    let mut file = rig.store.open_outbox(&org("A"), response.as_bytes()).unwrap();
    std::io::Read::read_to_string(&mut file, &mut text).unwrap();
    assert_eq!(text, "response");
}

#[tokio::test]
async fn a_refused_file_that_is_requeued_takes_its_answer_back() {
    let rig = Rig::new();
    let job = rig.accept("A", "march.hl7", b"1").await;
    let claim = rig.claim().await;
    std::fs::write(rig.store.response_path(&claim.job), "no").unwrap();
    std::fs::write(rig.store.report_path(&claim.job), "no").unwrap();
    rig.store.finish(&claim, JobEvent::Refused { reason: "truncated".into() }).await.unwrap();
    assert_eq!(rig.files("orgs/A/error"), [format!("{}.hl7", job.id)]);
    rig.store.act(job.id, JobEvent::Requeued { reason: "again".into() }, "eve").await.unwrap();
    assert_eq!(rig.files("orgs/A/outbox"), Vec::<String>::new());
    let claim = rig.claim().await;
    let end = JobEvent::Completed { outcome: Outcome::Accepted, counts: Counts::default() };
    rig.store.finish(&claim, end).await.unwrap();
    assert_eq!(rig.files("orgs/A/outbox").len(), 2);
}

#[tokio::test]
async fn a_file_that_was_rejected_as_a_whole_is_no_original_and_may_be_requeued() {
    let rig = Rig::new();
    let rejected = rig.accept("A", "march.hl7", b"same").await;
    let claim = rig.claim().await;
    std::fs::write(rig.store.response_path(&claim.job), "no").unwrap();
    std::fs::write(rig.store.report_path(&claim.job), "no").unwrap();
    let end = JobEvent::Completed { outcome: Outcome::Rejected, counts: Counts::default() };
    rig.store.finish(&claim, end).await.unwrap();
    let again = rig.accept("A", "april.hl7", b"same").await;
    assert_eq!(rig.store.original_of(&again).unwrap(), None);
    let requeued =
        rig.store.act(rejected.id, JobEvent::Requeued { reason: "profile mended".into() }, "eve").await;
    assert_eq!(requeued.unwrap().state, JobState::Queued);
    assert_eq!(rig.files("orgs/A/outbox"), Vec::<String>::new());
    assert_eq!(rig.claim().await.id(), rejected.id);
}
