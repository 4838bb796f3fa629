//! Windows, holds, and why a file waits.

use chrono::TimeDelta;
use tidegate_domain::maintenance::MaintenanceConfig;

use super::*;

#[tokio::test]
async fn a_hold_closes_the_gate_until_it_is_released() {
    let bench = Bench::new();
    let place = json!({"length": {"for": "2h"}, "actor": "jo", "reason": "router change"});
    let (code, hold) = bench.post("/v1/maintenance/holds", &place).await;
    assert_eq!((code, &hold["until"]), (StatusCode::OK, &json!("2024-03-09T03:30:00Z")));
    let (_, gate) = bench.get("/v1/maintenance/explain").await;
    assert_eq!((&gate["state"], &gate["causes"][0]["actor"]), (&json!("closed"), &json!("jo")));
    assert_eq!(gate["until_local"], "2024-03-08T21:30:00-06:00");
    let (_, later) = bench.get("/v1/maintenance/explain?at=2024-03-08+21:30").await;
    assert_eq!(later["state"], "open", "the end is not in the hold");

    let release = json!({"actor": "jo", "reason": "done"});
    let (_, released) = bench.post("/v1/maintenance/release", &release).await;
    assert_eq!(released["holds"].as_array().unwrap().len(), 1);
    assert_eq!(released["gate"]["state"], "open");
    let (_, again) = bench.post("/v1/maintenance/release", &release).await;
    assert_eq!(again["holds"], json!([]));
}

#[tokio::test]
async fn what_is_over_is_neither_announced_nor_listed_for_ever() {
    let bench = Bench::new();
    let window = json!({"name": "late", "from": "2024-03-01T00:00:00Z", "end": {"to": "2024-03-01T01:00:00Z"},
                        "actor": "jo", "reason": "upgrade"});
    let (code, refused) = bench.post("/v1/maintenance/windows", &window).await;
    assert_eq!(
        (code, &refused["error"]),
        (StatusCode::BAD_REQUEST, &json!("the window would be over already"))
    );
    let place = json!({"length": {"for": "2h"}, "actor": "jo", "reason": "router change"});
    bench.post("/v1/maintenance/holds", &place).await;
    let listed = async || {
        let (_, list) = bench.get("/v1/maintenance").await;
        ["holds", "history"].map(|part| list[part].as_array().unwrap().len())
    };
    assert_eq!(listed().await, [1, 1]);
    bench.advance(chrono::TimeDelta::hours(2));
    assert_eq!(listed().await, [0, 1]);
    bench.advance(chrono::TimeDelta::days(7));
    assert_eq!(listed().await, [0, 0]);
}

/// What staff are told is what the worker heeds.
#[tokio::test]
async fn a_hold_is_shown_although_the_clock_was_put_back_behind_its_beginning() {
    let bench = Bench::new();
    let place = json!({"length": {"for": "30m"}, "actor": "jo", "reason": "disk swap"});
    assert_eq!(bench.post("/v1/maintenance/holds", &place).await.0, StatusCode::OK);
    bench.clock.advance(chrono::TimeDelta::hours(-5));
    assert!(!bench.store.gate(None).claims_allowed);
    assert_eq!(bench.get("/v1/status").await.1["gate"]["state"], "closed");
}

#[tokio::test]
async fn whoever_asks_why_a_file_waits_is_told() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a", b"1").await;
    bench.upload("BURL01", "b", b"2").await;
    let (_, status) = bench.get("/v1/status").await;
    assert_eq!(status["closed_orgs"], json!([]));
    assert_eq!(bench.get(&format!("/v1/jobs/{id}")).await.1["waits_for"], Value::Null);

    let hold = json!({"org": "ACME01", "length": "until_released", "actor": "jo", "reason": "migrating"});
    bench.post("/v1/maintenance/holds", &hold).await;
    let (_, status) = bench.get("/v1/status").await;
    assert_eq!(status["gate"]["state"], "open", "for everyone");
    let closed = status["closed_orgs"].as_array().unwrap();
    assert_eq!(closed.len(), 1, "{status}");
    assert_eq!((&closed[0]["org"], &closed[0]["waiting"]), (&json!("ACME01"), &json!(1)));
    assert_eq!(closed[0]["gate"]["causes"][0]["reason"], "migrating");
    let (_, shown) = bench.get(&format!("/v1/jobs/{id}")).await;
    assert_eq!(shown["waits_for"]["causes"][0]["reason"], "migrating");
}

