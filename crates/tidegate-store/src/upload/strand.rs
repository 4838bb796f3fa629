//! Steps of work on one thing, one after the other, off the runtime.
//!
//! Whoever does a step does the next one as well if it is there by then, so that no time goes by while
//! threads wake each other. A step that fails is the last one.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

type Step<T> = Box<dyn FnOnce(&mut T) -> io::Result<()> + Send>;

/// A thing and what is to be done with it.
pub(super) struct Strand<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    /// There while nobody works on it.
    thing: Option<T>,
    steps: VecDeque<Step<T>>,
    error: Option<io::Error>,
    /// Whether a step has failed.
    is_over: bool,
}

impl<T: Send + 'static> Strand<T> {
    pub(super) fn new(thing: T) -> Self {
        let (thing, steps) = (Some(thing), VecDeque::new());
        Self(Arc::new(Mutex::new(State { thing, steps, error: None, is_over: false })))
    }

    /// Has something done after everything else; not at all after an error.
    pub(super) fn push(&self, step: impl FnOnce(&mut T) -> io::Result<()> + Send + 'static) {
        let mut state = lock(&self.0);
        if state.is_over {
            return;
        }
        state.steps.push_back(Box::new(step));
        if let Some(thing) = state.thing.take() {
            let shared = Arc::clone(&self.0);
            drop(spawn_blocking(move || work(&shared, thing)));
        }
    }

    /// The error that ended the work, once.
    pub(super) fn check(&self) -> io::Result<()> {
        lock(&self.0).error.take().map_or(Ok(()), Err)
    }

    /// Has something done last, and waits for it.
    pub(super) async fn end<R: Send + 'static>(
        self,
        step: impl FnOnce(&mut T) -> io::Result<R> + Send + 'static,
    ) -> io::Result<R> {
        let (done, result) = oneshot::channel();
        self.push(move |thing| {
            drop(done.send(step(thing)));
            Ok(())
        });
        // Without a result an earlier step has failed.
        result.await.unwrap_or_else(|_| Err(self.check().err().unwrap_or_else(lost)))
    }
}

fn work<T>(shared: &Mutex<State<T>>, mut thing: T) {
    loop {
        let mut state = lock(shared);
        let Some(step) = state.steps.pop_front() else {
            state.thing = Some(thing);
            return;
        };
        drop(state);
        if let Err(error) = step(&mut thing) {
            let mut state = lock(shared);
            (state.error, state.is_over) = (Some(error), true);
            state.steps.clear();
            return;
        }
    }
}

fn lost() -> io::Error {
    io::Error::other("an earlier step was lost")
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> fmt::Debug for Strand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strand").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn steps_are_done_in_order() {
        let strand = Strand::new(Vec::new());
        for number in 0..100 {
            strand.push(move |numbers| {
                numbers.push(number);
                Ok(())
            });
        }
        let numbers = strand.end(|numbers| Ok(numbers.clone())).await.unwrap();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn nothing_is_done_after_an_error() {
        let strand = Strand::new(());
        let (dropped, is_dropped) = oneshot::channel::<()>();
        strand.push(|()| Err(io::ErrorKind::StorageFull.into()));
        strand.push(move |()| {
            dropped.send(()).unwrap();
            Ok(())
        });
        is_dropped.await.unwrap_err();
        assert_eq!(strand.check().unwrap_err().kind(), io::ErrorKind::StorageFull);
        let (dropped, is_dropped) = oneshot::channel::<()>();
        strand.push(move |()| {
            dropped.send(()).unwrap();
            Ok(())
        });
        is_dropped.await.unwrap_err();
        strand.end(|()| Ok(())).await.unwrap_err();
    }
}
