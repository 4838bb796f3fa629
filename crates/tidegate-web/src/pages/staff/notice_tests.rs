use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use serde_json::json;
use tidegate_notices::config::{NoticesConfig, SmtpConfig};
use tidegate_notices::{Ledger, Told};

use crate::config::PortalMode;
use crate::pages::rig::{Browser, Rig};
use crate::pages::staff::tests::inside;
use crate::staff::Role;

/// Longest wait for a mail; it fails the test.
const PATIENCE: Duration = Duration::from_mins(2);

const NOTICE: &str = "/staff/maintenance/notice?name=upgrade&on=2024-03-15";

/// A mail server that refuses recipients called nobody, and tells of each mail that it took.
fn mail_server() -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, (mails, taken)) = (listener.local_addr().unwrap(), mpsc::channel());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mails = mails.clone();
            std::thread::spawn(move || talk(stream.unwrap(), &mails));
        }
    });
    (address, taken)
}

/// RFC 5321, as far as it goes here. Ends when the client hangs up.
fn talk(mut stream: TcpStream, mails: &mpsc::Sender<String>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut say = |text: &str| stream.write_all(text.as_bytes()).ok();
    say("220 ready\r\n")?;
    loop {
        let line = lines.next()?.ok()?;
        match line.get(..4).unwrap_or_default() {
            "RCPT" if line.contains("nobody@") => say("550 unknown\r\n")?,
            "DATA" => {
                say("354 go\r\n")?;
                let mail: Vec<String> =
                    lines.by_ref().map_while(Result::ok).take_while(|line| line != ".").collect();
                say("250 taken\r\n")?;
                mails.send(mail.join("\n")).ok()?;
            }
            _ => say("250 fine\r\n")?,
        }
    }
}

