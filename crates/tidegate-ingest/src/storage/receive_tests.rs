use std::sync::Arc;

use tidegate_domain::job::{JobState, Protocol};
use tidegate_domain::{OrgCode, SystemClock};
use tidegate_store::{Options, Store};

use super::*;
use crate::accounts::Directory;
use crate::config::{AuthConfig, LimitsConfig, UploadsConfig};
use crate::intake::Intake;
use crate::session::ControlLink;

/// A killed client's control connection ended a moment after its upload had been accepted, because
/// its kernel closes the data connection first.
#[tokio::test]
async fn a_job_that_its_sender_never_heard_of_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (data, orgs) = (folder.path().join("data"), folder.path().join("orgs.d"));
    std::fs::create_dir(&data).unwrap();
    std::fs::create_dir(&orgs).unwrap();
    let (store, _) = Store::open(&data, Options::default(), Arc::new(SystemClock)).unwrap();
    let directory = Arc::new(Directory::open(&orgs).unwrap());
    let (limits, auth) = (LimitsConfig::default(), AuthConfig::default());
    let intake = Intake::new(store.clone(), directory, limits, &auth, &UploadsConfig::default()).unwrap();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (control, peer) = listener.accept().await.unwrap();
    let session = intake.admit(Protocol::Ftp, peer, ControlLink::new(&control).unwrap()).unwrap();
    let storage = InboxStorage::new(Arc::new(intake), Arc::new(session));

    let sender = Sender { account: "acme".to_owned(), protocol: Protocol::Ftp };
    let name = UploadName::new("a.hl7").unwrap();
    let job = store.upload().unwrap().accept(&OrgCode::new("A").unwrap(), sender, name).await.unwrap();
    storage.withdraw_if_unread(job.id).await.unwrap();
    assert_eq!(store.get(job.id).unwrap().unwrap().state, JobState::Queued);
    drop(client);
    let told = storage.withdraw_if_unread(job.id).await;
    assert!(matches!(told, Err(TransferError::ControlLost)));
    assert_eq!(store.get(job.id).unwrap().unwrap().state, JobState::Cancelled);
}
