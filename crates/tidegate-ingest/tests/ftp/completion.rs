//! What submits an upload, where its organization asks for more than its end.

use sha2::{Digest as _, Sha256};
use tidegate_domain::job::Job;
use tidegate_ingest::config::FtpEngine;
use tokio::io::AsyncWriteExt;

use crate::client::{Client, Reply};
use crate::rig::{Rig, ask_for, payload};

/// A door whose organization asks for `completion`, and a client of its.
async fn asking_for(completion: &str) -> (Rig, Client) {
    let rig = Rig::start().await;
    ask_for(&rig.directory, completion);
    let client = Client::login(rig.address, "acme").await;
    (rig, client)
}

async fn rename(client: &mut Client, from: &str, to: &str) -> Reply {
    let reply = client.command(&format!("RNFR {from}")).await;
    if reply.code == 350 { client.command(&format!("RNTO {to}")).await } else { reply }
}

async fn size(client: &mut Client, name: &str) -> Option<u64> {
    let reply = client.command(&format!("SIZE {name}")).await;
    (reply.code == 213).then(|| reply.text[4..].trim().parse().unwrap())
}

fn names(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(|job| job.submission.name.to_text()).collect()
}

fn sum(bytes: &[u8]) -> String {
    let digits = |text: String, byte: &u8| text + &format!("{byte:02x}");
    Sha256::digest(bytes).iter().fold(String::new(), digits)
}

/// The other engine's texts are fixed.
fn says(reply: &Reply, word: &str) -> bool {
    crate::ENGINE == FtpEngine::Libunftp || reply.text.contains(word)
}

#[tokio::test]
async fn an_upload_waits_for_its_rename_where_its_organization_asks_for_one() {
    let (rig, mut client) = asking_for("rename").await;
    let kept = client.store("a.hl7", b"MSH").await;
    assert!(kept.code == 226 && says(&kept, "rename"), "{kept:?}");
    assert_eq!(client.store("a.hl7", b"MSH|2").await.code, 226, "another try replaces it");
    assert_eq!((rig.jobs(), client.names("inbox").await), (Vec::new(), vec!["a.hl7".to_owned()]));
    assert_eq!(size(&mut client, "a.hl7").await, Some(5));
    assert_eq!(client.command("MDTM a.hl7").await.code, 213);
    assert_eq!(client.fetch("RETR a.hl7").await.1.code, 550);

    let same = rename(&mut client, "a.hl7", "inbox/a.hl7").await;
    assert!(same.code == 550 && says(&same, "another name"), "{same:?}");
    assert_eq!(rename(&mut client, "a.hl7", "a.tmp").await.code, 250);
    assert_eq!(rig.jobs(), []);
    let submitted = rename(&mut client, "a.tmp", "b.hl7").await;
    assert!(submitted.code == 250 && says(&submitted, "submitted"), "{submitted:?}");
    assert_eq!(client.store("c.hl7", b"MSH|3").await.code, 226);
    assert_eq!(rename(&mut client, "c.hl7", "b.hl7").await.code, 250, "a name may come again");
    assert_eq!(names(&rig.jobs()), ["b.hl7", "b.hl7"]);
    assert_eq!(
        rig.jobs().iter().map(|job| payload(&rig.store, job)).collect::<Vec<_>>(),
        [b"MSH|2", b"MSH|3"]
    );

    assert_eq!(client.store("d.hl7.done", b"").await.code, 226, "a sidecar means nothing here");
    assert_eq!(client.command("DELE d.hl7.done").await.code, 250);
    assert_eq!(client.command("DELE b.hl7").await.code, 550, "it is accepted");
    assert_eq!(size(&mut client, "d.hl7.done").await, None);
    let mut other = Client::login(rig.address, "beta").await;
    assert_eq!(other.store("e.hl7", b"MSH").await.code, 226);
    assert_eq!(rig.jobs().len(), 3, "another organization's closing is enough");
}

#[tokio::test]
async fn a_file_that_waits_does_not_hide_the_one_that_is_accepted_under_its_name() {
    let (rig, mut client) = asking_for("rename").await;
    for name in ["a.hl7", "b.hl7", "c.tmp"] {
        assert_eq!(client.store(name, b"MSH").await.code, 226);
    }
    assert_eq!(client.store("c.tmp", b"MSH|2").await.code, 226);
    assert_eq!(rename(&mut client, "c.tmp", "a.hl7").await.code, 250);
    ask_for(&rig.directory, "close");
    assert_eq!(client.store("b.hl7", b"MSH|3").await.code, 226);
    for name in ["a.hl7", "b.hl7"] {
        assert_eq!(size(&mut client, name).await, Some(5), "{name}");
    }
    assert_eq!(names(&rig.jobs()), ["a.hl7", "b.hl7"]);
}

#[tokio::test]
async fn a_sidecar_submits_the_file_beside_it_and_nothing_else() {
    let (rig, mut client) = asking_for("sidecar").await;
    let checksum = format!("{}  /out/c.hl7\n", sum(b"MSH"));
    let pairs: [(&str, &str, &[u8]); 5] = [
        ("a.hl7", "a.hl7.done", b""),
        ("a.hl7", "inbox/a.hl7.DONE", b"any"),
        ("b.hl7", "b.done", b""),
        ("c.hl7", "c.hl7.sha256", checksum.as_bytes()),
        ("d", "d.sha256", checksum.as_bytes()),
    ];
    for (count, (name, sidecar, content)) in pairs.into_iter().enumerate() {
        let kept = client.store(name, b"MSH").await;
        assert!(kept.code == 226 && says(&kept, ".done"), "{kept:?}");
        assert_eq!((rig.jobs().len(), size(&mut client, name).await), (count, Some(3)));
        let submitted = client.store(sidecar, content).await;
        assert!(submitted.code == 226 && says(&submitted, "submitted"), "{submitted:?}");
        assert_eq!(rig.jobs().len(), count + 1);
        assert_eq!(size(&mut client, sidecar).await, Some(content.len() as u64), "as clients look for it");
    }
    assert_eq!(names(&rig.jobs()), ["a.hl7", "a.hl7", "b.hl7", "c.hl7", "d"]);
    assert_eq!(client.names("inbox").await, ["a.hl7", "b.hl7", "c.hl7", "d"], "no sidecar is kept");
}

