//! Addresses that are turned away because logins from them failed.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `GET /v1/bans`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BansView {
    /// The bans that stand, by address.
    pub bans: Vec<BanView>,
}

/// One ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanView {
    /// An IPv4 address, or the network of 64 bits of an IPv6 address.
    pub address: String,
    /// When it ends by itself.
    pub until: DateTime<Utc>,
    /// How many bans of the address in a row this is.
    pub times: u32,
}

/// `POST /v1/bans/lift`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftBans {
    /// An address; every ban is lifted where it is absent.
    pub address: Option<IpAddr>,
    /// Who lifts it: a user name.
    pub actor: String,
}

/// What a lift did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BansLifted {
    /// Those that stood; empty if there was none.
    pub bans: Vec<BanView>,
}
