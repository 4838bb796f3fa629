//! Staff's and the machine's part of the suite: gate, clock and restarts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::OrgCode;
use tidegate_domain::job::{JobEvent, JobState};
use tidegate_domain::maintenance::{Hold, HoldLength, Interval, OrgPattern, Origin, Override, Scope, Window};

use crate::model::orgs;
use crate::ops::{Lease, Restart};
use crate::suite::Suite;
use crate::{Checked, compare, same};

impl Suite {
    pub(crate) fn set_clock(&mut self, now: DateTime<Utc>) {
        self.backend.clock.set(now);
        self.model.now = now;
    }

    pub(crate) async fn place_hold(&mut self, org: Option<OrgCode>, minutes: Option<u64>) -> Checked {
        let length = minutes
            .map_or(HoldLength::UntilReleased, |minutes| HoldLength::For(Duration::from_mins(minutes)));
        let hold = Hold::new("hold", org, "disk swap", "eve", self.model.now, length).unwrap();
        self.backend.store.place_hold(hold.clone()).await.unwrap();
        self.model.gate.drop_what_is_over(self.model.now);
        self.model.gate.holds.push(hold);
        Ok(())
    }

    pub(crate) async fn release_holds(&mut self, org: Option<OrgCode>) -> Checked {
        let found = self.backend.store.release_holds(org.as_ref(), "eve", "done").await.unwrap();
        same("released", &found, &self.model.gate.release(self.model.now, org.as_ref()))
    }

    pub(crate) async fn add_window(
        &mut self,
        org: Option<OrgCode>,
        starts_in_min: i64,
        minutes: i64,
    ) -> Checked {
        let start = self.model.now + TimeDelta::minutes(starts_in_min);
        let window = Window {
            name: format!("window {}", self.model.gate.calendar.windows.len()),
            interval: Interval::new(start, start + TimeDelta::minutes(minutes)).unwrap(),
            zone: "America/Chicago".parse().unwrap(),
            reason: "IT system maintenance".to_owned(),
            scope: org.map_or(Scope::Everyone, |org| Scope::Orgs(vec![OrgPattern::from(&org)])),
            origin: Origin::Staff { actor: "eve".to_owned(), at: self.model.now },
        };
        self.backend.store.add_window(window.clone(), "eve").await.unwrap();
        self.model.gate.drop_what_is_over(self.model.now);
        self.model.gate.calendar.windows.push(window);
        Ok(())
    }

    /// Ends a window early, if it is active.
    pub(crate) async fn end_window(&mut self, number: usize) -> Checked {
        let gate = &self.model.gate;
        let Some(number) = number.checked_rem(gate.calendar.windows.len()) else { return Ok(()) };
        let name = &gate.calendar.windows[number].name;
        let end = Override::end(name, self.model.now, &gate.calendar, &gate.overrides, "eve", "done early");
        let Ok(end) = end else { return Ok(()) };
        self.backend.store.override_window(end.clone(), "eve").await.unwrap();
        self.model.gate.drop_what_is_over(self.model.now);
        self.model.gate.overrides.push(end);
        Ok(())
    }

    /// Everything is the same before and after; jobs in hand wait again.
    pub(crate) async fn restart(&mut self, how: Restart, lease: Lease) -> Checked {
        compare::all(&self.backend.store, &self.model).await?;
        let found = self.backend.restart(how, lease).await;
        let interrupted = self.model.interrupt();
        self.model.lease = lease;
        self.model.fairness.forget();
        same("jobs that were in hand", &found, &(interrupted.len() as u64))?;
        compare::all(&self.backend.store, &self.model).await
    }

    /// Nothing keeps a job from being claimed any more: no hold, no window, no time to wait for.
    pub(crate) async fn open_everything(&mut self, in_the_past: bool) -> Checked {
        for org in orgs().map(Some).chain([None]) {
            self.release_holds(org).await?;
        }
        let held: Vec<_> = self
            .model
            .jobs
            .iter()
            .map(|known| &known.job)
            .filter(|job| job.state == JobState::Held)
            .collect();
        for id in held.iter().map(|job| job.id).collect::<Vec<_>>() {
            let release = JobEvent::Released { reason: "end".to_owned() };
            self.backend.store.act(id, release.clone(), "eve").await.unwrap();
            self.model.happen(id, &release, "staff:eve").unwrap();
        }
        let then = if in_the_past { "2014-01-01T00:00:00Z" } else { "2034-01-01T00:00:00Z" };
        self.set_clock(then.parse().unwrap());
        Ok(())
    }
}
