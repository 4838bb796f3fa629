//! Uploads that broke off.

use std::fs;
use std::time::{Duration, SystemTime};

use tidegate_domain::Clock as _;
use tidegate_store::{Abandoned, Options, StoreError, Upload};

use crate::rig::{Rig, org, payload, sender, upload_name};

/// 3 MiB, and no two parts of it are alike.
fn content() -> Vec<u8> {
    (0..786_432_u32).flat_map(u32::to_le_bytes).collect()
}

async fn upload(rig: &Rig, bytes: &[u8]) -> Upload {
    let mut upload = rig.store.upload().unwrap();
    upload.write(bytes).await.unwrap();
    upload
}

async fn break_off(rig: &Rig, name: &str, bytes: &[u8]) {
    upload(rig, bytes).await.keep_broken(&org("A"), &upload_name(name)).await.unwrap();
}

fn kept(rig: &Rig, name: &str) -> Option<u64> {
    rig.store.broken_entry(&org("A"), &upload_name(name)).unwrap().map(|file| file.size_bytes)
}

#[tokio::test]
async fn a_broken_upload_is_gone_on_with_after_a_kill_and_becomes_one_job() {
    let rig = Rig::new();
    let (content, at) = (content(), 2_345_678);
    break_off(&rig, "a", &content[..at]).await;
    let rig = rig.after_kill();
    assert_eq!(kept(&rig, "a"), Some(at as u64));
    for from in [at, 70_000, 1] {
        let mut upload = rig.store.go_on(&org("A"), &upload_name("a"), from as u64).await.unwrap();
        upload.write(&content[from..]).await.unwrap();
        let job = upload.accept(&org("A"), sender(), upload_name("a")).await.unwrap();
        assert!(payload(&rig.store, &job) == content, "from {from}");
    }
    let more = rig.store.go_on(&org("A"), &upload_name("a"), at as u64 + 1).await;
    assert!(matches!(more, Err(StoreError::NotFound)));
    let others = rig.store.go_on(&org("B"), &upload_name("a"), 1).await;
    assert!(matches!(others, Err(StoreError::NotFound)));
    rig.store.remove_broken(&org("A"), &upload_name("a")).unwrap();
    assert_eq!(kept(&rig, "a"), None);
    rig.store.remove_broken(&org("A"), &upload_name("a")).unwrap();
}

#[tokio::test]
async fn what_is_sent_again_as_quickly_is_not_kept() {
    let rig = Rig::new();
    break_off(&rig, "a", &content()[..64 << 10]).await;
    assert_eq!(kept(&rig, "a"), None);
}

#[tokio::test]
async fn broken_uploads_do_not_take_the_room_that_whole_ones_need() {
    let rig = Rig::new();
    let free = rustix::fs::statvfs(rig.path()).unwrap();
    let free = free.f_bavail * free.f_frsize;
    let options = Options { free_bytes_min: free / 2 + free / 8, ..Options::default() };
    let rig = Rig::open_with(rig.closed().await, options);
    break_off(&rig, "a", &content()).await;
    assert_eq!(kept(&rig, "a"), None);
}

#[tokio::test]
async fn the_oldest_broken_upload_goes_for_the_next() {
    let rig = Rig::new();
    let part = &content()[..70_000];
    for number in 0..17 {
        break_off(&rig, &number.to_string(), part).await;
        let age = Duration::from_secs(100 - number);
        date(&rig, &number.to_string(), SystemTime::now() - age);
    }
    assert_eq!(kept(&rig, "0"), None);
    assert_eq!(rig.files("broken/A").len(), 16);
    break_off(&rig, "1", part).await;
    assert_eq!(rig.files("broken/A").len(), 16, "one that is replaced takes no more room");
}

#[tokio::test]
async fn a_broken_upload_is_kept_for_a_day() {
    let rig = Rig::new();
    assert_eq!(rig.store.forget_abandoned().unwrap(), []);
    let (hour, now) = (Duration::from_hours(1), SystemTime::from(rig.clock.now()));
    for (name, written) in [("old", now - 25 * hour), ("young", now - 23 * hour), ("ahead", now + 48 * hour)]
    {
        break_off(&rig, name, &content()[..70_000]).await;
        date(&rig, name, written);
    }
    let gone = Abandoned { org: org("A"), size_bytes: 70_000 };
    assert_eq!(rig.store.forget_abandoned().unwrap(), [gone]);
    assert_eq!(rig.files("broken/A"), ["ahead", "young"]);
}

#[tokio::test]
async fn a_staged_upload_that_nobody_submits_is_kept_for_a_day() {
    let rig = Rig::new();
    let (hour, now) = (Duration::from_hours(1), SystemTime::from(rig.clock.now()));
    for (name, written) in [("old", now - 25 * hour), ("young", now - 23 * hour)] {
        upload(&rig, &content()[..100]).await.stage(&org("A"), &upload_name(name)).await.unwrap();
        date_in(&rig, "staged", name, written);
    }
    let gone = Abandoned { org: org("A"), size_bytes: 100 };
    assert_eq!(rig.store.forget_abandoned().unwrap(), [gone]);
    assert_eq!(rig.files("staged/A"), ["young"]);
    assert_eq!(rig.store.forget_abandoned().unwrap(), []);
    let late = rig.store.accept_staged(&org("A"), &upload_name("old"), sender(), upload_name("a")).await;
    assert!(matches!(late, Err(StoreError::NotFound)));
    rig.store.accept_staged(&org("A"), &upload_name("young"), sender(), upload_name("b")).await.unwrap();
}

#[tokio::test]
async fn a_legal_hold_keeps_abandoned_uploads_too() {
    let rig = Rig::new();
    let long_ago = SystemTime::from(rig.clock.now()) - Duration::from_hours(250);
    break_off(&rig, "broken", &content()[..70_000]).await;
    date(&rig, "broken", long_ago);
    upload(&rig, b"1").await.stage(&org("A"), &upload_name("staged")).await.unwrap();
    date_in(&rig, "staged", "staged", long_ago);
    rig.store.place_legal_hold(org("A"), "case".to_owned(), "eve").await.unwrap();
    assert_eq!(rig.store.forget_abandoned().unwrap(), []);
    rig.store.release_legal_holds(&org("A"), "settled".to_owned(), "eve").await.unwrap();
    assert_eq!(rig.store.forget_abandoned().unwrap().len(), 2);
}

fn date(rig: &Rig, name: &str, written: SystemTime) {
    date_in(rig, "broken", name, written);
}

fn date_in(rig: &Rig, directory: &str, name: &str, written: SystemTime) {
    let path = rig.path().join(directory).join("A").join(name);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(written).unwrap();
}
