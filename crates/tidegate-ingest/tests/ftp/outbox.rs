use tidegate_domain::job::{Counts, Job, JobEvent, Outcome};
use tidegate_store::Store;
use unftp_core::auth::DefaultUser;
use unftp_core::storage::StorageBackend;

use crate::client::Client;
use crate::rig::Rig;

/// Plays the worker: answers the job that waits.
pub(crate) async fn answer(store: &Store, response: &[u8]) -> Job {
    let claim = store.claim(1).await.unwrap().pop().unwrap();
    std::fs::write(store.response_path(&claim.job), response).unwrap();
    let completed = JobEvent::Completed { outcome: Outcome::Accepted, counts: Counts::default() };
    store.finish(&claim, completed).await.unwrap()
}

#[tokio::test]
async fn a_response_is_listed_fetched_and_deleted_by_its_sender_only() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    let job = answer(&rig.store, b"MSA|AA").await;
    assert_eq!(client.names("inbox").await, Vec::<String>::new(), "processed files no longer show");

    let name = format!("a.hl7.{}.response", job.id);
    assert_eq!(client.names("outbox").await, [name.as_str()]);
    assert_eq!(client.command(&format!("SIZE outbox/{name}")).await.text, "213 6\r\n");
    let (bytes, reply) = client.fetch(&format!("RETR outbox/{name}")).await;
    assert_eq!((bytes.as_slice(), reply.code), (&b"MSA|AA"[..], 226));

    let mut other = Client::login(rig.address, "beta").await;
    assert_eq!(other.names("outbox").await, Vec::<String>::new());
    assert_eq!(other.fetch(&format!("RETR outbox/{name}")).await.1.code, 550);
    assert_eq!(other.command(&format!("DELE outbox/{name}")).await.code, 550);

    assert_eq!(client.command(&format!("RNFR outbox/{name}")).await.code, 350);
    assert_eq!(client.command("RNTO inbox/b.hl7").await.code, 550);
    assert_eq!(client.command(&format!("DELE outbox/{name}")).await.code, 250);
    assert_eq!(client.names("outbox").await, Vec::<String>::new());
    assert_eq!(client.command(&format!("DELE outbox/{name}")).await.code, 550);
}

/// unftp-sbe-fs is the storage that clients of libunftp know: over the same directory it lists the same
/// names, lengths and times.
#[tokio::test]
async fn a_listing_reads_as_that_of_the_usual_storage() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    let job = answer(&rig.store, b"MSA|AA").await;
    let path = rig.store.response_path(&job);
    let outbox = path.parent().unwrap().parent().unwrap().join("outbox");
    let usual = unftp_sbe_fs::Filesystem::new(outbox).unwrap();
    let usual = usual.list_vec(&DefaultUser, "/").await.unwrap();
    let (listing, _) = client.fetch("LIST outbox").await;
    let tell = |line: &str| line.split_whitespace().skip(4).map(str::to_owned).collect::<Vec<_>>();
    let mut ours: Vec<_> = String::from_utf8(listing).unwrap().lines().map(tell).collect();
    let mut theirs: Vec<_> = usual.iter().map(|line| tell(line)).collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours.len(), 1);
    assert_eq!(ours, theirs);
}
