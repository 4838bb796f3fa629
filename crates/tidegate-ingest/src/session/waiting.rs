//! Sessions that have not logged in.
//!
//! Invariant: there are never more than the limit of them, and somebody who comes to log in finds a place
//! although others keep theirs in silence: the session that came first and has no password being checked is
//! closed for the newcomer. Senders log in within a second or two; who wants to keep one out has to fill all
//! places in that time, again and again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ControlLink;

/// The sessions that have not logged in, by their numbers.
#[derive(Debug, Clone)]
pub struct Waiting {
    sessions: Arc<Mutex<BTreeMap<u64, Visitor>>>,
    max: usize,
}

#[derive(Debug)]
struct Visitor {
    link: Arc<ControlLink>,
    is_checked: bool,
}

impl Waiting {
    /// Room for `max` sessions.
    pub fn new(max: usize) -> Self {
        Self { sessions: Arc::default(), max }
    }

    /// A place for a new session; `None` if all there are is taken by sessions whose password is checked.
    pub fn enter(&self, number: u64, link: Arc<ControlLink>) -> Option<WaitingPlace> {
        let mut sessions = self.lock();
        if sessions.len() >= self.max {
            let silent =
                sessions.iter().find(|(_, visitor)| !visitor.is_checked).map(|(number, _)| *number)?;
            if let Some(silent) = sessions.remove(&silent) {
                silent.link.close();
            }
        }
        sessions.insert(number, Visitor { link, is_checked: false });
        Some(WaitingPlace { waiting: self.clone(), number })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Visitor>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's place among those that have not logged in.
#[derive(Debug)]
pub struct WaitingPlace {
    waiting: Waiting,
    number: u64,
}

impl WaitingPlace {
    /// Whether the session's password is being checked, so that it is not closed for a newcomer.
    pub fn set_checked(&self, is_checked: bool) {
        if let Some(visitor) = self.waiting.lock().get_mut(&self.number) {
            visitor.is_checked = is_checked;
        }
    }
}

impl Drop for WaitingPlace {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// A server's end, and the client's that keeps it open.
    fn link(listener: &TcpListener) -> (Arc<ControlLink>, TcpStream) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap().0;
        (Arc::new(ControlLink::new(&server).unwrap()), client)
    }

    #[test]
    fn the_one_that_is_silent_for_longest_is_closed_for_a_newcomer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let links: Vec<_> = (0..6).map(|_| link(&listener)).collect();
        let waiting = Waiting::new(3);
        let enter = |number: usize| waiting.enter(number as u64, Arc::clone(&links[number].0));
        let closed = || {
            let of = |(number, (link, _)): (usize, &(Arc<ControlLink>, _))| {
                (!link.is_connected()).then_some(number)
            };
            links.iter().enumerate().filter_map(of).collect::<Vec<_>>()
        };
        let places: Vec<_> = (0..3).map(|number| enter(number).unwrap()).collect();
        places[0].set_checked(true);
        let _third = enter(3).unwrap();
        assert_eq!(closed(), [1]);
        places[0].set_checked(false);
        let _fourth = enter(4).unwrap();
        assert_eq!(closed(), [0, 1]);
        drop(places);
        let fifth = enter(5).unwrap();
        assert_eq!((closed(), waiting.lock().len()), (vec![0, 1], 3), "a place that was given back is free");
        fifth.set_checked(true);
    }

    #[test]
    fn nobody_is_closed_while_a_password_is_checked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ((first, _one), (second, _two)) = (link(&listener), link(&listener));
        let waiting = Waiting::new(1);
        let place = waiting.enter(1, Arc::clone(&first)).unwrap();
        place.set_checked(true);
        assert!(waiting.enter(2, second).is_none());
        assert!(first.is_connected());
    }
}
