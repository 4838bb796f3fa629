//! A backup while everything is busy, and a second server on it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use tidegate_hl7::sample;

use crate::crash::wait_until_drained;
use crate::ledger::{self, Acknowledged};
use crate::rig::{DEADLINE, Server, Site, try_log_in};

/// Every so many-th upload is larger than what rides in the journal.
const LARGE_EVERY: u64 = 5;

/// Senders that upload until they are told to end.
struct Load {
    over: Arc<AtomicBool>,
    next: Arc<AtomicU64>,
    ledger: Arc<Mutex<Vec<Acknowledged>>>,
    /// Hears of each acknowledgment.
    acknowledgments: Receiver<()>,
    sessions: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(ftp: SocketAddr) -> Self {
        let (over, next, ledger) = (Arc::default(), Arc::new(AtomicU64::new(1)), Arc::default());
        let (acknowledge, acknowledgments) = channel();
        let mut load = Self { over, next, ledger, acknowledgments, sessions: Vec::new() };
        for session in 0..4 {
            let org = ["a", "b"][session % 2];
            let (over, next, ledger) =
                (Arc::clone(&load.over), Arc::clone(&load.next), Arc::clone(&load.ledger));
            let acknowledge = acknowledge.clone();
            load.sessions.push(std::thread::spawn(move || {
                let mut ftp = try_log_in(ftp, org).unwrap();
                while !over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(2, Ordering::Relaxed);
                    let upload = Acknowledged { org, name: format!("{seed}.hl7"), seeds: [seed, seed + 1] };
                    ftp.put_file(&upload.name, &mut &bytes(upload.seeds)[..]).unwrap();
                    ledger.lock().unwrap().push(upload);
                    // Nobody listens any more once enough have come.
                    _ = acknowledge.send(());
                }
            }));
        }
        load
    }

    fn wait_for(&self, uploads: usize) {
        assert_eq!(self.acknowledgments.iter().take(uploads).count(), uploads);
    }

    fn acknowledged(&self) -> Vec<Acknowledged> {
        self.ledger.lock().unwrap().clone()
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        for session in self.sessions {
            session.join().unwrap();
        }
    }
}

fn bytes(seeds: [u64; 2]) -> Vec<u8> {
    if !(seeds[0] / 2).is_multiple_of(LARGE_EVERY) {
        return ledger::content(seeds);
    }
    let note = format!("NTE|1|L|{}", "made-up remark ".repeat(5000));
    let messages = seeds.map(|seed| sample::with_segment(&sample::message(seed), &note));
    sample::file(&seeds[0].to_string(), &messages)
}

/// Uploads as A, waits for the answers and deletes them; the names that must not come back.
fn answered_and_deleted(server: &Server, site: &Site, seed: u64) -> Vec<String> {
    let name = format!("deleted-{seed}.hl7");
    let mut session = server.log_in("a");
    session.put_file(&name, &mut &ledger::content([seed, seed + 1])[..]).unwrap();
    let id = loop {
        // Each answer of the server takes its time.
        let jobs = site.jobs();
        let job = jobs.iter().find(|job| job["name"] == name.as_str()).unwrap();
        if job["state"] == "complete" {
            break job["id"].as_str().unwrap().to_owned();
        }
    };
    let names = ["response", "report.txt"].map(|ending| format!("{name}.{id}.{ending}"));
    for name in &names {
        session.rm(format!("/outbox/{name}")).unwrap();
    }
    names.into()
}

