use std::fs;

use crate::rig::{OFTEN, Rig, names};

#[tokio::test]
async fn with_as_many_files_waiting_as_may_the_next_ones_wait_in_the_folder_and_it_is_said_once() {
    let mut rig = Rig::new();
    rig.limit("files_waiting_max = 1");
    for name in ["a.hl7", "b.hl7", "c.hl7"] {
        fs::write(rig.path("drop").join(name), "MSH").unwrap();
    }
    rig.watch(OFTEN);
    let said = rig.trouble(|lines| !lines.is_empty()).await;
    assert!(said.len() == 1 && said[0].contains("files_waiting_max"), "{said:?}");
    assert_eq!(names(&rig.jobs(1).await).len(), 1);
    assert_eq!(rig.names("drop").len(), 2);
    rig.answer(b"MSA|AA").await;
    assert_eq!(names(&rig.jobs(2).await).len(), 2);
    rig.looks().await;
    let again = rig.trouble(|lines| !lines.is_empty()).await;
    assert_eq!(again, said, "the same words however many wait");
    rig.answer(b"MSA|AA").await;
    assert_eq!(names(&rig.jobs(3).await).len(), 3);
    rig.trouble(<[String]>::is_empty).await;
    assert!(!rig.audit_log().await.contains("refused"), "waiting is no refusal");
}

#[tokio::test]
async fn with_as_many_uploads_in_a_minute_as_may_the_next_ones_wait_in_the_folder() {
    let mut rig = Rig::new();
    rig.limit("uploads_per_minute_max = 2");
    for name in ["a.hl7", "b.hl7", "c.hl7"] {
        fs::write(rig.path("drop").join(name), "MSH").unwrap();
    }
    rig.watch(OFTEN);
    let said = rig.trouble(|lines| !lines.is_empty()).await;
    assert!(said.len() == 1 && said[0].contains("uploads_per_minute_max"), "{said:?}");
    assert_eq!(rig.jobs(2).await.len(), 2);
    rig.limit("uploads_per_minute_max = 3");
    assert_eq!(rig.jobs(3).await.len(), 3);
    rig.trouble(<[String]>::is_empty).await;
}

#[tokio::test]
async fn what_became_of_a_folders_files_is_noted_once_and_without_their_names() {
    let mut rig = Rig::new();
    fs::write(rig.path("drop/SMITH.hl7"), "MSH|SECRET").unwrap();
    fs::write(rig.path("drop/SMITH_large.hl7"), vec![b'x'; 1_001]).unwrap();
    rig.watch(OFTEN);
    let job = rig.jobs(1).await[0].id;
    rig.trouble(|lines| !lines.is_empty()).await;
    rig.looks().await;
    rig.answer(b"MSA|AA").await;
    while !rig.names("responses").iter().any(|name| !name.starts_with('.')) {
        rig.looks().await;
    }
    rig.stop().await;
    let log = rig.audit_log().await;
    let account = rig.path("drop").display().to_string();
    let by = format!("\"protocol\":\"folder\",\"org\":\"ACME01\",\"account\":\"{account}\"}}\n");
    for event in [
        format!("\"event\":\"accepted\",\"job\":\"{job}\",\"size_bytes\":10,{by}"),
        format!("\"event\":\"refused\",\"reason\":\"larger than limits.upload_bytes_max\",{by}"),
        format!("\"event\":\"brought_back\",\"job\":\"{job}\",{by}"),
    ] {
        assert_eq!(log.matches(&event).count(), 1, "{event}: {log}");
    }
    assert_eq!(log.lines().count(), 3, "{log}");
    assert!(!log.contains("SMITH") && !log.contains("SECRET"), "{log}");
}
