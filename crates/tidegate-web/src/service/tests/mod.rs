//! The service over a store with two organizations and a worker that delivers into a directory.

mod forms;
mod gate;
mod messages;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tidegate_domain::DeliveryConfig;
use tidegate_domain::job::{Job, JobState, Protocol};
use tidegate_domain::maintenance::{Downstream, Hold, HoldLength, Senders, UNAVAILABLE};
use tidegate_domain::units::HumanDuration;
use tidegate_ingest::accounts::PasswordHashing;
use tidegate_ingest::config::{AuthConfig, LimitsConfig, UploadsConfig};
use tidegate_soap::{CDC, Element, SOAP_11, SOAP_12, escape};
use tidegate_store::Filter;
use tidegate_worker::config::WorkerConfig;
use tidegate_worker::{Targets, Worker};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::receive::{BODY_BYTES_MAX, BODY_TIME_MAX};
use super::*;
use crate::control::tests::Bench;

const PASSWORD: &str = "correct horse battery";
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9)), 4711);
const SOAP: &str = "application/soap+xml; charset=utf-8; action=\"urn:cdc:iisb:2011:submitSingleMessage\"";

struct Rig {
    bench: Bench,
    folder: TempDir,
    router: Router,
    /// Stops the worker when it is dropped, if there is one at work.
    _stop: Option<watch::Sender<()>>,
}

#[derive(Debug)]
struct Told {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Rig {
    fn new() -> Self {
        Self::with("facilities = ['SUB-1']")
    }

    /// With this in the file of `ACME01`.
    fn with(acme: &str) -> Self {
        Self::delivering(acme, "")
    }

    /// With this under `[delivery]`, too.
    fn delivering(acme: &str, delivery: &str) -> Self {
        let (rig, worker) = Self::before_work(acme, delivery);
        let (stop, mut stopped) = watch::channel(());
        tokio::spawn(worker.run(async move { drop(stopped.changed().await) }));
        Self { _stop: Some(stop), ..rig }
    }

    /// The same with a worker that has not begun.
    fn before_work(acme: &str, delivery: &str) -> (Self, Worker) {
        let (bench, folder) = (Bench::new(), tempfile::tempdir().unwrap());
        let orgs = folder.path().join("orgs.d");
        std::fs::create_dir(&orgs).unwrap();
        let no_delay = HumanDuration(Duration::ZERO);
        let auth =
            AuthConfig { refusal_delay: no_delay, refusal_delay_max: no_delay, ..AuthConfig::default() };
        let hash = PasswordHashing::new(&auth).unwrap().hash(PASSWORD).unwrap();
        for (code, account, more) in [("ACME01", "acme", acme), ("LAKE02", "lake", "")] {
            let text = format!(
                "code = '{code}'\naccount = [{{ name = '{account}', password_hash = '{hash}' }}]\n{more}\n"
            );
            std::fs::write(orgs.join(format!("{code}.toml")), text).unwrap();
        }
        let directory = Arc::new(Directory::open(&orgs).unwrap());
        let (limits, uploads) = (LimitsConfig::default(), UploadsConfig::default());
        let intake =
            Intake::new(bench.store.clone(), Arc::clone(&directory), limits, &auth, &uploads).unwrap();
        let delivery: DeliveryConfig = toml::from_str(delivery).unwrap();
        let targets = Targets::open(&delivery, folder.path()).unwrap();
        let clock = Arc::new(bench.clock.clone());
        let worker =
            Worker::new(bench.store.clone(), directory.subscribe(), targets, WorkerConfig::default(), clock);
        let calls = worker.calls();
        let service = Service {
            control: bench.control.clone(),
            intake: Arc::new(intake),
            directory,
            calls,
            public_url: None,
            is_encrypted: true,
        };
        let router = router(service).layer(MockConnectInfo(PEER));
        (Self { bench, folder, router, _stop: None }, worker)
    }

    async fn ask(&self, request: Request<Body>) -> Told {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.into_body().collect().await.unwrap().to_bytes();
        Told { status, headers, text: String::from_utf8(text.to_vec()).unwrap() }
    }

    async fn soap(&self, kind: &str, envelope: String) -> Told {
        self.ask(Request::post("/soap").header(CONTENT_TYPE, kind).body(envelope.into()).unwrap()).await
    }

