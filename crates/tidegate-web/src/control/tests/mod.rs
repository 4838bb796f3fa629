//! The control API over a store of its own, without a server around it.

mod jobs;
mod maintenance;
mod server;

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
use crate::api::{ACT_JOBS_MAX, BanView, ConfigurationView, Listener, Reloaded};

const TERM: Duration = Duration::from_hours(720);

struct QuietSite;

impl Site for QuietSite {
    fn listeners(&self) -> Vec<Listener> {
        vec![Listener { protocol: "ftp".to_owned(), address: "127.0.0.1:2121".to_owned() }]
    }

    fn problems(&self) -> Vec<String> {
        vec!["orgs.d/BAD.toml: code: is missing".to_owned()]
    }

    fn configuration(&self) -> ConfigurationView {
        ConfigurationView { changed_since_read: true, needs_restart: vec!["limits.sessions_max".to_owned()] }
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
        Reloaded { organizations: 1, windows: 0, problems: Vec::new(), needs_restart: Vec::new() }
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
        let retention = Retention::new(store.clone(), terms, Arc::new(clock.clone()), None, Box::new(drop));
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
