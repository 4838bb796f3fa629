use super::*;
use crate::config::{NoticesConfig, SmtpConfig};
use crate::notice::tests::event;
use crate::smtp_server::{Fault, SmtpServer};
use crate::{Changed, Channels, Known, State, Told};

fn organization(code: &str, rest: &str) -> Organization {
    toml::from_str(&format!("code = '{code}'\n{rest}")).unwrap()
}

fn clinics() -> Vec<Organization> {
    vec![
        organization(
            "ACME01",
            "name = 'Acme Family Clinic'\ncontacts = ['it@acme.example', 'Vendor@ehr.example']",
        ),
        organization("BURL01", "contacts = ['it@burl.example', 'vendor@ehr.example']"),
        organization("CNTY01", "contacts = ['call 512-555-0100']"),
        organization("GONE01", "disabled = true\ncontacts = ['it@gone.example']"),
    ]
}

fn addresses(recipients: &Recipients) -> Vec<&str> {
    recipients.by_mail.iter().map(|one| one.address.as_str()).collect()
}

#[test]
fn each_address_is_told_once_and_who_has_none_is_named() {
    let all = Recipients::of(&event(), &clinics());
    assert_eq!(addresses(&all), ["it@acme.example", "it@burl.example", "Vendor@ehr.example"]);
    assert_eq!(all.by_mail[2].orgs, ["ACME01", "BURL01"]);
    assert_eq!(all.otherwise, [("CNTY01".to_owned(), vec!["call 512-555-0100".to_owned()])]);
    let some = Event { orgs: Some(vec!["BURL*".to_owned()]), ..event() };
    let some = Recipients::of(&some, &clinics());
    assert_eq!(addresses(&some), ["it@burl.example", "vendor@ehr.example"]);
    assert_eq!(some.otherwise, []);
}

/// A server to send by, and a directory for the record.
struct Rig {
    dir: tempfile::TempDir,
    server: SmtpServer,
}

impl Rig {
    fn new(faults: Vec<Fault>) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), server: SmtpServer::start(faults) }
    }

    fn config(&self) -> SmtpConfig {
        let address = self.server.address();
        let text = format!(
            "host = '{}'\nport = {}\ntls = 'off'\nfrom = 'Registry <r@registry.example>'",
            address.ip(),
            address.port()
        );
        toml::from_str(&text).unwrap()
    }

    /// Announces the event as one that staff changed so; who was told, who refused, and how it ended.
    fn announce(&self, changed: Option<State>) -> (Vec<String>, Vec<String>, Result<(), AnnounceError>) {
        let mut ledger = Ledger::open(self.dir.path()).unwrap();
        let changed = changed.map(|state| Changed { state, why: "why".to_owned(), count: 1 });
        let known = Known { starts: vec![event().start] };
        let notice = Notice::of(event(), changed, &known, ledger.records(), "r", event().start);
        let templates = Templates::load(&NoticesConfig::default(), Channels::default()).unwrap();
        let mailer = Mailer::open(&self.config()).unwrap();
        let announcement =
            Announcement { notice: &notice, templates: &templates, mailer: &mailer, actor: "staff:jo" };
        let (mut sent, mut refused) = (Vec::new(), Vec::new());
        let recipients = Recipients::of(&notice.event, &clinics()).by_mail;
        let ended = announcement.send(
            &recipients,
            &mut ledger,
            || event().start,
            |to, outcome| match outcome {
                Outcome::Sent => sent.push(to.address.clone()),
                Outcome::Refused(_) => refused.push(to.address.clone()),
            },
        );
        (sent, refused, ended)
    }
}

const EVERYBODY: [&str; 3] = ["it@acme.example", "it@burl.example", "Vendor@ehr.example"];

