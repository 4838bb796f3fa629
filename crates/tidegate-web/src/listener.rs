//! The address at which browsers and monitors ask.
//!
//! Invariant: connections are bounded in number, and one that does not speak, or not to the end, is closed; none of
//! them holds up another. A connection whose request is being answered when the server stops gets its answer.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tidegate_ingest::tls::ServerTls;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

/// Connections at once.
const CONNECTIONS_MAX: usize = 1_000;

/// For a handshake, for the head of a request, and between two requests.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// After a failed accept, such as for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Answers with `router` on `listener`, encrypted if there is `tls`, until `shutdown` resolves; requests under way
/// then have `grace` to come to an end.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerTls>>,
    router: Router,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let (stop, places) = (watch::Sender::new(false), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        // Whoever finds no place is not answered: he may be one of a thousand.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let connection = Connection { peer, router: router.clone(), stop: stop.subscribe() };
        let tls = tls.as_ref().map(|tls| TlsAcceptor::from(tls.current()));
        connections.spawn(async move {
            connection.open(stream, tls).await;
            drop(place);
        });
    }
    stop.send_replace(true);
    // What is not over by then ends with the set.
    let _ = timeout(grace, async { while connections.join_next().await.is_some() {} }).await;
}

struct Connection {
    peer: SocketAddr,
    router: Router,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn open(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // It only costs a little time where it is not to be had.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else { return self.answer(stream).await };
        if let Ok(Ok(stream)) = timeout(SILENCE_MAX, tls.accept(stream)).await {
            self.answer(stream).await;
        }
    }

    async fn answer(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { peer, router, mut stop } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(SILENCE_MAX);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            // Whoever hangs up in the middle is no failure of ours.
            _ = &mut connection => return,
            _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}
