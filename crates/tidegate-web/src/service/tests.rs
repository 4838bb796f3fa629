//! The service over a store with two organizations and a worker that delivers into a directory.

use std::path::PathBuf;

use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tidegate_domain::DeliveryConfig;
use tidegate_domain::job::{Job, JobState, Protocol};
use tidegate_domain::maintenance::{Hold, HoldLength, UNAVAILABLE};
use tidegate_domain::units::HumanDuration;
use tidegate_ingest::accounts::PasswordHashing;
use tidegate_ingest::config::{AuthConfig, LimitsConfig, UploadsConfig};
use tidegate_soap::{CDC, Element, SOAP_11, SOAP_12, escape};
use tidegate_store::Filter;
use tidegate_worker::config::WorkerConfig;
use tidegate_worker::{Targets, Worker};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::*;
use crate::control::tests::Bench;

const PASSWORD: &str = "correct horse battery";
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9)), 4711);
const SOAP: &str = "application/soap+xml; charset=utf-8; action=\"urn:cdc:iisb:2011:submitSingleMessage\"";

struct Rig {
    bench: Bench,
    folder: TempDir,
    router: Router,
    /// Stops the worker when it is dropped.
    _stop: watch::Sender<()>,
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
        let (bench, folder) = (Bench::new(), tempfile::tempdir().unwrap());
        let orgs = folder.path().join("orgs.d");
        std::fs::create_dir(&orgs).unwrap();
        let no_delay = HumanDuration(Duration::ZERO);
        let auth =
            AuthConfig { refusal_delay: no_delay, refusal_delay_max: no_delay, ..AuthConfig::default() };
        let hash = PasswordHashing::new(&auth).unwrap().hash(PASSWORD).unwrap();
        for (code, account, more) in [("ACME01", "acme", acme), ("LAKE02", "lake", "")] {
            let text = format!(
                "code = '{code}'\n{more}\n[[account]]\nname = '{account}'\npassword_hash = '{hash}'\n"
            );
            std::fs::write(orgs.join(format!("{code}.toml")), text).unwrap();
        }
        let directory = Arc::new(Directory::open(&orgs).unwrap());
        let (limits, uploads) = (LimitsConfig::default(), UploadsConfig::default());
        let intake =
            Intake::new(bench.store.clone(), Arc::clone(&directory), limits, &auth, &uploads).unwrap();
        let targets = Targets::open(&DeliveryConfig::default(), folder.path()).unwrap();
        let clock = Arc::new(bench.clock.clone());
        let worker =
            Worker::new(bench.store.clone(), directory.subscribe(), targets, WorkerConfig::default(), clock);
        let (stop, mut stopped) = watch::channel(());
        let calls = worker.calls();
        tokio::spawn(worker.run(async move { drop(stopped.changed().await) }));
        let service = Service {
            control: bench.control.clone(),
            intake: Arc::new(intake),
            directory,
            calls,
            public_url: None,
            is_encrypted: true,
        };
        let router = router(service).layer(MockConnectInfo(PEER));
        Self { bench, folder, router, _stop: stop }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_recorded_delivered_and_answered_in_the_same_call_both_ways() {
    let rig = Rig::new();
    let ack = returned(&rig.submit("acme", PASSWORD, "ACME01", &message("S-1")).await);
    assert!(ack.starts_with("MSH|^~\\&|IIS|") && ack.contains("\rMSA|AA|S-1\r"), "{ack:?}");
    let told = rig.hl7("lake", PASSWORD, &message("H-1").replace('\r', "\n")).await;
    assert_eq!(
        (told.status, told.headers[CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::OK, "application/hl7-v2")
    );
    assert!(told.text.contains("\rMSA|AA|H-1\r"), "{told:?}");
    let jobs = rig.jobs();
    let doors: Vec<_> =
        jobs.iter().map(|job| (job.submission.protocol, job.submission.account.as_str())).collect();
    assert_eq!(doors, [(Protocol::Http, "lake"), (Protocol::Soap, "acme")]);
    assert_eq!(rig.delivered().len(), 2);
    assert_eq!(std::fs::read_to_string(&rig.delivered()[0]).unwrap(), message("S-1"));
    assert!(jobs.iter().all(|job| !job.submission.name.to_text().contains("S-1")));
    // What is wrong with a message is in its acknowledgment.
    let ack =
        returned(&rig.submit("acme", PASSWORD, "", &message("S-2").replace("TESTPATIENT^JANE", "")).await);
    assert!(ack.contains("\rMSA|AE|S-2\r") && !ack.contains("BTS"), "{ack:?}");
    assert_eq!(rig.delivered().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_gate_is_503_with_the_sentence_for_every_operation_and_nothing_is_recorded() {
    let rig = Rig::new();
    assert_eq!(returned(&rig.test().await), "a&b");
    rig.close(None, HoldLength::For(Duration::from_mins(30))).await;
    rig.bench.clock.advance(chrono::TimeDelta::milliseconds(500));
    let wait = Some("1800");
    is_closed(&rig.test().await, wait);
    is_closed(&rig.submit("acme", PASSWORD, "", &message("1")).await, wait);
    is_closed(&rig.submit("acme", "wrong", "", &message("1")).await, wait);
    is_closed(&rig.hl7("acme", PASSWORD, &message("1")).await, wait);
    let nobody =
        Request::post("/hl7").header(CONTENT_TYPE, "application/hl7-v2").body(Body::empty()).unwrap();
    is_closed(&rig.ask(nobody).await, wait);
    is_closed(&rig.soap("text/plain", "no XML".to_owned()).await, wait);
    let other = Request::post("/hl7").header(CONTENT_TYPE, "text/plain").body("MSH|".into()).unwrap();
    is_closed(&rig.ask(other).await, wait);
    assert!(rig.jobs().is_empty() && rig.delivered().is_empty());
    // To the end of what is known, and not to an end that nobody knows.
    rig.close(None, HoldLength::UntilReleased).await;
    is_closed(&rig.test().await, None);
    rig.bench.store.release_holds(None, "ann", "done").await.unwrap();
    rig.close(None, HoldLength::For(Duration::from_hours(72))).await;
    is_closed(&rig.test().await, Some("86400"));
    rig.bench.store.release_holds(None, "ann", "done").await.unwrap();
    assert!(returned(&rig.submit("acme", PASSWORD, "", &message("1")).await).contains("MSA|AA|1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_for_one_organization_is_503_for_it_alone() {
    let rig = Rig::new();
    rig.close(Some("ACME01"), HoldLength::For(Duration::from_mins(1))).await;
    is_closed(&rig.submit("acme", PASSWORD, "", &message("1")).await, Some("60"));
    is_closed(&rig.hl7("acme", PASSWORD, &message("1")).await, Some("60"));
    assert!(rig.jobs().is_empty());
    assert!(returned(&rig.submit("lake", PASSWORD, "", &message("1")).await).contains("MSA|AA|1"));
    assert_eq!(returned(&rig.test().await), "a&b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_that_defers_has_its_messages_queued_while_everyone_else_hears_503() {
    let rig = Rig::with("when_closed = 'defer'");
    assert!(returned(&rig.submit("acme", PASSWORD, "", &message("0")).await).contains("MSA|AA|0"));
    rig.close(None, HoldLength::For(Duration::from_mins(30))).await;
    let wait = Some("1800");
    let told = rig.hl7("acme", PASSWORD, &message("1")).await;
    assert_eq!(
        (told.status, told.headers[CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::ACCEPTED, "application/hl7-v2")
    );
    assert!(told.text.contains("\rMSA|AA|1\rERR|||0^Message accepted^HL70357|I|"), "{told:?}");
    let told = returned(&rig.submit("acme", PASSWORD, "", &message("2")).await);
    assert!(told.contains("\rMSA|AA|2\rERR|||0^"), "{told}");
    is_closed(&rig.submit("acme", "wrong", "", &message("3")).await, wait);
    is_closed(&rig.submit("lake", PASSWORD, "", &message("3")).await, wait);
    is_closed(&rig.hl7("lake", PASSWORD, &message("3")).await, wait);
    is_closed(&rig.test().await, wait);
    let query = message("4").replace("VXU^V04^VXU_V04", "QBP^Q11^QBP_Q11");
    is_closed(&rig.hl7("acme", PASSWORD, &query).await, wait);
    let several = message("5") + &message("6");
    assert_eq!(rig.hl7("acme", PASSWORD, &several).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let jobs = rig.jobs();
    let states: Vec<_> = jobs.iter().map(|job| (job.submission.protocol, job.state)).collect();
    let queued = (Protocol::Web, JobState::Queued);
    assert_eq!(states, [queued, queued, (Protocol::Soap, JobState::Complete)]);
    assert_eq!(rig.delivered().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_who_he_says_hears_a_security_fault_and_nothing_more() {
    let rig = Rig::new();
    let text = message("1");
    for (account, password, facility) in [
        ("acme", "wrong", ""),
        ("nobody", PASSWORD, ""),
        ("", "", ""),
        ("acme", PASSWORD, "LAKE02"),
        ("acme", PASSWORD, "sub-1"),
    ] {
        let told = rig.submit(account, password, facility, &text).await;
        fault_is(&told, StatusCode::BAD_REQUEST, "SecurityFault", "3", "Security");
    }
    let told = rig.hl7("acme", "wrong", &text).await;
    assert_eq!(told.status, StatusCode::UNAUTHORIZED);
    assert!(told.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    assert_eq!(told.headers[CONTENT_TYPE], "application/problem+json");
    let other =
        hl7_request("acme", PASSWORD).header("X-Facility-ID", "LAKE02").body(text.clone().into()).unwrap();
    assert_eq!(rig.ask(other).await.status, StatusCode::UNAUTHORIZED);
    assert!(rig.jobs().is_empty());
    for facility in ["ACME01", "SUB-1", " ", ""] {
        assert!(
            returned(&rig.submit("acme", PASSWORD, facility, &text).await).contains("MSA|AA|1"),
            "{facility}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_without_soap_is_described_with_every_answer_it_has() {
    let rig = Rig::new();
    let told = rig.ask(Request::get("/hl7/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (told.status, told.headers[CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::OK, "application/json")
    );
    let description: serde_json::Value = serde_json::from_str(&told.text).unwrap();
    let post = &description["paths"]["/hl7"]["post"];
    let closed = &post["responses"]["503"]["content"]["text/plain"]["schema"]["const"];
    assert_eq!(closed, UNAVAILABLE);
    let message = &post["requestBody"]["content"]["application/hl7-v2"]["schema"];
    assert_eq!(message["maxLength"], MESSAGE_BYTES_MAX);
    assert_eq!(rig.hl7("acme", PASSWORD, "").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_are_not_in_the_envelope_may_be_those_of_http() {
    let rig = Rig::new();
    for (account, password, status) in
        [("acme", PASSWORD, StatusCode::OK), ("acme", "wrong", StatusCode::BAD_REQUEST)]
    {
        let text = envelope(SOAP_12, &submission("", "", "", &message("1")));
        let told = rig
            .ask(
                basic(Request::post("/soap").header(CONTENT_TYPE, SOAP), account, password)
                    .body(text.into())
                    .unwrap(),
            )
            .await;
        assert_eq!(told.status, status, "{told:?}");
    }
    // What is in the envelope counts.
    let text = envelope(SOAP_12, &submission("acme", "wrong", "", &message("1")));
    let told = rig
        .ask(
            basic(Request::post("/soap").header(CONTENT_TYPE, SOAP), "acme", PASSWORD)
                .body(text.into())
                .unwrap(),
        )
        .await;
    fault_is(&told, StatusCode::BAD_REQUEST, "SecurityFault", "3", "Security");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_often_hears_429_and_503_while_the_gate_is_closed() {
    let rig = Rig::new();
    let nothing = || Request::post("/hl7").body(Body::empty()).unwrap();
    let mut last = rig.ask(nothing()).await;
    for _ in 0..door::RATE_MAX {
        last = rig.ask(nothing()).await;
    }
    assert_eq!(
        (last.status, last.headers[RETRY_AFTER].to_str().unwrap()),
        (StatusCode::TOO_MANY_REQUESTS, "60")
    );
    rig.close(None, HoldLength::For(Duration::from_mins(30))).await;
    is_closed(&rig.ask(nothing()).await, Some("1800"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_one_message_and_too_long_a_one_are_too_large() {
    let rig = Rig::new();
    let two = message("1") + &message("2");
    let batch = format!("FHS|^~\\&|\rBHS|^~\\&|\r{}BTS|1\rFTS|1\r", message("1"));
    let long = format!("{}NTE|1||{}\r", message("1"), "x".repeat(MESSAGE_BYTES_MAX));
    let endless = format!("{}NTE|1||{}\r", message("1"), "x".repeat(BODY_BYTES_MAX));
    for text in [two, batch, long, endless] {
        let told = rig.submit("acme", PASSWORD, "", &text).await;
        fault_is(&told, StatusCode::BAD_REQUEST, "MessageTooLargeFault", "4", "MessageTooLarge");
        assert_eq!(rig.hl7("acme", PASSWORD, &text).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert!(rig.jobs().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_envelope_is_told_in_its_own_version() {
    let rig = Rig::new();
    let other = "<x xmlns='urn:cdc:iisb:2011'/>";
    let told = rig.soap(SOAP, envelope(SOAP_12, other)).await;
    fault_is(&told, StatusCode::BAD_REQUEST, "UnsupportedOperationFault", "2", "UnsupportedOperation");
    assert!(told.headers[CONTENT_TYPE].to_str().unwrap().starts_with("application/soap+xml"));
    let told = rig.soap("text/xml", envelope(SOAP_11, other)).await;
    fault_is(
        &told,
        StatusCode::INTERNAL_SERVER_ERROR,
        "UnsupportedOperationFault",
        "2",
        "UnsupportedOperation",
    );
    assert!(told.headers[CONTENT_TYPE].to_str().unwrap().starts_with("text/xml"));
    assert!(told.text.contains("<faultcode>env:Client</faultcode>"), "{}", told.text);
    let must = |namespace: &str| {
        envelope(SOAP_12, other).replace(
            "<s:Header/>",
            &format!("<s:Header><h xmlns='{namespace}' s:mustUnderstand='true'/></s:Header>"),
        )
    };
    assert!(rig.soap(SOAP, must("urn:other")).await.text.contains("env:MustUnderstand"));
    assert!(
        rig.soap(SOAP, must("http://www.w3.org/2005/08/addressing"))
            .await
            .text
            .contains("UnsupportedOperationFault")
    );
    let malformed = ["", "<a>", "no XML", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"];
    for text in malformed.map(str::to_owned).into_iter().chain([
        envelope("urn:none", other),
        envelope(SOAP_12, ""),
        envelope(SOAP_12, "<connectivityTest xmlns='urn:cdc:iisb:2011'/>"),
        envelope(SOAP_12, "<submitSingleMessage xmlns='urn:cdc:iisb:2011'/>"),
    ]) {
        fault_is_malformed(&rig.soap(SOAP, text).await);
    }
    fault_is_malformed(&rig.soap("text/plain", envelope(SOAP_12, other)).await);
    let told =
        rig.soap("text/xml", envelope(SOAP_11, &submission("acme", PASSWORD, "", &message("1")))).await;
    assert!(returned(&told).contains("MSA|AA|1") && told.text.contains(SOAP_11));
}

fn fault_is_malformed(told: &Told) {
    assert!(told.status.is_client_error() || told.status.is_server_error());
    assert_eq!(fault(told), ("fault".to_owned(), "1".to_owned(), "Malformed".to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_names_the_host_that_was_asked_and_nothing_else_can_get_in() {
    let rig = Rig::new();
    let ask = |path: &str, host: &str| Request::get(path).header(HOST, host).body(Body::empty()).unwrap();
    let told = rig.ask(ask("/soap?wsdl", "registry.example:8443")).await;
    assert_eq!(told.status, StatusCode::OK);
    assert!(told.text.contains("<soap:address location=\"https://registry.example:8443/soap\"/>"));
    let root = Element::read(told.text.as_bytes()).unwrap();
    assert_eq!(
        (
            root.name.as_str(),
            root.attributes.iter().find(|one| one.name == "targetNamespace").unwrap().value.as_str()
        ),
        ("definitions", CDC)
    );
    assert_eq!(rig.ask(ask("/soap?WSDL", "a\"/><x")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(rig.ask(ask("/soap", "a")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// A body that never comes.
struct Silence;

impl hyper::body::Body for Silence {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let rig = Rig::new();
    for (path, kind) in [("/soap", SOAP), ("/hl7", "application/hl7-v2")] {
        let begun = tokio::time::Instant::now();
        let request = Request::post(path).header(CONTENT_TYPE, kind).body(Body::new(Silence)).unwrap();
        assert_eq!(rig.ask(request).await.status, StatusCode::BAD_REQUEST, "{path}");
        assert!((BODY_TIME_MAX..2 * BODY_TIME_MAX).contains(&begun.elapsed()), "{path}");
    }
}
