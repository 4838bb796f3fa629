//! Asks the server again and again, beside whoever draws.

use std::sync::mpsc::{Receiver, SyncSender, TryIter, sync_channel};
use std::thread;

use tidegate_web::api::Status;

use super::{ANSWER_MAX, ASK_EVERY, in_short};
use crate::client::Client;

/// Answers of the server, or why there was none. Ends with the process.
pub(super) struct Feed(Receiver<Result<Status, String>>);

impl Feed {
    pub(super) fn open(client: Client) -> Self {
        let (sender, receiver) = sync_channel(1);
        thread::spawn(move || ask(&client, &sender));
        Self(receiver)
    }

    /// What came since the last look.
    pub(super) fn news(&self) -> TryIter<'_, Result<Status, String>> {
        self.0.try_iter()
    }
}

fn ask(client: &Client, sender: &SyncSender<Result<Status, String>>) {
    let answer = || client.get_within("/v1/status", ANSWER_MAX).map_err(|failure| in_short(&failure));
    while sender.send(answer()).is_ok() {
        thread::sleep(ASK_EVERY);
    }
}