    async fn submit(&self, account: &str, password: &str, facility: &str, message: &str) -> Told {
        self.soap(SOAP, envelope(SOAP_12, &submission(account, password, facility, message))).await
    }

    async fn test(&self) -> Told {
        self.soap(
            SOAP,
            envelope(
                SOAP_12,
                "<connectivityTest xmlns='urn:cdc:iisb:2011'><echoBack>a&amp;b</echoBack></connectivityTest>",
            ),
        )
        .await
    }

    async fn hl7(&self, account: &str, password: &str, message: &str) -> Told {
        self.ask(hl7_request(account, password).body(message.to_owned().into()).unwrap()).await
    }

    fn jobs(&self) -> Vec<Job> {
        self.bench.store.list(&Filter { limit: 99, ..Filter::default() }).unwrap()
    }

    fn delivered(&self) -> Vec<PathBuf> {
        let of = |org: &str| std::fs::read_dir(self.folder.path().join("delivered").join(org));
        let entries = ["ACME01", "LAKE02"].into_iter().filter_map(|org| of(org).ok()).flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    async fn close(&self, org: Option<&str>, length: HoldLength) {
        let (now, org) =
            (self.bench.control_now(), org.map(|org| tidegate_domain::OrgCode::new(org).unwrap()));
        let hold = Hold::new("stop", org, "test", "ann", now, length).unwrap();
        self.bench.store.place_hold(hold).await.unwrap();
    }
}

fn basic(request: Builder, account: &str, password: &str) -> Builder {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{account}:{password}"));
    request.header(AUTHORIZATION, format!("Basic {encoded}"))
}

fn hl7_request(account: &str, password: &str) -> Builder {
    let request = Request::post("/hl7").header(CONTENT_TYPE, "application/hl7-v2; charset=utf-8");
    basic(request, account, password)
}

fn envelope(namespace: &str, body: &str) -> String {
    format!("<s:Envelope xmlns:s='{namespace}'><s:Header/><s:Body>{body}</s:Body></s:Envelope>")
}

fn submission(account: &str, password: &str, facility: &str, message: &str) -> String {
    let message = escape(message).unwrap();
    format!(
        "<c:submitSingleMessage xmlns:c='urn:cdc:iisb:2011'><c:username>{account}</c:username>\
         <c:password>{password}</c:password><c:facilityID>{facility}</c:facilityID>\
         <c:hl7Message>{message}</c:hl7Message></c:submitSingleMessage>"
    )
}

/// A message without a fault on the day of the bench.
fn message(id: &str) -> String {
    format!(
        "MSH|^~\\&|EHR|CLINIC|IIS|STATE|20240301120000-0600||VXU^V04^VXU_V04|{id}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r\
         PID|1||7^^^CLINIC^MR||TESTPATIENT^JANE||20200101|F\rORC|RE||1^EHR\r\
         RXA|0|1|20240301||20^DTaP^CVX|999|||01^Historical information^NIP001|||||||||||CP|A\r"
    )
}

fn returned(told: &Told) -> String {
    assert_eq!(told.status, StatusCode::OK, "{told:?}");
    let root = Element::read(told.text.as_bytes()).unwrap();
    root.all().iter().find(|element| element.is(CDC, "return")).unwrap().text.clone()
}

/// The fault's element, its `Code` and its `Reason`.
fn fault(told: &Told) -> (String, String, String) {
    let root = Element::read(told.text.as_bytes()).unwrap();
    let all = root.all();
    let ours = all.iter().find(|element| element.namespace == CDC).unwrap();
    let of = |name: &str| ours.child(CDC, name).unwrap().text.clone();
    assert!(!of("Detail").is_empty());
    (ours.name.clone(), of("Code"), of("Reason"))
}

fn fault_is(told: &Told, status: StatusCode, element: &str, code: &str, reason: &str) {
    assert_eq!(told.status, status, "{told:?}");
    assert_eq!(fault(told), (element.to_owned(), code.to_owned(), reason.to_owned()));
}

fn is_closed(told: &Told, retry_after: Option<&str>) {
    assert_eq!((told.status, told.text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE));
    assert_eq!(told.headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap()), retry_after);
}
