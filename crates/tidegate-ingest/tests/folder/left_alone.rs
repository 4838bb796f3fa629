use std::fs;
use std::os::unix::fs::symlink;

use crate::rig::{OFTEN, Rig, SELDOM, names};

#[tokio::test]
async fn what_is_no_whole_file_stays_where_it_is() {
    let mut rig = Rig::new();
    fs::write(rig.path("secret"), "MSH").unwrap();
    symlink(rig.path("secret"), rig.path("drop/link.hl7")).unwrap();
    fs::create_dir(rig.path("drop/below")).unwrap();
    fs::write(rig.path("drop/below/a.hl7"), "MSH").unwrap();
    fs::write(rig.path("drop/a.hl7.filepart"), "MSH").unwrap();
    fs::File::create(rig.path("drop/empty.hl7")).unwrap();
    let pipe = rig.path("drop/pipe.hl7");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    rig.watch(OFTEN);
    rig.looks().await;
    rig.looks().await;
    rig.trouble(<[String]>::is_empty).await;
    rig.stop().await;
    assert_eq!(rig.jobs(0).await, []);
    let left = ["a.hl7.filepart", "below", "empty.hl7", "link.hl7", "pipe.hl7"];
    assert_eq!(rig.names("drop"), left);
}

#[tokio::test]
async fn what_can_not_be_taken_is_told_without_its_name() {
    let mut rig = Rig::new();
    fs::write(rig.path("drop/SMITH\n.hl7"), "MSH").unwrap();
    fs::write(rig.path("drop/SMITH_large.hl7"), vec![b'x'; 1_001]).unwrap();
    fs::write(rig.path("drop/SMITH_just.hl7"), vec![b'x'; 1_000]).unwrap();
    rig.watch(OFTEN);
    assert_eq!(names(&rig.jobs(1).await), ["SMITH_just.hl7"]);
    let lines = rig.trouble(|lines| lines.len() == 2).await.join("\n");
    assert!(lines.contains("1 not taken: the file name has a control character"), "{lines}");
    assert!(lines.contains("1 not taken: larger than limits.upload_bytes_max"), "{lines}");
    assert!(!lines.contains("SMITH"), "{lines}");
    fs::remove_file(rig.path("drop/SMITH\n.hl7")).unwrap();
    fs::remove_file(rig.path("drop/SMITH_large.hl7")).unwrap();
    rig.trouble(<[String]>::is_empty).await;
}

#[tokio::test]
async fn files_wait_while_their_organization_is_disabled() {
    let mut rig = Rig::new();
    let org = rig.path("orgs.d/ACME01.toml");
    fs::write(&org, "code = 'ACME01'\ndisabled = true").unwrap();
    rig.directory.reload();
    rig.watch(OFTEN);
    fs::write(rig.path("drop/a.hl7"), "MSH").unwrap();
    let lines = rig.trouble(|lines| !lines.is_empty()).await.join("\n");
    assert!(lines.contains("organization ACME01 is not known, or disabled"), "{lines}");
    rig.looks().await;
    assert_eq!(rig.jobs(0).await, []);
    fs::write(&org, "code = 'ACME01'").unwrap();
    rig.directory.reload();
    assert_eq!(names(&rig.jobs(1).await), ["a.hl7"]);
    rig.trouble(<[String]>::is_empty).await;
}

#[tokio::test]
async fn files_wait_while_their_organization_asks_for_more_than_their_end() {
    let mut rig = Rig::new();
    let org = rig.path("orgs.d/ACME01.toml");
    fs::write(rig.path("drop/a.hl7"), "MSH").unwrap();
    rig.watch(OFTEN);
    for completion in ["rename", "sidecar"] {
        rig.jobs(1).await;
        fs::write(&org, format!("code = 'ACME01'\ncompletion = '{completion}'")).unwrap();
        rig.directory.reload();
        fs::write(rig.path("drop/a.hl7"), "MSH").unwrap();
        let told = format!("asks for a {completion}, which can't be told here");
        rig.trouble(|lines| lines.iter().any(|line| line.contains(&told))).await;
        rig.looks().await;
        assert_eq!(rig.jobs(0).await.len(), 1);
    }
    fs::write(&org, "code = 'ACME01'").unwrap();
    rig.directory.reload();
    assert_eq!(names(&rig.jobs(2).await), ["a.hl7", "a.hl7"]);
    rig.trouble(<[String]>::is_empty).await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_and_looked_for_again() {
    let mut rig = Rig::new();
    fs::remove_dir(rig.path("drop")).unwrap();
    // Nothing is ever quiet for long enough: only who watches the new folder sees the file being closed.
    rig.watch_for(OFTEN, SELDOM);
    let lines = rig.trouble(|lines| !lines.is_empty()).await.join("\n");
    assert!(lines.contains("can't be read"), "{lines}");
    fs::create_dir(rig.path("drop")).unwrap();
    rig.looks().await;
    rig.looks().await;
    fs::write(rig.path("drop/a.hl7"), "MSH").unwrap();
    assert_eq!(names(&rig.jobs(1).await), ["a.hl7"]);
}
