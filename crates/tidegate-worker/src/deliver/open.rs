//! From the configuration to a target.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tidegate_domain::{DeliveryConfig, DeliveryKind};
use ureq::Agent;

use super::far_ack::Reading;
use super::http::{self, Post};
use super::link::Address;
use super::soap::Sender;
use super::{Deliver, DirectoryTarget, HttpTarget, MllpTarget, SoapTarget, tls};

/// A key of `[delivery]` whose value can't be used here, and why.
#[derive(Debug, thiserror::Error)]
#[error("delivery.{key}: {message}")]
pub struct OpenTargetError {
    /// The key.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
}

impl OpenTargetError {
    pub(super) fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { key, message: message.into() }
    }
}

/// Opens the target that a section with nothing wrong in it describes. Makes directories and reads files, and
/// connects to nobody. A relative directory starts at `data_dir`.
pub fn open(config: &DeliveryConfig, data_dir: &Path) -> Result<Arc<dyn Deliver>, OpenTargetError> {
    match config.kind {
        DeliveryKind::Directory => {
            directory(config, data_dir).map_err(|error| OpenTargetError::new("path", error.to_string()))
        }
        DeliveryKind::Mllp => mllp(config),
        DeliveryKind::Http => Ok(Arc::new(HttpTarget::new(post(config)?, reading(config)))),
        DeliveryKind::Soap => soap(config),
    }
}

fn directory(config: &DeliveryConfig, data_dir: &Path) -> io::Result<Arc<dyn Deliver>> {
    let directory = config.directory(data_dir).unwrap_or_default();
    Ok(Arc::new(DirectoryTarget::open(&directory, data_dir)?))
}

fn mllp(config: &DeliveryConfig) -> Result<Arc<dyn Deliver>, OpenTargetError> {
    let address = Address {
        host_port: config.address.clone().unwrap_or_default(),
        tls: if config.is_encrypted() {
            Some((tls::client(config.ca.as_deref())?, name(config)?))
        } else {
            None
        },
        connect_max: config.connect_time_max.0,
    };
    Ok(Arc::new(MllpTarget::new(address, config.answer_time_max.0, reading(config))))
}

fn soap(config: &DeliveryConfig) -> Result<Arc<dyn Deliver>, OpenTargetError> {
    let sender = Sender {
        username: config.username.clone(),
        password_file: config.password_file.clone(),
        facility_id: config.facility_id.clone(),
    };
    Ok(Arc::new(SoapTarget::new(post(config)?, reading(config), sender)))
}

/// Follows no redirects and heeds no proxies of the environment: messages go where staff said.
fn post(config: &DeliveryConfig) -> Result<Post, OpenTargetError> {
    let (connect, answer) = (config.connect_time_max.0, config.answer_time_max.0);
    let agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .https_only(config.is_encrypted())
        .user_agent("tidegate")
        .timeout_global(Some(connect + answer))
        .timeout_connect(Some(connect))
        .max_idle_connections(http::IDLE_MAX)
        .max_idle_connections_per_host(http::IDLE_MAX);
    let agent =
        if config.is_encrypted() { agent.tls_config(tls::agent(config.ca.as_deref())?) } else { agent };
    Ok(Post { agent: agent.build().new_agent(), url: config.url.clone().unwrap_or_default() })
}

fn reading(config: &DeliveryConfig) -> Reading {
    Reading { pass_on_text: config.pass_on_text }
}

fn name(config: &DeliveryConfig) -> Result<ServerName<'static>, OpenTargetError> {
    let name = config.certificate_name().unwrap_or_default().to_owned();
    ServerName::try_from(name)
        .map_err(|_| OpenTargetError::new("server_name", "is no name that a certificate can have"))
}
