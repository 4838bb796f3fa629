//! The section `[sftp]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Setting;
use crate::sftp::HostKeys;

/// Where SFTP is spoken, and by which keys senders know the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SftpConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Files of the private host keys; relative ones lie beside the configuration file.
    pub host_keys: Vec<PathBuf>,
}

impl Default for SftpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 2222)),
            host_keys: HostKeys::FILES.iter().map(PathBuf::from).collect(),
        }
    }
}

impl SftpConfig {
    /// Everything that makes the section unusable.
    pub fn validate(&self) -> Vec<Setting> {
        let none = "name at least one host key; `tidegate init` makes some, and so does ssh-keygen";
        if self.host_keys.is_empty() { vec![("host_keys", none.to_owned())] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_without_a_host_key_is_refused() {
        assert_eq!(SftpConfig::default().validate(), []);
        let config: SftpConfig = toml::from_str("host_keys = []").unwrap();
        assert_eq!(config.validate()[0].0, "host_keys");
        assert!(toml::from_str::<SftpConfig>("host_key = 'a'").is_err());
    }
}