#[tokio::test]
async fn a_sidecar_that_does_not_fit_submits_nothing_and_its_file_stays() {
    let (rig, mut client) = asking_for("sidecar").await;
    let long = vec![b'x'; 100_000];
    for name in ["a.hl7", "b.csv", "b.hl7", "c.hl7.tmp", "d.hl7"] {
        assert_eq!(client.store(name, b"MSH").await.code, 226);
    }
    let (other, right) = (sum(b"other"), sum(b"MSH"));
    let cases: [(&str, &[u8], &str); 7] = [
        ("early.hl7.done", b"", "first"),
        ("early.sha256", right.as_bytes(), "first"),
        ("b.done", b"", "several"),
        ("c.hl7.done", b"", "first"),
        ("a.hl7.sha256", other.as_bytes(), "is not this one"),
        ("a.hl7.sha256", b"not a checksum", "64 hex"),
        ("d.hl7.done", &long, "4096"),
    ];
    for (sidecar, content, why) in cases {
        let refused = client.store(sidecar, content).await;
        assert!(refused.code == 550 && says(&refused, why), "{sidecar}: {refused:?}");
        assert_eq!(size(&mut client, sidecar).await, None);
        assert!(rig.audit_log().await.lines().last().unwrap().contains("\"event\":\"refused\""));
    }
    assert_eq!(rig.jobs(), []);
    assert_eq!(client.names("inbox").await, ["a.hl7", "b.csv", "b.hl7", "c.hl7.tmp", "d.hl7"]);
    assert_eq!(client.store("a.hl7.sha256", right.as_bytes()).await.code, 226);
    assert_eq!(names(&rig.jobs()), ["a.hl7"]);
    assert_eq!(client.store("a.hl7.done", b"").await.code, 550, "once is enough");
}

#[tokio::test]
async fn a_sidecar_may_come_under_a_temporary_name() {
    let (rig, mut client) = asking_for("sidecar").await;
    assert_eq!(client.store("a.hl7.tmp", b"MSH").await.code, 226);
    assert_eq!(rename(&mut client, "a.hl7.tmp", "a.hl7").await.code, 250);
    assert_eq!(client.store("sum.tmp", sum(b"other").as_bytes()).await.code, 226);
    assert_eq!(rename(&mut client, "sum.tmp", "a.hl7.sha256").await.code, 550);
    assert_eq!(client.names("inbox").await, ["a.hl7", "sum.tmp"]);
    assert_eq!(client.store("sum.tmp", sum(b"MSH").as_bytes()).await.code, 226);
    assert_eq!(rig.jobs(), []);
    assert_eq!(rename(&mut client, "sum.tmp", "a.hl7.sha256").await.code, 250);
    assert_eq!(
        (names(&rig.jobs()), client.names("inbox").await),
        (vec!["a.hl7".into()], vec!["a.hl7".into()])
    );

    assert_eq!(client.store("b.hl7", b"MSH").await.code, 226);
    assert_eq!(client.store("done.tmp", &vec![b'x'; 5_000]).await.code, 226);
    assert_eq!(rename(&mut client, "done.tmp", "b.hl7.done").await.code, 550, "it is too long");
    assert_eq!(rig.jobs().len(), 1);
}

#[tokio::test]
async fn nothing_submits_an_upload_that_was_cut() {
    for completion in ["rename", "sidecar"] {
        let (rig, mut client) = asking_for(completion).await;
        for length in [3, 100_000] {
            let mut data = client.begin("STOR a.hl7").await;
            data.write_all(&vec![b'x'; length]).await.unwrap();
            data.set_zero_linger().unwrap();
            drop(data);
            assert_eq!(client.reply().await.code, 426);
            assert_eq!(rename(&mut client, "a.hl7", "b.hl7").await.code, 550);
            assert_eq!(rename(&mut client, "a.hl7", "b.tmp").await.code, 550);
            if completion == "sidecar" {
                assert_eq!(client.store("a.hl7.done", b"").await.code, 550);
                assert_eq!(client.store("a.done", b"").await.code, 550);
            }
        }
        drop(client);
        assert_eq!(crate::rig::jobs(&rig.stop().await), []);
    }
}

#[tokio::test]
async fn the_audit_log_tells_what_was_kept_and_what_its_sidecar_submitted() {
    let (rig, mut client) = asking_for("sidecar").await;
    assert_eq!(client.store("SMITH.hl7", b"MSH").await.code, 226);
    assert_eq!(client.store("SMITH.hl7.done", b"").await.code, 226);
    let log = rig.audit_log().await;
    let events: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let job = rig.jobs()[0].id.to_string();
    let found: Vec<_> = events.iter().map(|event| (&event["event"], &event["job"])).collect();
    let none = &serde_json::Value::Null;
    assert_eq!(found, [(&"login".into(), none), (&"staged".into(), none), (&"accepted".into(), &job.into())]);
    assert!(!log.contains("SMITH"), "{log}");
}
