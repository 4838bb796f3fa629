use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::json;
use tidegate_store::Options;
use tower::ServiceExt as _;

use super::router;
use crate::control::tests::Bench;

async fn get(bench: &Bench, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router(bench.control.clone()).oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_queue_the_gate_and_the_doors_are_told_in_numbers() {
    let bench = Bench::new();
    bench.upload("ACME01", "jane doe.hl7", b"MSH|").await;
    let (status, told) = get(&bench, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        r#"tidegate_jobs{state="queued"} 1"#,
        r#"tidegate_jobs{state="exception"} 0"#,
        r#"tidegate_jobs_waiting{org="ACME01"} 1"#,
        "tidegate_oldest_waiting_seconds 0",
        "tidegate_gate_open 1",
        r#"tidegate_gate_causes{kind="window"} 0"#,
        r#"tidegate_events_total{protocol="sftp",event="accepted"} 7"#,
        "tidegate_sessions 3",
        "tidegate_bans 2",
        "tidegate_configuration_problems 1",
        "tidegate_certificate_expiry_timestamp_seconds 1804557600",
    ] {
        assert!(told.lines().any(|found| found == line), "{line} is not in\n{told}");
    }
    assert!(told.ends_with("# EOF\n") && told.contains("tidegate_free_bytes "));
    assert!(!told.contains("jane") && !told.contains("until"), "{told}");
}

#[tokio::test]
async fn a_closed_gate_is_told_and_is_no_illness() {
    let bench = Bench::new();
    let hold = json!({"org": null, "length": "default", "reason": "disk", "actor": "kim"});
    assert_eq!(bench.post("/v1/maintenance/holds", &hold).await.0, StatusCode::OK);
    let (_, told) = get(&bench, "/metrics").await;
    for line in ["tidegate_gate_open 0", r#"tidegate_gate_causes{kind="hold"} 1"#] {
        assert!(told.lines().any(|found| found == line), "{line} is not in\n{told}");
    }
    assert!(told.contains("tidegate_gate_until_timestamp_seconds 17099"), "{told}");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(&bench, path).await, (StatusCode::OK, "ok\n".to_owned()));
    }
}

#[tokio::test]
async fn a_server_that_refuses_uploads_is_alive_and_not_ready() {
    let bench = Bench::with(Options { free_bytes_min: u64::MAX, ..Options::default() });
    let (status, told) = get(&bench, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(told.contains("uploads are refused"), "{told}");
    assert_eq!(get(&bench, "/healthz").await.0, StatusCode::OK);
    assert!(get(&bench, "/metrics").await.1.contains("tidegate_free_bytes 0\n"));
}
