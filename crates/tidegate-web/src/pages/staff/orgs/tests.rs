use axum::http::header::{CONTENT_TYPE, LOCATION, ORIGIN};
use axum::http::{Request, StatusCode};
use tidegate_domain::{Completion, Mode, OrgCode, Organization, WhenClosed};

use crate::pages::rig::{Answer, Browser, PASSWORD, Rig, form};
use crate::pages::staff::tests::inside;
use crate::staff::Role;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEys+QpaZZwLtzCqXxkFAH0CT0yLl0Kh+t1G2rua35DD jane@<b>clinic</b>";
const FINGERPRINT: &str = "0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:\
                           0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A";

/// An administrator at the page of an organization.
struct Desk {
    rig: Rig,
    browser: Browser,
    key: String,
}

impl Desk {
    async fn new() -> Self {
        let rig = Rig::new();
        let browser = inside(&rig, "ada", Role::Administrator).await;
        let key = browser.get("/staff/accounts").await.key();
        Self { rig, browser, key }
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("key", self.key.as_str())];
        all.extend_from_slice(fields);
        self.browser.post(&format!("/staff/{path}"), &all).await
    }

    async fn act(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        self.post(&format!("organizations/ACME01/{action}"), fields).await
    }

    /// Acts on the account acme, and reads what the page says afterwards.
    async fn done(&self, action: &str, fields: &[(&str, &str)]) -> String {
        // The first of a name counts.
        let answer = self.act(action, &[fields, &[("account", "acme")]].concat()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{action}: {answer:?}");
        assert_eq!(answer.headers[LOCATION], "/staff/organizations/ACME01");
        self.page().await
    }

    async fn refused(&self, action: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.act(action, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{action}: {answer:?}");
        answer.text
    }

    async fn page(&self) -> String {
        self.browser.get("/staff/organizations/ACME01").await.text
    }

    async fn seen(&self) -> String {
        let page = self.page().await;
        let (_, rest) = page.split_once("name=\"seen\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    fn organization(&self, code: &str) -> Organization {
        self.rig.directory.current().get(&OrgCode::new(code).unwrap()).unwrap().clone()
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.rig.folder.path().join("ACME01.toml")).unwrap()
    }
}

#[tokio::test]
async fn an_organization_that_is_added_logs_in_at_once() {
    let desk = Desk::new().await;
    assert!(desk.browser.get("/staff/accounts").await.text.contains("Add an organization"));
    assert!(desk.browser.get("/staff/add-organization").await.text.contains("What submits an upload"));
    let fields = [
        ("code", "BURL03"),
        ("name", "Burlington"),
        ("account", "burl"),
        ("completion", "close"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    let added = desk.post("add-organization", &fields).await;
    assert_eq!(
        (added.status, &added.headers[LOCATION]),
        (StatusCode::SEE_OTHER, &"/staff/organizations/BURL03".parse().unwrap())
    );
    let page = desk.browser.get("/staff/organizations/BURL03").await.text;
    assert!(page.contains("BURL03 is added") && page.contains("FTP port 2121"), "{page}");
    assert_eq!(desk.rig.browser().log_in("burl").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_is_wrong_with_a_new_organization_stands_beside_its_field_and_what_was_typed_stays() {
    let desk = Desk::new().await;
    for (code, account, password, again, field, words) in [
        ("B B", "burl", PASSWORD, PASSWORD, "code", "1 to 32 char"),
        ("ACME01", "burl", PASSWORD, PASSWORD, "code", "exists already"),
        ("BURL03", "lake", PASSWORD, PASSWORD, "account", "belongs to organization LAKE02"),
        ("BURL03", "", PASSWORD, PASSWORD, "account", "1 to 64 bytes"),
        ("BURL03", "burl", "t0o-sh", "t0o-sh", "password", "fewer than 8"),
        ("BURL03", "burl", PASSWORD, "s0mething else", "again", "differ"),
    ] {
        let fields = [
            ("code", code),
            ("name", "Burlington & Sons"),
            ("account", account),
            ("completion", "rename"),
            ("password", password),
            ("again", again),
        ];
        let refused = desk.post("add-organization", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
        let mistake = format!("id=\"new-{field}-mistake\">");
        let (_, beside) = refused.text.split_once(&mistake).unwrap_or_else(|| panic!("{words}: {refused:?}"));
        assert!(beside.split('<').next().unwrap().contains(words), "{words}: {refused:?}");
        assert!(
            refused.text.contains("Burlington &amp; Sons")
                && refused.text.contains("value=\"rename\" selected")
        );
        for secret in [PASSWORD, "t0o-sh", "s0mething else"] {
            assert!(!refused.text.contains(secret), "{words}: a password came back");
        }
    }
    assert_eq!(desk.rig.directory.current().iter().count(), 2);
}

fn settings<'a>(seen: &'a str, change: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("seen", seen),
        ("name", "Acme"),
        ("timezone", "America/Denver"),
        ("contacts", "it@acme.example\r\n\r\n  desk@acme.example "),
        ("facilities", "SUB-1\r\nSUB-2"),
        ("mode", "test"),
        ("completion", "rename"),
        ("when_closed", "defer"),
        ("sessions_max", "3"),
        ("upload_bytes_max", "50MiB"),
        ("files_waiting_max", ""),
        ("uploads_per_minute_max", "60"),
    ];
    for (name, value) in change {
        all.iter_mut().find(|(one, _)| one == name).unwrap().1 = value;
    }
    all
}

#[tokio::test]
async fn settings_are_changed_as_the_command_line_does_and_comments_stay() {
    let desk = Desk::new().await;
    std::fs::write(desk.rig.folder.path().join("ACME01.toml"), format!("# ours\n{}", desk.file())).unwrap();
    let page = desk.done("set", &settings(&desk.seen().await, &[])).await;
    assert!(page.contains("ACME01 is changed.") && page.contains(">\nSUB-1\nSUB-2</textarea>"), "{page}");
    let acme = desk.organization("ACME01");
    assert_eq!((acme.name.as_str(), acme.contacts.len(), acme.facilities.len()), ("Acme", 2, 2));
    assert_eq!(acme.timezone, Some(chrono_tz::Tz::America__Denver));
    let choices = (acme.hl7.mode, acme.completion, acme.when_closed);
    assert_eq!(choices, (Some(Mode::Test), Completion::Rename, WhenClosed::Defer));
    assert_eq!((acme.limits.sessions_max, acme.limits.files_waiting_max), (Some(3), None));
    assert_eq!(acme.accounts[0].name, "acme", "accounts stay");
    assert!(desk.file().starts_with("# ours\n"));
    let cleared = [("sessions_max", ""), ("upload_bytes_max", ""), ("uploads_per_minute_max", "")];
    desk.done("set", &settings(&desk.seen().await, &cleared)).await;
    assert!(desk.organization("ACME01").limits.is_default());
}

#[tokio::test]
async fn broken_settings_change_nothing_and_come_back_with_what_is_wrong_beside_each() {
    let desk = Desk::new().await;
    let (before, seen) = (desk.file(), desk.seen().await);
    let broken = [("timezone", "Central"), ("sessions_max", "many"), ("upload_bytes_max", "50 potatoes")];
    let page = desk.refused("set", &settings(&seen, &broken)).await;
    for (field, words) in
        [("timezone", "IANA"), ("sessions_max", "Write a whole number"), ("upload_bytes_max", "50 potatoes")]
    {
        let (_, beside) = page.split_once(&format!("id=\"set-{field}-mistake\">")).unwrap();
        assert!(beside.split('<').next().unwrap().contains(words), "{field}: {page}");
    }
    assert!(
        page.contains("value=\"Central\"")
            && page.contains("desk@acme.example")
            && page.contains("value=\"many\"")
    );
    let nothing = desk.refused("set", &settings(&seen, &[("sessions_max", "0")])).await;
    assert!(nothing.contains("set-sessions_max-mistake"), "{nothing}");
    assert_eq!(desk.file(), before);
    let unknown = desk.post("organizations/NONE/set", &settings(&seen, &[])).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    // A watched folder brings the files of LAKE02.
    let lake = desk.browser.get("/staff/organizations/LAKE02").await.text;
    let seen = lake.split_once("name=\"seen\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let watched = desk.post("organizations/LAKE02/set", &settings(&seen, &[])).await;
    assert!(watched.text.contains("set-completion-mistake"), "{watched:?}");
}

#[tokio::test]
async fn who_saves_what_somebody_else_has_changed_meanwhile_is_told() {
    let desk = Desk::new().await;
    let seen = desk.seen().await;
    std::fs::write(desk.rig.folder.path().join("ACME01.toml"), format!("name = 'Other'\n{}", desk.file()))
        .unwrap();
    desk.rig.directory.reload();
    let page = desk.refused("set", &settings(&seen, &[])).await;
    assert!(
        page.contains("somebody else has changed ACME01 meanwhile") && page.contains("value=\"Acme\""),
        "{page}"
    );
    assert_eq!(desk.organization("ACME01").name, "Other");
    // The form that came back is of the new state: who saves it now does so knowingly.
    let (_, rest) = page.split_once("name=\"seen\" value=\"").unwrap();
    desk.done("set", &settings(rest.split('"').next().unwrap(), &[])).await;
    assert_eq!(desk.organization("ACME01").name, "Acme");
}

#[tokio::test]
async fn accounts_come_and_go_and_get_passwords_keys_certificates_and_networks() {
    let desk = Desk::new().await;
    let logs_in = async |account: &str, password: &str| {
        let fields = [("account", account), ("password", password)];
        desk.rig.browser().post("/login", &fields).await.status == StatusCode::SEE_OTHER
    };
    let other = "another password";
    desk.done("set-password", &[("password", other), ("again", other)]).await;
    assert!(logs_in("acme", other).await && !logs_in("acme", PASSWORD).await);

    let page = desk.done("add-keys", &[("public_keys", &format!("# Jane's\r\n{KEY}\r\n"))]).await;
    assert!(page.contains("acme may log in with 1 key now.") && page.contains("SHA256:"), "{page}");
    assert!(!page.contains("<b>clinic"), "a key's comment is shown as it is");
    assert!(
        desk.refused("add-keys", &[("account", "acme"), ("public_keys", KEY)])
            .await
            .contains("add-keys-0-public_keys-mistake")
    );
    let fingerprint = page.split_once("name=\"fingerprint\" value=\"").unwrap().1.split('"').next().unwrap();
    desk.done("remove-key", &[("fingerprint", fingerprint)]).await;
    assert!(desk.organization("ACME01").accounts[0].authorized_keys.is_empty());

    desk.done("bind", &[("certificate", FINGERPRINT)]).await;
    assert!(!logs_in("acme", other).await, "a password alone does not do any more");
    desk.done("unbind", &[("certificate", FINGERPRINT)]).await;
    desk.done("allow-from", &[("allow_from", "192.0.2.0/24\n2001:db8::/32")]).await;
    assert!(logs_in("acme", other).await);
    desk.done("allow-from", &[("allow_from", "198.51.100.0/24")]).await;
    assert!(!logs_in("acme", other).await, "browsers of the rig come from 192.0.2.9");
    desk.done("allow-from", &[("allow_from", "")]).await;

    desk.done("add-account", &[("account", "acme-lab"), ("password", PASSWORD), ("again", PASSWORD)]).await;
    assert!(logs_in("acme-lab", PASSWORD).await);
    desk.done("disable", &[("account", "acme-lab")]).await;
    assert!(!logs_in("acme-lab", PASSWORD).await && logs_in("acme", other).await);
    desk.done("enable", &[("account", "acme-lab")]).await;
    desk.done("disable", &[("account", "")]).await;
    assert!(!logs_in("acme-lab", PASSWORD).await && !logs_in("acme", other).await);
    desk.done("enable", &[("account", "")]).await;
    desk.done("remove-account", &[("account", "acme-lab")]).await;
    assert!(!logs_in("acme-lab", PASSWORD).await && logs_in("acme", other).await);
}

#[tokio::test]
async fn broken_changes_of_an_account_come_back_open_and_without_the_password() {
    let desk = Desk::new().await;
    let before = desk.file();
    for (action, field, value, words) in [
        ("set-password", "password", "t0o-sh", "fewer than 8"),
        ("add-keys", "public_keys", "ssh-dss AAAAB3NzaC1kc3M=", "not accepted"),
        ("add-keys", "public_keys", "-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("bind", "certificate", "0A:0B", "SHA-256 fingerprint"),
        ("bind", "certificate", "-----BEGIN CERTIFICATE-----", "no certificate in it"),
        ("allow-from", "allow_from", "office", "is no network"),
    ] {
        let page = desk.refused(action, &[("account", "acme"), (field, value), ("again", value)]).await;
        let (_, beside) = page.split_once(&format!("id=\"{action}-0-{field}-mistake\">")).unwrap();
        assert!(beside.split('<').next().unwrap().contains(words), "{action}: {page}");
        assert!(page.contains("<details open>"), "{action}");
        assert_eq!(page.contains(value), action != "set-password", "{action}: {page}");
    }
    for (action, words) in
        [("set-password", "it has acme"), ("remove-account", "it has acme"), ("disable", "it has acme")]
    {
        let fields = [("account", "nobody"), ("password", PASSWORD), ("again", PASSWORD)];
        assert!(desk.refused(action, &fields).await.contains(words), "{action}");
    }
    let stale = desk.refused("remove-key", &[("account", "acme"), ("fingerprint", "SHA256:none")]).await;
    assert!(stale.contains("does not have the key"), "{stale}");
    let twice = [("account", "lake"), ("password", PASSWORD), ("again", PASSWORD)];
    assert!(desk.refused("add-account", &twice).await.contains("add-account-mistake"));
    assert_eq!(desk.act("explode", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.file(), before);
}

#[tokio::test]
async fn who_changed_what_is_in_the_audit_log_and_no_password_is() {
    let desk = Desk::new().await;
    let other = "another password";
    desk.done("set-password", &[("password", other), ("again", other)]).await;
    desk.refused("set-password", &[("account", "acme"), ("password", other), ("again", "")]).await;
    desk.done("disable", &[("account", "")]).await;
    let log = desk.rig.audit_log().await;
    let changes: Vec<serde_json::Value> = log
        .lines()
        .filter(|line| line.contains("organization_changed"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = |line: &serde_json::Value| {
        ["staff", "change", "org", "account"].map(|key| line[key].as_str().unwrap_or_default().to_owned())
    };
    let told: Vec<[String; 4]> = changes.iter().map(told).collect();
    assert_eq!(told, [["ada", "set-password", "ACME01", "acme"], ["ada", "disable", "ACME01", ""]]);
    assert!(!log.contains(other) && !log.contains("argon2"), "{log}");
    let page = desk.browser.get("/staff/audit").await.text;
    assert!(page.contains("organization changed") && page.contains("set-password"), "{page}");
}

const ACTIONS: [&str; 11] = [
    "set",
    "disable",
    "enable",
    "add-account",
    "remove-account",
    "set-password",
    "allow-from",
    "add-keys",
    "remove-key",
    "bind",
    "unbind",
];

#[tokio::test]
async fn nobody_but_an_administrator_with_a_form_of_this_session_changes_an_organization() {
    let desk = Desk::new().await;
    let (before, seen) = (desk.file(), desk.seen().await);
    let operator = inside(&desk.rig, "op", Role::Operator).await;
    let theirs = operator.get("/staff").await.key();
    let paths: Vec<String> =
        ACTIONS.iter().map(|action| format!("/staff/organizations/ACME01/{action}")).collect();
    for path in paths.iter().map(String::as_str).chain(["/staff/add-organization"]) {
        let fields = settings(&seen, &[]);
        let fields = |key| [&[("key", key), ("account", "acme"), ("code", "NEW")][..], &fields].concat();
        for (browser, key) in [
            (&operator, theirs.as_str()),
            (&desk.browser, ""),
            (&desk.browser, "x"),
            (&desk.browser, &theirs),
        ] {
            assert_eq!(browser.post(path, &fields(key)).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        let foreign = Request::post(path)
            .header(ORIGIN, "https://evil.example")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let foreign = foreign.body(form(&fields(&desk.key)).into()).unwrap();
        assert_eq!(desk.browser.ask(foreign).await.status, StatusCode::FORBIDDEN, "{path}");
        let nobody = desk.rig.browser().post(path, &fields(&desk.key)).await;
        assert!(nobody.text.contains("Staff console"), "{path}");
    }
    assert_eq!((desk.file(), desk.rig.directory.current().iter().count()), (before, 2));
    assert_eq!(operator.get("/staff/add-organization").await.status, StatusCode::FORBIDDEN);
    let page = operator.get("/staff/organizations/ACME01").await.text;
    assert!(page.contains("Completion") && !page.contains("Save") && !page.contains("Remove"), "{page}");
}

#[tokio::test]
async fn names_contacts_and_accounts_are_never_read_as_a_page_or_a_header() {
    let desk = Desk::new().await;
    let evil = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let fields = [("name", evil), ("contacts", evil), ("facilities", evil)];
    desk.done("set", &settings(&desk.seen().await, &fields)).await;
    let account = "\"><script>alert(3)</script>";
    desk.done("add-account", &[("account", account), ("password", "")]).await;
    let viewer = inside(&desk.rig, "vi", Role::Viewer).await;
    let refused = desk.refused("set", &settings("", &[("name", evil), ("timezone", evil)])).await;
    let again = [("account", account), ("public_keys", evil)];
    let key = desk.refused("add-keys", &again).await;
    for text in [
        desk.page().await,
        viewer.get("/staff/organizations/ACME01").await.text,
        viewer.get("/staff/accounts").await.text,
        refused,
        key,
    ] {
        assert!(text.contains("&lt;script&gt;alert"), "{text}");
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{text}");
    }
    for code in ["ACME01%0d%0aSet-Cookie:%20x=1", "..%2f..%2fetc", "%3Cscript%3Ealert(1)%3C%2Fscript%3E"] {
        let answer = desk.post(&format!("organizations/{code}/disable"), &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{code}");
        assert!(
            !answer.headers.contains_key("set-cookie") && !answer.text.contains("<script>"),
            "{answer:?}"
        );
    }
    let code =
        [("code", "X\r\nSet-Cookie: x=1"), ("account", "x"), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(desk.post("add-organization", &code).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}
