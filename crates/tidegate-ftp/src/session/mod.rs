//! One client's session: commands in, replies out, in order.
//!
//! Invariant: each command gets its replies before the next one is looked at; only ABOR, STAT, NOOP,
//! PWD and QUIT are looked at while a transfer runs.

mod about;
mod hash;
mod listing;
mod login;
mod protection;
mod transfer;
mod tree;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustix::net::sockopt::set_socket_oobinline;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use unftp_core::auth::{Authenticator, UserDetailProvider};
use unftp_core::storage::StorageBackend;

use crate::control::Control;
use crate::data::Offer;
use crate::errand::Errand;
use crate::line::{Line, NoLine};
use crate::link::Link;
use crate::listing::Facts;
use crate::path::VirtualPath;
use crate::remarks::Remarks;
use crate::reply::Reply;
use crate::verb::Verb;
use crate::wire::{Handshake, Wire};
use crate::{Digests, Engine, Tls, Visit};
#[cfg(feature = "fuzzing")]
pub(crate) use listing::without_options;
use login::Login;
use protection::Protection;

/// A session between two commands.
struct Session<'e, S, A: UserDetailProvider> {
    engine: &'e Engine,
    storage: S,
    accounts: A,
    digests: Option<Arc<dyn Digests<A::User>>>,
    remarks: Remarks,
    peer: SocketAddr,
    local: SocketAddr,
    link: Arc<Link>,
    tls: Tls,
    /// What PASV announces instead of `local`.
    passive_host: Option<Ipv4Addr>,
    protection: Protection,
    login: Login<A::User>,
    directory: VirtualPath,
    facts: Facts,
    /// How the next data connection comes about.
    offer: Option<Offer>,
    /// After EPSV ALL nothing else is taken (RFC 2428, 4).
    extended_only: bool,
    /// Where the next transfer begins, in bytes.
    restart_at: u64,
    rename_from: Option<VirtualPath>,
}

/// What follows from a command.
enum Outcome {
    Reply(Reply),
    Transfer(Errand),
    /// The connection is to be encrypted.
    Encrypt(Handshake),
    /// The last reply.
    End(Reply),
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

/// What came while a session waited for a command.
enum Next {
    Line(Line),
    Nothing(NoLine),
    Late,
    Closing,
}

pub(crate) async fn run<S, A>(engine: &Engine, stream: TcpStream, visit: Visit<S, A>) -> io::Result<()>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    // Some clients send the end of ABOR as urgent data, which would never be read otherwise.
    set_socket_oobinline(&stream, true)?;
    let link = Arc::new(Link::new(&stream)?);
    let Visit { storage, accounts, digests, greeting, remarks, tls, passive_host, mut closing } = visit;
    let mut session = Session {
        engine,
        storage,
        accounts,
        digests,
        remarks,
        peer: stream.peer_addr()?,
        local: stream.local_addr()?,
        link,
        tls,
        passive_host,
        protection: Protection::default(),
        login: Login::default(),
        directory: VirtualPath::root(),
        facts: Facts::default(),
        offer: None,
        extended_only: false,
        restart_at: 0,
        rename_from: None,
    };
    let mut control = Control::new(Wire::Plain(stream));
    if let (Tls::Implicit(_), Some(handshake)) = (&session.tls, session.handshake()) {
        control = session.encrypt(control, handshake, &mut closing).await?;
        session.encrypt_data();
    }
    control.send(&Reply::greeting(220, &greeting, &engine.settings.ready)).await?;
    session.converse(control, &mut closing).await
}

