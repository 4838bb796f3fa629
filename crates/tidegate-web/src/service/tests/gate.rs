//! What is said while the gate is closed, or there is too much at once.

use super::*;

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
    // Whatever else is wrong.
    is_closed(&rig.hl7("acme", PASSWORD, &(message("1") + &message("2"))).await, Some("60"));
    is_closed(&rig.submit("acme", PASSWORD, "LAKE02", &message("1")).await, Some("60"));
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
    let nobody =
        Request::post("/hl7").header(CONTENT_TYPE, "application/hl7-v2").body("MSH|".into()).unwrap();
    is_closed(&rig.ask(nobody).await, wait);
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
async fn what_the_gate_is_about_to_shut_for_hears_503_until_it_opens_again() {
    let rig = Rig::new();
    let now = rig.bench.control_now();
    let [from, to] =
        [30, 90].map(|minutes| (now + chrono::TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M:%S"));
    let windows = format!(
        "timezone = 'UTC'\ncutoff = '1h'\n[[window]]\nname = 'w'\nfrom = '{from}'\nto = '{to}'\nreason = 'upgrade'\n"
    );
    let windows: tidegate_domain::maintenance::MaintenanceConfig = toml::from_str(&windows).unwrap();
    rig.bench.store.set_calendar(windows.to_calendar().unwrap());
    is_closed(&rig.test().await, Some("5400"));
    is_closed(&rig.hl7("acme", PASSWORD, &message("1")).await, Some("5400"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_registry_that_is_away_may_be_tried_who_only_asks_hears_503() {
    let (rig, _worker) = Rig::before_work("", "");
    let away = Downstream {
        name: "registry".to_owned(),
        reason: "away".to_owned(),
        senders: Senders::AllBut(std::collections::BTreeSet::new()),
        since: rig.bench.control_now(),
        may_be_tried: true,
    };
    rig.bench.store.set_downstream(vec![away]);
    // Whoever comes again at once may be the one.
    is_closed(&rig.test().await, Some("1"));
    let nobody =
        Request::post("/hl7").header(CONTENT_TYPE, "application/hl7-v2").body("MSH|".into()).unwrap();
    is_closed(&rig.ask(nobody).await, Some("1"));
}

/// Nothing listens on this port.
const NOBODY: &str = "kind = 'mllp'\naddress = '127.0.0.1:1'\ntls = 'off'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_found_the_registry_away_is_queued_for_who_defers_and_taken_back_for_others() {
    let rig = Rig::delivering("when_closed = 'defer'", NOBODY);
    assert_eq!(rig.hl7("acme", PASSWORD, &message("1")).await.status, StatusCode::ACCEPTED);
    let of = |rig: &Rig| rig.jobs().iter().map(|job| job.state).collect::<Vec<_>>();
    assert_eq!(of(&rig), [JobState::Queued, JobState::Cancelled]);
    let rig = Rig::delivering("", NOBODY);
    is_closed(&rig.submit("acme", PASSWORD, "", &message("1")).await, None);
    assert_eq!(of(&rig), [JobState::Cancelled]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_often_hears_429_and_503_while_the_gate_is_closed() {
    let rig = Rig::new();
    let nothing = || Request::post("/hl7").body(Body::empty()).unwrap();
    let mut last = rig.ask(nothing()).await;
    for _ in 0..places::RATE_MAX {
        last = rig.ask(nothing()).await;
    }
    assert_eq!(
        (last.status, last.headers[RETRY_AFTER].to_str().unwrap()),
        (StatusCode::TOO_MANY_REQUESTS, "60")
    );
    rig.close(None, HoldLength::For(Duration::from_mins(30))).await;
    is_closed(&rig.ask(nothing()).await, Some("1800"));
}
