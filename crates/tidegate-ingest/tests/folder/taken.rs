use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::time::{Duration, SystemTime};

use tidegate_domain::job::Protocol;

use crate::rig::{OFTEN, Rig, SELDOM, names};

#[tokio::test]
async fn a_file_is_taken_once_its_writer_has_closed_it() {
    let mut rig = Rig::new();
    rig.watch(SELDOM);
    // It is there only when the watch is: the first look has found nothing by then.
    rig.looks_once().await;
    let mut open = File::create(rig.path("drop/open.hl7")).unwrap();
    open.write_all(b"MSH|1").unwrap();
    fs::write(rig.path("drop/closed.hl7"), "MSH|2").unwrap();
    assert_eq!(names(&rig.jobs(1).await), ["closed.hl7"]);
    open.write_all(b"|more").unwrap();
    drop(open);
    let jobs = rig.jobs(2).await;
    assert_eq!(names(&jobs), ["closed.hl7", "open.hl7"]);
    let mut bytes = String::new();
    rig.store.open_payload(&jobs[1]).unwrap().read_to_string(&mut bytes).unwrap();
    assert_eq!(bytes, "MSH|1|more");
    assert_eq!(jobs[1].submission.protocol, Protocol::Folder);
    assert_eq!(jobs[1].submission.account, rig.path("drop").display().to_string());
    rig.stop().await;
    assert_eq!(rig.names("drop"), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_is_taken_once_it_is_renamed_to_its_final_name() {
    let mut rig = Rig::new();
    rig.watch(SELDOM);
    rig.looks_once().await;
    fs::write(rig.path("drop/a.hl7.part"), "MSH|1").unwrap();
    fs::write(rig.path("beside"), "MSH|2").unwrap();
    fs::rename(rig.path("beside"), rig.path("drop/from-outside.hl7")).unwrap();
    assert_eq!(names(&rig.jobs(1).await), ["from-outside.hl7"]);
    fs::rename(rig.path("drop/a.hl7.part"), rig.path("drop/a.hl7")).unwrap();
    assert_eq!(names(&rig.jobs(2).await), ["from-outside.hl7", "a.hl7"]);
}

#[tokio::test]
async fn a_file_that_is_open_when_it_gets_its_name_or_has_a_second_writer_waits_for_the_last_close() {
    let mut rig = Rig::new();
    rig.watch(SELDOM);
    rig.looks_once().await;
    let mut renamed = File::create(rig.path("beside")).unwrap();
    renamed.write_all(b"MSH|1").unwrap();
    fs::rename(rig.path("beside"), rig.path("drop/renamed.hl7")).unwrap();
    let mut second = File::create(rig.path("drop/shared.hl7")).unwrap();
    fs::write(rig.path("drop/shared.hl7"), "MSH|2").unwrap();
    fs::write(rig.path("drop/closed.hl7"), "MSH|3").unwrap();
    assert_eq!(names(&rig.jobs(1).await), ["closed.hl7"]);
    renamed.write_all(b"|more").unwrap();
    drop(renamed);
    assert_eq!(names(&rig.jobs(2).await)[1], "renamed.hl7");
    second.write_all(b"MSH|2|more").unwrap();
    drop(second);
    let jobs = rig.jobs(3).await;
    assert_eq!(names(&jobs)[2], "shared.hl7");
    for (job, expected) in jobs[1..].iter().zip(["MSH|1|more", "MSH|2|more"]) {
        let mut bytes = String::new();
        rig.store.open_payload(job).unwrap().read_to_string(&mut bytes).unwrap();
        assert_eq!(bytes, expected);
    }
}

#[tokio::test]
async fn what_came_while_nobody_watched_is_taken_in_its_order_but_never_while_it_is_written() {
    let mut rig = Rig::new();
    let mut open = File::create(rig.path("drop/0-open.hl7")).unwrap();
    open.write_all(b"MSH|half").unwrap();
    let written = SystemTime::now();
    for (age_s, name) in [(30, "2.hl7"), (20, "1.hl7"), (10, "3.hl7")] {
        let mut file = File::create(rig.path("drop").join(name)).unwrap();
        file.write_all(b"MSH").unwrap();
        file.set_modified(written - Duration::from_secs(age_s)).unwrap();
    }
    rig.watch(OFTEN);
    assert_eq!(names(&rig.jobs(3).await), ["2.hl7", "1.hl7", "3.hl7"]);
    rig.looks().await;
    assert_eq!(rig.names("drop"), ["0-open.hl7"]);
    drop(open);
    assert_eq!(names(&rig.jobs(4).await)[3], "0-open.hl7");
}

#[tokio::test]
async fn a_name_that_comes_again_is_another_upload() {
    let mut rig = Rig::new();
    rig.watch(SELDOM);
    rig.looks_once().await;
    for count in 1..=2 {
        fs::write(rig.path("drop/a.hl7"), format!("MSH|{count}")).unwrap();
        rig.jobs(count).await;
    }
    assert_eq!(names(&rig.jobs(2).await), ["a.hl7", "a.hl7"]);
}
