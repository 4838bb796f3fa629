//! Who a session belongs to once it has logged in.
//!
//! Invariant: the organization comes from the account alone and never changes within a session; it
//! decides what every path means.

use std::fmt;

use tidegate_domain::OrgCode;
use unftp_core::auth::UserDetail;

use super::Counted;
use crate::accounts::Login;

/// A logged-in sender.
#[derive(Debug)]
pub struct SessionUser {
    login: Login,
    /// Counts against `sessions_per_org_max` for as long as the user is known to a session.
    _permit: Counted<OrgCode>,
}

impl SessionUser {
    /// A user that passed the login and found a place.
    pub fn new(login: Login, permit: Counted<OrgCode>) -> Self {
        Self { login, _permit: permit }
    }

    /// The organization whose files it sees.
    pub fn org(&self) -> &OrgCode {
        &self.login.org
    }

    /// What it logged in as.
    pub fn login(&self) -> &Login {
        &self.login
    }
}

impl fmt::Display for SessionUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.login.account, self.login.org)
    }
}

impl UserDetail for SessionUser {}