#[tokio::test]
async fn a_hold_of_nobody_is_a_slip_of_the_pen() {
    let bench = Bench::new();
    let place = |org: &str| json!({"org": org, "length": "default", "actor": "jo", "reason": "x"});
    assert_eq!(bench.post("/v1/maintenance/holds", &place("ACME01")).await.0, StatusCode::OK);
    let (code, refused) = bench.post("/v1/maintenance/holds", &place("ACME1")).await;
    assert_eq!((code, &refused["error"]), (StatusCode::NOT_FOUND, &json!("there is no organization ACME1")));
}

#[tokio::test]
async fn releasing_a_hold_does_not_open_a_window() {
    let bench = Bench::new();
    let interval =
        Interval::new("2024-03-09T01:00:00Z".parse().unwrap(), "2024-03-09T06:00:00Z".parse().unwrap());
    let zone = chrono_tz::America::Chicago;
    let window =
        Window::new("dshs", interval.unwrap(), zone, "", Scope::Everyone, Origin::Configuration).unwrap();
    bench.store.set_calendar(Calendar { windows: vec![window], timezone: Some(zone), ..Calendar::default() });
    let place = json!({"length": "until_released", "actor": "jo", "reason": "router change"});
    bench.post("/v1/maintenance/holds", &place).await;
    let (_, released) =
        bench.post("/v1/maintenance/release", &json!({"actor": "jo", "reason": "done"})).await;
    assert_eq!(released["gate"]["state"], "closed");
    assert_eq!(released["gate"]["causes"][0]["name"], "dshs");

    let end = json!({"name": "dshs", "actor": "jo", "reason": "finished early"});
    let (_, gate) = bench.post("/v1/maintenance/end", &end).await;
    assert_eq!(gate["state"], "open");
    let (code, refused) = bench.post("/v1/maintenance/end", &end).await;
    assert_eq!(
        (code, &refused["error"]),
        (StatusCode::CONFLICT, &json!("the window \"dshs\" is not active now"))
    );
    let (_, listed) = bench.get("/v1/maintenance").await;
    assert_eq!(listed["occurrences"][0]["ended"]["reason"], "finished early");
}

#[tokio::test]
async fn a_running_window_is_extended_and_what_staff_did_is_told() {
    let bench = Bench::new();
    let window = json!({"name": "backup", "from": "2024-03-09T01:00:00Z", "end": {"for": "2h"},
                        "reason": "database backup", "actor": "jo"});
    assert_eq!(bench.post("/v1/maintenance/windows", &window).await.0, StatusCode::OK);
    let longer = |end: Value| json!({"name": "backup", "end": end, "reason": "runs late", "actor": "kim"});
    let (code, changed) = bench.post("/v1/maintenance/extend", &longer(json!({"for": "1h"}))).await;
    assert_eq!(code, StatusCode::OK, "{changed}");
    assert_eq!(changed["occurrence"]["end"], "2024-03-09T04:00:00Z");
    assert_eq!(changed["occurrence"]["announced_end"], "2024-03-09T03:00:00Z");
    assert_eq!(changed["occurrence"]["changes"][0]["change"], "extended");
    assert_eq!(changed["gate"]["until"], "2024-03-09T04:00:00Z");
    let sooner = longer(json!({"to": "2024-03-09T02:00:00Z"}));
    assert_eq!(bench.post("/v1/maintenance/extend", &sooner).await.0, StatusCode::BAD_REQUEST);
    let act = json!({"name": "backup", "reason": "no", "actor": "kim"});
    assert_eq!(bench.post("/v1/maintenance/skip", &act).await.0, StatusCode::CONFLICT);
    assert_eq!(bench.post("/v1/maintenance/remove", &act).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bench.post("/v1/maintenance/end", &act).await.0, StatusCode::OK);
    let no_reason = json!({"name": "backup", "reason": " ", "actor": "kim"});
    assert_eq!(bench.post("/v1/maintenance/remove", &no_reason).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bench.post("/v1/maintenance/remove", &act).await.0, StatusCode::OK);
    let (_, listed) = bench.get("/v1/maintenance").await;
    assert!(listed["occurrences"].as_array().unwrap().is_empty(), "{listed}");
    let history = listed["history"].as_array().unwrap();
    let events: Vec<_> = history.iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["window_removed", "occurrence_ended", "occurrence_extended", "window_added"]);
    assert_eq!(
        (&history[2]["actor"], &history[2]["until"]),
        (&json!("staff:kim"), &json!("2024-03-09T04:00:00Z"))
    );
}

