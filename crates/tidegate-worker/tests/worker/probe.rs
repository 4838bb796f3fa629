//! A target that remembers what it was given and does what its script says.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tidegate_domain::OrgCode;
use tidegate_worker::{Deliver, DeliverError, Delivered, DirectoryTarget, Key};

/// What is said to a query.
pub(crate) type Reply = Result<Vec<u8>, DeliverError>;

type Script = Box<dyn FnMut(&Key) -> Result<(), DeliverError> + Send>;

/// Remembers each message that it took.
pub(crate) struct Probe {
    script: Mutex<Script>,
    taken: Mutex<Vec<(Key, Vec<u8>)>>,
    directory: Option<DirectoryTarget>,
    /// What it says to queries, the last first, if it says anything to them.
    replies: Option<Mutex<Vec<Reply>>>,
    /// Whether what was taken can be made durable.
    pub(crate) settles: AtomicBool,
}

impl Probe {
    /// Takes everything.
    pub(crate) fn willing() -> Arc<Self> {
        Self::scripted(|_| Ok(()))
    }

    /// Asks `script` before it takes a message.
    pub(crate) fn scripted(
        script: impl FnMut(&Key) -> Result<(), DeliverError> + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self::new(script, None))
    }

    /// Takes everything, and says this to one query after the other.
    pub(crate) fn replying(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        let mut replies: Vec<_> = replies.into_iter().collect();
        replies.reverse();
        Arc::new(Self { replies: Some(Mutex::new(replies)), ..Self::new(|_| Ok(()), None) })
    }

    /// Hands what it takes on to a directory.
    pub(crate) fn before(
        directory: DirectoryTarget,
        script: impl FnMut(&Key) -> Result<(), DeliverError> + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self::new(script, Some(directory)))
    }

    fn new(
        script: impl FnMut(&Key) -> Result<(), DeliverError> + Send + 'static,
        directory: Option<DirectoryTarget>,
    ) -> Self {
        let (script, settles) = (Mutex::new(Box::new(script) as Script), AtomicBool::new(true));
        Self { script, taken: Mutex::default(), directory, replies: None, settles }
    }

    /// The keys taken, in order.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.taken.lock().unwrap().iter().map(|(key, _)| key.clone()).collect()
    }

    /// The ordinals taken, in order.
    pub(crate) fn ordinals(&self) -> Vec<u64> {
        self.keys().iter().map(|key| key.ordinal).collect()
    }

    /// Everything taken, as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|(_, message)| String::from_utf8(message.clone()).unwrap()).collect()
    }
}

impl Deliver for Probe {
    fn deliver(&self, key: &Key, message: &[u8]) -> Result<Delivered, DeliverError> {
        // A script that panics must not spoil the lock for the attempts after it.
        let mut script = self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (*script)(key)?;
        drop(script);
        self.taken.lock().unwrap().push((key.clone(), message.to_vec()));
        self.directory.as_ref().map_or(Ok(Delivered::Now), |directory| directory.deliver(key, message))
    }

    fn ask(&self, _org: &OrgCode, _query: &[u8]) -> Option<Reply> {
        let replies = self.replies.as_ref()?;
        Some(replies.lock().unwrap().pop().expect("there was nothing to be asked"))
    }

    fn settle(&self) -> io::Result<()> {
        if !self.settles.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is broken"));
        }
        self.directory.as_ref().map_or(Ok(()), Deliver::settle)
    }
}
