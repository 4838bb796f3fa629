//! Registries on the web: HTTP POST and CDC's SOAP, spoken to by themselves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tidegate_domain::{DeliveryConfig, DeliveryKind, JobIds};
use tidegate_worker::{Code, DeliverError, Delivered, Key, open};

use crate::files::message;
use crate::rig::org;

/// What came in.
#[derive(Debug, Clone)]
struct Request {
    head: String,
    body: String,
}

/// A server that answers each request with what is next in its script, and with the last of it for ever.
struct Web {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Web {
    fn start(answers: &[String]) -> Self {
        Self::listen(answers, None)
    }

    /// Encrypted where `tls` is given.
    fn listen(answers: &[String], tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (of_thread, answers) = (Arc::clone(&requests), answers.to_vec());
        std::thread::spawn(move || {
            for link in listener.incoming().map_while(Result::ok) {
                let (requests, answers, tls) = (Arc::clone(&of_thread), answers.clone(), tls.clone());
                std::thread::spawn(move || match tls {
                    None => converse(link, &requests, &answers),
                    Some(tls) => {
                        let session = ServerConnection::new(tls).unwrap();
                        converse(StreamOwned::new(session, link), &requests, &answers)
                    }
                });
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// One request for each connection.
fn converse(link: impl Read + Write, requests: &Mutex<Vec<Request>>, answers: &[String]) -> Option<()> {
    let mut reader = BufReader::new(link);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let is_test = head.starts_with("HEAD");
    let answer = {
        let mut requests = requests.lock().unwrap();
        let number = requests.iter().filter(|request| !request.head.starts_with("HEAD")).count();
        requests.push(Request { head, body: String::from_utf8(body).unwrap() });
        if is_test { answers.first() } else { answers.get(number).or(answers.last()) }?.clone()
    };
    // A test wants no body.
    let shown = if is_test { answer.split("\r\n\r\n").next()?.to_owned() + "\r\n\r\n" } else { answer };
    reader.get_mut().write_all(shown.as_bytes()).ok()?;
    reader.get_mut().flush().ok()
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

fn ack(code: &str, id: &str) -> String {
    format!("MSH|^~\\&|IIS|STATE|||20240301||ACK|9|P|2.5.1\rMSA|{code}|{id}\r")
}

fn config(web: &Web, kind: DeliveryKind) -> DeliveryConfig {
    DeliveryConfig { kind, url: Some(format!("http://{}/in", web.address)), ..DeliveryConfig::default() }
}

fn deliver(config: &DeliveryConfig) -> Result<Delivered, DeliverError> {
    deliver_bytes(config, message(1).as_bytes())
}

fn deliver_bytes(config: &DeliveryConfig, message: &[u8]) -> Result<Delivered, DeliverError> {
    let job = JobIds::after(None).next(chrono::DateTime::UNIX_EPOCH, 7);
    open(config, Path::new("/nowhere")).unwrap().deliver(&Key { job, org: org("A"), ordinal: 12 }, message)
}

/// What follows from an answer to a POST.
fn posted(answer: &str) -> Result<Delivered, DeliverError> {
    deliver(&config(&Web::start(&[answer.to_owned()]), DeliveryKind::Http))
}

#[test]
fn a_message_is_posted_as_it_is_under_its_key() {
    let web = Web::start(&[http("200 OK", "", "")]);
    assert_eq!(deliver(&config(&web, DeliveryKind::Http)), Ok(Delivered::Now));
    let [request] = &web.requests()[..] else { panic!("one request") };
    let head = request.head.to_ascii_lowercase();
    assert!(
        head.starts_with("post /in http/1.1\r\n") && head.contains("content-type: application/hl7-v2\r\n")
    );
    let job = JobIds::after(None).next(chrono::DateTime::UNIX_EPOCH, 7).to_string().to_ascii_lowercase();
    assert!(head.contains(&format!("idempotency-key: {job}-12\r\n")), "{head}");
    assert_eq!(request.body, message(1));
}

#[test]
fn only_a_success_commits_and_only_what_is_about_the_message_refuses_it() {
    for taken in [
        http("204 No Content", "", ""),
        http("202 Accepted", "", " \r\n"),
        http("200 OK", "", &ack("AA", "M000001")),
    ] {
        assert_eq!(posted(&taken), Ok(Delivered::Now), "{taken}");
    }
    for (refused, code) in [
        (http("200 OK", "", &ack("AE", "M000001")), Code::Error),
        (http("200 OK", "", &ack("AR", "M000001")), Code::Reject),
        (http("400 Bad Request", "", "DOE"), Code::Error),
        (http("422 Unprocessable", "", ""), Code::Error),
        (http("413 Too Large", "", ""), Code::Reject),
    ] {
        let found = posted(&refused);
        assert!(
            matches!(&found, Err(DeliverError::Refused { code: found, text }) if *found == code && !text.contains("DOE")),
            "{found:?}"
        );
    }
    for doubtful in [
        http("200 OK", "", "<html>please log in</html>"),
        http("200 OK", "", &ack("AA", "M000002")),
        http("500 Internal Server Error", "", ""),
        http("409 Conflict", "", ""),
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off".to_owned(),
        "nothing of the kind\r\n\r\n".to_owned(),
        http("200 OK", "", &"x".repeat(300_000)),
    ] {
        let found = posted(&doubtful);
        assert!(matches!(found, Err(DeliverError::Transient(_))), "{found:?}");
    }
    for status in [
        "301 Moved",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "429 Too Many",
        "502 Bad Gateway",
        "503 Unavailable",
    ] {
        let found = posted(&http(status, "Location: http://127.0.0.1:1/\r\n", ""));
        assert!(matches!(found, Err(DeliverError::Away { retry_after: None, .. })), "{status}: {found:?}");
    }
}

#[test]
fn a_registry_is_left_alone_for_as_long_as_it_asks() {
    let wait = |header: &str| match posted(&http("503 Service Unavailable", header, "")) {
        Err(DeliverError::Away { retry_after, .. }) => retry_after,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait("Retry-After: 120\r\n"), Some(Duration::from_mins(2)));
    assert!(wait("Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n").is_some());
    assert_eq!(wait("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"), None);
    assert_eq!(wait("Retry-After: soon\r\n"), None);
}

#[test]
fn a_test_asks_for_nothing_but_an_answer() {
    let test = |answer: &str| {
        let web = Web::start(&[answer.to_owned()]);
        open(&config(&web, DeliveryKind::Http), Path::new("/nowhere")).unwrap().test()
    };
    assert_eq!(test(&http("405 Method Not Allowed", "", "")), Ok(()));
    assert!(matches!(
        test(&http("503 Unavailable", "Retry-After: 9\r\n", "")),
        Err(DeliverError::Away { retry_after: Some(_), .. })
    ));
    let nobody = TcpListener::bind((Ipv4Addr::new(127, 83, 21, 13), 0)).unwrap().local_addr().unwrap();
    let config = DeliveryConfig {
        kind: DeliveryKind::Http,
        url: Some(format!("http://{nobody}/")),
        ..DeliveryConfig::default()
    };
    assert!(matches!(open(&config, Path::new("/nowhere")).unwrap().test(), Err(DeliverError::Away { .. })));
    assert!(matches!(deliver(&config), Err(DeliverError::Away { .. })));
}

/// An authority, and its certificate as a file that targets are told of.
fn authority(file: &Path) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(file, authority.pem()).unwrap();
    authority
}

/// A server that shows a certificate of `authority` for `name`.
fn server(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key);
    Arc::new(server.unwrap())
}

#[test]
fn over_tls_only_the_right_name_of_an_authority_that_is_trusted_gets_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, others) = (folder.path().join("ours.pem"), folder.path().join("others.pem"));
    let authority = (authority(&ours), authority(&others)).0;
    for kind in [DeliveryKind::Http, DeliveryKind::Soap] {
        let acknowledged = ack("AA", "M000001");
        let answer = match kind {
            DeliveryKind::Soap => returned(&acknowledged.replace('&', "&amp;").replace('\r', "&#xD;")),
            _ => http("200 OK", "", &acknowledged),
        };
        let config = |web: &Web, ca: &Path| DeliveryConfig {
            url: Some(format!("https://{}/in", web.address)),
            ca: Some(ca.to_owned()),
            ..config(web, kind)
        };
        let web = Web::listen(std::slice::from_ref(&answer), Some(server(&authority, "127.0.0.1")));
        assert_eq!(deliver(&config(&web, &ours)), Ok(Delivered::Now));
        let unknown = deliver(&config(&web, &others));
        assert!(matches!(unknown, Err(DeliverError::Away { .. })), "{unknown:?}");
        assert_eq!(web.requests().len(), 1, "nothing was sent to whom nobody vouches for");

        let elsewhere = Web::listen(&[answer], Some(server(&authority, "elsewhere.test")));
        let wrong_name = deliver(&config(&elsewhere, &ours));
        assert!(matches!(wrong_name, Err(DeliverError::Away { .. })), "{wrong_name:?}");
        assert!(elsewhere.requests().is_empty());
    }
}

const SOAP: &str = "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"";

fn returned(text: &str) -> String {
    http(
        "200 OK",
        "",
        &format!(
            "<s:Envelope {SOAP}><s:Body><c:submitSingleMessageResponse xmlns:c=\"urn:cdc:iisb:2011\"><c:return>{text}</c:return></c:submitSingleMessageResponse></s:Body></s:Envelope>"
        ),
    )
}

fn fault(status: &str, name: &str) -> String {
    let detail = format!(
        "<{name} xmlns=\"urn:cdc:iisb:2011\"><Code>1</Code><Reason>r</Reason><Detail>DOE</Detail></{name}>"
    );
    http(
        status,
        "",
        &format!(
            "<s:Envelope {SOAP}><s:Body><s:Fault><s:Detail>{detail}</s:Detail></s:Fault></s:Body></s:Envelope>"
        ),
    )
}

fn submitted(answer: &str) -> Result<Delivered, DeliverError> {
    deliver(&config(&Web::start(&[answer.to_owned()]), DeliveryKind::Soap))
}

#[test]
fn a_message_is_submitted_in_an_envelope_with_who_we_are() {
    let web = Web::start(&[returned(&ack("AA", "M000001").replace('&', "&amp;").replace('\r', "&#xD;"))]);
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, "s3&ret\n").unwrap();
    let config = DeliveryConfig {
        username: Some("tide<gate".to_owned()),
        password_file: Some(password_file.clone()),
        facility_id: Some("F1".to_owned()),
        ..config(&web, DeliveryKind::Soap)
    };
    assert_eq!(deliver(&config), Ok(Delivered::Now));
    let [request] = &web.requests()[..] else { panic!("one request") };
    assert!(
        request.head.contains("application/soap+xml")
            && request.head.contains("urn:cdc:iisb:2011:submitSingleMessage")
    );
    for part in [
        "<submitSingleMessage xmlns=\"urn:cdc:iisb:2011\"><username>tide&lt;gate</username><password>s3&amp;ret</password><facilityID>F1</facilityID><hl7Message>MSH|^~\\&amp;|EHR",
        "|Z22^CDCPHINVS&#xD;PID|1|",
        "</hl7Message></submitSingleMessage></Body></Envelope>",
    ] {
        assert!(request.body.contains(part), "{part} in {}", request.body);
    }
    assert!(!request.body.contains('\r'));
    std::fs::remove_file(password_file).unwrap();
    let away = deliver(&config);
    assert!(matches!(&away, Err(DeliverError::Away { reason, .. }) if !reason.contains("s3")), "{away:?}");
}

#[test]
fn a_query_is_asked_without_a_key_and_its_answer_comes_back_as_it_is() {
    let answer = "MSH|^~\\&|IIS|||||RSP^K11|9|P|2.5.1\rMSA|AE|M000001\rQAK|1|OK\r";
    let ask = |kind, said: String| {
        let web = Web::start(&[said]);
        let target = open(&config(&web, kind), Path::new("/nowhere")).unwrap();
        let answer = target.ask(&org("A"), message(1).as_bytes()).unwrap();
        (answer, web.requests().remove(0))
    };
    let escaped = answer.replace('&', "&amp;").replace('\r', "&#xD;");
    for (kind, said, part) in [
        (DeliveryKind::Http, http("200 OK", "", answer), "MSH|"),
        (DeliveryKind::Soap, returned(&escaped), "<hl7Message>MSH|"),
    ] {
        let (heard, request) = ask(kind, said);
        assert_eq!(heard, Ok(answer.as_bytes().to_vec()));
        assert!(
            request.body.contains(part) && !request.head.to_ascii_lowercase().contains("idempotency-key")
        );
    }
    for kind in [DeliveryKind::Http, DeliveryKind::Soap] {
        let other = answer.replace("M000001", "M000002");
        let said = if kind == DeliveryKind::Http {
            http("200 OK", "", &other)
        } else {
            returned(&escaped.replace("M000001", "M000002"))
        };
        assert!(matches!(ask(kind, said).0, Err(DeliverError::Transient(_))));
        assert!(matches!(
            ask(kind, http("503 No", "", "")).0,
            Err(DeliverError::Away { in_doubt: false, .. })
        ));
        assert!(matches!(
            ask(kind, http("504 No", "", "")).0,
            Err(DeliverError::Away { in_doubt: true, .. })
        ));
    }
    let directory = tempfile::tempdir().unwrap();
    let target = open(&DeliveryConfig::default(), directory.path()).unwrap();
    assert_eq!(target.ask(&org("A"), b"MSH|"), None, "a directory says nothing");
}

#[test]
fn what_follows_from_what_the_service_says() {
    for taken in [
        ack("AA", "M000001").replace('&', "&amp;"),
        format!("<![CDATA[{}]]>", ack("AA", "M000001")),
        ack("AA", "M000001").replace('&', "&#38;").replace('\r', "\n"),
    ] {
        assert_eq!(submitted(&returned(&taken)), Ok(Delivered::Now), "{taken}");
    }
    let away = [
        fault("500 Error", "SecurityFault"),
        fault("400 Bad", "UnsupportedOperationFault"),
        http("503 Unavailable", "", ""),
    ];
    for answer in away {
        assert!(matches!(submitted(&answer), Err(DeliverError::Away { .. })), "{answer}");
    }
    let too_large = submitted(&fault("500 Error", "MessageTooLargeFault"));
    assert!(matches!(too_large, Err(DeliverError::Refused { code: Code::Reject, .. })), "{too_large:?}");
    let doubtful = [
        fault("500 Error", "fault"),
        fault("200 OK", "fault"),
        http("500 Error", "", "out of memory"),
        http("200 OK", "", "<html>"),
        http("200 OK", "", ""),
        returned(""),
        returned(&ack("AA", "M000002").replace('&', "&amp;")),
        returned("&bomb;"),
        http("200 OK", "", "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"),
        returned("MSH").replace("urn:cdc:iisb:2011", "urn:other"),
        returned("<x></y>"),
    ];
    for answer in doubtful {
        let found = submitted(&answer);
        assert!(
            matches!(&found, Err(DeliverError::Transient(text)) if !text.contains("DOE")),
            "{answer}: {found:?}"
        );
    }
}

#[test]
fn characters_go_as_they_are_meant_and_those_that_xml_has_not_are_refused() {
    let web = Web::start(&[returned("")]);
    let config = config(&web, DeliveryKind::Soap);
    let _ = deliver_bytes(&config, b"MSH|^~\\&|\xd6|");
    let _ = deliver_bytes(&config, "MSH|^~\\&|\u{d6}|".as_bytes());
    for request in web.requests() {
        assert!(request.body.contains("|\u{d6}|"), "{}", request.body);
    }
    let refused = deliver_bytes(&config, b"MSH|\x01");
    assert!(matches!(refused, Err(DeliverError::Refused { code: Code::Error, .. })));
    assert_eq!(web.requests().len(), 2);
}
