use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use tidegate_domain::UploadName;
use tidegate_domain::job::Protocol;
use tidegate_store::Sender;

use crate::rig::{OFTEN, Rig};

#[tokio::test]
async fn responses_to_a_folders_files_are_brought_to_its_place_and_no_others() {
    let mut rig = Rig::new();
    let org = "ACME01".to_owned().try_into().unwrap();
    let mut others = Vec::new();
    // Another folder of the same organization, and a session of an account that is called as this one.
    let (other, this) = (rig.path("other"), rig.path("drop"));
    for (name, account, protocol) in [
        ("b.hl7", PathBuf::from("acme"), Protocol::Ftp),
        ("c.hl7", other, Protocol::Folder),
        ("d.hl7", this, Protocol::Sftp),
    ] {
        let mut upload = rig.store.upload().unwrap();
        upload.write(b"MSH|by ").await.unwrap();
        upload.write(name.as_bytes()).await.unwrap();
        let sender = Sender { account: account.display().to_string(), protocol };
        upload.accept(&org, sender, UploadName::new(name).unwrap()).await.unwrap();
        let job = rig.answer(b"MSA|other").await;
        others.push(format!("{name}.{}.response", job.id).into_bytes());
    }

    fs::write(rig.path("drop/a.hl7"), "MSH|in the folder").unwrap();
    rig.watch(OFTEN);
    rig.jobs(4).await;
    let job = rig.answer(b"MSA|AA").await;
    rig.looks().await;
    rig.looks().await;
    rig.stop().await;

    let name = format!("a.hl7.{}.response", job.id);
    assert_eq!(rig.names("responses"), [name.as_str()]);
    let path = rig.path("responses").join(&name);
    assert_eq!(fs::read(&path).unwrap(), b"MSA|AA");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut left: Vec<_> = rig.store.outbox(&org).unwrap().into_iter().map(|file| file.name).collect();
    left.sort();
    assert_eq!(left, others);
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

#[tokio::test]
async fn a_response_is_written_through_no_link_and_over_what_a_crash_left() {
    let mut rig = Rig::new();
    fs::write(rig.path("drop/a.hl7"), "MSH").unwrap();
    rig.watch(OFTEN);
    let jobs = rig.jobs(1).await;
    let name = format!("a.hl7.{}.response", jobs[0].id);
    fs::write(rig.path("precious"), "not ours").unwrap();
    symlink(rig.path("precious"), rig.path("responses").join(format!(".{name}"))).unwrap();
    rig.answer(b"MSA|AA").await;
    while rig.names("responses") != [name.clone()] {
        rig.looks_once().await;
    }
    assert_eq!(fs::read(rig.path("precious")).unwrap(), b"not ours");
    let path = rig.path("responses").join(&name);
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read(path).unwrap(), b"MSA|AA");
}
