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
