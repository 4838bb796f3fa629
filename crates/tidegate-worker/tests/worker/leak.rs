//! No message leaves while the gate is closed: at each message a new random calendar and a clock that jumps, against
//! an oracle that only compares minutes.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::job::JobState;
use tidegate_domain::{Clock, JobId, ManualClock};
use tidegate_store::Store;

use crate::files::good;
use crate::probe::Probe;
use crate::rig::{Rig, calendar};

const FILES: u64 = 10;
const MESSAGES: u64 = 100;

/// What stands at the moment: windows, from the first minute to the one after the last.
struct World {
    store: Store,
    clock: ManualClock,
    windows: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    random: u64,
    delivered: u64,
}

impl World {
    /// Looks random and is the same in every run: xorshift.
    fn minutes(&mut self, bound: u64) -> TimeDelta {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        TimeDelta::minutes(i64::try_from(self.random % bound).unwrap())
    }

    fn is_closed(&self, at: DateTime<Utc>) -> bool {
        self.windows.iter().any(|(from, to)| *from <= at && at < *to)
    }

    /// A message was let through: nothing may have closed the gate. Then the clock goes on, and often the calendar
    /// changes as well.
    fn deliver(&mut self) {
        let now = self.clock.now();
        assert!(!self.is_closed(now), "a message left at {now} in spite of {:?}", self.windows);
        self.delivered += 1;
        if self.minutes(2).is_zero() {
            self.change(now);
        }
        let later = self.minutes(8);
        self.clock.set(now + later);
    }

    fn change(&mut self, now: DateTime<Utc>) {
        self.windows.clear();
        for _ in 0..self.minutes(3).num_minutes() {
            let from = now - TimeDelta::minutes(15) + self.minutes(40);
            let length = TimeDelta::minutes(1) + self.minutes(20);
            self.windows.push((from, from + length));
        }
        self.reload();
    }

    /// Takes the calendar up, and wakes whoever sleeps.
    fn reload(&self) {
        let mut text = "timezone = 'UTC'\nin_flight = 'yield'\nresume_ramp = '0s'\n".to_owned();
        for (number, (from, to)) in self.windows.iter().enumerate() {
            let (from, to) = (from.format("%Y-%m-%dT%H:%M"), to.format("%Y-%m-%dT%H:%M"));
            writeln!(text, "[[window]]\nname = '{number}'\nfrom = '{from}'\nto = '{to}'").unwrap();
        }
        self.store.set_calendar(calendar(&text));
    }

    /// If the gate is closed: on to the minute at which it opens.
    fn open(&self) {
        let mut now = self.clock.now();
        while self.is_closed(now) {
            now += TimeDelta::minutes(1);
        }
        self.clock.set(now);
        self.reload();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_leaves_while_the_gate_is_closed_whatever_the_calendar() {
    let rig = Rig::new();
    let (store, clock) = (rig.store.clone(), rig.clock.clone());
    let world = World { store, clock, windows: Vec::new(), random: 0x9E37_79B9_7F4A_7C15, delivered: 0 };
    let world = Arc::new(Mutex::new(world));
    let of_script = Arc::clone(&world);
    let probe = Probe::scripted(move |_| {
        of_script.lock().unwrap().deliver();
        Ok(())
    });
    let running = rig.work(probe.clone());
    let yields = |id: JobId| rig.history(id).into_iter().filter(|event| *event == "yielded").count();
    let mut yielded = 0;
    for number in 0..FILES {
        let id = rig.accept("A", "file", &good(number * MESSAGES..(number + 1) * MESSAGES)).await;
        while rig.state(id) != JobState::Complete {
            let seen = yields(id);
            world.lock().unwrap().open();
            rig.until("the file ends or yields", || rig.state(id) == JobState::Complete || yields(id) > seen)
                .await;
        }
        yielded += yields(id);
    }
    assert_eq!(world.lock().unwrap().delivered, FILES * MESSAGES);
    assert!(yielded > 100, "yielded {yielded} times");
    running.stopped().await.unwrap();
}
