//! One FTP connection, from its greeting to the end of its last transfer.
//!
//! Invariant: when [`serve`] returns, the connection is closed and none of its uploads runs any more.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tidegate_domain::job::Protocol;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use super::accept::{Entrance, Shared};
use super::greeting::opening;
use super::{libunftp_engine, own_engine};
use crate::config::FtpEngine;
use crate::intake::TurnedAway;
use crate::session::{ControlLink, Session};

/// A client that does not even take the greeting is given up.
const GREETING_MAX: Duration = Duration::from_secs(10);

/// How long a failure reply may take once its upload has failed. libunftp tells when it sends a success reply
/// and not when it sends another, and forgets those that wait when the connection ends.
const FAILURE_REPLY_MAX: Duration = Duration::from_millis(100);

/// Serves a connection; `closing` turns true when the service stops.
pub(super) async fn serve(
    stream: TcpStream,
    entrance: Entrance,
    shared: Arc<Shared>,
    closing: watch::Receiver<bool>,
) {
    let session = match admit(&stream, entrance, &shared) {
        Ok(Ok(session)) => Arc::new(session),
        Ok(Err(why)) => return refuse(stream, entrance, why).await,
        Err(error) => return tracing::debug!(%error, "connection lost before it was served"),
    };
    let span = session.span().clone();
    serve_session(stream, entrance, shared, closing, session).instrument(span).await;
}

fn admit(stream: &TcpStream, entrance: Entrance, shared: &Shared) -> io::Result<Result<Session, TurnedAway>> {
    // Without it each reply waits for the client's delayed acknowledgement: 44 ms an upload.
    stream.set_nodelay(true)?;
    let (peer, link) = (stream.peer_addr()?, ControlLink::new(stream)?);
    let protocol = if entrance == Entrance::Implicit { Protocol::Ftps } else { Protocol::Ftp };
    Ok(shared.intake.admit(protocol, peer, link))
}

async fn refuse(mut stream: TcpStream, entrance: Entrance, why: TurnedAway) {
    // Not a warning for each: whoever is banned may come again and again.
    tracing::debug!(%why, "session refused");
    if entrance == Entrance::Implicit {
        return;
    }
    // Whether the client reads it or not, the connection is closed.
    let _ = timeout(GREETING_MAX, stream.write_all(format!("421 {why}\r\n").as_bytes())).await;
}

async fn serve_session(
    stream: TcpStream,
    entrance: Entrance,
    shared: Arc<Shared>,
    closing: watch::Receiver<bool>,
    session: Arc<Session>,
) {
    tracing::info!("session opened");
    match shared.config.engine {
        FtpEngine::Tidegate => own_engine::serve(stream, entrance, &shared, closing, &session).await,
        FtpEngine::Libunftp => speak_libunftp(stream, &shared, closing, &session).await,
    }
    session.end();
    session.activity().stopped().await;
    tracing::info!("session closed");
}

async fn announce(stream: &mut TcpStream, shared: &Shared) -> io::Result<()> {
    let opening = (shared.announcement)().map(|text| opening(&text)).unwrap_or_default();
    timeout(GREETING_MAX, stream.write_all(opening.as_bytes())).await?
}

async fn speak_libunftp(
    mut stream: TcpStream,
    shared: &Shared,
    closing: watch::Receiver<bool>,
    session: &Arc<Session>,
) {
    if announce(&mut stream, shared).await.is_err() {
        return;
    }
    let (intake, ports) = (Arc::clone(&shared.intake), Arc::clone(&shared.passive_ports));
    let conversation = libunftp_engine::serve(stream, &shared.config, ports, intake, Arc::clone(session));
    tokio::pin!(conversation);
    let ended = tokio::select! {
        ended = &mut conversation => ended,
        () = login_over(session, shared.intake.limits().login_max.0) => {
            session.end();
            conversation.await
        }
        () = close_when_idle(closing, session, shared.grace) => conversation.await,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "session broke off");
    }
}

/// Resolves after the time that a client has to log in, unless somebody has.
async fn login_over(session: &Session, login_max: Duration) {
    sleep(login_max).await;
    if session.is_logged_in() {
        std::future::pending::<()>().await;
    }
}

/// Once the service stops: lets uploads that run come to their end, or to the end of the grace time.
async fn close_when_idle(mut closing: watch::Receiver<bool>, session: &Session, grace: Duration) {
    // An error means that the accept loop is gone, which is a stop as well.
    let _ = closing.wait_for(|closing| *closing).await;
    if timeout(grace, session.activity().idle()).await.is_err() {
        tracing::warn!("upload given up: the service stops");
        session.end();
    }
    sleep(FAILURE_REPLY_MAX).await;
    session.link().close_reading();
}
