//! The MLLP target, spoken to by itself: what follows from each way of answering, and of not answering.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tidegate_domain::units::HumanDuration;
use tidegate_domain::{DeliveryConfig, DeliveryKind, DeliveryTls, JobIds};
use tidegate_worker::{Code, Deliver, DeliverError, Delivered, Key, open};

use crate::files::message;
use crate::registry::{AA, Reaction, Registry};
use crate::rig::org;

/// The configuration for a registry in the clear.
pub(crate) fn config(address: SocketAddr) -> DeliveryConfig {
    DeliveryConfig {
        kind: DeliveryKind::Mllp,
        address: Some(address.to_string()),
        tls: Some(DeliveryTls::Off),
        ..DeliveryConfig::default()
    }
}

fn target(registry: &Registry) -> Arc<dyn Deliver> {
    open(&config(registry.address), Path::new("/nowhere")).unwrap()
}

fn deliver(target: &dyn Deliver, number: u64) -> Result<Delivered, DeliverError> {
    deliver_for(target, "A", number)
}

fn deliver_for(target: &dyn Deliver, code: &str, number: u64) -> Result<Delivered, DeliverError> {
    let job = JobIds::after(None).next(chrono::DateTime::UNIX_EPOCH, 7);
    target.deliver(&Key { job, org: org(code), ordinal: number }, message(number).as_bytes())
}

fn is_in_doubt(result: &Result<Delivered, DeliverError>) -> bool {
    matches!(result, Err(DeliverError::Transient(_)))
}

/// The script's reactions one after the other, then AA.
fn one_by_one(reactions: impl IntoIterator<Item = Reaction>) -> Registry {
    let mut reactions: Vec<Reaction> = reactions.into_iter().collect();
    reactions.reverse();
    Registry::start(move |_| reactions.pop().unwrap_or(AA))
}

#[test]
fn a_lane_keeps_its_connection_and_has_it_to_itself() {
    let registry = Registry::start(|_| AA);
    let target = target(&registry);
    for number in 0..50 {
        assert_eq!(deliver(&*target, number), Ok(Delivered::Now));
    }
    assert_eq!((registry.ledger().len(), registry.connections()), (50, 1));
    deliver_for(&*target, "B", 50).unwrap();
    deliver_for(&*target, "A", 51).unwrap();
    assert_eq!(registry.connections(), 2);
    assert!(target.is_final());
}

#[test]
fn a_refusal_for_good_is_told_from_doubt_and_costs_no_connection() {
    let registry = one_by_one([
        Reaction::Answer("AE", "|no such patient"),
        Reaction::Answer("AR", ""),
        Reaction::Answer("AE", "\rERR||PID^1^8|101|W|||sex is missing"),
    ]);
    let target = target(&registry);
    let refused = |code| Err(DeliverError::Refused { code, text: String::new() });
    assert_eq!(deliver(&*target, 1), refused(Code::Error));
    assert_eq!(deliver(&*target, 2), refused(Code::Reject));
    assert_eq!(deliver(&*target, 3), Ok(Delivered::Now));
    assert_eq!((registry.ledger().len(), registry.connections()), (3, 1));
}

