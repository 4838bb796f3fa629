use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate_domain::job::{Counts, JobEvent, Outcome, Protocol};
use tidegate_domain::maintenance::{Calendar, Interval, Origin, Scope, Window};
use tidegate_domain::{JobId, ManualClock, OrgCode, Terms, UploadName};
use tidegate_store::{Beside, Options, Sender, Store};
use tidegate_worker::Retention;
use tower::ServiceExt as _;

use super::*;
use crate::api::{ACT_JOBS_MAX, BanView, Listener, Reloaded};

const TERM: Duration = Duration::from_hours(720);

struct QuietSite;

impl Site for QuietSite {
    fn listeners(&self) -> Vec<Listener> {
        vec![Listener { protocol: "ftp".to_owned(), address: "127.0.0.1:2121".to_owned() }]
    }

    fn problems(&self) -> Vec<String> {
        vec!["orgs.d/BAD.toml: code: is missing".to_owned()]
    }

    fn organizations(&self) -> Vec<OrgCode> {
        vec![OrgCode::new("ACME01").unwrap()]
    }

    fn beside_store(&self) -> Vec<Beside> {
        Vec::new()
    }

    fn bans(&self) -> Vec<BanView> {
        self.lift_bans(None, "jo")
    }

    fn lift_bans(&self, address: Option<IpAddr>, _: &str) -> Vec<BanView> {
        let until = "2024-03-09T02:00:00Z".parse().unwrap();
        let mut bans: Vec<BanView> = ["192.0.2.1", "192.0.2.2"]
            .map(|address| BanView { address: address.to_owned(), until, times: 1 })
            .to_vec();
        bans.retain(|ban| address.is_none_or(|address| ban.address == address.to_string()));
        bans
    }

    fn sessions(&self) -> usize {
        3
    }

    fn events(&self) -> Vec<Events> {
        vec![Events { protocol: "sftp", event: "accepted", count: 7 }]
    }

    fn certificate_expires_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        "2027-03-09T02:00:00Z".parse().ok()
    }

    fn reload(&self) -> Reloaded {
        Reloaded { organizations: 1, problems: Vec::new() }
    }
}

/// A store with a control API, half past one on the night of 9 March 2024 (UTC).
pub(crate) struct Bench {
    _dir: TempDir,
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) control: Control,
    router: Router,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::new("2024-03-09T01:30:00Z".parse().unwrap());
        let (store, _) = Store::open(dir.path(), options, Arc::new(clock.clone())).unwrap();
        store.set_calendar(Calendar { timezone: Some(chrono_tz::America::Chicago), ..Calendar::default() });
        let terms = Terms { complete: TERM, error: 3 * TERM };
        let retention = Retention::new(store.clone(), terms, Arc::new(clock.clone()), None);
        let control = Control::new(store.clone(), retention, Arc::new(clock.clone()), Arc::new(QuietSite));
        Self { _dir: dir, store, clock, router: router(control.clone()), control }
    }

    pub(crate) async fn upload(&self, org: &str, name: &str, bytes: &[u8]) -> JobId {
        let mut upload = self.store.upload().unwrap();
        upload.write(bytes).await.unwrap();
        let sender = Sender { account: "acme".to_owned(), protocol: Protocol::Ftp };
        let (org, name) = (OrgCode::new(org).unwrap(), UploadName::new(name).unwrap());
        upload.accept(&org, sender, name).await.unwrap().id
    }

    /// Takes the oldest job to its end, with this response.
    pub(crate) async fn complete(&self, response: &[u8]) {
        self.complete_with(response, b"All is well.\n").await;
    }

    /// The same with this report.
    pub(crate) async fn complete_with(&self, response: &[u8], report: &[u8]) {
        let claim = self.store.claim(1).await.unwrap().remove(0);
        std::fs::write(self.store.response_path(&claim.job), response).unwrap();
        std::fs::write(self.store.report_path(&claim.job), report).unwrap();
        let counts = Counts { total: 1, accepted: 1, ..Counts::default() };
        let end = JobEvent::Completed { outcome: Outcome::Accepted, counts };
        self.store.finish(&claim, end).await.unwrap();
    }

    pub(crate) fn control_now(&self) -> chrono::DateTime<chrono::Utc> {
        self.control.now()
    }

    pub(crate) fn advance(&self, by: chrono::TimeDelta) {
        self.clock.advance(by);
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(path).header("content-type", "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
    }
}

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
async fn jobs_are_listed_by_condition_and_shown_with_their_history_and_files() {
    let bench = Bench::new();
    let first = bench.upload("ACME01", "a.hl7", b"MSH|1").await;
    bench.upload("BURL01", "b.hl7", b"MSH|2").await;
    let (_, all) = bench.get("/v1/jobs").await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let (_, some) = bench.get("/v1/jobs?org=ACME01&state=queued&since=1h").await;
    assert_eq!(some[0]["id"], first.to_string());
    assert_eq!(some.as_array().unwrap().len(), 1);
    for none in ["since=2024-03-09T01:30:01Z", "until=2024-03-09T01:30:00Z", "state=held,error", "name=*.txt"]
    {
        assert_eq!(bench.get(&format!("/v1/jobs?{none}")).await.1, json!([]), "{none}");
    }
    for both in ["until=2024-03-09T01:30:01Z", "state=held,queued", "name=*.HL7"] {
        assert_eq!(bench.get(&format!("/v1/jobs?{both}")).await.1.as_array().unwrap().len(), 2, "{both}");
    }

    let (_, shown) = bench.get(&format!("/v1/jobs/{first}")).await;
    assert_eq!(shown["name"], "a.hl7");
    assert_eq!(shown["history"][0]["event"], "accepted");
    assert_eq!(shown["history"][0]["actor"], "sender:acme");
    assert_eq!(shown["files"]["response"], Value::Null);
    assert!(Path::new(shown["files"]["payload"].as_str().unwrap()).is_file(), "{shown}");
}

