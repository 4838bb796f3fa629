//! A backup, and news of it while it is made.
//!
//! Invariant: the copying ends when whoever asked hangs up or the server stops; neither waits for the
//! other.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use tidegate_store::{Backup, BackupDone, BackupError, BackupProgress};
use tokio::sync::watch;

use super::Control;
use super::extract::Body as Json;
use super::failure::Failure;
use crate::api::{BackupNews, BackupRequest, BackupView};

/// Time between two lines of news. Each also tells whether anybody listens still.
const NEWS_EVERY: Duration = Duration::from_millis(250);
const NEWS_AHEAD: usize = 4;

pub(super) async fn backup(
    State(control): State<Control>,
    Json(request): Json<BackupRequest>,
) -> Result<Response, Failure> {
    let begun = Instant::now();
    let beside = control.site.beside_store();
    let backup = control.store.backup(request.directory.clone(), beside).await?;
    tracing::info!("backup begun");
    let (sender, body) = Channel::<Bytes, std::io::Error>::new(NEWS_AHEAD);
    let run = Run { control, directory: request.directory, begun };
    tokio::spawn(run.tell(backup, sender));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::new(body)).into_response())
}

struct Run {
    control: Control,
    directory: PathBuf,
    begun: Instant,
}

impl Run {
    /// Has the copying done, and tells of it until it ends.
    async fn tell(self, backup: Backup, mut sender: Sender<Bytes, std::io::Error>) {
        let (news, mut progress) = watch::channel(BackupProgress::default());
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let mut copying = tokio::task::spawn_blocking(move || {
            backup.copy(&mut |progress| {
                news.send_replace(progress);
                if over.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        });
        let mut ticks = tokio::time::interval(NEWS_EVERY);
        let stopping = self.control.stopping();
        tokio::pin!(stopping);
        let ended = loop {
            tokio::select! {
                ended = &mut copying => break ended,
                () = &mut stopping, if !is_over.load(Ordering::Relaxed) => {
                    is_over.store(true, Ordering::Relaxed);
                    tracing::warn!("backup given up: the server stops");
                }
                // Whoever does not read is told less.
                _ = ticks.tick(), if sender.capacity() > 0 && !is_over.load(Ordering::Relaxed) => {
                    let now = *progress.borrow_and_update();
                    if send(&mut sender, &now.into()).await.is_err() {
                        is_over.store(true, Ordering::Relaxed);
                        tracing::warn!("backup given up: nobody waits for it any more");
                    }
                }
            }
        };
        let news = self.outcome(ended.unwrap_or(Err(BackupError::Interrupted)));
        // Whoever hung up is not told, nor is who does not read while the server stops.
        tokio::select! {
            biased;
            _ = send(&mut sender, &news) => {}
            () = self.control.stopping() => {}
        }
    }

    fn outcome(&self, ended: Result<BackupDone, BackupError>) -> BackupNews {
        let seconds = self.begun.elapsed().as_secs_f64();
        match ended {
            Ok(done) => {
                let BackupDone { jobs, files, bytes, .. } = done;
                tracing::info!(jobs, files, bytes, seconds, "backup made");
                BackupNews::Done(BackupView::new(self.directory.clone(), done, seconds))
            }
            Err(error) => {
                tracing::warn!(%error, "backup not made");
                BackupNews::Failed(Failure::from(error).into_api())
            }
        }
    }
}

async fn send(sender: &mut Sender<Bytes, std::io::Error>, news: &BackupNews) -> Result<(), ()> {
    let mut line = serde_json::to_vec(news).map_err(drop)?;
    line.push(b'\n');
    sender.send_data(line.into()).await.map_err(drop)
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let status = match error {
            BackupError::Store(error) => return error.into(),
            BackupError::Busy | BackupError::Rest { .. } | BackupError::NotEmpty { .. } => {
                StatusCode::CONFLICT
            }
            BackupError::Inside { .. } | BackupError::Target { .. } => StatusCode::BAD_REQUEST,
            BackupError::NoSpace { .. } => StatusCode::INSUFFICIENT_STORAGE,
            BackupError::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
            BackupError::Damaged { .. } | BackupError::Copy { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}