/// No error may tell what was sent.
#[test]
fn answers_that_say_nothing_about_the_message_leave_it_in_doubt_on_a_new_connection() {
    let odd = [
        b"\x0bMSH|^~\\&|\rMSA|AA|M999999\r\x1c\r".to_vec(),
        b"\x0b\x1c\r".to_vec(),
        b"\x0bDOE^JANE\x1c\r".to_vec(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        [b"\x0bMSH|".to_vec(), vec![b'x'; 2 << 20]].concat(),
    ];
    let count = odd.len();
    let registry = one_by_one(odd.into_iter().map(Reaction::Bytes));
    let target = target(&registry);
    for number in 0..count {
        let result = deliver(&*target, 1);
        assert!(is_in_doubt(&result), "{number}: {result:?}");
        let text = result.unwrap_err().to_string();
        assert!(!text.contains("DOE") && !text.contains("M000001") && !text.contains("M999999"), "{text}");
    }
    assert_eq!(deliver(&*target, 1), Ok(Delivered::Now));
    assert_eq!(registry.connections(), count + 1);
}

#[test]
fn a_query_is_asked_and_its_answer_comes_back_as_it_is() {
    let pages = "QRD|x\r".repeat(20_000);
    let answer = format!("MSH|^~\\&|IIS|||||RSP^K11|9|P|2.5.1\rMSA|AE|M000001\rQAK|1|OK\r{pages}");
    let framed = |text: &str| Reaction::Bytes(format!("\x0b{text}\x1c\r").into_bytes());
    let registry = one_by_one([framed(&answer), framed(&answer)]);
    let target = target(&registry);
    let ask = |number| target.ask(&org("A"), message(number).as_bytes()).unwrap();
    assert_eq!(ask(1), Ok(answer.into_bytes()));
    let other = ask(2);
    assert!(matches!(&other, Err(DeliverError::Transient(why)) if !why.contains("M0000")), "{other:?}");
    assert_eq!((registry.ledger().len(), registry.connections()), (2, 1));
    deliver(&*target, 3).unwrap();
    assert_eq!(registry.connections(), 2, "who answers something else is not asked on that connection again");
}

#[test]
fn a_second_answer_is_never_taken_for_that_of_the_next_message() {
    let registry = one_by_one([Reaction::Twice, Reaction::Answer("AR", ""), Reaction::Twice, AA]);
    let target = target(&registry);
    assert_eq!(deliver(&*target, 1), Ok(Delivered::Now));
    assert!(matches!(deliver(&*target, 2), Err(DeliverError::Refused { code: Code::Reject, .. })));
    assert_eq!(deliver(&*target, 3), Ok(Delivered::Now));
    assert_eq!(deliver(&*target, 4), Ok(Delivered::Now));
    assert_eq!(registry.ledger(), ["M000001", "M000002", "M000003", "M000004"]);
}

/// Silence is waited for here, so this takes as long as the registry may.
#[test]
fn an_answer_that_comes_too_late_is_heard_by_nobody() {
    let registry = one_by_one([Reaction::Silence, Reaction::Late, Reaction::Answer("AR", "")]);
    let mut config = config(registry.address);
    config.answer_time_max = HumanDuration(Duration::from_secs(1));
    let impatient = open(&config, Path::new("/nowhere")).unwrap();
    for count in 1..=2 {
        let result = deliver(&*impatient, 1);
        assert!(is_in_doubt(&result), "{result:?}");
        // It may read what we have given up only now.
        registry.wait_for(count);
    }
    assert_eq!(registry.ledger(), ["M000001", "M000001"]);
    let target = target(&registry);
    assert!(matches!(deliver(&*target, 2), Err(DeliverError::Refused { .. })));
}

#[test]
fn a_connection_closed_after_reading_leaves_the_message_in_doubt() {
    let registry = one_by_one([Reaction::Close]);
    let target = target(&registry);
    assert!(is_in_doubt(&deliver(&*target, 1)));
    assert_eq!(deliver(&*target, 1), Ok(Delivered::Now));
    assert_eq!(registry.ledger(), ["M000001", "M000001"], "asked again for that one alone");
}

#[test]
fn a_registry_that_closes_after_each_answer_is_no_failure() {
    let registry = Registry::start(|_| Reaction::AnswerAndClose);
    let target = target(&registry);
    for number in 0..20 {
        assert_eq!(deliver(&*target, number), Ok(Delivered::Now));
    }
    assert_eq!((registry.ledger().len(), registry.connections()), (20, 20));
    registry.cut();
    assert_eq!(deliver(&*target, 20), Ok(Delivered::Now));
}

#[test]
fn a_registry_that_can_not_be_reached_is_away() {
    // On a loopback address that nobody else uses, so that the port stays free.
    let address = TcpListener::bind((Ipv4Addr::new(127, 83, 21, 7), 0)).unwrap().local_addr().unwrap();
    let target = open(&config(address), Path::new("/nowhere")).unwrap();
    assert!(matches!(deliver(&*target, 1), Err(DeliverError::Away { .. })));
    assert!(matches!(target.test(), Err(DeliverError::Away { .. })));
    let registry = Registry::listen(address, None, |_| AA);
    target.test().unwrap();
    assert_eq!(deliver(&*target, 1), Ok(Delivered::Now));
    assert_eq!(registry.ledger(), ["M000001"]);
}

#[test]
fn a_message_that_can_not_be_framed_is_refused_and_not_sent() {
    let registry = Registry::start(|_| AA);
    let target = target(&registry);
    let job = JobIds::after(None).next(chrono::DateTime::UNIX_EPOCH, 7);
    let key = Key { job, org: org("A"), ordinal: 1 };
    let refused = target.deliver(&key, b"MSH|^~\\&|\x1c\r");
    assert!(matches!(refused, Err(DeliverError::Refused { code: Code::Error, .. })));
    assert!(registry.ledger().is_empty());
}

#[test]
fn messages_go_through_tls_to_who_has_the_right_certificate_and_to_nobody_else() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["registry.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let registry = Registry::listen((Ipv4Addr::LOCALHOST, 0).into(), Some(Arc::new(server)), |_| AA);
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, cert.pem()).unwrap();
    let right = DeliveryConfig {
        tls: Some(DeliveryTls::Required),
        server_name: Some("registry.test".to_owned()),
        ca: Some(ca.clone()),
        ..config(registry.address)
    };
    let target = open(&right, Path::new("/nowhere")).unwrap();
    for number in 0..5 {
        assert_eq!(deliver(&*target, number), Ok(Delivered::Now));
    }
    assert_eq!(registry.connections(), 1);

    let other_name = DeliveryConfig { server_name: Some("other.test".to_owned()), ..right.clone() };
    let nobody_we_know = DeliveryConfig { ca: None, ..right.clone() };
    for wrong in [other_name, nobody_we_know] {
        // Where the system has no list of authorities the target is not even opened.
        let Ok(target) = open(&wrong, Path::new("/nowhere")) else { continue };
        assert!(matches!(deliver(&*target, 6), Err(DeliverError::Away { .. })));
    }
    assert_eq!(registry.ledger().len(), 5);
    std::fs::write(&ca, "nothing").unwrap();
    assert_eq!(open(&right, Path::new("/nowhere")).err().unwrap().key, "ca");
}