#[test]
fn everybody_is_told_once_of_each_state_and_the_record_says_who() {
    let rig = Rig::new(vec![]);
    assert_eq!(rig.announce(None).0, EVERYBODY);
    let (again, _, ended) = rig.announce(None);
    assert!(again.is_empty() && ended.is_ok());
    assert_eq!(rig.announce(Some(State::Cancelled)).0, EVERYBODY);
    assert!(rig.announce(Some(State::Cancelled)).0.is_empty());
    let mails = rig.server.mails();
    assert_eq!(mails.len(), 6);
    for part in [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "method=PUBLISH",
        "maintenance.ics",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(mails[0].text.contains(part), "{part} is missing in\n{}", mails[0].text);
    }
    assert!(mails[3].text.contains("method=CANCEL"));
    assert_eq!(mails[0].from, "r@registry.example");
    let records = Ledger::read(rig.dir.path()).unwrap();
    assert_eq!(records.len(), 6);
    assert_eq!(
        (records[2].orgs.as_slice(), records[2].actor.as_str()),
        (&["ACME01".to_owned(), "BURL01".to_owned()][..], "staff:jo")
    );
    assert!(matches!(records[5].told, Told::Announcement { sequence: 1, state: State::Cancelled, .. }));
}

#[test]
fn an_address_that_is_refused_keeps_nobody_else_from_being_told_and_is_tried_again() {
    let rig = Rig::new(vec![Fault::Refuse("it@acme.example")]);
    let (sent, refused, ended) = rig.announce(None);
    assert_eq!(
        (sent, refused),
        (EVERYBODY[1..].iter().map(ToString::to_string).collect(), vec![EVERYBODY[0].to_owned()])
    );
    assert!(ended.is_ok());
    assert_eq!(rig.announce(None).0, EVERYBODY[..1]);
    assert_eq!(rig.server.mails().len(), 3);
}

#[test]
fn after_a_connection_broke_only_the_rest_is_told() {
    for fault in [Fault::DropBeforeData("it@burl.example"), Fault::Closing("it@burl.example")] {
        let rig = Rig::new(vec![fault]);
        let (sent, refused, ended) = rig.announce(None);
        assert_eq!((sent, refused.len()), (vec![EVERYBODY[0].to_owned()], 0));
        assert!(matches!(ended, Err(AnnounceError::Mail { source: MailError::Away(_), .. })), "{ended:?}");
        assert_eq!(rig.announce(None).0, EVERYBODY[1..]);
        assert_eq!(rig.server.mails().len(), 3);
    }
}

/// Nobody knows whether the server kept a mail whose answer never came: better twice than never.
#[test]
fn a_mail_whose_answer_was_lost_is_sent_again_under_the_same_name() {
    let rig = Rig::new(vec![Fault::DropAfterData("it@acme.example")]);
    assert!(rig.announce(None).2.is_err());
    assert_eq!(rig.announce(None).0, EVERYBODY);
    let mails = rig.server.mails();
    let id = |number: usize| {
        mails[number].text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned()
    };
    assert_eq!((mails.len(), id(0)), (4, id(1)));
    assert_ne!(id(1), id(2));
}

#[test]
fn nothing_goes_out_where_encryption_is_demanded_and_not_to_be_had() {
    let rig = Rig::new(vec![]);
    let config = SmtpConfig { tls: crate::config::SmtpTls::Starttls, ..rig.config() };
    let error = Mailer::open(&config).unwrap().test().unwrap_err();
    assert!(matches!(error, MailError::Away(_)), "{error}");
    assert!(rig.server.mails().is_empty());
}

#[test]
fn a_password_is_in_no_error_and_in_no_other_text() {
    let rig = Rig::new(vec![Fault::RefuseLogin]);
    let file = rig.dir.path().join("password");
    std::fs::write(&file, "hunter2-secret\n").unwrap();
    let (username, password_file) = (Some("tidegate".to_owned()), Some(file.clone()));
    let config = SmtpConfig { username, password_file, ..rig.config() };
    let error = Mailer::open(&config).unwrap().test().unwrap_err();
    let shown = format!("{error} {error:?} {config:?}");
    assert!(shown.contains("535") && !shown.contains("hunter2"), "{shown}");
    std::fs::write(&file, "\n").unwrap();
    assert!(matches!(Mailer::open(&config), Err(MailError::Setting { key: "password_file", .. })));
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time_and_in_words() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = Rig::new(vec![]);
    let timeout = "200ms".parse().unwrap();
    let config = SmtpConfig { port: Some(silent.local_addr().unwrap().port()), timeout, ..rig.config() };
    let error = Mailer::open(&config).unwrap().test().unwrap_err();
    assert!(error.to_string().contains("did not answer in time"), "{error}");
}
