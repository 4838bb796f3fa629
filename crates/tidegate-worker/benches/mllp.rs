//! How fast messages go to a registry by MLLP, beside a loop that does nothing but send and wait for answers, measured
//! in the same run against the same listener.
//!
//! `cargo bench -p tidegate-worker --bench mllp [-- DIRECTORY]`; the directory (default: the system's for temporary
//! files) is where the store is. Compare the ratio, not the rate. The listener is on this machine and takes its share
//! of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark may stop at the first surprise"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tidegate_domain::job::{JobState, Protocol};
use tidegate_domain::maintenance::{Calendar, Hold, HoldLength};
use tidegate_domain::{
    DeliveryConfig, DeliveryKind, DeliveryTls, OrgCode, Organization, Organizations, SystemClock, UploadName,
};
use tidegate_hl7::sample;
use tidegate_store::{Options, Sender, Store};
use tidegate_worker::config::WorkerConfig;
use tidegate_worker::{Targets, Worker};
use tokio::sync::watch;

/// As many as files are processed at once.
const LANES: u64 = 4;
const FILES: u64 = 8;
const MESSAGES: u64 = 5_000;

fn main() {
    let base = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let registry = registry();
    println!(
        "{} messages of {} bytes in {FILES} files for each of {LANES} organizations",
        LANES * FILES * MESSAGES,
        sample::message(0).len()
    );
    let raw = raw(registry);
    println!("sent and answered by {LANES} bare loops: {raw:>7.0} messages/s");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir_in(base).unwrap();
    let drained = runtime.block_on(drain(dir.path(), registry));
    println!("checked, delivered and answered:     {drained:>7.0} messages/s, {:.2} of that", drained / raw);
}

/// Answers each message with AA.
fn registry() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for link in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(link));
        }
    });
    address
}

fn answer(mut link: TcpStream) -> Option<()> {
    link.set_nodelay(true).ok()?;
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        let length = link.read(&mut piece).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&piece[..length]);
        if !bytes.ends_with(b"\x1c\r") {
            continue;
        }
        let id = bytes.split(|byte| *byte == b'|').nth(9)?;
        let mut ack = b"\x0bMSH|^~\\&|IIS|STATE|||20240301||ACK|9|P|2.5.1\rMSA|AA|".to_vec();
        ack.extend_from_slice(id);
        ack.extend_from_slice(b"\r\x1c\r");
        bytes.clear();
        link.write_all(&ack).ok()?;
    }
}

fn raw(registry: SocketAddr) -> f64 {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for lane in 0..LANES {
            scope.spawn(move || {
                let mut link = TcpStream::connect(registry).unwrap();
                link.set_nodelay(true).unwrap();
                let mut piece = [0; 4096];
                for number in 0..FILES * MESSAGES {
                    let message = sample::message(lane * 1_000_000 + number);
                    link.write_all(&[&b"\x0b"[..], &message, b"\x1c\r"].concat()).unwrap();
                    let mut read = 0;
                    while read < 2 || piece[read - 2..read] != *b"\x1c\r" {
                        read += link.read(&mut piece[read..]).unwrap();
                    }
                }
            });
        }
    });
    (LANES * FILES * MESSAGES) as f64 / begun.elapsed().as_secs_f64()
}

async fn drain(data_dir: &Path, registry: SocketAddr) -> f64 {
    let (store, _) = Store::open(data_dir, Options::default(), Arc::new(SystemClock)).unwrap();
    store.set_calendar(Calendar { resume_ramp: Duration::ZERO, ..Calendar::default() });
    let hold = Hold::new("stop", None, "measuring", "bench", Utc::now(), HoldLength::UntilReleased).unwrap();
    store.place_hold(hold).await.unwrap();
    accept_all(&store).await;
    let config = DeliveryConfig {
        kind: DeliveryKind::Mllp,
        address: Some(registry.to_string()),
        tls: Some(DeliveryTls::Off),
        ..DeliveryConfig::default()
    };
    let targets = Targets::open(&config, data_dir).unwrap();
    let (_keep, organizations) = watch::channel(Arc::new(organizations()));
    let slots = WorkerConfig { jobs_concurrent_max: usize::try_from(LANES).unwrap() };
    let worker = Worker::new(store.clone(), organizations, targets, slots, Arc::new(SystemClock));
    let (stop, mut stopped) = watch::channel(false);
    let working = tokio::spawn(worker.run(async move { drop(stopped.wait_for(|stop| *stop).await) }));

    let begun = Instant::now();
    store.release_holds(None, "bench", "measuring").await.unwrap();
    while store.stats().unwrap().by_state.get(&JobState::Complete) != Some(&(LANES * FILES)) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    stop.send_replace(true);
    working.await.unwrap().unwrap();
    store.close().await;
    (LANES * FILES * MESSAGES) as f64 / seconds
}

async fn accept_all(store: &Store) {
    for number in 0..LANES * FILES {
        let messages: Vec<_> =
            (0..MESSAGES).map(|message| sample::message(number * MESSAGES + message)).collect();
        let mut upload = store.upload().unwrap();
        upload.write(&sample::file("F", &messages)).await.unwrap();
        let sender = Sender { account: "bench".to_owned(), protocol: Protocol::Ftp };
        let name = UploadName::new(format!("{number}.hl7")).unwrap();
        upload.accept(&org(number % LANES), sender, name).await.unwrap();
    }
}

fn org(number: u64) -> OrgCode {
    OrgCode::new(&format!("ORG{number:03}")).unwrap()
}

fn organizations() -> Organizations {
    let one = |number| Organization::new(org(number));
    Organizations::new((0..LANES).map(one)).unwrap()
}
