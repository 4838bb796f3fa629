//! Organizations as staff see them, and what a sender has to know.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;
use tidegate_domain::{Completion, Hl7Profile, OrgCode, OrgLimits, Organization, WhenClosed};
use tidegate_ingest::accounts::SenderKey;
use tidegate_ingest::config::Tls;
use tidegate_ingest::sftp::HostKeys;
use tidegate_web::api::LegalHoldView;
use tidegate_web::org_words::{how_to_upload, what_becomes, what_submits};

use crate::context::Context;
use crate::render::{Ink, Keys, Screen, Table, legal_hold_line, plural, size};

/// One organization without its secrets.
#[derive(Debug, Serialize)]
pub(super) struct OrgView {
    code: OrgCode,
    name: String,
    contacts: Vec<String>,
    disabled: bool,
    timezone: Option<String>,
    completion: Completion,
    accounts: Vec<AccountView>,
    hl7: Hl7Profile,
    facilities: Vec<String>,
    when_closed: WhenClosed,
    limits: OrgLimits,
    file: PathBuf,
    /// Unknown where the server does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) legal_holds: Option<Vec<LegalHoldView>>,
}

/// One account without its secrets.
#[derive(Debug, Serialize)]
struct AccountView {
    name: String,
    password: bool,
    /// Kind, fingerprint and comment of each.
    keys: Vec<String>,
    /// Fingerprints of the certificates that it is bound to.
    certificates: Vec<String>,
    allow_from: Vec<String>,
    disabled: bool,
}

impl OrgView {
    pub(super) fn of((file, organization): (&PathBuf, &Organization)) -> Self {
        let accounts = organization.accounts.iter().map(|account| AccountView {
            name: account.name.clone(),
            password: account.password_hash.is_some(),
            keys: account
                .authorized_keys
                .iter()
                .filter_map(|line| SenderKey::parse(line).ok())
                .map(|key| key.describe())
                .collect(),
            certificates: account.client_certificates.clone(),
            allow_from: account.allow_from.clone(),
            disabled: account.disabled,
        });
        Self {
            code: organization.code.clone(),
            name: organization.name.clone(),
            contacts: organization.contacts.clone(),
            disabled: organization.disabled,
            timezone: organization.timezone.map(|zone| zone.to_string()),
            completion: organization.completion,
            accounts: accounts.collect(),
            hl7: organization.hl7.clone(),
            facilities: organization.facilities.clone(),
            when_closed: organization.when_closed,
            limits: organization.limits,
            file: file.clone(),
            legal_holds: None,
        }
    }

    fn state(&self) -> (String, Option<Ink>) {
        if self.disabled { ("disabled".to_owned(), Some(Ink::Caution)) } else { ("active".to_owned(), None) }
    }
}

/// Organizations under each other.
pub(super) fn org_list(views: &[OrgView], screen: &Screen) -> String {
    if views.is_empty() {
        return "No organizations yet. Add one with `tidegate org add CODE --account NAME`.".to_owned();
    }
    let mut table = Table::new(*screen, &["CODE", "NAME", "STATE", "ACCOUNTS", "HL7", "MODE"])
        .wraps(&["NAME", "ACCOUNTS"])
        .spares(&["MODE", "HL7"]);
    for view in views {
        let accounts: Vec<&str> = view.accounts.iter().map(|account| account.name.as_str()).collect();
        table.row([
            (view.code.to_string(), None),
            (view.name.clone(), None),
            view.state(),
            (accounts.join(", "), None),
            (view.hl7.versions.join(", "), None),
            (mode(view).to_owned(), None),
        ]);
    }
    table.to_string()
}

/// Whether its messages are delivered.
fn mode(view: &OrgView) -> &'static str {
    if view.hl7.is_test() { "test" } else { "production" }
}

