//! Mails that are on their way: one announcement at a time, beside everything else.
//!
//! Invariant: who was told stands in the ledger before the next mail goes out, so that a stop of the server, or of the mail
//! server, has nobody told twice by the next attempt. Addresses are shown to staff and never logged.

use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use tidegate_notices::{Announcement, Ledger, Mailer, Notice, Outcome, Recipient, Templates};

use crate::control::Control;

/// How far an announcement has come.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// Of the notice.
    pub(super) uid: String,
    pub(super) total: usize,
    pub(super) sent: usize,
    /// Addresses that the mail server refused, with its words.
    pub(super) refused: Vec<(String, String)>,
    /// Why it stopped before its end.
    pub(super) trouble: Option<String>,
    pub(super) is_over: bool,
}

/// The announcement that is mailed, or was last.
#[derive(Debug, Clone, Default)]
pub(super) struct Mailing(Arc<Mutex<Option<Progress>>>);

/// All that it takes.
pub(super) struct Post {
    pub(super) notice: Notice,
    pub(super) templates: Templates,
    pub(super) mailer: Mailer,
    pub(super) ledger: Ledger,
    pub(super) rest: Vec<Recipient>,
    /// Such as `staff:jo`.
    pub(super) actor: String,
}

impl Mailing {
    /// How far the announcement of a notice has come, if it is the last one.
    pub(super) fn of(&self, uid: &str) -> Option<Progress> {
        self.lock().clone().filter(|progress| progress.uid == uid)
    }

    /// Begins to send. The ledger's lock is what keeps others from sending meanwhile.
    pub(super) fn begin(&self, post: Post, control: Control) {
        *self.lock() = Some(Progress {
            uid: post.notice.uid.clone(),
            total: post.rest.len(),
            sent: 0,
            refused: Vec::new(),
            trouble: None,
            is_over: false,
        });
        let mailing = self.clone();
        tokio::task::spawn_blocking(move || mailing.send(post, &control));
    }

    /// Blocks.
    fn send(&self, post: Post, control: &Control) {
        let Post { notice, templates, mailer, mut ledger, rest, actor } = post;
        let announcement =
            Announcement { notice: &notice, templates: &templates, mailer: &mailer, actor: &actor };
        for recipient in &rest {
            if control.is_stopping() {
                self.note(|progress| progress.trouble = Some("The server was stopped.".to_owned()));
                break;
            }
            let sent = announcement.send(slice::from_ref(recipient), &mut ledger, Utc::now, |to, outcome| {
                self.note(|progress| match outcome {
                    Outcome::Sent => progress.sent += 1,
                    Outcome::Refused(why) => progress.refused.push((to.address.clone(), why.clone())),
                });
            });
            if let Err(error) = sent {
                self.note(|progress| progress.trouble = Some(format!("{error}.")));
                break;
            }
        }
        // Others may send from here on.
        drop(ledger);
        self.note(|progress| {
            progress.is_over = true;
            let refused = progress.refused.len();
            tracing::info!(actor, sent = progress.sent, refused, "announcement mailed from the console");
        });
    }

    fn note(&self, what: impl FnOnce(&mut Progress)) {
        if let Some(progress) = self.lock().as_mut() {
            what(progress);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
