//! Speaks to the running server through its control socket.
//!
//! Invariant: a server that can't be reached is told apart from one that refuses, so that scripts
//! see exit code 69 for the first and 1 for the second. Nothing is tried twice.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidegate_web::api::ApiError;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::render::Screen;

/// How long an ordinary answer may take; the server gives up a little sooner.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// For what goes through the whole queue.
const LONG_ANSWER_MAX: Duration = Duration::from_mins(61);

const OTHER_VERSION: &str = "the server's answer is not understood: are client and server of one version?";

/// A client of one server; blocks while it waits.
pub(crate) struct Client {
    socket: PathBuf,
    runtime: Runtime,
}

impl Client {
    /// A client of the server behind `socket`; nothing is connected yet.
    pub(crate) fn new(socket: PathBuf) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { socket, runtime: runtime.context("while starting up")? })
    }

    /// Asks for `path`.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.json(request(Method::GET, path, Bytes::new())?, ANSWER_MAX)
    }

    /// Asks for what is found by looking through the whole queue.
    pub(crate) fn get_long<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.json(request(Method::GET, path, Bytes::new())?, LONG_ANSWER_MAX)
    }

    /// Asks for `path`, and gives up after `limit`.
    pub(crate) fn get_within<T: DeserializeOwned>(&self, path: &str, limit: Duration) -> Result<T, Failure> {
        self.json(request(Method::GET, path, Bytes::new())?, limit)
    }

    /// Has something done.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.json(request(Method::POST, path, json(body)?)?, ANSWER_MAX)
    }

    /// Has something done that goes through the whole queue.
    pub(crate) fn post_long<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.json(request(Method::POST, path, json(body)?)?, LONG_ANSWER_MAX)
    }

    /// Has something done that tells in lines of JSON how it goes on; `each` hears of every line.
    pub(crate) fn post_for_news<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        mut each: impl FnMut(T),
    ) -> Result<(), Failure> {
        let request = request(Method::POST, path, json(body)?)?;
        self.runtime.block_on(async {
            let mut answer = self.ask(request, ANSWER_MAX).await?;
            let mut unread = Vec::new();
            while let Some(frame) = answer.frame().await {
                let frame = frame.map_err(|error| self.silent(&format!("broke off: {error}")))?;
                unread.extend_from_slice(frame.data_ref().map_or(&[][..], Bytes::as_ref));
                while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = unread.drain(..=end).collect();
                    each(serde_json::from_slice(&line).context(OTHER_VERSION)?);
                }
            }
            Ok(())
        })
    }

    /// Copies what lies at `path` to standard output. On a terminal the ends of HL7 segments are shown
    /// as ends of lines; otherwise nothing is changed.
    pub(crate) fn print(&self, path: &str) -> Result<(), Failure> {
        let request = request(Method::GET, path, Bytes::new())?;
        let on_terminal = io::stdout().is_terminal();
        let line_end = |byte: &u8| if *byte == b'\r' { b'\n' } else { *byte };
        self.runtime.block_on(async {
            let mut answer = self.ask(request, ANSWER_MAX).await?;
            while let Some(frame) = answer.frame().await {
                let frame = frame.context("while reading the server's answer")?;
                let block = frame.data_ref().map_or(&[][..], Bytes::as_ref);
                if on_terminal {
                    Screen::write(&block.iter().map(line_end).collect::<Vec<u8>>())?;
                } else {
                    Screen::write(block)?;
                }
            }
            Ok(())
        })
    }

    /// Has something done whose answer is bytes; `each` gets them piece by piece.
    pub(crate) fn post_for_bytes(
        &self,
        path: &str,
        body: &impl Serialize,
        mut each: impl FnMut(&[u8]) -> Result<(), anyhow::Error>,
    ) -> Result<(), Failure> {
        let request = request(Method::POST, path, json(body)?)?;
        self.runtime.block_on(async {
            let mut answer = self.ask(request, ANSWER_MAX).await?;
            while let Some(frame) = answer.frame().await {
                let frame = frame.map_err(|error| self.silent(&format!("broke off: {error}")))?;
                each(frame.data_ref().map_or(&[][..], Bytes::as_ref))?;
            }
            Ok(())
        })
    }

    fn json<T: DeserializeOwned>(
        &self,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<T, Failure> {
        self.runtime.block_on(async {
            let answer = self.ask(request, limit).await?;
            let body = answer.collect().await.context("while reading the server's answer")?.to_bytes();
            Ok(serde_json::from_slice(&body).context(OTHER_VERSION)?)
        })
    }

    /// The body of a successful answer.
    async fn ask(&self, request: Request<Full<Bytes>>, limit: Duration) -> Result<Incoming, Failure> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| self.unreachable(&error))?;
        let exchange = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        let answer = tokio::time::timeout(limit, exchange)
            .await
            .map_err(|_| self.silent(&format!("did not answer within {} s", limit.as_secs())))?
            .map_err(|error| self.silent(&format!("broke off: {error}")))?;
        if answer.status().is_success() { Ok(answer.into_body()) } else { Err(refusal(answer).await) }
    }

    fn unreachable(&self, error: &io::Error) -> Failure {
        let socket = self.socket.display();
        Failure::Unreachable(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => format!(
                "the server does not run: nobody answers on {socket}\n\
                 Is `tidegate serve` running with this configuration? Start it, or name the \
                 configuration that it runs with by --config"
            ),
            io::ErrorKind::PermissionDenied => format!(
                "the server's socket {socket} may not be opened\n\
                 Only the service's user and root may: try again with `sudo` or `sudo -u` that user"
            ),
            _ => format!("the server can't be reached on {socket}: {error}"),
        })
    }

    fn silent(&self, what: &str) -> Failure {
        Failure::Unreachable(format!("the server on {} {what}; look at its log", self.socket.display()))
    }
}

/// Whether a server answers on `socket` at all.
pub(crate) fn answers(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}

/// A path with a query of those parameters that have a value.
pub(crate) fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn json(body: &impl Serialize) -> Result<Bytes, Failure> {
    Ok(serde_json::to_vec(body).context("while writing the request")?.into())
}

fn request(method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, Failure> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "tidegate")
        .header("content-type", "application/json")
        .body(Full::new(body));
    Ok(request.context("while writing the request")?)
}

async fn refusal(answer: Response<Incoming>) -> Failure {
    let status = answer.status();
    let body =
        answer.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match serde_json::from_slice(&body) {
        Ok(error) => refused(error),
        Err(_) => anyhow!("the server refuses: {status} {}", String::from_utf8_lossy(&body).trim()).into(),
    }
}

/// What the server said instead of doing it.
pub(crate) fn refused(ApiError { error, hint }: ApiError) -> Failure {
    match hint {
        Some(hint) => anyhow!("{error}\n{hint}").into(),
        None => anyhow!(error).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_only_what_was_given() {
        let none = [("org", None), ("since", None)];
        assert_eq!(with_query("/v1/jobs", &none), "/v1/jobs");
        let some = [("org", None), ("since", Some("2024-03-08 19:00+x".to_owned()))];
        assert_eq!(with_query("/v1/jobs", &some), "/v1/jobs?since=2024-03-08+19%3A00%2Bx");
    }
}