/// One organization in full.
pub(super) fn org_text(view: &OrgView, screen: &Screen) -> String {
    let mut keys = Keys::default();
    keys.add("Code", view.code.to_string());
    keys.add("Name", &view.name);
    keys.add("State", view.state().0);
    keys.add_some("Contacts", Some(view.contacts.join(", ")).filter(|contacts| !contacts.is_empty()));
    keys.add_some("Zone", view.timezone.clone());
    keys.add("Completion", format!("{}: {}", view.completion, what_submits(view.completion)));
    keys.add(
        "HL7",
        format!("versions {}, {} ({})", view.hl7.versions.join(", "), mode(view), view.hl7.processing_id),
    );
    keys.add_some("Facilities", Some(view.facilities.join(", ")).filter(|all| !all.is_empty()));
    keys.add(
        "Web service",
        format!("{}: while the gate is closed, {}", view.when_closed, what_becomes(view.when_closed)),
    );
    keys.add_some("Limits", limits_line(&view.limits));
    keys.add("Accounts", view.accounts.iter().map(account_line).collect::<Vec<_>>().join("\n"));
    let holds = view.legal_holds.iter().flatten().map(|hold| legal_hold_line(hold, screen));
    let holds: Vec<String> = holds.collect();
    keys.add_some("Legal hold", (!holds.is_empty()).then(|| holds.join("\n")));
    keys.add("File", view.file.display().to_string());
    keys.to_string()
}

/// What the organization has of its own; the service's limits hold besides.
fn limits_line(limits: &OrgLimits) -> Option<String> {
    let parts: Vec<String> = [
        limits.sessions_max.map(|max| plural(max as u64, "session")),
        limits.upload_bytes_max.map(|max| format!("uploads up to {}", size(max.0))),
        limits.files_waiting_max.map(|max| format!("{} waiting", plural(max, "file"))),
        limits.uploads_per_minute_max.map(|max| format!("{} a minute", plural(max as u64, "upload"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn account_line(account: &AccountView) -> String {
    let mut parts = vec![if account.password { "password" } else { "no password" }.to_owned()];
    parts.push(plural(account.keys.len() as u64, "key"));
    if !account.certificates.is_empty() {
        parts.push(format!("bound to {}", plural(account.certificates.len() as u64, "certificate")));
    }
    if !account.allow_from.is_empty() {
        parts.push(format!("from {} only", account.allow_from.join(", ")));
    }
    if account.disabled {
        parts.push("disabled".to_owned());
    }
    let keys: Vec<String> =
        account.keys.iter().chain(&account.certificates).map(|key| format!("\n  {key}")).collect();
    format!("{}: {}{}", account.name, parts.join(", "), keys.concat())
}

/// What to tell a sender: where to connect, how, and what to expect.
pub(super) fn sheet(context: &Context, organization: &Organization) -> String {
    let account = organization.accounts.first().map_or("", |account| account.name.as_str());
    let mut keys = Keys::default();
    let config = &context.loaded.config;
    let mut tries = Vec::new();
    if let Some(ftp) = &config.ftp {
        let (host, port) = (host(ftp.listen), ftp.listen.port());
        let (encrypted, option) = match ftp.tls {
            Tls::Required => (", encrypted: explicit TLS", "--ssl-reqd "),
            Tls::Optional => (", explicit TLS if you like", "--ssl-reqd "),
            Tls::Off => ("", ""),
        };
        keys.add("FTP", format!("host {host}, port {port}, passive mode{encrypted}"));
        if let Some(implicit) = &config.ftps_implicit {
            keys.add("FTPS", format!("host {host}, port {}, implicit TLS", implicit.listen.port()));
        }
        tries.push(format!("curl {option}-T FILE ftp://{account}@{host}:{port}/"));
    }
    if let Some(sftp) = &config.sftp {
        let (host, port) = (host(sftp.listen), sftp.listen.port());
        keys.add("SFTP", format!("host {host}, port {port}, password or public key"));
        let host_keys = HostKeys::load(&sftp.host_keys).map(|keys| keys.fingerprints().join("\n"));
        keys.add_some("Host keys", host_keys.ok());
        tries.push(format!("sftp -P {port} {account}@{host}"));
    }
    keys.add("User", account);
    keys.add("Upload", how_to_upload(organization.completion));
    keys.add("Fetch", "from outbox/: NAME.JOB.response and NAME.JOB.report.txt; delete them when read");
    keys.add("Try", tries.join("\n"));
    format!("\nFor the sender:\n{keys}")
}

/// The host that a sender connects to, as far as the configuration knows.
fn host(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() { "HOST".to_owned() } else { listen.ip().to_string() }
}
