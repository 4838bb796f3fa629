//! Messages and who sends them, both ways.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

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
async fn an_organizations_own_limits_hold_here_too() {
    let rig = Rig::with("[limits]\nupload_bytes_max = '1KiB'\nuploads_per_minute_max = 2");
    let long = format!("{}NTE|1||{}\r", message("1"), "x".repeat(1 << 10));
    assert_eq!(rig.hl7("acme", PASSWORD, &long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    for status in [StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
        assert_eq!(rig.hl7("acme", PASSWORD, &message("1")).await.status, status);
    }
    assert_eq!(rig.hl7("lake", PASSWORD, &long).await.status, StatusCode::OK);
}

/// A body that goes on for ever, and counts how much of it was read.
struct Endless(Arc<AtomicUsize>);

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        let read = self.0.fetch_add(PIECE.len(), Ordering::SeqCst);
        assert!(read < 10 * BODY_BYTES_MAX, "nobody stops");
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(PIECE)))))
    }
}

static PIECE: &[u8] = &[b'x'; 64 << 10];

#[tokio::test]
async fn no_more_of_a_body_is_read_than_may_be() {
    let rig = Rig::new();
    for (path, kind) in [("/soap", SOAP), ("/hl7", "application/hl7-v2")] {
        let read = Arc::new(AtomicUsize::new(0));
        let body = Body::new(Endless(Arc::clone(&read)));
        let told = rig.ask(Request::post(path).header(CONTENT_TYPE, kind).body(body).unwrap()).await;
        assert!(told.status.is_client_error(), "{told:?}");
        assert!(read.load(Ordering::SeqCst) <= BODY_BYTES_MAX + PIECE.len(), "{path}");
    }
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
