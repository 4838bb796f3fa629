//! Senders who come back to an upload in the very moment in which it is removed for its age.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tidegate_disk::{Call, Disk, Grant, Watch};
use tidegate_domain::Clock as _;
use tidegate_store::{Abandoned, Options, Store};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::rig::{Rig, org, payload, sender, upload_name};

/// What a sender does.
type Deed = Box<dyn FnOnce() + Send>;

/// Lets a sender do something just before a call of the removal.
#[derive(Default)]
struct Meanwhile {
    /// Before the upload loses its name.
    taken: Mutex<Option<Deed>>,
    /// Before it gets its name back.
    put_back: Mutex<Option<Deed>>,
}

impl Watch for Meanwhile {
    fn before(&self, call: &Call<'_>) -> io::Result<Grant> {
        let deed = match call {
            Call::Rename { from, .. } if is_begun(from) => self.taken.lock().unwrap().take(),
            Call::Link { to, .. } if is_begun(to) => self.put_back.lock().unwrap().take(),
            _ => None,
        };
        if let Some(deed) = deed {
            deed();
        }
        Ok(Grant::Whole)
    }
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

fn is_begun(path: &Path) -> bool {
    path.ends_with("staged/A/a") || path.ends_with("broken/A/a")
}

fn rig() -> (Rig, Arc<Meanwhile>) {
    let meanwhile = Arc::new(Meanwhile::default());
    let options = Options { disk: Disk::watched(Arc::clone(&meanwhile) as _), ..Options::default() };
    (Rig::open_with(tempfile::tempdir().unwrap(), options), meanwhile)
}

async fn stage(store: &Store, bytes: &[u8]) {
    let mut upload = store.upload().unwrap();
    upload.write(bytes).await.unwrap();
    upload.stage(&org("A"), &upload_name("a")).await.unwrap();
}

/// A sender who uploads once more.
fn stages(rig: &Rig, bytes: &'static [u8]) -> Deed {
    let (store, runtime) = (rig.store.clone(), Handle::current());
    Box::new(move || runtime.block_on(stage(&store, bytes)))
}

fn make_old(rig: &Rig, directory: &str) {
    let written = SystemTime::from(rig.clock.now()) - Duration::from_hours(25);
    let file = std::fs::File::options().write(true).open(rig.path().join(directory).join("A/a")).unwrap();
    file.set_modified(written).unwrap();
}

async fn forget(rig: &Rig) -> Vec<Abandoned> {
    let store = rig.store.clone();
    spawn_blocking(move || store.forget_abandoned().unwrap()).await.unwrap()
}

/// Has what is staged submitted, and compares it.
async fn is_staged(rig: &Rig, bytes: &[u8]) {
    assert_eq!(rig.files("uploads"), Vec::<String>::new());
    let job =
        rig.store.accept_staged(&org("A"), &upload_name("a"), sender(), upload_name("a")).await.unwrap();
    assert_eq!(payload(&rig.store, &job), bytes);
}

#[tokio::test]
async fn what_is_staged_while_the_old_one_goes_stays() {
    let (rig, meanwhile) = rig();
    stage(&rig.store, b"old").await;
    make_old(&rig, "staged");
    *meanwhile.taken.lock().unwrap() = Some(stages(&rig, b"new"));
    assert_eq!(forget(&rig).await, []);
    is_staged(&rig, b"new").await;
}

#[tokio::test]
async fn what_is_staged_while_another_is_put_back_takes_its_place() {
    let (rig, meanwhile) = rig();
    stage(&rig.store, b"old").await;
    make_old(&rig, "staged");
    *meanwhile.taken.lock().unwrap() = Some(stages(&rig, b"new"));
    *meanwhile.put_back.lock().unwrap() = Some(stages(&rig, b"newest"));
    assert_eq!(forget(&rig).await, []);
    is_staged(&rig, b"newest").await;
}

#[tokio::test]
async fn what_is_submitted_while_it_goes_is_a_job() {
    let (rig, meanwhile) = rig();
    stage(&rig.store, b"late").await;
    make_old(&rig, "staged");
    let (store, runtime) = (rig.store.clone(), Handle::current());
    let (tell, told) = channel();
    *meanwhile.taken.lock().unwrap() = Some(Box::new(move || {
        let (org, name) = (org("A"), upload_name("a"));
        tell.send(runtime.block_on(store.accept_staged(&org, &name, sender(), name.clone()))).unwrap();
    }));
    assert_eq!(forget(&rig).await, []);
    assert_eq!(payload(&rig.store, &told.recv().unwrap().unwrap()), b"late");
}

#[tokio::test]
async fn a_broken_upload_that_is_gone_on_with_while_it_goes_becomes_whole() {
    let (rig, meanwhile) = rig();
    let content = b"0123456".repeat(20_000);
    let mut upload = rig.store.upload().unwrap();
    upload.write(&content[..70_000]).await.unwrap();
    upload.keep_broken(&org("A"), &upload_name("a")).await.unwrap();
    make_old(&rig, "broken");
    let (store, runtime) = (rig.store.clone(), Handle::current());
    let (tell, told) = channel();
    *meanwhile.taken.lock().unwrap() = Some(Box::new(move || {
        tell.send(runtime.block_on(store.go_on(&org("A"), &upload_name("a"), 70_000))).unwrap();
    }));
    assert_eq!(forget(&rig).await, [Abandoned { org: org("A"), size_bytes: 70_000 }]);
    let mut upload = told.recv().unwrap().unwrap();
    upload.write(&content[70_000..]).await.unwrap();
    let job = upload.accept(&org("A"), sender(), upload_name("a")).await.unwrap();
    assert!(payload(&rig.store, &job) == content);
}
