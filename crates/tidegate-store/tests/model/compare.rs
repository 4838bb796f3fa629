//! The full comparison: all that the store shows against all that the model knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::job::{Job, JobState, Outcome};
use tidegate_domain::{OrgCode, UploadName};
use tidegate_store::{Filter, SenderFile, Store};

use crate::gate::GateModel;
use crate::model::{Line, Model, ModelJob, orgs};
use crate::{Checked, same, table, that};

/// Everything is as the model has it.
pub(crate) async fn all(store: &Store, model: &Model) -> Checked {
    for known in &model.jobs {
        job(store, model, known)?;
    }
    lists(store, model)?;
    stats(store, model)?;
    for org in orgs() {
        inbox(store, model, &org)?;
        outbox(store, model, &org)?;
        staged(store, model, &org)?;
    }
    gate(store, model)?;
    same("legal holds", &store.legal_holds().unwrap(), &model.retention.legal_holds)?;
    same("findings", &store.verify().await.unwrap().findings, &Vec::new())
}

fn job(store: &Store, model: &Model, known: &ModelJob) -> Checked {
    let id = known.job.id;
    same("job", &store.get(id).unwrap().as_ref(), &Some(&known.job))?;
    same("payload", &bytes(store.open_payload(&known.job).unwrap()), &known.body)?;
    let history = store.history(id).unwrap();
    let numbers: Vec<u64> = history.iter().map(|entry| entry.seq).collect();
    that(numbers.is_sorted_by(|one, next| one < next), || format!("order of history: {numbers:?}"))?;
    let lines: Vec<Line> = history
        .into_iter()
        .map(|entry| Line { event: entry.event.name(), at: entry.at, actor: entry.actor })
        .collect();
    same("history", &lines, &known.history)?;
    if known.job.state == JobState::Complete {
        return Ok(());
    }
    let original = store.original_of(&known.job).unwrap();
    that(model.is_original(&known.job, original), || format!("original of {id}: {original:?}"))
}

/// Every filter picks what it says, the newest first.
fn lists(store: &Store, model: &Model) -> Checked {
    let check = |filter: Filter, fits: &dyn Fn(&Job) -> bool| {
        let newest = model.jobs.iter().rev().map(|known| &known.job);
        let expected: Vec<_> = newest.filter(|job| fits(job)).take(filter.limit).map(|job| job.id).collect();
        let found: Vec<_> = store.list(&filter).unwrap().iter().map(|job| job.id).collect();
        same(&format!("list {filter:?}"), &found, &expected)
    };
    let all = Filter { limit: usize::MAX, ..Filter::default() };
    check(all.clone(), &|_| true)?;
    for org in orgs() {
        check(Filter { org: Some(org.clone()), limit: 3, ..all.clone() }, &|job| job.submission.org == org)?;
        for state in JobState::ALL {
            let of_org = Filter { org: Some(org.clone()), states: vec![*state], ..all.clone() };
            check(of_org, &|job| job.submission.org == org && job.state == *state)?;
        }
    }
    for state in JobState::ALL {
        check(Filter { states: vec![*state], ..all.clone() }, &|job| job.state == *state)?;
    }
    for (first, second) in JobState::ALL.iter().zip(JobState::ALL.iter().skip(1)) {
        let states = vec![*first, *second];
        check(Filter { states: states.clone(), ..all.clone() }, &|job| states.contains(&job.state))?;
    }
    for outcome in Outcome::ALL {
        let is_so = |job: &Job| job.state == JobState::Complete && job.outcome == Some(*outcome);
        check(Filter { outcome: Some(*outcome), ..all.clone() }, &is_so)?;
    }
    // Page by page, whatever came last on the page before; a sample, since each is a look at the store.
    for known in model.jobs.iter().step_by(5) {
        let id = known.job.id;
        check(Filter { after: Some(id), limit: 2, ..all.clone() }, &|job| job.id < id)?;
        let (org, state) = (&known.job.submission.org, known.job.state);
        let behind = Filter { after: Some(id), org: Some(org.clone()), limit: 2, ..all.clone() };
        check(behind, &|job| job.id < id && job.submission.org == *org)?;
        let behind = Filter { after: Some(id), states: vec![state], limit: 2, ..all.clone() };
        check(behind, &|job| job.id < id && job.state == state)?;
    }
    let instants: BTreeSet<DateTime<Utc>> = model.jobs.iter().map(|known| known.job.received_at).collect();
    for instant in instants {
        check(Filter { since: Some(instant), ..all.clone() }, &|job| job.received_at >= instant)?;
        check(Filter { until: Some(instant), ..all.clone() }, &|job| job.received_at < instant)?;
    }
    Ok(())
}

