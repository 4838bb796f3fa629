//! The server as a whole: status, socket, store, retention, bans.

use super::*;

#[tokio::test]
async fn status_counts_jobs_and_names_what_is_wrong() {
    let bench = Bench::new();
    bench.upload("ACME01", "a.hl7", b"MSH|").await;
    let (code, status) = bench.get("/v1/status").await;
    assert_eq!(code, StatusCode::OK);
    assert_eq!(status["jobs"]["queued"], 1);
    assert_eq!(status["jobs"]["exception"], 0);
    assert_eq!(status["oldest_queued_at"], "2024-03-09T01:30:00Z");
    assert_eq!(status["gate"]["state"], "open");
    assert_eq!(status["listeners"][0]["protocol"], "ftp");
    assert_eq!(status["problems"][0], "orgs.d/BAD.toml: code: is missing");
}

#[tokio::test]
async fn lanes_are_told_with_the_one_that_waits_longest_first() {
    let bench = Bench::new();
    bench.upload("BURL01", "a", b"1").await;
    bench.clock.advance(chrono::TimeDelta::minutes(5));
    for name in ["b", "c"] {
        bench.upload("ACME01", name, name.as_bytes()).await;
    }
    let (_, status) = bench.get("/v1/status").await;
    let lanes = &status["lanes"];
    assert_eq!((&lanes[0]["org"], &lanes[0]["waiting"]), (&json!("BURL01"), &json!(1)), "{status}");
    assert_eq!(lanes[0]["oldest_at"], status["oldest_queued_at"]);
    assert_eq!((&lanes[1]["org"], &lanes[1]["waiting"]), (&json!("ACME01"), &json!(2)));
    let claimed = bench.store.claim(1).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let (_, status) = bench.get("/v1/status").await;
    let in_hand = status["lanes"].as_array().unwrap().iter().filter(|lane| lane["in_hand"] == json!(true));
    assert_eq!(in_hand.count(), 1, "{status}");
    assert_eq!(status["lanes_more"], 0);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_words() {
    let bench = Bench::new();
    for (path, expected) in [
        ("/v1/jobs/nonsense", StatusCode::BAD_REQUEST),
        ("/v1/jobs/01HRFM0000000001", StatusCode::NOT_FOUND),
        ("/v1/jobs?state=lost", StatusCode::BAD_REQUEST),
        ("/v1/jobs?colour=red", StatusCode::BAD_REQUEST),
        ("/v2/status", StatusCode::NOT_FOUND),
    ] {
        let (code, answer) = bench.get(path).await;
        assert_eq!(code, expected, "{path}: {answer}");
        assert!(!answer["error"].as_str().unwrap_or_default().is_empty(), "{path}: {answer}");
    }
    let (code, answer) = bench.post("/v1/jobs/act", &json!({"action": "explode"})).await;
    assert!(code.is_client_error() && answer["error"].is_string(), "{code} {answer}");
}

#[tokio::test]
async fn the_store_can_be_verified_while_it_runs() {
    let bench = Bench::new();
    bench.upload("ACME01", "a", b"1").await;
    let (_, found) = bench.post("/v1/verify", &json!(null)).await;
    assert_eq!((&found["jobs_waiting"], &found["findings"]), (&json!(1), &json!([])));
}

#[tokio::test]
async fn a_living_socket_is_left_alone_and_a_dead_one_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.sock");
    let living = ControlSocket::bind(&path).unwrap();
    assert!(matches!(ControlSocket::bind(&path), Err(SocketError::InUse(_))));
    drop(living);
    assert!(!path.exists());

    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let replaced = ControlSocket::bind(&path).unwrap();
    let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600);
    drop(replaced);

    std::fs::write(&path, "not a socket").unwrap();
    assert!(matches!(ControlSocket::bind(&path), Err(SocketError::Foreign(_))));
    assert!(path.exists());
}

#[tokio::test]
async fn what_is_over_goes_when_told_and_not_while_a_legal_hold_stands() {
    let bench = Bench::new();
    bench.upload("ACME01", "a.hl7", b"MSH|").await;
    bench.complete(b"MSA|AA|1").await;
    let (_, first) = bench.post("/v1/retention/run", &json!({})).await;
    assert_eq!((&first["purged"], &first["postponed"]), (&json!([]), &Value::Null));
    let hold = json!({"org": "ACME01", "reason": "case 7", "actor": "jo"});
    let (code, placed) = bench.post("/v1/retention/holds", &hold).await;
    assert_eq!((code, &placed["actor"]), (StatusCode::OK, &json!("staff:jo")));
    let (_, status) = bench.get("/v1/status").await;
    assert_eq!(status["legal_holds"], json!(["ACME01"]));

    bench.clock.advance(chrono::TimeDelta::days(30));
    let amount = json!([{"org": "ACME01", "jobs": 1, "upload_bytes": 4}]);
    let (_, dry) = bench.post("/v1/retention/run", &json!({"dry_run": true})).await;
    assert_eq!((&dry["purged"], &dry["kept"]), (&json!([]), &amount));
    let release = json!({"org": "ACME01", "reason": "settled", "actor": "jo"});
    let (_, released) = bench.post("/v1/retention/release", &release).await;
    assert_eq!(released["legal_holds"][0]["reason"], "case 7");
    let (_, dry) = bench.post("/v1/retention/run", &json!({"dry_run": true})).await;
    assert_eq!((&dry["purged"], &dry["dry_run"]), (&amount, &json!(true)));
    let (_, real) = bench.post("/v1/retention/run", &json!({})).await;
    assert!(real["postponed"].is_string(), "{real}");
    let (_, shown) = bench.get("/v1/retention").await;
    assert_eq!(shown["terms"], json!({"complete": "30d", "error": "90d"}));
    assert_eq!((&shown["last_pass"], &shown["legal_holds"]), (&real, &json!([])));

    for (org, reason) in [("NOBODY", "case 7"), ("ACME01", " ")] {
        let bad = json!({"org": org, "reason": reason, "actor": "jo"});
        let (code, _) = bench.post("/v1/retention/holds", &bad).await;
        assert!(code.is_client_error(), "{bad}");
    }
}

#[tokio::test]
async fn bans_are_counted_shown_and_lifted_by_somebody_with_a_name() {
    let bench = Bench::new();
    assert_eq!(bench.get("/v1/status").await.1["bans"], 2);
    let (_, shown) = bench.get("/v1/bans").await;
    assert_eq!(
        shown["bans"][0],
        json!({"address": "192.0.2.1", "until": "2024-03-09T02:00:00Z", "times": 1})
    );
    let (code, lifted) = bench.post("/v1/bans/lift", &json!({"address": "192.0.2.2", "actor": "jo"})).await;
    assert_eq!((code, lifted["bans"].as_array().unwrap().len()), (StatusCode::OK, 1));
    let (_, lifted) = bench.post("/v1/bans/lift", &json!({"actor": "jo"})).await;
    assert_eq!(lifted["bans"].as_array().unwrap().len(), 2);
    for (bad, code) in [
        (json!({"address": "192.0.2.2", "actor": " "}), StatusCode::BAD_REQUEST),
        (json!({"address": "office", "actor": "jo"}), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(bench.post("/v1/bans/lift", &bad).await.0, code, "{bad}");
    }
}