#[test]
fn a_backup_made_under_load_has_everything_that_was_acknowledged_before_it() {
    let site = Site::new();
    let server = site.serve();
    site.run(&["maintenance", "start", "--org", "B", "--until-released", "--reason", "B is onboarded"]);
    let deleted: Vec<String> =
        (0..3).flat_map(|n| answered_and_deleted(&server, &site, 1_000_000 + 2 * n)).collect();
    let load = Load::start(server.ftp);
    load.wait_for(60);
    let before = load.acknowledged();
    assert!(before.iter().any(|upload| upload.org == "b"), "B has files that wait");
    let restored = Site::without_server();
    let made = site.json(&["store", "backup", restored.path("data").to_str().unwrap(), "--json"]);
    let during = load.acknowledged();
    load.end();
    assert!(made["jobs"].as_u64().unwrap() >= before.len() as u64, "{made}");
    assert!(made["jobs"].as_u64().unwrap() <= during.len() as u64 + 3 + 4, "{made}");
    println!(
        "{} uploads before, {} while the backup was made: {made}",
        before.len(),
        during.len() - before.len()
    );

    // Nothing of the original is needed: the configuration lies in the backup.
    let looked = restored.run(&["store", "verify", restored.path("data").to_str().unwrap()]);
    assert!(looked.starts_with("The store is sound"), "{looked}");
    std::fs::rename(restored.path("data/config/tidegate.toml"), restored.path("tidegate.toml")).unwrap();
    std::fs::rename(restored.path("data/config/orgs.d"), restored.path("orgs.d")).unwrap();
    let of_original = site.jobs();
    let second = restored.serve();
    restored.run(&["maintenance", "release", "--org", "B"]);
    wait_until_drained(&restored);
    ledger::check(&restored, &second, &before);
    let outbox = second.log_in("a").nlst(Some("/outbox")).unwrap();
    assert!(deleted.iter().all(|name| !outbox.contains(name)), "deleted answers came back");
    restored.run(&["store", "verify"]);

    // Both go on, each by itself.
    let late = [2_000_000, 2_000_001];
    second.log_in("a").put_file("late.hl7", &mut &ledger::content(late)[..]).unwrap();
    site.run(&["maintenance", "release", "--org", "B"]);
    wait_until_drained(&site);
    let ids =
        |jobs: Vec<serde_json::Value>| jobs.into_iter().map(|job| job["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(site.jobs()), ids(of_original), "the second server changes nothing of the first");
    ledger::check(&site, &server, &during);
    site.run(&["store", "verify"]);
}

#[test]
fn a_backup_ends_when_whoever_asked_hangs_up_or_the_server_stops() {
    let site = Site::new();
    let mut server = site.serve();
    site.run(&["maintenance", "start", "--until-released", "--reason", "keep it waiting"]);
    server.log_in("a").put_file("empty.hl7", &mut &b""[..]).unwrap();
    // The backup halts at a pipe that nobody writes to, in the place of an empty upload, whose file is
    // written for whoever asks where it is.
    site.run(&["queue", "show", site.jobs()[0]["id"].as_str().unwrap()]);
    let payload = site.path("data/orgs/A/incoming").join(&site.files("orgs/A/incoming")[0]);
    std::fs::remove_file(&payload).unwrap();
    assert!(Command::new("mkfifo").arg(&payload).status().unwrap().success());
    // Opening it waits until the backup has come that far; dropping it lets the backup go on.
    let halted = || {
        let (path, (opened, has_opened)) = (payload.clone(), std::sync::mpsc::channel());
        std::thread::spawn(move || opened.send(std::fs::File::options().write(true).open(path)));
        has_opened.recv_timeout(DEADLINE).expect("the backup does not come to the pipe").unwrap()
    };
    let backup = |name: &str| {
        let directory = site.path(name);
        let mut command = site.command(&["store", "backup", directory.to_str().unwrap()]);
        (directory, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    };
    let is_incomplete = |directory: &Path| {
        assert!(!directory.join("layout").exists() && directory.join("incomplete-backup").exists());
    };

    let (directory, mut client) = backup("first");
    server.wait_for_line("backup begun");
    let busy = site.command(&["store", "backup", site.path("other").to_str().unwrap()]).output().unwrap();
    assert!(String::from_utf8(busy.stderr).unwrap().contains("another backup is being made"));
    let pipe = halted();
    client.kill().unwrap();
    client.wait().unwrap();
    server.wait_for_line("backup given up: nobody waits for it any more");
    drop(pipe);
    server.wait_for_line("backup not made");
    is_incomplete(&directory);
    let again = site.command(&["store", "backup", directory.to_str().unwrap()]).output().unwrap();
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.code() == Some(1) && told.contains("interrupted: remove it"), "{told}");

    let (directory, client) = backup("second");
    server.wait_for_line("backup begun");
    let pipe = halted();
    server.signal("TERM");
    server.wait_for_line("backup given up: the server stops");
    drop(pipe);
    server.ended();
    is_incomplete(&directory);
    let client = client.wait_with_output().unwrap();
    let told = String::from_utf8(client.stderr).unwrap();
    assert!(client.status.code() == Some(1) && told.contains("interrupted"), "{told}");

    std::fs::remove_file(&payload).unwrap();
    std::fs::write(&payload, "").unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    site.run(&["store", "backup", directory.to_str().unwrap()]);
    assert!(directory.join("layout").exists());
}
