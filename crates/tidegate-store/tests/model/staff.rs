//! Staff's part of the suite: what they do to jobs and to the gate.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::OrgCode;
use tidegate_domain::job::{IllegalTransition, JobEvent};
use tidegate_domain::maintenance::{
    Extension, Hold, HoldLength, Interval, OrgPattern, Origin, Override, Scope, Window,
};
use tidegate_store::{Happening, StoreError};

use crate::gate::GateModel;
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
                self.override_window(window, |name, now, gate| {
                    Override::end(name, now, &gate.calendar, &gate.overrides, "eve", "done early").ok()
                })
                .await;
                Ok(())
            }
            StaffOp::ExtendWindow { window, minutes } => {
                let by = Extension::By(TimeDelta::minutes(minutes));
                self.override_window(window, |name, now, gate| {
                    Override::extend(name, by, now, &gate.calendar, &gate.overrides, ("eve", "runs late"))
                        .ok()
                })
                .await;
                Ok(())
            }
            StaffOp::SkipWindow { window } => {
                self.override_window(window, |name, now, gate| {
                    Override::skip(name, None, now, &gate.calendar, &gate.overrides, ("eve", "called off"))
                        .ok()
                })
                .await;
                Ok(())
            }
            StaffOp::RemoveWindow { window } => {
                self.remove_window(window).await;
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
        self.model.note(Happening::HoldPlaced(hold.clone()));
        self.model.gate.holds.push(hold);
    }

    pub(crate) async fn release_holds(&mut self, org: Option<OrgCode>) -> Checked {
        let found = self.backend.store.release_holds(org.as_ref(), "eve", "done").await.unwrap();
        let released = self.model.gate.release(self.model.now, org.as_ref());
        for hold in &released {
            self.model.note(Happening::HoldReleased { hold: hold.clone(), reason: "done".to_owned() });
        }
        same("released", &found, &released)
    }

    async fn add_window(&mut self, org: Option<OrgCode>, starts_in_min: i64, minutes: i64) {
        let start = self.model.now + TimeDelta::minutes(starts_in_min);
        let window = Window {
            // A name may come again once its window was removed, and then at another time.
            name: (0..=self.model.gate.calendar.windows.len())
                .map(|number| format!("window {number}"))
                .find(|name| !self.model.gate.calendar.has_window(name))
                .unwrap(),
            interval: Interval::new(start, start + TimeDelta::minutes(minutes)).unwrap(),
            zone: "America/Chicago".parse().unwrap(),
            reason: "IT system maintenance".to_owned(),
            scope: org.map_or(Scope::Everyone, |org| Scope::Orgs(vec![OrgPattern::from(&org)])),
            origin: Origin::Staff { actor: "eve".to_owned(), at: self.model.now },
        };
        self.backend.store.add_window(window.clone(), "eve").await.unwrap();
        self.model.gate.forget_old_holds(self.model.now);
        let (name, reason) = (window.name.clone(), window.reason.clone());
        self.model.note(Happening::WindowAdded { name, reason });
        self.model.gate.calendar.windows.push(window);
    }

    /// Changes an occurrence, if that is possible.
    async fn override_window(
        &mut self,
        number: usize,
        make: impl FnOnce(&str, DateTime<Utc>, &GateModel) -> Option<Override>,
    ) {
        let gate = &self.model.gate;
        let Some(number) = number.checked_rem(gate.calendar.windows.len()) else { return };
        let Some(change) = make(&gate.calendar.windows[number].name, self.model.now, gate) else { return };
        self.backend.store.override_window(change.clone(), "eve").await.unwrap();
        self.model.gate.forget_old_holds(self.model.now);
        self.model.note(Happening::Overridden(change.clone()));
        self.model.gate.overrides.push(change);
    }

    /// Removes a window with what was changed about it, unless it is active.
    async fn remove_window(&mut self, number: usize) {
        let gate = &mut self.model.gate;
        let Some(number) = number.checked_rem(gate.calendar.windows.len()) else { return };
        let name = gate.calendar.windows[number].name.clone();
        if gate.calendar.remove_window(&name, &gate.overrides, self.model.now).is_err() {
            return;
        }
        self.backend.store.remove_window(&name, "called off", "eve").await.unwrap();
        gate.forget_old_holds(self.model.now);
        gate.overrides.retain(|change| change.window() != name);
        self.model.note(Happening::WindowRemoved { name, reason: "called off".to_owned() });
    }
}
