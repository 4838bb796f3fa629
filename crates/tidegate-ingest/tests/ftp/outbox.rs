use tidegate_domain::job::{Counts, Job, JobEvent, Outcome};
use tidegate_store::Store;

use crate::client::Client;
use crate::rig::Rig;

/// Plays the worker: answers the job that waits.
async fn answer(store: &Store, response: &[u8]) -> Job {
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