/// The window of last month, and who ended it, were nowhere to be seen.
#[tokio::test]
async fn all_that_is_known_is_told_to_who_asks_for_it() {
    let bench = Bench::new();
    let window = json!({"name": "backup", "from": "2024-03-08T19:00:00-06:00", "end": {"for": "1h"}, "orgs": [],
                        "reason": "Backup", "actor": "jo"});
    assert_eq!(bench.post("/v1/maintenance/windows", &window).await.0, StatusCode::OK);
    let act = json!({"name": "backup", "reason": "done", "actor": "kim"});
    assert_eq!(bench.post("/v1/maintenance/end", &act).await.0, StatusCode::OK);
    let listed = async |path: &str| {
        let (_, listed) = bench.get(path).await;
        let count = |key: &str| listed[key].as_array().unwrap().len();
        (count("occurrences"), count("history"), listed["older"].as_u64().unwrap())
    };
    assert_eq!(listed("/v1/maintenance").await, (1, 2, 0));
    bench.advance(TimeDelta::days(8));
    assert_eq!(listed("/v1/maintenance").await, (0, 0, 2));
    assert_eq!(listed("/v1/maintenance?all=true").await, (1, 2, 0));
    bench.advance(TimeDelta::days(360));
    assert_eq!(listed("/v1/maintenance?all=true").await, (0, 2, 0));
}

/// A window that recurs each hour has thousands of occurrences in a year.
#[tokio::test]
async fn of_what_is_over_the_latest_are_told() {
    let bench = Bench::new();
    let rule = "[[window]]\nname = \"hourly\"\ncron = \"0 * * * *\"\nduration = \"5m\"\n";
    let config: MaintenanceConfig =
        toml::from_str(&format!("timezone = \"America/Chicago\"\n{rule}")).unwrap();
    bench.store.set_calendar(config.to_calendar().unwrap());
    let (_, listed) = bench.get("/v1/maintenance?n=1&all=true").await;
    let occurrences = listed["occurrences"].as_array().unwrap();
    assert_eq!(occurrences.len(), 501, "and the next one");
    assert_eq!(occurrences[499]["start"], "2024-03-09T01:00:00Z");
    assert_eq!(occurrences[500]["start"], "2024-03-09T02:00:00Z");
}

#[tokio::test]
async fn a_window_is_announced_in_local_time_and_its_name_is_its_own() {
    let bench = Bench::new();
    let window = json!({"name": "backup", "from": "2024-03-09 19:00", "end": {"to": "06:00"},
                        "reason": "database backup", "actor": "jo"});
    let (code, added) = bench.post("/v1/maintenance/windows", &window).await;
    assert_eq!(code, StatusCode::OK, "{added}");
    assert_eq!(
        (&added["start"], &added["end"]),
        (&json!("2024-03-10T01:00:00Z"), &json!("2024-03-10T11:00:00Z"))
    );
    assert_eq!((&added["origin"], &added["actor"]), (&json!("staff"), &json!("jo")));
    let (code, refused) = bench.post("/v1/maintenance/windows", &window).await;
    assert_eq!(code, StatusCode::BAD_REQUEST, "{refused}");

    bench.clock.set("2024-03-10T02:00:00Z".parse().unwrap());
    let (_, status) = bench.get("/v1/status").await;
    assert_eq!((&status["gate"]["state"], &status["gate"]["until"]), (&json!("closed"), &added["end"]));
}
