//! Pages over a store with two organizations, and a browser that keeps cookies.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tidegate_domain::OrgCode;
use tidegate_domain::units::HumanDuration;
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{Directory, OrgEditor, PasswordHashing};
use tidegate_ingest::audit::Audit;
use tidegate_ingest::config::{AuthConfig, LimitsConfig, UploadsConfig};
use tidegate_notices::Channels;
use tidegate_notices::config::NoticesConfig;
use tower::ServiceExt as _;

use super::{Names, Pages, router};
use crate::announcing::Announcing;
use crate::config::PortalMode;
use crate::control::tests::Bench;
use crate::staff::StaffFolder;

pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const HERE: &str = "https://registry.example";
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9)), 4711);

/// Hashing takes its time; once is enough.
pub(super) static HASH: LazyLock<String> =
    LazyLock::new(|| PasswordHashing::new(&AuthConfig::default()).unwrap().hash(PASSWORD).unwrap());

pub(super) struct Rig {
    pub(super) bench: Bench,
    pub(super) folder: TempDir,
    pub(super) directory: Arc<Directory>,
    pub(super) staff: StaffFolder,
    intake: Arc<Intake>,
    pub(super) pages: Router,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(PortalMode::Open)
    }

    pub(super) fn with(portal: PortalMode) -> Self {
        Self::with_notices(portal, NoticesConfig::default())
    }

    pub(super) fn with_notices(portal: PortalMode, notices: NoticesConfig) -> Self {
        let (bench, folder) = (Bench::new(), tempfile::tempdir().unwrap());
        for (code, account) in [("ACME01", "acme"), ("LAKE02", "lake")] {
            let text =
                format!("code = '{code}'\n[[account]]\nname = '{account}'\npassword_hash = '{}'\n", *HASH);
            std::fs::write(folder.path().join(format!("{code}.toml")), text).unwrap();
        }
        let directory = Arc::new(Directory::open(folder.path()).unwrap());
        let no_delay = HumanDuration(Duration::ZERO);
        let auth =
            AuthConfig { refusal_delay: no_delay, refusal_delay_max: no_delay, ..AuthConfig::default() };
        let (store, organizations) = (bench.store.clone(), Arc::clone(&directory));
        let (limits, uploads) = (LimitsConfig::default(), UploadsConfig::default());
        let intake = Intake::new(store, organizations, limits, &auth, &uploads).unwrap();
        let audit_log = folder.path().join("audit.log");
        let audit = Audit::open(&audit_log, Arc::new(bench.clock.clone())).unwrap();
        let intake = Arc::new(intake.audited(audit));
        let names = Names {
            registry: "State Registry".to_owned(),
            channels: Channels { doors: "FTP and SFTP".to_owned(), web_service: true, ..Channels::default() },
        };
        let staff = StaffFolder::new(folder.path().join("staff.d"));
        let pages = Pages {
            control: bench.control.clone(),
            intake: Arc::clone(&intake),
            names: names.clone(),
            portal,
            directory: Arc::clone(&directory),
            editor: OrgEditor::new(folder.path(), vec![(OrgCode::new("LAKE02").unwrap(), "/drop".into())]),
            announcing: Announcing {
                data_dir: folder.path().to_owned(),
                config: notices,
                channels: names.channels,
            },
            staff: staff.clone(),
            audit_log: Some(audit_log),
        };
        let pages = router(pages).layer(MockConnectInfo(PEER));
        Self { bench, folder, directory, staff, intake, pages }
    }

    /// What stands in the audit log by now.
    pub(super) async fn audit_log(&self) -> String {
        self.intake.audit().flushed().await;
        std::fs::read_to_string(self.folder.path().join("audit.log")).unwrap()
    }

    pub(super) fn browser(&self) -> Browser {
        Browser { pages: self.pages.clone(), cookies: Mutex::default() }
    }
}

/// Sends what a browser sends.
pub(super) struct Browser {
    pages: Router,
    pub(super) cookies: Mutex<Vec<String>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    /// What the forms of the page prove themselves with.
    pub(super) fn key(&self) -> String {
        let (_, rest) = self.text.split_once("name=\"key\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    pub(super) async fn ask(&self, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        let cookies = self.cookies.lock().unwrap().join("; ");
        parts.headers.insert(COOKIE, cookies.parse().unwrap());
        parts.headers.entry(HOST).or_insert("registry.example".parse().unwrap());
        if parts.method != Method::GET {
            parts.headers.entry(ORIGIN).or_insert(HERE.parse().unwrap());
        }
        let response = self.pages.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let name = pair.split('=').next().unwrap().to_owned();
            let mut cookies = self.cookies.lock().unwrap();
            cookies.retain(|one| !one.starts_with(&name));
            cookies.push(pair);
        }
        let text = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, headers, text: String::from_utf8_lossy(&text).into_owned() }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(form(fields))).unwrap()).await
    }

    pub(super) async fn log_in(&self, account: &str) -> Answer {
        self.post("/login", &[("account", account), ("password", PASSWORD)]).await
    }

    /// Sends a file in a form; `end` is what closes it.
    pub(super) async fn upload(&self, key: &str, name: &str, bytes: &str, end: &str) -> Answer {
        let body = format!(
            "--xx\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n{key}\r\n--xx\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{bytes}{end}"
        );
        let request = Request::post("/upload").header(CONTENT_TYPE, "multipart/form-data; boundary=xx");
        self.ask(request.body(Body::from(body)).unwrap()).await
    }
}

pub(super) const END: &str = "\r\n--xx--\r\n";

/// As browsers encode it; bytes that need it only.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric();
        text.bytes()
            .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}