impl<S, A> Session<'_, S, A>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    async fn converse(
        &mut self,
        mut control: Control,
        closing: &mut watch::Receiver<bool>,
    ) -> io::Result<()> {
        let login_until = Instant::now() + self.engine.settings.login_max;
        loop {
            let line = match self.next(&mut control, closing, login_until).await {
                Next::Line(line) => line,
                Next::Nothing(NoLine::End) => return control.close().await,
                Next::Nothing(NoLine::TooLong) => {
                    return control.send_away(&Reply::new(500, "Command line too long; goodbye")).await;
                }
                Next::Late => {
                    return control.send_last(&Reply::new(421, "Too long without a command; goodbye")).await;
                }
                Next::Closing => {
                    return control.send_last(&Reply::new(421, "The server stops; come back later")).await;
                }
            };
            match self.obey(line).await {
                Outcome::Reply(reply) => control.send(&reply).await?,
                Outcome::End(reply) => return control.send_last(&reply).await,
                Outcome::Transfer(errand) => {
                    if self.transfer(&mut control, errand).await?.is_break() {
                        return control.close().await;
                    }
                }
                Outcome::Encrypt(handshake) => {
                    control.send(&Reply::new(234, "Begin with TLS")).await?;
                    control = self.encrypt(control, handshake, closing).await?;
                }
            }
        }
    }

    /// Whoever is in the middle of a handshake can't be told that the server stops.
    async fn encrypt(
        &mut self,
        control: Control,
        handshake: Handshake,
        closing: &mut watch::Receiver<bool>,
    ) -> io::Result<Control> {
        let control = tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return Err(io::ErrorKind::ConnectionAborted.into()),
            encrypted = control.encrypt(handshake) => encrypted?,
        };
        self.encrypted(&control);
        Ok(control)
    }

    async fn next(
        &self,
        control: &mut Control,
        closing: &mut watch::Receiver<bool>,
        login_until: Instant,
    ) -> Next {
        let patience = match self.login {
            Login::In(_) => self.engine.settings.idle_max,
            // However much it talks.
            Login::Out { .. } if Instant::now() >= login_until => return Next::Late,
            Login::Out { .. } => login_until.saturating_duration_since(Instant::now()),
        };
        tokio::select! {
            biased;
            // An error means that nobody can tell us to stop any more, which is a stop as well.
            _ = closing.wait_for(|closing| *closing) => Next::Closing,
            came = timeout(patience, control.next()) => match came {
                Ok(Ok(line)) => Next::Line(line),
                Ok(Err(nothing)) => Next::Nothing(nothing),
                Err(_) => Next::Late,
            },
        }
    }

    async fn obey(&mut self, line: Line) -> Outcome {
        let Some(verb) = Verb::named(&line.verb) else {
            return Reply::new(500, "Unknown command").into();
        };
        if !verb.is_open_to_all() && !matches!(self.login, Login::In(_)) {
            return Reply::new(530, "Log in first").into();
        }
        if verb.needs_argument() && line.argument.is_empty() {
            let usage = Verb::usage(&line.verb).unwrap_or_default();
            return Reply::new(501, format!("Write: {usage}")).into();
        }
        if line.argument.iter().any(|byte| matches!(byte, 0 | b'\r')) {
            return Reply::new(501, "Neither a zero byte nor a line end can be part of a command").into();
        }
        // They hold for the very next command only; but some clients ask for a data connection behind REST.
        let is_offer = matches!(verb, Verb::Pasv | Verb::Epsv | Verb::Port | Verb::Eprt);
        let restart_at = if is_offer { 0 } else { std::mem::take(&mut self.restart_at) };
        let rename_from = self.rename_from.take();
        match verb {
            Verb::User | Verb::Pass | Verb::Acct => self.log_in(verb, line.argument).await,
            Verb::Auth | Verb::Pbsz | Verb::Prot | Verb::Ccc => self.protect(verb, &line.argument),
            Verb::Stor | Verb::Stou | Verb::Appe | Verb::Retr | Verb::List | Verb::Nlst | Verb::Mlsd => {
                self.errand(verb, &line.argument, restart_at).await
            }
            Verb::Pasv | Verb::Epsv | Verb::Port | Verb::Eprt => self.offer(verb, &line.argument).into(),
            Verb::Rest => self.restart(&line.argument).into(),
            Verb::Cwd | Verb::Cdup | Verb::Pwd | Verb::Mkd | Verb::Rmd | Verb::Dele | Verb::Rnfr => {
                self.walk(verb, &line.argument).await.into()
            }
            Verb::Rnto => self.rename(rename_from, &line.argument).await.into(),
            Verb::Size | Verb::Mdtm | Verb::Mlst | Verb::Mfmt => self.look(verb, &line.argument).await.into(),
            Verb::Hash | Verb::Xsha256 => self.hash(verb, &line.argument).await.into(),
            Verb::Stat if !line.argument.is_empty() => self.stat_path(&line.argument).await.into(),
            Verb::Site => self.site(&line.argument).await.into(),
            Verb::Quit => Outcome::End(Reply::new(221, "Goodbye")),
            _ => self.about(verb, &line.argument).into(),
        }
    }

    fn path(&self, argument: &[u8]) -> VirtualPath {
        self.directory.join(argument)
    }
}
