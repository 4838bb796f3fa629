//! The sender's part of the suite: uploads, and the answers to them.

use std::fmt::Debug;

use sha2::{Digest, Sha256};
use tidegate_domain::job::{Job, JobEvent, Protocol, Submission};
use tidegate_domain::{OrgCode, UploadName};
use tidegate_store::{Sender, StoreError, Upload};

use crate::model::orgs;
use crate::ops::{BODIES, NAMES, ORGS, Pick, SenderOp};
use crate::suite::Suite;
use crate::{Checked, compare, same, that};

pub(crate) fn org(number: usize) -> OrgCode {
    OrgCode::new(ORGS[number]).unwrap()
}

fn name(number: usize) -> UploadName {
    UploadName::new(NAMES[number]).unwrap()
}

fn body(number: usize) -> Vec<u8> {
    let (byte, length) = BODIES[number];
    vec![byte; length]
}

fn account(org: &OrgCode) -> Sender {
    Sender { account: format!("account-of-{org}"), protocol: Protocol::Sftp }
}

impl Suite {
    pub(crate) async fn sender(&mut self, op: SenderOp) -> Checked {
        match op {
            SenderOp::Accept { org: of, name: called, body: content } => {
                let (org, content) = (org(of), body(content));
                let upload = self.upload(&content).await;
                let job = upload.accept(&org, account(&org), name(called)).await.unwrap();
                self.accepted(&job, org, name(called), content)
            }
            SenderOp::Stage { org: of, name: called, body: content } => {
                let (org, content) = (org(of), body(content));
                self.upload(&content).await.stage(&org, &name(called)).await.unwrap();
                self.model.staged.insert((org, name(called)), content);
                Ok(())
            }
            SenderOp::AcceptStaged { org: of, staged, name: called } => {
                let (org, staged) = (org(of), name(staged));
                let accepted =
                    self.backend.store.accept_staged(&org, &staged, account(&org), name(called)).await;
                match self.model.staged.remove(&(org.clone(), staged)) {
                    Some(content) => self.accepted(&accepted.unwrap(), org, name(called), content),
                    None => not_found(&accepted),
                }
            }
            SenderOp::RenameStaged { org: of, from, to } => {
                let (org, from, to) = (org(of), name(from), name(to));
                let renamed = self.backend.store.rename_staged(&org, &from, &to);
                let Some(content) = self.model.staged.remove(&(org.clone(), from)) else {
                    return not_found(&renamed);
                };
                self.model.staged.insert((org, to), content);
                same("renamed", &renamed.is_ok(), &true)
            }
            SenderOp::RemoveStaged { org: of, name: called } => {
                let removed = self.backend.store.remove_staged(&org(of), &name(called));
                match self.model.staged.remove(&(org(of), name(called))) {
                    Some(_) => same("removed", &removed.is_ok(), &true),
                    None => not_found(&removed),
                }
            }
            SenderOp::Abandon { body: content } => {
                drop(self.upload(&body(content)).await);
                Ok(())
            }
            SenderOp::DeleteAnswer { job, report } => self.delete_answer(job, report).await,
        }
    }

    async fn upload(&self, bytes: &[u8]) -> Upload {
        let mut upload = self.backend.store.upload().unwrap();
        for part in bytes.chunks(bytes.len() / 2 + 1) {
            upload.write(part).await.unwrap();
        }
        upload
    }

    fn accepted(&mut self, found: &Job, org: OrgCode, name: UploadName, body: Vec<u8>) -> Checked {
        let last = self.last_id.replace(found.id);
        that(last < Some(found.id), || format!("{} after {last:?}", found.id))?;
        let Sender { account, protocol } = account(&org);
        let (size_bytes, sha256) = (body.len() as u64, Sha256::digest(&body).into());
        let submission = Submission { org, account, protocol, name, size_bytes, sha256 };
        same("accepted", found, &self.model.accept(found.id, submission, body))
    }

    async fn delete_answer(&mut self, job: Pick, report: bool) -> Checked {
        let is_there = |job: &Job| {
            let is_deleted = if report { job.report_deleted } else { job.response_deleted };
            self.model.job(job.id).answers.is_some() && !is_deleted
        };
        let Some(id) = self.model.pick(job, is_there) else { return Ok(()) };
        let job = self.model.job(id).job.clone();
        let is_there = is_there(&job);
        let name = compare::answer_name(&job, report);
        let store = &self.backend.store;
        for other in orgs().filter(|org| *org != job.submission.org) {
            not_found(&store.delete_outbox(&other, &name, "thief").await)?;
        }
        let deleted = store.delete_outbox(&job.submission.org, &name, "me").await;
        if !is_there {
            return not_found(&deleted);
        }
        deleted.unwrap();
        self.model.happen(job.id, &JobEvent::ResponseDeleted { report }, "sender:me").unwrap();
        self.check_job(job.id)
    }
}

fn not_found<T: Debug>(found: &Result<T, StoreError>) -> Checked {
    that(matches!(found, Err(StoreError::NotFound)), || format!("of what is not there: {found:?}"))
}
