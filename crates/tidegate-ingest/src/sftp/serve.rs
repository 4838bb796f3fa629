//! One SSH connection, from its first byte to the end of its last upload.
//!
//! Invariant: when [`serve`] returns, the connection is closed and none of its uploads runs any more.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use russh::Disconnect;
use russh::server::{RunningSession, run_stream};
use tidegate_domain::job::Protocol;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use super::accept::Shared;
use super::handles::Bounds;
use super::progress::Progress;
use super::visitor::Visitor;
use crate::intake::TurnedAway;
use crate::session::{ControlLink, Session};

/// How long it may take to tell a client that it has to go.
pub(super) const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// Serves a connection; `closing` turns true when the service stops.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>, closing: watch::Receiver<bool>) {
    let session = match admit(&stream, &shared) {
        Ok(Ok(session)) => Arc::new(session),
        Ok(Err(reason)) => return turn_away(stream, reason).await,
        Err(error) => return tracing::debug!(%error, "connection lost before it was served"),
    };
    let span = session.span().clone();
    serve_session(stream, shared, closing, session).instrument(span).await;
}

fn admit(stream: &TcpStream, shared: &Shared) -> io::Result<Result<Session, TurnedAway>> {
    stream.set_nodelay(true)?;
    let (peer, link) = (stream.peer_addr()?, ControlLink::new(stream)?);
    Ok(shared.intake.admit(Protocol::Sftp, peer, link))
}

async fn turn_away(mut stream: TcpStream, reason: TurnedAway) {
    // Not a warning for each: whoever is banned may come again and again.
    tracing::debug!(%reason, "session refused");
    // Lines before the version are for people (RFC 4253, 4.2). Whether the client reads it or not, the
    // connection is closed.
    let _ = timeout(GOODBYE_MAX, stream.write_all(format!("{reason}\r\n").as_bytes())).await;
}

async fn serve_session(
    stream: TcpStream,
    shared: Arc<Shared>,
    closing: watch::Receiver<bool>,
    session: Arc<Session>,
) {
    tracing::info!("session opened");
    let announcement = (shared.announcement)();
    let limits = shared.intake.limits();
    let progress = Arc::new(Progress::new(session.activity().clone(), limits.session_idle_max.0));
    let bounds = Bounds::new(Arc::clone(&progress), closing.clone());
    let visitor = Visitor::new(Arc::clone(&shared.intake), Arc::clone(&session), announcement, bounds);
    let login_over = login_over(&session, limits.login_max.0);
    tokio::pin!(login_over);
    let begun = tokio::select! {
        begun = run_stream(Arc::clone(&shared.ssh), stream, visitor) => begun,
        () = &mut login_over => Err(russh::Error::ConnectionTimeout),
        () = stopped(closing.clone()) => Err(russh::Error::Disconnect),
    };
    let ended = match begun {
        Ok(running) => {
            let stopping = uploads_over(closing, &session, shared.grace);
            converse(running, &session, login_over, progress.stalled(), stopping).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "session broke off");
    }
    session.end();
    session.activity().stopped().await;
    tracing::info!("session closed");
}

/// Waits for the end of the session, and ends it when its time is up.
async fn converse(
    mut running: RunningSession<Visitor>,
    session: &Session,
    login_over: impl Future<Output = ()>,
    stalled: impl Future<Output = ()>,
    stopping: impl Future<Output = ()>,
) -> Result<(), russh::Error> {
    let why = tokio::select! {
        ended = &mut running => return ended,
        () = login_over => {
            tracing::warn!("login took too long");
            None
        }
        // Some clients take an end by the application for one that they have asked for.
        () = stalled => Some((Disconnect::ConnectionLost, "the transfer stalled; connect again and go on with it")),
        () = stopping => Some((Disconnect::ByApplication, "the service stops; try again later")),
    };
    if let Some((reason, words)) = why
        && let Ok(ended) = timeout(GOODBYE_MAX, goodbye(&mut running, reason, words)).await
    {
        return ended;
    }
    session.end();
    running.await
}

async fn goodbye(
    running: &mut RunningSession<Visitor>,
    reason: Disconnect,
    words: &str,
) -> Result<(), russh::Error> {
    // A session that has ended meanwhile hears nothing any more.
    let _ = running.handle().disconnect(reason, words.to_owned(), String::new()).await;
    running.await
}

/// Resolves after the time that a client has to log in, unless somebody has.
async fn login_over(session: &Session, login_max: Duration) {
    sleep(login_max).await;
    if session.is_logged_in() {
        std::future::pending::<()>().await;
    }
}

/// Once the service stops: lets uploads that run come to their end, or to the end of the grace time.
async fn uploads_over(closing: watch::Receiver<bool>, session: &Session, grace: Duration) {
    stopped(closing).await;
    if timeout(grace, session.activity().idle()).await.is_err() {
        tracing::warn!("upload given up: the service stops");
    }
}

/// Resolves once the service stops.
async fn stopped(mut closing: watch::Receiver<bool>) {
    // An error means that the accept loop is gone, which is a stop as well.
    let _ = closing.wait_for(|closing| *closing).await;
}
