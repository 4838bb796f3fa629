use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tidegate_domain::UploadName;
use tidegate_domain::job::Protocol;
use tidegate_store::Sender;

use crate::rig::{OFTEN, Rig};

#[tokio::test]
async fn responses_to_a_folders_files_are_brought_to_its_place_and_no_others() {
    let mut rig = Rig::new();
    let mut upload = rig.store.upload().unwrap();
    upload.write(b"MSH|by FTP").await.unwrap();
    let sender = Sender { account: "acme".to_owned(), protocol: Protocol::Ftp };
    let org = "ACME01".to_owned().try_into().unwrap();
    upload.accept(&org, sender, UploadName::new("b.hl7").unwrap()).await.unwrap();
    let other = rig.answer(b"MSA|other").await;

    fs::write(rig.path("drop/a.hl7"), "MSH|in the folder").unwrap();
    rig.watch(OFTEN);
    rig.jobs(2).await;
    let job = rig.answer(b"MSA|AA").await;
    rig.looks().await;
    rig.looks().await;
    rig.stop().await;

    let name = format!("a.hl7.{}.response", job.id);
    assert_eq!(rig.names("responses"), [name.as_str()]);
    let path = rig.path("responses").join(&name);
    assert_eq!(fs::read(&path).unwrap(), b"MSA|AA");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let left: Vec<_> = rig.store.outbox(&org).unwrap().into_iter().map(|file| file.name).collect();
    assert_eq!(left, [format!("b.hl7.{}.response", other.id).into_bytes()]);
}

#[tokio::test]
async fn a_response_stays_in_the_outbox_until_it_can_be_brought() {
    let mut rig = Rig::new();
    fs::remove_dir(rig.path("responses")).unwrap();
    fs::write(rig.path("drop/a.hl7"), "MSH").unwrap();
    rig.watch(OFTEN);
    rig.jobs(1).await;
    let job = rig.answer(b"MSA|AA").await;
    let lines = rig.trouble(|lines| !lines.is_empty()).await.join("\n");
    assert!(lines.contains("responses can't be brought to it"), "{lines}");
    let name = format!("a.hl7.{}.response", job.id);
    assert_eq!(rig.store.outbox(&job.submission.org).unwrap()[0].name, name.clone().into_bytes());
    fs::create_dir(rig.path("responses")).unwrap();
    rig.trouble(<[String]>::is_empty).await;
    assert_eq!(rig.names("responses"), [name]);
}