/// A window to come, two contacts, and staff at the notice of it.
async fn rig(smtp: Option<SocketAddr>, contacts: &str) -> Rig {
    let smtp: Option<SmtpConfig> = smtp.map(|address| {
        let (host, port) = (address.ip(), address.port());
        toml::from_str(&format!("host = '{host}'\nport = {port}\ntls = 'off'\nfrom = 'r@registry.example'"))
            .unwrap()
    });
    let rig = Rig::with_notices(PortalMode::Open, NoticesConfig { smtp, ..NoticesConfig::default() });
    let file = rig.folder.path().join("ACME01.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("name = 'Acme'\ncontacts = [{contacts}]\n{text}")).unwrap();
    rig.directory.reload();
    let window = json!({"name": "upgrade", "from": "2024-03-15T19:00:00-05:00", "end": {"for": "5h"}, "orgs": [],
                        "reason": "<script>alert(1)</script>", "actor": "jo"});
    assert_eq!(rig.bench.post("/v1/maintenance/windows", &window).await.0, StatusCode::OK);
    rig
}

/// What the form on the page of the notice sends.
async fn fields(browser: &Browser) -> Vec<(&'static str, String)> {
    let page = browser.get(NOTICE).await;
    let value = |name: &str| {
        let (_, rest) = page.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    ["key", "name", "on", "uid", "sequence"].map(|name| (name, value(name))).to_vec()
}

async fn announce(browser: &Browser, fields: &[(&'static str, String)]) -> String {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = browser.post("/staff/maintenance/announce", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    assert_eq!(answer.headers[LOCATION], NOTICE);
    browser.get(NOTICE).await.text
}

/// Waits until nobody holds the ledger, which is when all was sent.
async fn until_sent(rig: &Rig) -> Ledger {
    let dir = rig.folder.path().to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        loop {
            if let Ok(ledger) = Ledger::open(&dir) {
                return ledger;
            }
            std::thread::yield_now();
        }
    });
    tokio::time::timeout(PATIENCE, opened).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_operator_sees_the_notice_mails_it_and_nobody_is_told_twice() {
    let (address, mails) = mail_server();
    let rig = rig(Some(address), "'it@acme.example', 'nobody@acme.example', 'call 512-555-0100'").await;
    let browser = inside(&rig, "jo", Role::Operator).await;
    let listed = browser.get("/staff/maintenance").await.text;
    assert!(listed.contains(&NOTICE.replace('&', "&amp;")), "{listed}");
    let page = browser.get(NOTICE).await.text;
    for words in
        ["To be told by mail, 2 recipients:", "it@acme.example", "LAKE02", "no contact", "Nobody, by mail."]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    announce(&browser, &fields(&browser).await).await;
    let mail = mails.recv_timeout(PATIENCE).unwrap();
    assert!(mail.contains("To: it@acme.example") && mail.contains("BEGIN:VCALENDAR"), "{mail}");
    let ledger = until_sent(&rig).await;
    let [record] = ledger.records() else { panic!("{:?}", ledger.records()) };
    assert_eq!((record.actor.as_str(), record.address.as_str()), ("staff:jo", "it@acme.example"));
    assert!(matches!(&record.told, Told::Announcement { sequence: 0, .. }));

    // As long as somebody sends, nobody else can.
    let again = fields(&browser).await;
    assert!(announce(&browser, &again).await.contains("somebody else is sending announcements"));
    drop(ledger);
    let page = browser.get(NOTICE).await.text;
    assert!(
        page.contains("1 recipient told already.") && page.contains("To be told by mail, 1 recipient:"),
        "{page}"
    );
    announce(&browser, &again).await;
    assert_eq!(until_sent(&rig).await.records().len(), 1);
    assert!(mails.try_recv().is_err(), "who was told is not told again");
}

#[tokio::test]
async fn what_has_changed_since_it_was_shown_is_not_mailed() {
    let (address, mails) = mail_server();
    let rig = rig(Some(address), "'it@acme.example'").await;
    let browser = inside(&rig, "jo", Role::Operator).await;
    let shown = fields(&browser).await;
    let skip = json!({"name": "upgrade", "reason": "not ready", "actor": "jo"});
    assert_eq!(rig.bench.post("/v1/maintenance/skip", &skip).await.0, StatusCode::OK);
    assert!(announce(&browser, &shown).await.contains("It has changed meanwhile"));
    assert!(mails.try_recv().is_err());
    assert!(browser.get(NOTICE).await.text.contains("cancelled"));
    announce(&browser, &fields(&browser).await).await;
    let mail = mails.recv_timeout(PATIENCE).unwrap();
    assert!(mail.contains("method=CANCEL"), "{mail}");
    until_sent(&rig).await;
    // Taken back altogether, it is still told of, and can be looked at.
    let rig = rig_without_window(&rig).await;
    assert!(rig.contains("Announced, and taken back"), "{rig}");
}

/// The page of maintenance once the window is removed.
async fn rig_without_window(rig: &Rig) -> String {
    let remove = json!({"name": "upgrade", "reason": "never", "actor": "jo"});
    assert_eq!(rig.bench.post("/v1/maintenance/remove", &remove).await.0, StatusCode::OK);
    let browser = inside(rig, "vi", Role::Viewer).await;
    assert!(browser.get(NOTICE).await.text.contains("cancelled"));
    browser.get("/staff/maintenance").await.text
}

#[tokio::test]
async fn a_viewer_mails_nothing_nor_does_a_foreign_form_and_nothing_is_mailed_without_a_mail_server() {
    let (address, mails) = mail_server();
    let rig_with = rig(Some(address), "'it@acme.example'").await;
    let operator = inside(&rig_with, "jo", Role::Operator).await;
    let viewer = inside(&rig_with, "vi", Role::Viewer).await;
    let mut theirs = fields(&operator).await;
    assert!(!viewer.get(NOTICE).await.text.contains("Mail it"));
    let page = viewer.get(NOTICE).await;
    for key in [theirs[0].1.clone(), page.key(), String::new()] {
        theirs[0].1 = key;
        let fields: Vec<(&str, &str)> = theirs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = viewer.post("/staff/maintenance/announce", &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        if theirs[0].1.is_empty() {
            assert_eq!(
                operator.post("/staff/maintenance/announce", &fields).await.status,
                StatusCode::FORBIDDEN
            );
        }
    }
    assert!(Ledger::read(rig_with.folder.path()).unwrap().is_empty() && mails.try_recv().is_err());

    let rig = rig(None, "'it@acme.example'").await;
    let operator = inside(&rig, "jo", Role::Operator).await;
    let page = operator.get(NOTICE).await;
    assert!(page.text.contains("There is no section [notices.smtp]") && !page.text.contains("Mail it"));
    let none = [("key", page.key()), ("name", "upgrade".to_owned()), ("on", "2024-03-15".to_owned())];
    assert!(announce(&operator, &none).await.contains("It has changed meanwhile"));
    let nowhere = operator.get("/staff/maintenance/notice?name=%3Cscript%3E&on=2024-03-15").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_staff_wrote_is_never_read_as_a_page_and_the_preview_runs_nothing() {
    let rig = rig(None, "'<img src=x onerror=alert(2)>@acme.example'").await;
    let browser = inside(&rig, "jo", Role::Viewer).await;
    let page = browser.get(NOTICE).await;
    assert!(!page.text.contains("<script>alert") && !page.text.contains("<img src=x"), "{page:?}");
    let html = NOTICE.replace("notice?", "notice.html?");
    assert!(page.text.contains(&format!("href=\"{}\"", html.replace('&', "&amp;"))), "{page:?}");
    let preview = browser.get(&html).await;
    let policy = preview.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("sandbox") && policy.contains("default-src 'none'") && !policy.contains("script"),
        "{policy}"
    );
    assert!(
        preview.text.contains("&lt;script&gt;alert(1)") && !preview.text.contains("<script>"),
        "{preview:?}"
    );
    assert_eq!(
        (&preview.headers["x-frame-options"], &preview.headers["cache-control"]),
        (&"DENY".parse().unwrap(), &"no-store".parse().unwrap())
    );
    assert!(rig.browser().get(&html).await.text.contains("Log in"));
}
