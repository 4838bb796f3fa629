//! Does each operation to the store and to the model, and compares what comes of it.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use tidegate_domain::job::{IllegalTransition, Job, JobEvent, Protocol, Submission};
use tidegate_domain::{JobId, ManualClock, OrgCode, UploadName};
use tidegate_store::{Claim, Sender, StoreError, Upload};

use crate::backend::Backend;
use crate::model::{Model, orgs};
use crate::ops::{Action, BODIES, Case, Lease, NAMES, ORGS, Op, Restart};
use crate::{Checked, compare, same, that};

pub(crate) struct Suite {
    pub(crate) backend: Backend,
    pub(crate) model: Model,
    /// Every claim that there ever was, those of earlier starts included.
    pub(crate) claims: Vec<Claim>,
    pub(crate) last_fence: u64,
}

pub(crate) async fn run(case: Case) -> Checked {
    let start: DateTime<Utc> = "2024-03-08T12:00:00Z".parse().unwrap();
    let backend = Backend::new(ManualClock::new(start), Lease::Long);
    let model = Model::new(start, Lease::Long);
    let mut suite = Suite { backend, model, claims: Vec::new(), last_fence: 0 };
    for op in case.ops {
        suite.step(op).await?;
        let claimable = suite.model.claimable();
        suite.model.fairness.look(&claimable);
    }
    suite.restart(Restart::Kill, Lease::Long).await?;
    suite.end(case.ends_in_the_past).await?;
    suite.restart(Restart::Kill, Lease::Long).await?;
    suite.restart(Restart::CloseAndRebuild, Lease::Long).await
}

fn org(number: usize) -> OrgCode {
    OrgCode::new(ORGS[number]).unwrap()
}

fn name(number: usize) -> UploadName {
    UploadName::new(NAMES[number]).unwrap()
}

fn body(number: usize) -> Vec<u8> {
    let (byte, length) = BODIES[number];
    vec![byte; length]
}

fn sender(org: &OrgCode) -> Sender {
    Sender { account: format!("account-of-{org}"), protocol: Protocol::Sftp }
}

fn not_found<T: std::fmt::Debug>(found: Result<T, StoreError>) -> Checked {
    that(matches!(found, Err(StoreError::NotFound)), || format!("of what is not there: {found:?}"))
}

impl Suite {
    async fn step(&mut self, op: Op) -> Checked {
        match op {
            Op::Accept { org: number, name: called, body: content } => {
                let (org, content) = (org(number), body(content));
                let upload = self.upload(&content).await;
                let job = upload.accept(&org, sender(&org), name(called)).await.unwrap();
                self.accepted(&job, &org, &name(called), content)
            }
            Op::Abandon { body: content } => {
                drop(self.upload(&body(content)).await);
                Ok(())
            }
            Op::Stage { org: number, name: called, body: content } => {
                let (org, content) = (org(number), body(content));
                self.upload(&content).await.stage(&org, &name(called)).await.unwrap();
                self.model.staged.insert((org, name(called)), content);
                Ok(())
            }
            Op::AcceptStaged { org: number, staged, name: called } => {
                let org = org(number);
                let content = self.model.staged.remove(&(org.clone(), name(staged)));
                let store = &self.backend.store;
                let job = store.accept_staged(&org, &name(staged), sender(&org), name(called)).await;
                match content {
                    Some(content) => self.accepted(&job.unwrap(), &org, &name(called), content),
                    None => not_found(job),
                }
            }
            Op::RenameStaged { org: number, from, to } => {
                let org = org(number);
                let renamed = self.backend.store.rename_staged(&org, &name(from), &name(to));
                let Some(content) = self.model.staged.remove(&(org.clone(), name(from))) else {
                    return not_found(renamed);
                };
                self.model.staged.insert((org, name(to)), content);
                same("renamed", &renamed.is_ok(), &true)
            }
            Op::RemoveStaged { org: number, name: called } => {
                let removed = self.backend.store.remove_staged(&org(number), &name(called));
                match self.model.staged.remove(&(org(number), name(called))) {
                    Some(_) => same("removed", &removed.is_ok(), &true),
                    None => not_found(removed),
                }
            }
            Op::DeleteAnswer { job, report } => self.delete_answer(job, report).await,
            Op::Claim { max } => self.claim(max).await.map(drop),
            Op::Renew { claim } => self.pick(&claim).map_or(Ok(()), |claim| self.renew(&claim)),
            Op::Checkpoint { claim } => match self.pick(&claim) {
                Some(claim) => self.checkpoint(&claim).await,
                None => Ok(()),
            },
            Op::Finish { claim, end } => match self.pick(&claim) {
                Some(claim) => self.finish(&claim, &end).await,
                None => Ok(()),
            },
            Op::Act { job, action } => self.act(job, action).await,
            Op::PlaceHold { org: of, minutes } => self.place_hold(of.map(org), minutes).await,
            Op::ReleaseHolds { org: of } => self.release_holds(of.map(org)).await,
            Op::AddWindow { org: of, starts_in_min, minutes } => {
                self.add_window(of.map(org), starts_in_min, minutes).await
            }
            Op::EndWindow { window } => self.end_window(window).await,
            Op::MoveClock { seconds } => {
                self.set_clock(self.model.now + TimeDelta::seconds(seconds));
                Ok(())
            }
            Op::Restart { how, lease } => self.restart(how, lease).await,
        }
    }

