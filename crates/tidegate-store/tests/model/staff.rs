//! Staff's part of the suite: what they do to jobs and to the gate.

use std::time::Duration;

use chrono::TimeDelta;
use tidegate_domain::OrgCode;
use tidegate_domain::job::{IllegalTransition, JobEvent};
use tidegate_domain::maintenance::{Hold, HoldLength, Interval, OrgPattern, Origin, Override, Scope, Window};
use tidegate_store::StoreError;

use crate::ops::{Action, Pick, StaffOp};
use crate::sender::org;
use crate::suite::Suite;
use crate::{Checked, same, table, that};

impl Suite {
    pub(crate) async fn staff(&mut self, op: StaffOp) -> Checked {
        match op {
            StaffOp::Act(job, action) => self.act(job, action).await,
            StaffOp::PlaceHold { org: of, minutes } => {
                self.place_hold(of.map(org), minutes).await;
                Ok(())
            }
            StaffOp::ReleaseHolds { org: of } => self.release_holds(of.map(org)).await,
            StaffOp::AddWindow { org: of, starts_in_min, minutes } => {
                self.add_window(of.map(org), starts_in_min, minutes).await;
                Ok(())
            }
            StaffOp::PlaceLegalHold { org: of } => {
                self.place_legal_hold(org(of)).await;
                Ok(())
            }
            StaffOp::ReleaseLegalHolds { org: of } => self.release_legal_holds(org(of)).await,
            StaffOp::EndWindow { window } => {
                self.end_window(window).await;
                Ok(())
            }
        }
    }

    async fn act(&mut self, job: Pick, action: Action) -> Checked {
        let reason = format!("{action:?}");
        let event = match action {
            Action::Hold => JobEvent::Held { reason },
            Action::Release => JobEvent::Released { reason },
            Action::Cancel => JobEvent::Cancelled { reason },
            Action::Requeue => JobEvent::Requeued { reason },
            Action::ReadPayload => JobEvent::PayloadRead { reason },
        };
        let is_possible = |job: &_| table::next(job, &event).is_some();
        let Some(id) = self.model.pick(job, is_possible) else { return Ok(()) };
        let state = self.model.job(id).job.state;
        let allowed = self.backend.store.would_allow(id, &event).is_ok();
        let found = self.backend.store.act(id, event.clone(), "eve").await;
        same("would be allowed", &allowed, &found.is_ok())?;
        if let Some(expected) = self.model.happen(id, &event, "staff:eve") {
            return same("acted", &found.unwrap(), &expected);
        }
        let refused = IllegalTransition { event: event.name(), state };
        that(matches!(found, Err(StoreError::Illegal(told)) if told == refused), || {
            format!("{found:?} instead of {refused:?}")
        })?;
        self.check_job(id)
    }

    async fn place_hold(&mut self, org: Option<OrgCode>, minutes: Option<u64>) {
        let length = minutes
            .map_or(HoldLength::UntilReleased, |minutes| HoldLength::For(Duration::from_mins(minutes)));
        let hold = Hold::new("hold", org, "disk swap", "eve", self.model.now, length).unwrap();
        self.backend.store.place_hold(hold.clone()).await.unwrap();
        self.model.gate.forget_old_holds(self.model.now);
        self.model.gate.holds.push(hold);
    }

    pub(crate) async fn release_holds(&mut self, org: Option<OrgCode>) -> Checked {
        let found = self.backend.store.release_holds(org.as_ref(), "eve", "done").await.unwrap();
        same("released", &found, &self.model.gate.release(self.model.now, org.as_ref()))
    }

    async fn add_window(&mut self, org: Option<OrgCode>, starts_in_min: i64, minutes: i64) {
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
        self.model.gate.forget_old_holds(self.model.now);
        self.model.gate.calendar.windows.push(window);
    }

    /// Ends a window early, if it is active.
    async fn end_window(&mut self, number: usize) {
        let gate = &mut self.model.gate;
        let Some(number) = number.checked_rem(gate.calendar.windows.len()) else { return };
        let name = &gate.calendar.windows[number].name;
        let end = Override::end(name, self.model.now, &gate.calendar, &gate.overrides, "eve", "done early");
        let Ok(end) = end else { return };
        self.backend.store.override_window(end.clone(), "eve").await.unwrap();
        gate.forget_old_holds(self.model.now);
        gate.overrides.push(end);
    }
}
