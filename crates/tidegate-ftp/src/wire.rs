//! A connection, encrypted or not (RFC 4217).
//!
//! Invariant: a client that closes an encrypted connection without saying so (`close_notify`) is seen as
//! an error of kind `UnexpectedEof`, never as an end: on the way anybody can cut a connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use unftp_core::auth::ClientCert;

/// Bytes to and from a client.
#[derive(Debug)]
pub(crate) enum Wire {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// How a connection comes to be encrypted.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    config: Arc<ServerConfig>,
    within: Duration,
}

impl Handshake {
    /// For a control connection; it takes at most `within`.
    pub(crate) fn new(config: Arc<ServerConfig>, within: Duration) -> Self {
        Self { config, within }
    }

    /// The same for data connections. They bring no session tickets: who uploads does not read, and a
    /// connection that is closed on bytes that nobody has read is reset. Those of the control connection
    /// hold for data connections as well.
    pub(crate) fn for_data(&self) -> Self {
        let mut config = (*self.config).clone();
        config.send_tls13_tickets = 0;
        Self { config: Arc::new(config), within: self.within }
    }
}

impl Wire {
    /// Speaks TLS from the next byte on, if there is a `handshake`.
    pub(crate) async fn open(stream: TcpStream, handshake: Option<Handshake>) -> io::Result<Self> {
        let Some(Handshake { config, within }) = handshake else { return Ok(Self::Plain(stream)) };
        let accepted = timeout(within, TlsAcceptor::from(config).accept(stream)).await;
        Ok(Self::Encrypted(Box::new(accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??)))
    }

    /// Tells the client of an encrypted upload that its end was understood, which some clients wait for.
    /// Ready when it was, or can't be.
    pub(crate) fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Self::Encrypted(stream) = self else { return Poll::Ready(()) };
        Pin::new(stream).poll_shutdown(context).map(|_| ())
    }

    /// The certificates that the client has shown and proven to be its own.
    pub(crate) fn certificates(&self) -> Option<Vec<ClientCert>> {
        let Self::Encrypted(stream) = self else { return None };
        let shown = stream.get_ref().1.peer_certificates()?;
        Some(shown.iter().map(|certificate| ClientCert(certificate.to_vec())).collect())
    }
}

/// A connection that commands are read from.
///
/// Some clients send the end of ABOR as urgent data. The system gives what is before it by itself, and tokio, which sees
/// less than it asked for, would wait until something else comes.
#[derive(Debug)]
pub(crate) struct Commands<'a>(pub(crate) &'a mut Wire);

impl AsyncRead for Commands<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut *self.0).poll_read(context, buffer))?;
        let is_end = buffer.filled().len() == before || buffer.filled().ends_with(b"\n");
        if let (Wire::Plain(stream), false) = (&*self.0, is_end)
            && let Ok((_, count)) = recv(stream, buffer.initialize_unfilled(), RecvFlags::DONTWAIT)
        {
            buffer.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    /// Says `close_notify` if the connection is encrypted, and closes our side of it.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
