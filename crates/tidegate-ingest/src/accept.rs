//! The accept loop of every door.
//!
//! Invariant: it ends only when it is told to. A failing `accept` (out of file descriptors, say) is
//! waited out, and a session that panics takes nobody along.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

/// How long to wait after a failed `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long sessions get to close after the grace time.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// Hands each connection that `next` accepts to `serve`, with what `next` knows of it, until `shutdown`;
/// sessions see their receiver turn true then. Returns when every session has ended, or was given up some
/// time after `grace`.
pub(crate) async fn accept<E, S>(
    next: impl AsyncFn() -> io::Result<(TcpStream, E)>,
    grace: Duration,
    shutdown: impl Future<Output = ()>,
    serve: impl Fn(TcpStream, E, watch::Receiver<bool>) -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    let (closing, _) = watch::channel(false);
    let mut sessions = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = sessions.join_next() => note(&ended),
            accepted = next() => match accepted {
                Ok((stream, known)) => _ = sessions.spawn(serve(stream, known, closing.subscribe())),
                Err(error) => {
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    // Nobody new is let in.
    drop(next);
    closing.send_replace(true);
    let closed = async {
        while let Some(ended) = sessions.join_next().await {
            note(&ended);
        }
    };
    if timeout(grace + CLOSE_MAX, closed).await.is_err() {
        tracing::warn!("sessions given up: they did not end in time");
    }
}

fn note(ended: &Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "session failed");
    }
}
