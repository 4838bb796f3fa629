//! Who of the staff is inside, and what they work on.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts as RequestParts;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tidegate_ingest::Intake;
use tidegate_ingest::accounts::{Directory, LoginRefused, OrgEditor};
use zeroize::Zeroizing;

use super::chart::Samples;
use super::mailing::Mailing;
use super::{COOKIE, login};
use crate::announcing::Announcing;
use crate::control::{Control, blocking};
use crate::pages::Names;
use crate::pages::fields::Fields;
use crate::pages::refusal::Refusal;
use crate::pages::session::{Rules, Secret, Sessions};
use crate::staff::{Account, Role, StaffFolder, Totp};

/// What the console works on.
#[derive(Clone)]
pub(in crate::pages) struct Parts {
    pub(in crate::pages) control: Control,
    pub(in crate::pages) intake: Arc<Intake>,
    pub(in crate::pages) directory: Arc<Directory>,
    pub(in crate::pages) editor: OrgEditor,
    pub(in crate::pages) announcing: Announcing,
    pub(in crate::pages) names: Names,
    pub(in crate::pages) staff: StaffFolder,
    pub(in crate::pages) audit_log: Option<PathBuf>,
}

/// The console.
pub(in crate::pages) struct Console {
    pub(super) parts: Parts,
    pub(super) sessions: Arc<Sessions<Colleague>>,
    pub(super) samples: Samples,
    pub(super) mailing: Mailing,
    /// The last half minute whose code each account used.
    used_codes: Mutex<HashMap<String, i64>>,
}

/// Somebody who has logged in.
pub(super) struct Colleague {
    name: String,
    /// Of the login; another password ends the session.
    password_hash: String,
    /// What came of the last action, until it is shown.
    news: Mutex<Option<News>>,
}

/// What came of an action.
#[derive(Debug, Clone)]
pub(super) struct News {
    pub(super) is_good: bool,
    pub(super) text: String,
}

impl Console {
    pub(super) fn start(parts: Parts, rules: Rules) -> Arc<Self> {
        let samples = Samples::of(&parts.control);
        Arc::new(Self {
            parts,
            sessions: Sessions::new(rules),
            samples,
            mailing: Mailing::default(),
            used_codes: Mutex::default(),
        })
    }

    pub(super) fn control(&self) -> Control {
        self.parts.control.clone()
    }

    pub(super) fn zone(&self) -> Tz {
        self.parts.control.store.maintenance().calendar.timezone.unwrap_or(Tz::UTC)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.parts.control.now()
    }

    /// The account of a name, unless it is shut out or can't be read.
    async fn account(&self, name: &str) -> Option<Account> {
        let (folder, name) = (self.parts.staff.clone(), name.to_owned());
        let found = blocking(move || folder.find(&name)).await.ok()?;
        found.ok().filter(|account| !account.disabled)
    }

    /// Checks a password, and the code of the half minute where the account has a secret.
    pub(super) async fn log_in(
        &self,
        peer: SocketAddr,
        name: &str,
        password: Zeroizing<String>,
        code: &str,
    ) -> Result<Colleague, LoginRefused> {
        let account = self.account(name).await;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let also = || self.check_code(account.as_ref(), code);
        self.parts.intake.check_staff(peer, name, password, hash, also).await?;
        let account = account.ok_or(LoginRefused::UnknownAccount)?;
        Ok(Colleague { name: account.name, password_hash: account.password_hash, news: Mutex::default() })
    }

    fn check_code(&self, account: Option<&Account>, code: &str) -> Result<(), LoginRefused> {
        let Some((account, secret)) = account.and_then(|one| Some((one, one.totp_secret.as_ref()?))) else {
            return Ok(());
        };
        let totp = Totp::parse(secret).map_err(|_| LoginRefused::CheckFailed)?;
        let step = totp.step_of(code, self.now()).ok_or(LoginRefused::WrongCode)?;
        let mut used = self.used_codes.lock().unwrap_or_else(PoisonError::into_inner);
        if used.get(&account.name).is_some_and(|last| step <= *last) {
            return Err(LoginRefused::WrongCode);
        }
        used.insert(account.name.clone(), step);
        Ok(())
    }
}

/// The colleague whose session a request belongs to.
pub(super) struct Inside {
    colleague: Arc<Colleague>,
    pub(super) role: Role,
    pub(super) form_key: Secret,
}

impl Inside {
    pub(super) fn name(&self) -> &str {
        &self.colleague.name
    }

    pub(super) fn may(&self, role: Role) -> bool {
        role <= self.role
    }

    /// Whether a form may do what needs that role: it is of this session, and the role is had.
    pub(super) fn check(&self, role: Role, form: &Fields) -> Result<(), Refusal> {
        if !self.form_key.is(form.get("key")) {
            return Err(Refusal::foreign_form());
        }
        self.need(role)
    }

    pub(super) fn need(&self, role: Role) -> Result<(), Refusal> {
        if self.may(role) {
            return Ok(());
        }
        let text = format!("This is for {role}s; you are {} of this console.", self.role);
        Err(Refusal::new(StatusCode::FORBIDDEN, text))
    }

    /// Keeps what came of an action for the next page.
    pub(super) fn tell(&self, is_good: bool, text: impl Into<String>) {
        let news = News { is_good, text: text.into() };
        *self.colleague.news.lock().unwrap_or_else(PoisonError::into_inner) = Some(news);
    }

    pub(super) fn news(&self) -> Option<News> {
        self.colleague.news.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl FromRequestParts<Arc<Console>> for Inside {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut RequestParts, console: &Arc<Console>) -> Result<Self, Response> {
        let outside = || login::page(&console.parts.names, None).into_response();
        let (found, name) = console.sessions.of(COOKIE, &parts.headers).ok_or_else(outside)?;
        let colleague = found.who;
        let account = console.account(&colleague.name).await;
        let Some(account) = account.filter(|account| account.password_hash == colleague.password_hash) else {
            console.sessions.end(&name);
            return Err(outside());
        };
        Ok(Self { colleague, role: account.role, form_key: found.form_key })
    }
}