    async fn upload(&self, bytes: &[u8]) -> Upload {
        let mut upload = self.backend.store.upload().unwrap();
        for part in bytes.chunks(bytes.len() / 2 + 1) {
            upload.write(part).await.unwrap();
        }
        upload
    }

    fn accepted(&mut self, found: &Job, org: &OrgCode, name: &UploadName, body: Vec<u8>) -> Checked {
        let last = self.model.jobs.last().map(|known| known.job.id);
        that(last < Some(found.id), || format!("{} after {last:?}", found.id))?;
        let Sender { account, protocol } = sender(org);
        let (size_bytes, sha256) = (body.len() as u64, Sha256::digest(&body).into());
        let (org, name) = (org.clone(), name.clone());
        let submission = Submission { org, account, protocol, name, size_bytes, sha256 };
        same("accepted", found, &self.model.accept(found.id, submission, body))
    }

    async fn delete_answer(&mut self, number: usize, report: bool) -> Checked {
        let Some(number) = number.checked_rem(self.model.jobs.len()) else { return Ok(()) };
        let known = &self.model.jobs[number];
        let (job, is_answered) = (known.job.clone(), known.answers.is_some());
        let name = compare::answer_name(&job, report);
        let store = &self.backend.store;
        for other in orgs().filter(|org| *org != job.submission.org) {
            not_found(store.delete_outbox(&other, &name, "thief").await)?;
        }
        let deleted = store.delete_outbox(&job.submission.org, &name, "me").await;
        if !is_answered || (if report { job.report_deleted } else { job.response_deleted }) {
            return not_found(deleted);
        }
        deleted.unwrap();
        self.model.happen(job.id, &JobEvent::ResponseDeleted { report }, "sender:me").unwrap();
        self.check_job(job.id)
    }

    pub(crate) fn check_job(&self, id: JobId) -> Checked {
        same("job", &self.backend.store.get(id).unwrap().as_ref(), &Some(&self.model.job(id).job))
    }

    async fn act(&mut self, number: usize, action: Action) -> Checked {
        let Some(number) = number.checked_rem(self.model.jobs.len()) else { return Ok(()) };
        let Job { id, state, .. } = self.model.jobs[number].job;
        let reason = format!("{action:?}");
        let event = match action {
            Action::Hold => JobEvent::Held { reason },
            Action::Release => JobEvent::Released { reason },
            Action::Cancel => JobEvent::Cancelled { reason },
            Action::Requeue => JobEvent::Requeued { reason },
            Action::ReadPayload => JobEvent::PayloadRead { reason },
        };
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
}
