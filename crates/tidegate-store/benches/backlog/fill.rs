//! Fills a store through the way that every upload takes.

use std::path::Path;
use std::time::Instant;

use chrono::Utc;
use tidegate_domain::UploadName;
use tidegate_domain::job::Protocol;
use tidegate_domain::maintenance::{Hold, HoldLength};
use tidegate_store::{Sender, Store};

use crate::{ORGS, open, org, runtime};

const SENDERS: u64 = 256;
const FILE_BYTES: usize = 256;

/// Accepts `jobs` uploads under a hold and closes the store in good order.
pub(crate) fn fill(data_dir: &Path, jobs: u64) {
    let (store, _) = open(data_dir);
    let runtime = runtime();
    let begun = Instant::now();
    runtime.block_on(async {
        let hold = Hold::new("stop", None, "measuring", "bench", Utc::now(), HoldLength::UntilReleased);
        store.place_hold(hold.unwrap()).await.unwrap();
        let senders: Vec<_> =
            (0..SENDERS).map(|sender| tokio::spawn(send(store.clone(), sender, jobs))).collect();
        for sender in senders {
            sender.await.unwrap();
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    println!("filled in {seconds:.1} s, {:.0} uploads/s by {SENDERS} senders", jobs as f64 / seconds);
    runtime.block_on(store.close());
}

async fn send(store: Store, sender: u64, jobs: u64) {
    for number in (sender..jobs).step_by(SENDERS as usize) {
        let mut bytes = [b'x'; FILE_BYTES];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        let mut upload = store.upload().unwrap();
        upload.write(&bytes).await.unwrap();
        let sender = Sender { account: "bench".to_owned(), protocol: Protocol::Ftp };
        let name = UploadName::new(format!("{number}.hl7")).unwrap();
        upload.accept(&org(number % ORGS), sender, name).await.unwrap();
    }
}
