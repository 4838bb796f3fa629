//! Mail by SMTP.
//!
//! Invariant: a mail counts as sent when the mail server took it over (250 after its data), and not before. Nothing
//! goes in the clear unless the configuration says so, and the password stands in no message and no error.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{self, PoolConfig, SmtpTransport};
use lettre::{Address, Transport as _};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use crate::config::{SmtpConfig, SmtpTls};

/// Longest file with a password, in bytes.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// Answer by which a server says that it will not talk any further (RFC 5321, 4.2.3).
const CLOSING: u16 = 421;

/// One mail to one address.
#[derive(Debug)]
pub struct Mail<'a> {
    /// Whom it goes to.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// For those who read text.
    pub text: String,
    /// For those who read pages.
    pub html: Option<String>,
    /// For calendars: the file, and its METHOD.
    pub calendar: Option<(String, &'static str)>,
    /// Tells it from other mails; the same for the same mail sent again, so that it can be recognised.
    pub id: String,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A setting can't be used.
    #[error("notices.smtp.{key}: {message}")]
    Setting {
        /// The key.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The mail server refused this mail; another may go.
    #[error("the mail server refused it: {0}")]
    Refused(String),
    /// The mail server can't be used now; no other mail would go.
    #[error("the mail server can't be used: {0}")]
    Away(String),
}

/// A mail server that takes our mails. Connects when it has to, and keeps the connection.
pub struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
    reply_to: Option<Mailbox>,
}

impl Mailer {
    /// Reads password and authorities. Connects to nobody. The settings were checked by
    /// [`crate::config::NoticesConfig::validate`].
    pub fn open(config: &SmtpConfig) -> Result<Self, MailError> {
        let mut builder = SmtpTransport::builder_dangerous(config.host.as_str())
            .port(config.port())
            .timeout(Some(config.timeout.0))
            .pool_config(PoolConfig::new().max_size(1))
            .tls(tls(config)?);
        if let Some((username, file)) = config.username.as_ref().zip(config.password_file.as_deref()) {
            let password = password(file)?;
            builder = builder.credentials(Credentials::new(username.clone(), password.as_str().to_owned()));
        }
        let mailbox = |key, text: &str| {
            text.parse().map_err(|_| MailError::Setting { key, message: "is no mail address".to_owned() })
        };
        let reply_to = config.reply_to.as_deref().map(|text| mailbox("reply_to", text)).transpose()?;
        Ok(Self { transport: builder.build(), from: mailbox("from", &config.from)?, reply_to })
    }

    /// The address that mails are from.
    pub fn address(&self) -> String {
        self.from.email.to_string()
    }

    /// Whether the mail server lets us in. Blocks.
    pub fn test(&self) -> Result<(), MailError> {
        match self.transport.test_connection() {
            Ok(true) => Ok(()),
            Ok(false) => Err(MailError::Away("it closed the connection at once".to_owned())),
            Err(error) => Err(away(&error)),
        }
    }

    /// Sends a mail; it is the server's when this returns. Blocks.
    pub fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let message = self.message(mail)?;
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            // Such as an address that this server does not know how to write.
            Err(error) if error.is_client() => Err(MailError::Refused(error.to_string())),
            Err(error) if error.status().is_some_and(|code| u16::from(code) != CLOSING) => {
                Err(MailError::Refused(error.to_string()))
            }
            Err(error) => Err(away(&error)),
        }
    }

    fn message(&self, mail: &Mail<'_>) -> Result<Message, MailError> {
        let refused = |error: &dyn std::fmt::Display| MailError::Refused(error.to_string());
        let to: Address = mail.to.parse().map_err(|error| refused(&error))?;
        let id = format!("<{}@{}>", mail.id, self.from.email.domain());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(mail.subject)
            .date(SystemTime::now())
            .message_id(Some(id))
            // Keeps absence notes away (RFC 3834, 5).
            .header(AutoSubmitted);
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let words = match &mail.html {
            Some(html) => MultiPart::alternative_plain_html(mail.text.clone(), html.clone()),
            None => MultiPart::mixed().singlepart(SinglePart::plain(mail.text.clone())),
        };
        let message = match &mail.calendar {
            None => builder.multipart(words),
            Some((calendar, method)) => {
                let kind = format!("text/calendar; charset=utf-8; method={method}");
                let kind = ContentType::parse(&kind).map_err(|error| refused(&error))?;
                let file = Attachment::new("maintenance.ics".to_owned()).body(calendar.clone(), kind);
                builder.multipart(MultiPart::mixed().multipart(words).singlepart(file))
            }
        };
        message.map_err(|error| refused(&error))
    }
}

/// In words; the system's own for a time that ran out say nothing.
fn away(error: &smtp::Error) -> MailError {
    let inner = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    let is_late =
        |inner: &io::Error| matches!(inner.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    MailError::Away(if inner.is_some_and(is_late) {
        "it did not answer in time".to_owned()
    } else {
        error.to_string()
    })
}

/// The header `Auto-Submitted: auto-generated`.
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Whether mail can go there.
pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

/// The first line of the file.
fn password(file: &Path) -> Result<Zeroizing<String>, MailError> {
    let wrong = |what: String| MailError::Setting {
        key: "password_file",
        message: format!("{}: {what}", file.display()),
    };
    let length = file.metadata().map_err(|error| wrong(error.to_string()))?.len();
    if length > PASSWORD_BYTES_MAX {
        return Err(wrong("is too long for a password".to_owned()));
    }
    let text = std::fs::read_to_string(file).map(Zeroizing::new).map_err(|error| wrong(error.to_string()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(wrong("its first line is empty".to_owned()));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn tls(config: &SmtpConfig) -> Result<Tls, MailError> {
    let wrong = |message: String| MailError::Setting { key: "ca", message };
    if config.tls == SmtpTls::Off {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(ca) = &config.ca {
        let shown = |error: &dyn std::fmt::Display| wrong(format!("{}: {error}", ca.display()));
        let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(ca).and_then(Iterator::collect);
        let found = found.map_err(|error| shown(&error))?;
        if found.is_empty() {
            return Err(shown(&"holds no certificate in PEM form"));
        }
        parameters = parameters.certificate_store(CertificateStore::None);
        for authority in found {
            let authority = Certificate::from_der(authority.to_vec()).map_err(|error| shown(&error))?;
            parameters = parameters.add_root_certificate(authority);
        }
    }
    let parameters = parameters.build().map_err(|error| wrong(error.to_string()))?;
    Ok(match config.tls {
        SmtpTls::Implicit => Tls::Wrapper(parameters),
        _ => Tls::Required(parameters),
    })
}