#[tokio::test]
async fn a_response_is_served_as_it_is_however_long() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a.hl7", b"MSH|1").await;
    let (code, early) = bench.get(&format!("/v1/jobs/{id}/response")).await;
    assert_eq!(code, StatusCode::NOT_FOUND);
    assert!(early["error"].as_str().unwrap().contains("queued"), "{early}");

    let response = "MSA|AA\r".repeat(100_000);
    bench.complete(response.as_bytes()).await;
    let (code, served) = bench.get(&format!("/v1/jobs/{id}/response")).await;
    assert_eq!((code, served.as_str()), (StatusCode::OK, Some(response.as_str())));
    let (_, report) = bench.get(&format!("/v1/jobs/{id}/report")).await;
    assert_eq!(report, "All is well.\n");
}

#[tokio::test]
async fn staff_act_on_jobs_by_name_and_by_condition() {
    let bench = Bench::new();
    let ids = [bench.upload("ACME01", "a", b"1").await, bench.upload("ACME01", "b", b"2").await];
    let act = |action: &str, selection: Value, dry_run: bool| {
        json!({"action": action, "selection": selection, "actor": "jo", "reason": "asked to",
               "dry_run": dry_run})
    };
    let queued = json!({"matching": {"org": "ACME01", "state": "queued"}});
    let (_, rehearsed) = bench.post("/v1/jobs/act", &act("hold", queued.clone(), true)).await;
    assert_eq!(rehearsed["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(bench.get("/v1/jobs?state=held").await.1, json!([]), "a rehearsal changes nothing");
    let (code, refused) = bench.post("/v1/jobs/act", &act("hold", queued, false)).await;
    assert_eq!(code, StatusCode::BAD_REQUEST, "who says yes knows to what: {refused}");

    let rehearsed = json!({"jobs": [rehearsed["jobs"][0]["id"], rehearsed["jobs"][1]["id"]]});
    let (_, held) = bench.post("/v1/jobs/act", &act("hold", rehearsed, false)).await;
    assert_eq!(
        held["jobs"][0],
        json!({"id": ids[0].to_string(), "org": "ACME01", "name": "a", "state": "held", "error": null})
    );
    let named = json!({"jobs": [ids[0].to_string()]});
    let (_, again) = bench.post("/v1/jobs/act", &act("requeue", named.clone(), false)).await;
    assert_eq!(again["jobs"][0]["error"], "requeued is not possible while the job is held");
    let (_, cancelled) = bench.post("/v1/jobs/act", &act("cancel", named, false)).await;
    assert_eq!(cancelled["jobs"][0]["state"], "cancelled");

    let (_, shown) = bench.get(&format!("/v1/jobs/{}", ids[0])).await;
    let last = shown["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["actor"], &last["event"], &last["detail"]),
        (&json!("staff:jo"), &json!("cancelled"), &json!("asked to"))
    );
}

#[tokio::test]
async fn pages_follow_each_other_although_jobs_come_and_go_meanwhile() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(bench.upload("ACME01", name, name.as_bytes()).await);
    }
    let mut seen = Vec::new();
    let mut page = bench.get("/v1/jobs?limit=2").await.1;
    while let Some(last) = page.as_array().unwrap().last() {
        let last = last["id"].as_str().unwrap().to_owned();
        seen.extend(page.as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        assert!(seen.len() <= ids.len(), "{seen:?}");
        bench.upload("ACME01", "more", last.as_bytes()).await;
        let gone = JobEvent::Cancelled { reason: "asked to".to_owned() };
        bench.store.act(last.parse().unwrap(), gone, "jo").await.unwrap();
        page = bench.get(&format!("/v1/jobs?state=queued&limit=2&after={last}")).await.1;
    }
    let expected: Vec<String> = ids.iter().rev().map(ToString::to_string).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn more_jobs_than_are_changed_at_once_are_refused_with_advice() {
    let bench = Bench::new();
    let upload = async |number: usize| bench.upload("ACME01", "a.hl7", number.to_string().as_bytes()).await;
    // Together, so that they share syncs.
    futures_util::future::join_all((0..=ACT_JOBS_MAX).map(upload)).await;
    let act = |limit: Option<usize>| {
        json!({"action": "hold", "selection": {"matching": {"state": "queued"}}, "actor": "jo",
               "reason": "asked to", "dry_run": true, "limit": limit})
    };
    let (code, refused) = bench.post("/v1/jobs/act", &act(None)).await;
    assert_eq!(code, StatusCode::CONFLICT);
    assert_eq!(refused["error"], "1001 jobs match, and at most 1000 are changed at once");
    assert!(refused["hint"].as_str().unwrap().contains("--limit 1000"), "{refused}");
    let (_, oldest) = bench.post("/v1/jobs/act", &act(Some(2))).await;
    let all = bench.store.list(&tidegate_store::Filter { limit: usize::MAX, ..Default::default() }).unwrap();
    let ids: Vec<String> = all.iter().rev().take(2).map(|job| job.id.to_string()).collect();
    assert_eq!(json!([oldest["jobs"][0]["id"], oldest["jobs"][1]["id"]]), json!(ids), "the oldest first");
    assert_eq!((oldest["jobs"].as_array().unwrap().len(), &oldest["more"]), (2, &json!(true)));
    let named: Vec<String> = all.iter().map(|job| job.id.to_string()).collect();
    let named = json!({"action": "hold", "selection": {"jobs": named}, "actor": "jo", "reason": "asked to"});
    assert_eq!(bench.post("/v1/jobs/act", &named).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_job_that_went_on_after_it_was_chosen_is_left_alone() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a", b"1").await.to_string();
    let act = |action: &str, only_in: &str| {
        json!({"action": action, "selection": {"jobs": [id]}, "actor": "jo", "reason": "asked to",
               "only_in": only_in})
    };
    let (_, done) = bench.post("/v1/jobs/act", &act("cancel", "held,error")).await;
    assert_eq!(done["jobs"][0]["error"], "it has gone on meanwhile and is queued by now");
    let (_, done) = bench.post("/v1/jobs/act", &act("cancel", "held,queued")).await;
    assert_eq!(done["jobs"][0]["state"], "cancelled", "{done}");
}

#[tokio::test]
async fn a_job_in_a_workers_hand_is_left_alone_and_says_so() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a", b"1").await.to_string();
    bench.store.claim(1).await.unwrap();
    for (action, dry_run) in
        ["requeue", "hold", "release", "cancel"].iter().flat_map(|a| [(a, true), (a, false)])
    {
        let body = json!({"action": action, "selection": {"jobs": [id]}, "actor": "jo", "reason": "asked to",
                          "dry_run": dry_run});
        let (_, done) = bench.post("/v1/jobs/act", &body).await;
        let job = &done["jobs"][0];
        let words = "a worker has it in hand: come again when it is done";
        assert_eq!((&job["error"], &job["state"]), (&json!(words), &json!("processing")), "{action}");
    }
}

#[tokio::test]
async fn an_upload_is_handed_out_to_whoever_says_why_and_its_history_keeps_it() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a", b"MSH|\r\xff\0").await;
    let path = format!("/v1/jobs/{id}/payload");
    let ask = |reason: &str| json!({"actor": "jo", "reason": reason});
    assert_eq!(bench.post(&path, &ask(" ")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bench.store.history(id).unwrap().len(), 1);
    let request = Request::post(&path).header("content-type", "application/json");
    let request = request.body(Body::from(ask("the clinic asks").to_string())).unwrap();
    let answer = bench.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "7");
    // It is written down before anything is sent.
    let (_, shown) = bench.get(&format!("/v1/jobs/{id}")).await;
    let last = shown["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["actor"], &last["event"], &last["detail"]),
        (&json!("staff:jo"), &json!("payload_read"), &json!("the clinic asks"))
    );
    assert_eq!(&answer.into_body().collect().await.unwrap().to_bytes()[..], b"MSH|\r\xff\0");
    std::fs::remove_file(shown["files"]["payload"].as_str().unwrap()).unwrap();
    let (code, gone) = bench.post(&path, &ask("again")).await;
    assert_eq!(code, StatusCode::NOT_FOUND, "{gone}");
    assert_eq!(bench.store.history(id).unwrap().len(), 2, "what was not read is not in the history");
}

#[tokio::test]
async fn a_change_without_reason_or_actor_is_refused() {
    let bench = Bench::new();
    let body = json!({"action": "hold", "selection": {"jobs": []}, "actor": "jo", "reason": " "});
    let (code, refused) = bench.post("/v1/jobs/act", &body).await;
    assert_eq!(code, StatusCode::BAD_REQUEST);
    assert!(refused["error"].as_str().unwrap().contains("reason"), "{refused}");
    let body = json!({"length": "default", "actor": "", "reason": "x"});
    assert_eq!(bench.post("/v1/maintenance/holds", &body).await.0, StatusCode::BAD_REQUEST);
}

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
