//! The section `[ftps_implicit]`.
//!
//! Invariant: it opens no door that the section `[ftp]` could not keep: certificate, ports and engine are
//! that one's.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::{FtpConfig, FtpEngine, Setting, Tls};

/// Where FTP is spoken over TLS from the first byte on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FtpsImplicitConfig {
    /// Address and port of the control connection.
    pub listen: SocketAddr,
    /// The address that PASV announces here; that of `[ftp]` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_host: Option<Ipv4Addr>,
}

impl Default for FtpsImplicitConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 990)), passive_host: None }
    }
}

impl FtpsImplicitConfig {
    /// Everything that makes the section unusable beside `ftp`.
    pub fn validate(&self, ftp: Option<&FtpConfig>) -> Vec<Setting> {
        let problem = match ftp {
            None => "needs the section [ftp], whose certificate and data ports it uses",
            Some(ftp) if ftp.engine == FtpEngine::Libunftp => {
                "libunftp has no implicit TLS; use ftp.engine = \"tidegate\""
            }
            Some(ftp) if ftp.tls == Tls::Off && ftp.tls_files().is_none() => {
                "needs ftp.certificate and ftp.key"
            }
            Some(_) => return Vec::new(),
        };
        vec![("listen", problem.to_owned())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_usable(ftp: &str) -> bool {
        let ftp: FtpConfig = toml::from_str(ftp).unwrap();
        FtpsImplicitConfig::default().validate(Some(&ftp)).is_empty()
    }

    #[test]
    fn it_leans_on_what_stands_under_ftp() {
        assert_eq!(FtpsImplicitConfig::default().validate(None).len(), 1);
        let pair = "certificate = 'c'\nkey = 'k'\n";
        assert!(is_usable(pair));
        assert!(is_usable(&format!("{pair}tls = 'off'")));
        assert!(!is_usable("tls = 'off'"));
        assert!(!is_usable(&format!("{pair}tls = 'off'\nengine = 'libunftp'")));
        assert!(is_usable(""), "what is missing there is told there");
    }
}
