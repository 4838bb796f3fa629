use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use serde_json::json;
use tidegate_domain::JobId;
use tidegate_domain::job::JobState;

use crate::pages::rig::{Answer, Browser, HASH, PASSWORD, Rig};
use crate::staff::{Account, Role, Totp};

/// Somebody of the staff at a browser.
pub(super) async fn inside(rig: &Rig, name: &str, role: Role) -> Browser {
    add(rig, name, role, None);
    let browser = rig.browser();
    let answer = log_in(&browser, name, "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    browser
}

fn add(rig: &Rig, name: &str, role: Role, totp_secret: Option<String>) {
    let (name, password_hash) = (name.to_owned(), HASH.clone());
    rig.staff.add(&Account { name, role, password_hash, totp_secret, disabled: false }).unwrap();
}

async fn log_in(browser: &Browser, name: &str, code: &str) -> Answer {
    browser.post("/staff/login", &[("name", name), ("password", PASSWORD), ("code", code)]).await
}

async fn upload(rig: &Rig, name: &str) -> String {
    rig.bench.upload("ACME01", name, b"MSH|").await.to_string()
}

fn state(rig: &Rig, job: &str) -> JobState {
    let id: JobId = job.parse().unwrap();
    rig.bench.store.get(id).unwrap().unwrap().state
}

#[tokio::test]
async fn an_operator_sees_the_queue_and_acts_on_a_job_in_their_own_name() {
    let rig = Rig::new();
    let job = upload(&rig, "friday.hl7").await;
    let browser = inside(&rig, "jo", Role::Operator).await;
    let overview = browser.get("/staff").await.text;
    assert!(overview.contains("Files are being processed") && overview.contains("<svg"), "{overview}");
    let jobs = browser.get("/staff/jobs?org=ACME01&state=queued&since=2h").await;
    assert!(jobs.text.contains("friday.hl7"), "{jobs:?}");
    assert!(browser.get("/staff/jobs?state=held").await.text.contains("There are none"));

    let key = jobs.key();
    let fields = [
        ("key", key.as_str()),
        ("job", &job),
        ("action", "hold"),
        ("reason", "asked by the clinic"),
        ("from", "job"),
    ];
    assert_eq!(browser.post("/staff/jobs/act", &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(state(&rig, &job), JobState::Held);
    let shown = browser.get(&format!("/staff/jobs/{job}")).await.text;
    assert!(
        shown.contains("Done for 1 of 1")
            && shown.contains("staff:jo")
            && shown.contains("asked by the clinic"),
        "{shown}"
    );
    let without_reason = [("key", key.as_str()), ("job", &job), ("action", "release")];
    browser.post("/staff/jobs/act", &without_reason).await;
    assert!(browser.get("/staff/jobs").await.text.contains("needs an actor and a reason"));
    assert_eq!(state(&rig, &job), JobState::Held);
}

#[tokio::test]
async fn a_viewer_can_not_act_and_an_operator_not_on_accounts() {
    let rig = Rig::new();
    let job = upload(&rig, "friday.hl7").await;
    let viewer = inside(&rig, "vi", Role::Viewer).await;
    let operator = inside(&rig, "op", Role::Operator).await;
    let key = viewer.get("/staff").await.key();
    assert!(!viewer.get("/staff/jobs").await.text.contains("Do with those"));
    for path in [
        "jobs/act",
        "maintenance/hold",
        "maintenance/add",
        "maintenance/release",
        "maintenance/end",
        "organizations/ACME01/disable",
        "add-organization",
        "accounts/lift",
    ] {
        let fields = [
            ("key", key.as_str()),
            ("job", &job),
            ("action", "cancel"),
            ("reason", "r"),
            ("org", "ACME01"),
            ("name", "w"),
        ];
        let answer = viewer.post(&format!("/staff/{path}"), &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let key = operator.get("/staff").await.key();
    for path in
        ["organizations/ACME01/disable", "organizations/ACME01/set", "add-organization", "accounts/lift"]
    {
        let answer = operator.post(&format!("/staff/{path}"), &[("key", &key), ("org", "ACME01")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    for browser in [&viewer, &operator] {
        assert_eq!(browser.get("/staff/audit").await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(state(&rig, &job), JobState::Queued);
    assert!(rig.bench.store.maintenance().holds.is_empty());
    assert!(rig.directory.current().iter().all(|organization| !organization.disabled));
}

#[tokio::test]
async fn staff_hold_release_announce_and_change_windows() {
    let rig = Rig::new();
    let browser = inside(&rig, "jo", Role::Operator).await;
    let key = browser.get("/staff/maintenance").await.key();
    let act = async |path: &str, fields: &[(&str, &str)]| {
        let mut all = vec![("key", key.as_str()), ("reason", "registry restarts")];
        all.extend_from_slice(fields);
        assert_eq!(
            browser.post(&format!("/staff/maintenance/{path}"), &all).await.status,
            StatusCode::SEE_OTHER
        );
        browser.get("/staff/maintenance").await.text
    };
    let page = act("hold", &[("for", "45m")]).await;
    assert!(page.contains("Opens in 45 min") && page.contains("registry restarts"), "{page}");
    assert!(act("release", &[("org", "")]).await.contains("Released 1."));
    let page =
        act("add", &[("name", "upgrade"), ("from", "2024-03-08T19:00"), ("to", "2024-03-09T00:00")]).await;
    assert!(page.contains("upgrade is announced") && page.contains("19:00-24:00 upgrade"), "{page}");
    assert!(act("extend", &[("name", "upgrade"), ("for", "30m")]).await.contains("upgrade was extended"));
    assert!(act("end", &[("name", "upgrade")]).await.contains("ended early"));
    assert!(act("extend", &[("name", "upgrade"), ("for", "soon")]).await.contains("write a duration"));
    act("add", &[("name", "later"), ("from", "2024-03-15T19:00"), ("to", "2024-03-16T00:00")]).await;
    assert!(
        act("skip", &[("name", "later"), ("at", "2024-03-16T00:00:00Z")]).await.contains("later was skipped")
    );
    let history = &rig.bench.store.maintenance().history;
    assert!(history.len() == 7 && history.iter().all(|one| one.actor.contains("jo")), "{history:?}");
}

#[tokio::test]
async fn nobody_gets_in_without_password_and_code_and_a_code_counts_once() {
    let rig = Rig::new();
    // RFC 6238's secret; the rig's clock stands at half past one on 9 March 2024.
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned();
    add(&rig, "jo", Role::Operator, Some(secret.clone()));
    let browser = rig.browser();
    let totp = Totp::parse(&secret).unwrap();
    let now = rig.bench.control_now();
    let code = totp.code(now.timestamp() / 30).unwrap();
    for (name, password, code) in [
        ("jo", PASSWORD, ""),
        ("jo", PASSWORD, "12345"),
        ("jo", "wrong", code.as_str()),
        ("kim", PASSWORD, &code),
        ("../jo", PASSWORD, &code),
    ] {
        let answer =
            browser.post("/staff/login", &[("name", name), ("password", password), ("code", code)]).await;
        assert_eq!(
            (answer.status, answer.headers.contains_key(SET_COOKIE)),
            (StatusCode::UNAUTHORIZED, false),
            "{name}"
        );
    }
    assert_eq!(log_in(&browser, "jo", &code).await.status, StatusCode::SEE_OTHER);
    assert_eq!(log_in(&rig.browser(), "jo", &code).await.status, StatusCode::UNAUTHORIZED, "used before");
}

#[tokio::test]
async fn who_is_shut_out_or_has_another_password_or_role_feels_it_at_once() {
    let rig = Rig::new();
    let browser = inside(&rig, "jo", Role::Operator).await;
    let key = browser.get("/staff").await.key();
    let account = rig.staff.find("jo").unwrap();
    rig.staff.save(&Account { role: Role::Viewer, ..account.clone() }).unwrap();
    let hold = [("key", key.as_str()), ("reason", "r")];
    assert_eq!(browser.post("/staff/maintenance/hold", &hold).await.status, StatusCode::FORBIDDEN);
    rig.staff.save(&Account { disabled: true, ..account.clone() }).unwrap();
    assert!(browser.get("/staff").await.text.contains("Log in"));
    rig.staff.save(&account).unwrap();
    assert!(browser.get("/staff").await.text.contains("Log in"), "the session has ended");
    log_in(&browser, "jo", "").await;
    assert!(browser.get("/staff").await.text.contains("Log out"));
    let password_hash = account.password_hash.replace("m=19456", "m=19457");
    rig.staff.save(&Account { password_hash, ..account }).unwrap();
    assert!(browser.get("/staff").await.text.contains("Log in"));
}

#[tokio::test]
async fn the_console_takes_no_session_that_was_planted_no_foreign_form_and_no_sender() {
    let rig = Rig::new();
    let browser = rig.browser();
    let planted = format!("__Host-tidegate-staff={}", "0".repeat(64));
    browser.cookies.lock().unwrap().push(planted.clone());
    add(&rig, "jo", Role::Administrator, None);
    assert!(!log_in(&browser, "jo", "").await.headers[SET_COOKIE].to_str().unwrap().starts_with(&planted));
    let old = browser.cookies.lock().unwrap().clone();
    log_in(&browser, "jo", "").await;
    let thief = rig.browser();
    thief.cookies.lock().unwrap().extend(old);
    assert!(thief.get("/staff").await.text.contains("Log in"), "the name before is worth nothing");

    for key in ["", "x"] {
        let answer = browser.post("/staff/maintenance/hold", &[("key", key), ("reason", "r")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert!(rig.bench.store.maintenance().holds.is_empty());
    let sender = rig.browser();
    sender.log_in("acme").await;
    let name = sender.cookies.lock().unwrap()[0].split_once('=').unwrap().1.to_owned();
    sender.cookies.lock().unwrap().push(format!("__Host-tidegate-staff={name}"));
    for path in [
        "/staff",
        "/staff/jobs",
        "/staff/maintenance",
        "/staff/accounts",
        "/staff/add-organization",
        "/staff/organizations/ACME01",
        "/staff/audit",
        "/staff/jobs/0000000000000000",
    ] {
        assert!(sender.get(path).await.text.contains("Staff console"), "{path}");
    }
}

#[tokio::test]
async fn names_and_messages_are_never_read_as_a_page_of_the_console() {
    let rig = Rig::new();
    let name = "<img src=x onerror=alert(1)>.hl7";
    let job = upload(&rig, name).await;
    let response = b"MSH|\rERR||PID^1^5|101|E|7|||<script>alert(2)</script>\r";
    rig.bench.complete_with(response, b"</pre><script>alert(3)</script>").await;
    let browser = inside(&rig, "jo", Role::Operator).await;
    let hold = json!({"length": "default", "reason": "<script>alert(4)</script>", "actor": "<script>alert(5)</script>"});
    rig.bench.post("/v1/maintenance/holds", &hold).await;
    let mut all = String::new();
    for path in [
        "/staff",
        "/staff/jobs",
        "/staff/maintenance",
        &format!("/staff/jobs/{job}"),
        "/staff/jobs?org=%3Cscript%3Ealert(6)&since=%22%3E%3Cscript%3Ealert(7)",
    ] {
        all.push_str(&browser.get(path).await.text);
    }
    assert!(!all.contains("<script>alert") && !all.contains("<img src=x"), "{all}");
    for number in [2, 3, 4, 5, 6, 7] {
        assert!(all.contains(&format!("&lt;script&gt;alert({number})")), "{number}");
    }
    assert!(all.contains("PID-5"), "errors by segment and field");
}