fn stats(store: &Store, model: &Model) -> Checked {
    let found = store.stats().unwrap();
    let jobs = || model.jobs.iter().map(|known| &known.job);
    let count = |state: JobState| jobs().filter(|job| job.state == state).count() as u64;
    let by_state = JobState::ALL.iter().map(|state| (*state, count(*state))).collect();
    same("counts", &found.by_state, &by_state)?;
    let waiting =
        |org: &OrgCode| jobs().filter(|job| table::waits(job) && job.submission.org == *org).count();
    let lanes: BTreeMap<OrgCode, u64> =
        orgs().map(|org| (org.clone(), waiting(&org) as u64)).filter(|(_, waiting)| *waiting > 0).collect();
    same("lanes", &found.lanes.into_iter().collect(), &lanes)?;
    // Of each lane the job that is first, even if the clock was put back since it came.
    let first = |org: OrgCode| jobs().find(|job| table::waits(job) && job.submission.org == org);
    let oldest = orgs().filter_map(first).map(|job| job.received_at).min();
    same("oldest job that waits", &found.oldest_waiting_at, &oldest)
}

fn inbox(store: &Store, model: &Model, org: &OrgCode) -> Checked {
    let jobs = model.jobs.iter().map(|known| &known.job).filter(|job| job.submission.org == *org);
    let mut expected: Vec<SenderFile> = jobs
        .filter(|job| !job.state.is_final())
        .map(|job| SenderFile {
            name: job.submission.name.as_bytes().to_vec(),
            size_bytes: job.submission.size_bytes,
            modified: job.received_at,
        })
        .collect();
    // Keeps the order of arrival among those of one name.
    expected.sort_by(|one, other| one.name.cmp(&other.name));
    same("inbox", &store.inbox(org).unwrap(), &expected)?;
    for name in expected.iter().map(|file| &file.name) {
        let newest = expected.iter().rfind(|file| file.name == *name);
        let found = store.inbox_entry(org, &UploadName::new(name.clone()).unwrap()).unwrap();
        same("entry of the inbox", &found.as_ref(), &newest)?;
    }
    Ok(())
}

/// The name of an answer in the outbox.
pub(crate) fn answer_name(job: &Job, report: bool) -> Vec<u8> {
    let ending = if report { "report.txt" } else { "response" };
    let name = job.submission.name.as_bytes();
    [name, format!(".{}.{ending}", job.id).as_bytes()].concat()
}

/// The answers that are published and not deleted, and nothing else.
fn outbox(store: &Store, model: &Model, org: &OrgCode) -> Checked {
    let mut expected = BTreeMap::new();
    for known in model.jobs.iter().filter(|known| known.job.submission.org == *org) {
        let Some([response, report]) = known.answers.clone() else { continue };
        if !known.job.response_deleted {
            expected.insert(answer_name(&known.job, false), response);
        }
        if !known.job.report_deleted {
            expected.insert(answer_name(&known.job, true), report);
        }
    }
    let mut found = BTreeMap::new();
    for file in store.outbox(org).unwrap() {
        let content = bytes(store.open_outbox(org, &file.name).unwrap());
        same("length in the outbox", &file.size_bytes, &(content.len() as u64))?;
        same("entry of the outbox", &store.outbox_entry(org, &file.name).unwrap(), &Some(file.clone()))?;
        found.insert(file.name, content);
    }
    same("outbox", &readable(found), &readable(expected))
}

fn readable(files: BTreeMap<Vec<u8>, Vec<u8>>) -> BTreeMap<String, String> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    files.into_iter().map(|(name, content)| (text(name), text(content))).collect()
}

fn staged(store: &Store, model: &Model, org: &OrgCode) -> Checked {
    let found: BTreeMap<Vec<u8>, u64> =
        store.staged(org).unwrap().into_iter().map(|file| (file.name, file.size_bytes)).collect();
    let staged = model.staged.iter().filter(|((of, _), _)| of == org);
    let expected: BTreeMap<Vec<u8>, u64> =
        staged.map(|((_, name), body)| (name.as_bytes().to_vec(), body.len() as u64)).collect();
    same("staged", &found, &expected)
}

/// What closes the gate, and whether it is closed, now and a while before and after.
fn gate(store: &Store, model: &Model) -> Checked {
    let found = store.maintenance();
    same("windows", &found.calendar, &model.gate.calendar)?;
    same("overrides", &found.overrides, &model.gate.overrides)?;
    same("what staff did", &found.history, &model.gate.history)?;
    let standing = |holds| GateModel::standing(holds, model.now);
    same("holds", &standing(&found.holds), &standing(&model.gate.holds))?;
    for org in orgs().map(Some).chain([None]) {
        same("gate", &store.gate(org.as_ref()), &model.gate.at(model.now, org.as_ref()))?;
        for minutes in [-90, -1, 1, 90] {
            let then = model.now + TimeDelta::minutes(minutes);
            let expected = model.gate.at(then, org.as_ref()).state;
            same("gate at another time", &found.gate_now(then, org.as_ref()).state, &expected)?;
        }
    }
    Ok(())
}

fn bytes(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}
