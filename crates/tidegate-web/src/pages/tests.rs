use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tidegate_notices::{Channels, Ledger, Record, State, Told};
use tower::ServiceExt as _;

use super::*;
use crate::control::tests::Bench;

fn pages(bench: &Bench) -> Router {
    pages_with(bench, Path::new("nobody was told of anything"))
}

/// With the ledger in that directory.
fn pages_with(bench: &Bench, data_dir: &Path) -> Router {
    let channels = Channels { doors: "FTP and SFTP".to_owned(), web_service: true, ..Channels::default() };
    let names = Names { registry: "State <Registry>".to_owned(), channels };
    status::router(bench.control.clone(), names, data_dir)
        .merge(assets::router())
        .layer(from_fn(guard::headers))
}

async fn ask(pages: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response = pages.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

async fn get(pages: &Router, path: &str) -> (StatusCode, HeaderMap, String) {
    ask(pages, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn add_window(bench: &Bench, name: &str, orgs: &[&str], reason: &str) {
    let body = json!({"name": name, "from": "2024-03-08T19:00:00-06:00", "end": {"for": "5h"}, "orgs": orgs,
                      "reason": reason, "actor": "jo"});
    assert_eq!(bench.post("/v1/maintenance/windows", &body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_status_tells_everyone_what_concerns_everyone_and_nothing_else() {
    let bench = Bench::new();
    let pages = pages(&bench);
    add_window(&bench, "secret", &["ACME01"], "ACME moves house").await;
    let (status, headers, html) = get(&pages, "/status").await;
    assert_eq!(
        (status, headers[CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
    assert!(html.contains("Files are being processed") && html.contains("State &lt;Registry&gt;"), "{html}");

    add_window(&bench, "upgrade", &[], "<b>Upgrade</b>").await;
    let hold = json!({"length": "default", "reason": "quarrel with the vendor", "actor": "jo"});
    assert_eq!(bench.post("/v1/maintenance/holds", &hold).await.0, StatusCode::OK);
    let mut all = String::new();
    for path in ["/status", "/status.json", "/status.ics"] {
        all.push_str(&get(&pages, path).await.2);
    }
    assert!(all.contains("Saturday 9 March 2024, 00:00 CST"), "{all}");
    assert!(all.contains("&lt;b&gt;Upgrade") && !all.contains("href=\"/status\"><b>"), "{all}");
    for hidden in ["ACME", "secret", "quarrel", "jo\""] {
        assert!(!all.contains(hidden), "{hidden} in {all}");
    }
}

#[tokio::test]
async fn the_status_is_told_to_programs_with_its_zone() {
    let bench = Bench::new();
    let pages = pages(&bench);
    add_window(&bench, "upgrade", &[], "Upgrade").await;
    let (_, headers, body) = get(&pages, "/status.json").await;
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({"state": "closed", "uploads": "accepted", "since": "2024-03-09T01:00:00Z",
               "until": "2024-03-09T06:00:00Z", "until_local": "2024-03-09T00:00:00-06:00",
               "causes": [{"kind": "window", "reason": "Upgrade"}], "next": [], "timezone": "America/Chicago"})
    );
}

#[tokio::test]
async fn who_has_the_status_already_gets_none_of_it_until_it_changes() {
    let bench = Bench::new();
    let pages = pages(&bench);
    for path in ["/status", "/status.json", "/status.ics"] {
        let (_, headers, _) = get(&pages, path).await;
        assert_eq!(headers[CACHE_CONTROL], "public, max-age=10");
        let again =
            |tags: String| Request::get(path).header(IF_NONE_MATCH, tags).body(Body::empty()).unwrap();
        let tag = headers[ETAG].to_str().unwrap();
        for tags in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let (status, headers, body) = ask(&pages, again(tags)).await;
            assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
            assert_eq!(headers[ETAG], tag);
        }
        let (status, ..) = ask(&pages, again("\"other\"".to_owned())).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        add_window(&bench, &path.replace(['/', '.'], "x"), &[], "Upgrade").await;
        assert_eq!(ask(&pages, again(tag.to_owned())).await.0, StatusCode::OK, "{path} has changed");
    }
}

#[tokio::test]
async fn the_status_changes_by_itself_when_a_window_ends() {
    let bench = Bench::new();
    let pages = pages(&bench);
    add_window(&bench, "upgrade", &[], "Upgrade").await;
    assert!(get(&pages, "/status").await.2.contains("Files are accepted and wait"));
    bench.advance(chrono::TimeDelta::hours(5));
    assert!(get(&pages, "/status").await.2.contains("Files are being processed"));
}

#[tokio::test]
async fn calendars_know_an_occurrence_again_and_hear_that_it_was_skipped() {
    let bench = Bench::new();
    let pages = pages(&bench);
    let body = json!({"name": "upgrade", "from": "2024-03-09T19:00:00-06:00", "end": {"for": "5h"}, "orgs": [],
                      "reason": "Upgrade, at last", "actor": "jo"});
    assert_eq!(bench.post("/v1/maintenance/windows", &body).await.0, StatusCode::OK);
    let (_, headers, before) = get(&pages, "/status.ics").await;
    assert_eq!(headers[CONTENT_TYPE], "text/calendar; charset=utf-8");
    let line = |text: &str, key: &str| text.lines().find(|line| line.starts_with(key)).map(str::to_owned);
    assert_eq!(line(&before, "DTSTART").as_deref(), Some("DTSTART:20240310T010000Z"), "{before}");
    assert_eq!(line(&before, "SUMMARY").as_deref(), Some("SUMMARY:Maintenance: Upgrade\\, at last"));
    let skip = json!({"name": "upgrade", "reason": "not ready", "actor": "jo"});
    assert_eq!(bench.post("/v1/maintenance/skip", &skip).await.0, StatusCode::OK);
    let after = get(&pages, "/status.ics").await.2;
    assert_eq!(line(&after, "UID"), line(&before, "UID"), "{after}");
    assert_eq!(line(&after, "STATUS").as_deref(), Some("STATUS:CANCELLED"), "{after}");
    assert_eq!(line(&after, "SEQUENCE").as_deref(), Some("SEQUENCE:1"), "{after}");
}

/// Keeps that somebody was told of an occurrence, in a state that had that number.
fn tell(data_dir: &Path, start: &str, sequence: u32, state: State) {
    tell_of(data_dir, "upgrade", None, start, sequence, state);
}

/// The same of another window, or of one of some organizations.
fn tell_of(data_dir: &Path, window: &str, orgs: Option<&str>, start: &str, sequence: u32, state: State) {
    let start: DateTime<Utc> = start.parse().unwrap();
    let event = tidegate_notices::Event {
        window: window.to_owned(),
        start,
        end: start + TimeDelta::hours(5),
        timezone: chrono_tz::Tz::America__Chicago,
        reason: "Upgrade".to_owned(),
        orgs: orgs.map(|org| vec![org.to_owned()]),
    };
    let told = Told::Announcement { uid: "as-it-was-mailed".to_owned(), sequence, state };
    let (actor, address) = ("staff:jo".to_owned(), "it@acme.example".to_owned());
    let record = Record { at: start, actor, address, orgs: vec!["ACME01".to_owned()], told, event };
    Ledger::open(data_dir).unwrap().append(record).unwrap();
}

fn line(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.to_owned()))
}

#[tokio::test]
async fn the_feed_goes_on_from_what_was_mailed_and_cancels_what_was_taken_back() {
    let (bench, dir) = (Bench::new(), tempfile::tempdir().unwrap());
    let pages = pages_with(&bench, dir.path());
    let told = async || {
        let (status, _, text) = get(&pages, "/status.ics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(!text.contains("acme") && !text.contains("ACME"), "{text}");
        ["UID", "SEQUENCE", "STATUS"].map(|key| line(&text, key).unwrap_or_default())
    };
    add_window(&bench, "upgrade", &[], "Upgrade").await;
    assert_eq!(told().await[1..], ["0", "CONFIRMED"]);
    // What is mailed from now on counts at once, whatever the page remembers.
    tell(dir.path(), "2024-03-09T01:00:00Z", 3, State::Changed);
    assert_eq!(told().await, ["as-it-was-mailed", "3", "CONFIRMED"]);
    let longer = json!({"name": "upgrade", "end": {"for": "1h"}, "reason": "slow", "actor": "jo"});
    assert_eq!(bench.post("/v1/maintenance/extend", &longer).await.0, StatusCode::OK);
    assert_eq!(told().await, ["as-it-was-mailed", "4", "CONFIRMED"]);
    let end = json!({"name": "upgrade", "reason": "quick", "actor": "jo"});
    assert_eq!(bench.post("/v1/maintenance/end", &end).await.0, StatusCode::OK);
    assert_eq!(told().await, ["as-it-was-mailed", "4", "CONFIRMED"], "the mail for both is one");

    // Another one was announced, and stands in no calendar any more.
    let (bench, dir) = (Bench::new(), tempfile::tempdir().unwrap());
    let pages = pages_with(&bench, dir.path());
    tell_of(dir.path(), "secret", Some("ACME01"), "2024-03-12T01:00:00Z", 7, State::Announced);
    assert!(
        !get(&pages, "/status.ics").await.2.contains("BEGIN:VEVENT"),
        "that is between it and its senders"
    );
    let (bench, dir) = (Bench::new(), tempfile::tempdir().unwrap());
    let pages = pages_with(&bench, dir.path());
    tell(dir.path(), "2024-03-12T01:00:00Z", 1, State::Announced);
    let (_, _, text) = get(&pages, "/status.ics").await;
    assert_eq!(line(&text, "SEQUENCE").as_deref(), Some("2"), "{text}");
    assert_eq!(line(&text, "STATUS").as_deref(), Some("CANCELLED"), "{text}");
    bench.advance(TimeDelta::days(4));
    assert!(!get(&pages, "/status.ics").await.2.contains("BEGIN:VEVENT"), "it would be over by now");
}

#[tokio::test]
async fn one_that_was_moved_is_in_the_feed_once() {
    let (bench, dir) = (Bench::new(), tempfile::tempdir().unwrap());
    let pages = pages_with(&bench, dir.path());
    add_window(&bench, "upgrade", &[], "Upgrade").await;
    tell(dir.path(), "2024-03-09T03:00:00Z", 1, State::Announced);
    let text = get(&pages, "/status.ics").await.2;
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 1, "{text}");
    assert_eq!(line(&text, "UID").as_deref(), Some("as-it-was-mailed"), "{text}");
    assert_eq!(
        (line(&text, "SEQUENCE").as_deref(), line(&text, "DTSTART").as_deref()),
        (Some("2"), Some("20240309T010000Z"))
    );
}

#[tokio::test]
async fn pages_forbid_what_they_do_not_need_and_their_assets_can_be_kept() {
    let bench = Bench::new();
    let pages = pages(&bench);
    let (_, headers, html) = get(&pages, "/status").await;
    let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains("<script>"), "{html}");
    assert!(!html.contains("://"), "nothing from elsewhere: {html}");
    let style = html.split('"').find(|text| text.starts_with("/assets/tidegate-")).unwrap();
    let (status, headers, _) = get(&pages, style).await;
    assert_eq!(
        (status, headers[CACHE_CONTROL].to_str().unwrap().contains("immutable")),
        (StatusCode::OK, true)
    );
    assert_eq!(get(&pages, "/assets/tidegate-0.css").await.0, StatusCode::NOT_FOUND);
}
