use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ORIGIN, RETRY_AFTER, SET_COOKIE};
use axum::http::{Request, StatusCode};
use serde_json::json;
use tidegate_domain::maintenance::UNAVAILABLE;
use tidegate_domain::{JobId, OrgCode};
use tidegate_store::Filter;
use tokio::time::Instant;

use crate::config::PortalMode;
use crate::pages::rig::{Browser, END, Rig, form};

fn all() -> Filter {
    Filter { limit: 100, ..Filter::default() }
}

async fn inside(rig: &Rig) -> (Browser, String) {
    let browser = rig.browser();
    assert_eq!(browser.log_in("acme").await.status, StatusCode::SEE_OTHER);
    let key = browser.get("/").await.key();
    (browser, key)
}

fn jobs(rig: &Rig) -> Vec<(String, String)> {
    let jobs = rig.bench.store.list(&all()).unwrap();
    jobs.iter().map(|job| (job.submission.org.to_string(), job.submission.name.to_text())).collect()
}

fn only_job(rig: &Rig) -> JobId {
    rig.bench.store.list(&all()).unwrap()[0].id
}

#[tokio::test]
async fn a_sender_logs_in_sends_a_file_and_fetches_its_answers() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    let sent = browser.upload(&key, "friday.hl7", "MSH|^~\\&|a", END).await;
    assert!(sent.status == StatusCode::OK && sent.text.contains("received"), "{sent:?}");
    assert_eq!(jobs(&rig), [("ACME01".to_owned(), "friday.hl7".to_owned())]);
    let job = only_job(&rig);
    let payload = rig.bench.store.open_payload(&rig.bench.store.get(job).unwrap().unwrap()).unwrap();
    assert_eq!(std::io::read_to_string(payload).unwrap(), "MSH|^~\\&|a");

    rig.bench.complete(b"MSH|answer").await;
    let home = browser.get("/").await.text;
    assert!(home.contains("friday.hl7") && home.contains("accepted"), "{home}");
    let shown = browser.get(&format!("/files/{job}")).await;
    assert!(shown.text.contains("All is well."), "{shown:?}");
    let fetched = browser.get(&format!("/files/{job}/response")).await;
    assert_eq!((fetched.status, fetched.text.as_str()), (StatusCode::OK, "MSH|answer"));
    assert_eq!(fetched.headers[CONTENT_DISPOSITION], format!("attachment; filename=\"{job}.response\""));
    assert_eq!(fetched.headers[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(fetched.headers[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn an_answer_that_is_deleted_is_gone_from_the_outbox_for_every_door() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    browser.upload(&key, "friday.hl7", "MSH|", END).await;
    let (job, org) = (only_job(&rig), OrgCode::new("ACME01").unwrap());
    let waiting = browser.get(&format!("/files/{job}")).await.text;
    assert!(waiting.contains("There is none yet.") && !waiting.contains("Delete both"), "{waiting}");
    rig.bench.complete(b"MSH|answer").await;
    assert_eq!(rig.bench.store.outbox(&org).unwrap().len(), 2);
    let path = format!("/files/{job}/delete");
    let other = rig.browser();
    other.log_in("lake").await;
    let theirs = other.get("/").await.key();
    assert_eq!(other.post(&path, &[("key", &theirs)]).await.status, StatusCode::NOT_FOUND);
    for wrong in ["", "x", &theirs] {
        assert_eq!(browser.post(&path, &[("key", wrong)]).await.status, StatusCode::FORBIDDEN);
    }
    assert!(rig.browser().post(&path, &[("key", &key)]).await.text.contains("Log in"));
    assert_eq!(rig.bench.store.outbox(&org).unwrap().len(), 2);
    // Once more is no harm: somebody may have pressed it twice, or deleted one file by FTP.
    for _ in 0..2 {
        assert_eq!(browser.post(&path, &[("key", &key)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(rig.bench.store.outbox(&org).unwrap(), []);
    }
    assert!(browser.get(&format!("/files/{job}")).await.text.contains("was deleted from your outbox."));
    assert_eq!(browser.get(&format!("/files/{job}/response")).await.status, StatusCode::NOT_FOUND);
    let deleted = rig.audit_log().await.lines().filter(|line| line.contains("\"deleted\"")).count();
    assert_eq!(deleted, 2, "one for each file, as by FTP");
}

#[tokio::test(start_paused = true)]
async fn a_form_that_comes_byte_by_byte_is_given_up() {
    let rig = Rig::new();
    for path in ["/login", "/staff/login"] {
        let drops = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Some((Ok::<_, std::io::Error>("a"), ()))
        });
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let begun = Instant::now();
        let answer = rig.browser().ask(request.body(Body::from_stream(drops)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT, "{path}");
        assert_eq!(begun.elapsed().as_secs(), 30, "{path}");
    }
}

#[tokio::test]
async fn a_form_that_breaks_off_submits_nothing() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    for end in ["", "\r\n", "\r\n--x"] {
        let sent = browser.upload(&key, "friday.hl7", "MSH|", end).await;
        assert!(
            sent.status == StatusCode::UNPROCESSABLE_ENTITY && sent.text.contains("not received"),
            "{sent:?}"
        );
    }
    assert_eq!(jobs(&rig), []);
}

#[tokio::test]
async fn nobody_gets_in_with_a_wrong_password_and_nobody_hears_what_was_wrong() {
    let rig = Rig::new();
    let browser = rig.browser();
    let mut texts = Vec::new();
    for (account, password) in [("acme", "wrong"), ("nobody", "wrong")] {
        let answer = browser.post("/login", &[("account", account), ("password", password)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(!answer.headers.contains_key(SET_COOKIE));
        texts.push(answer.text);
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn an_address_that_guesses_is_turned_away_here_as_at_every_door() {
    let rig = Rig::new();
    let browser = rig.browser();
    for _ in 0..10 {
        browser.post("/login", &[("account", "acme"), ("password", "wrong")]).await;
    }
    assert_eq!(browser.log_in("acme").await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_never_logged_in() {
    let rig = Rig::new();
    let browser = rig.browser();
    let planted = format!("__Host-tidegate-portal={}", "0".repeat(64));
    browser.cookies.lock().unwrap().push(planted.clone());
    let answer = browser.log_in("acme").await;
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.starts_with(&planted));
    let first = browser.cookies.lock().unwrap().clone();

    // Who logs in once more gets another name, and the one before is worth nothing.
    browser.log_in("acme").await;
    let old = rig.browser();
    old.cookies.lock().unwrap().extend(first);
    assert!(old.get("/").await.text.contains("Log in"));
    old.cookies.lock().unwrap().push(planted);
    assert!(old.get("/").await.text.contains("Log in"));
    assert!(browser.get("/").await.text.contains("Log out"));
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    for (path, fields) in
        [("/logout", vec![("key", key.as_str())]), ("/login", vec![("account", "a"), ("password", "b")])]
    {
        for (header, value) in [
            (ORIGIN.as_str(), "https://evil.example"),
            (ORIGIN.as_str(), "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = Request::post(path)
                .header(header, value)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = browser.ask(request.body(form(&fields).into()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {header} {value}");
        }
    }
    // Nor does one that does not know the session's key.
    let other = rig.browser();
    other.log_in("lake").await;
    for wrong in ["", "x", &other.get("/").await.key()] {
        assert_eq!(browser.post("/logout", &[("key", wrong)]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.upload(wrong, "a.hl7", "MSH|", END).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(jobs(&rig), []);
    assert!(browser.get("/").await.text.contains("Log out"), "still inside");
    assert_eq!(browser.post("/logout", &[("key", &key)]).await.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/").await.text.contains("Log in"));
}

#[tokio::test]
async fn a_name_is_shown_as_it_is_and_never_read_as_a_page_a_path_or_a_header() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    let names = [
        "<img src=x onerror=alert(1)>.hl7",
        "../../../etc/cron.d/x",
        "C:\\\\fakepath\\\\visits.hl7",
        "a%0d%0aSet-Cookie: x=1",
    ];
    for name in names {
        let sent = browser.upload(&key, name, "MSH|", END).await;
        assert!(!sent.text.contains("<img src=x"), "{sent:?}");
    }
    let mut stored: Vec<String> = jobs(&rig).into_iter().map(|(_, name)| name).collect();
    stored.sort();
    assert!(stored.contains(&"x".to_owned()) && stored.contains(&"visits.hl7".to_owned()), "{stored:?}");
    let home = browser.get("/").await.text;
    assert!(!home.contains("<img src=x"), "{home}");
    for job in rig.bench.store.list(&all()).unwrap() {
        let shown = browser.get(&format!("/files/{}", job.id)).await;
        assert!(!shown.text.contains("<img src=x") && !shown.headers.contains_key("set-cookie"), "{shown:?}");
    }
    let sent = browser.upload(&key, "..", "MSH|", END).await;
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY, "{sent:?}");
}

#[tokio::test]
async fn what_a_message_says_is_never_read_as_a_page() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    browser.upload(&key, "a.hl7", "MSH|", END).await;
    let job = only_job(&rig);
    rig.bench.complete_with(b"MSH|<script>alert(1)</script>", b"PID-5 <script>alert(1)</script></pre>").await;
    let shown = browser.get(&format!("/files/{job}")).await.text;
    assert!(!shown.contains("<script>alert") && shown.contains("&lt;script&gt;"), "{shown}");
    let fetched = browser.get(&format!("/files/{job}/response")).await;
    assert_eq!(fetched.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn the_files_of_others_are_not_there() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    browser.upload(&key, "secret-name.hl7", "MSH|", END).await;
    let job = only_job(&rig);
    rig.bench.complete(b"MSH|").await;
    let other = rig.browser();
    other.log_in("lake").await;
    assert!(!other.get("/").await.text.contains("secret-name"));
    for path in ["", "/response", "/report"] {
        let (theirs, none) = (
            other.get(&format!("/files/{job}{path}")).await,
            other.get(&format!("/files/0000000000000000{path}")).await,
        );
        assert_eq!((theirs.status, &theirs.text), (StatusCode::NOT_FOUND, &none.text));
        let nobody = rig.browser().get(&format!("/files/{job}{path}")).await;
        assert!(nobody.text.contains("Log in") && !nobody.text.contains("secret-name"), "{nobody:?}");
    }
}

#[tokio::test]
async fn an_account_that_is_shut_out_is_out_at_once() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    std::fs::write(
        rig.folder.path().join("ACME01.toml"),
        "code = 'ACME01'\ndisabled = true\n[[account]]\nname = 'acme'",
    )
    .unwrap();
    rig.directory.reload();
    assert!(browser.upload(&key, "a.hl7", "MSH|", END).await.text.contains("Log in"));
    assert_eq!(jobs(&rig), []);
}

#[tokio::test]
async fn during_maintenance_files_are_taken_and_the_page_says_that_they_wait() {
    let rig = Rig::new();
    let (browser, key) = inside(&rig).await;
    let hold = json!({"length": "default", "reason": "restart", "actor": "jo"});
    rig.bench.post("/v1/maintenance/holds", &hold).await;
    let home = browser.get("/").await.text;
    assert!(home.contains("Maintenance until") && home.contains("Friday 8 March 2024, 20:00 CST"), "{home}");
    let sent = browser.upload(&key, "a.hl7", "MSH|", END).await;
    assert!(sent.text.contains("received") && sent.text.contains("Processing waits"), "{sent:?}");
    assert_eq!(jobs(&rig).len(), 1);
}

#[tokio::test]
async fn a_portal_that_is_shut_in_maintenance_says_so_to_the_letter_and_until_when() {
    let rig = Rig::with(PortalMode::UnavailableInMaintenance);
    let (browser, key) = inside(&rig).await;
    let hold = json!({"length": "default", "reason": "restart", "actor": "jo"});
    rig.bench.post("/v1/maintenance/holds", &hold).await;
    for answer in
        [browser.get("/").await, browser.log_in("acme").await, browser.upload(&key, "a", "MSH|", END).await]
    {
        assert_eq!(
            (answer.status, &answer.headers[RETRY_AFTER]),
            (StatusCode::SERVICE_UNAVAILABLE, &"1800".parse().unwrap())
        );
        assert!(answer.text.contains(UNAVAILABLE), "{answer:?}");
    }
    assert_eq!(browser.get("/status").await.status, StatusCode::OK);
    assert_eq!(jobs(&rig), []);
    rig.bench.advance(chrono::TimeDelta::minutes(31));
    assert!(browser.get("/").await.text.contains("Log out"), "the session outlived it");
}

#[tokio::test]
async fn browsers_never_take_all_the_places_of_their_organization() {
    let rig = Rig::new();
    let mut browsers = Vec::new();
    for _ in 0..30 {
        let browser = rig.browser();
        assert_eq!(browser.log_in("acme").await.status, StatusCode::SEE_OTHER);
        browsers.push(browser);
    }
    assert!(browsers[24].get("/").await.text.contains("Log in"), "the oldest made room");
    assert!(browsers[25].get("/").await.text.contains("Log out"));
}
