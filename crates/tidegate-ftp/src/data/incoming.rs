//! The bytes of an upload, as a backend reads them.
//!
//! Invariant: the end of file is seen only where the upload may count as whole. An ABOR, a control
//! connection that is gone, a reset, an encrypted connection that just stops: each is a read error.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, ReadBuf};
use unftp_core::storage::{Error, ErrorKind};

use crate::link::{Link, Seen};
use crate::wire::Wire;

/// Tells a transfer to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Abort(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_set: AtomicBool,
    /// Whether commands are left unread until the transfer has ended.
    is_deaf: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl Abort {
    pub(crate) fn set(&self) {
        self.0.is_set.store(true, Ordering::Release);
        if let Some(reader) = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take() {
            reader.wake();
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::Acquire)
    }

    /// From here on no command is read until the transfer has ended.
    pub(crate) fn stop_listening(&self) {
        self.0.is_deaf.store(true, Ordering::Release);
    }

    /// Whether it is set; if not, `context` is woken when it is.
    fn poll_set(&self, context: &Context<'_>) -> bool {
        *self.0.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        self.is_set()
    }

    /// Resolves when it is set.
    pub(crate) async fn wait(&self) {
        std::future::poll_fn(|context| if self.poll_set(context) { Poll::Ready(()) } else { Poll::Pending })
            .await;
    }

    /// The end of `moving`, or an error once it is set.
    pub(crate) async fn unless<T>(&self, moving: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.wait() => Err(ErrorKind::ConnectionClosed.into()),
            moved = moving => moved,
        }
    }
}

/// What a backend reads an upload from.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Whoever has the other handle gets what is left of it when the backend has done.
    pub(crate) data: Arc<Mutex<Wire>>,
    pub(crate) control: Arc<Link>,
    pub(crate) abort: Abort,
}

impl AsyncRead for Incoming {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.abort.poll_set(context) {
            return Poll::Ready(Err(aborted()));
        }
        let before = buffer.filled().len();
        let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = Pin::new(&mut *data).poll_read(context, buffer);
        match polled {
            Poll::Ready(Ok(())) if buffer.filled().len() == before && buffer.remaining() > 0 => {
                ready!(self.end(context))?;
                data.poll_farewell(context).map(Ok)
            }
            // A client that is gone, or has sent ABOR, is the better reason.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                ready!(self.end(context))?;
                Poll::Ready(Err(error))
            }
            polled => polled,
        }
    }
}

impl Incoming {
    /// Whether the end of the data is the end of the upload.
    fn end(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        let is_deaf = self.abort.0.is_deaf.load(Ordering::Acquire);
        match self.control.look() {
            Seen::Gone => Poll::Ready(Err(aborted())),
            // It may be an ABOR: the session reads it first.
            Seen::Unread if !is_deaf => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Seen::Unread | Seen::Quiet => Poll::Ready(Ok(())),
        }
    }
}

fn aborted() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the transfer was aborted")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream as StdStream};
    use std::task::Waker;
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

    use super::*;
    use crate::wire::Handshake;

    fn pair() -> (StdStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = StdStream::connect(listener.local_addr().unwrap()).unwrap();
        let served = listener.accept().unwrap().0;
        served.set_nonblocking(true).unwrap();
        (client, TcpStream::from_std(served).unwrap())
    }

    /// An upload whose data have ended, with the client's control connection and ours.
    fn ended() -> (StdStream, TcpStream, Incoming) {
        let ((control, served), (data, read)) = (pair(), pair());
        drop(data);
        let link = Arc::new(Link::new(&served).unwrap());
        let incoming = Incoming {
            data: Arc::new(Mutex::new(Wire::Plain(read))),
            control: link,
            abort: Abort::default(),
        };
        (control, served, incoming)
    }

    /// The session may not have read yet that the client is gone.
    #[tokio::test]
    async fn the_end_of_data_is_none_if_the_client_is_gone() {
        let (mut control, _served, mut incoming) = ended();
        assert_eq!(incoming.read(&mut [0]).await.unwrap(), 0);
        control.write_all(b"NOOP\r\n").unwrap();
        drop(control);
        let error = incoming.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }

    /// The bytes so far may prove themselves whole, which is for a backend to say of clients that are there.
    #[tokio::test]
    async fn an_encrypted_connection_that_just_stops_is_no_reason_if_the_client_is_gone() {
        let ((control, served), (data, read)) = (pair(), pair());
        data.set_nonblocking(true).unwrap();
        let (asking, answering) = configs();
        let name = ServerName::try_from("localhost").unwrap();
        let shaking = TlsConnector::from(asking).connect(name, TcpStream::from_std(data).unwrap());
        let opening = Wire::open(read, Some(Handshake::new(answering, Duration::from_mins(1)).for_data()));
        let (shaken, data) = tokio::join!(shaking, opening);
        let link = Arc::new(Link::new(&served).unwrap());
        let data = Arc::new(Mutex::new(data.unwrap()));
        let mut incoming = Incoming { data, control: link, abort: Abort::default() };
        drop(shaken);
        assert_eq!(incoming.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        drop(control);
        assert_eq!(incoming.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    fn configs() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let ring = Arc::new(ring::default_provider());
        let client =
            ClientConfig::builder_with_provider(Arc::clone(&ring)).with_safe_default_protocol_versions();
        let server = ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
        let server = server.unwrap().with_no_client_auth();
        let server = server.with_single_cert(vec![made.cert.der().clone()], made.signing_key.into()).unwrap();
        (Arc::new(client.unwrap().with_root_certificates(roots).with_no_client_auth()), Arc::new(server))
    }

    #[tokio::test]
    async fn the_end_of_data_waits_until_commands_are_read_that_may_be_an_abort() {
        let (mut control, mut served, mut incoming) = ended();
        assert_eq!(incoming.read(&mut [0]).await.unwrap(), 0);
        control.write_all(b"ABOR\r\n").unwrap();
        served.readable().await.unwrap();
        let mut bytes = [0];
        let mut buffer = ReadBuf::new(&mut bytes);
        let polled = Pin::new(&mut incoming).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
        assert!(polled.is_pending());
        served.read_exact(&mut [0; 6]).await.unwrap();
        assert_eq!(incoming.read(&mut [0]).await.unwrap(), 0);
        control.write_all(b"SIZE a\r\n").unwrap();
        served.readable().await.unwrap();
        incoming.abort.stop_listening();
        assert_eq!(incoming.read(&mut [0]).await.unwrap(), 0, "nobody is going to read it");
    }
}
