//! What became of the files that waited for the end of a window.
//!
//! Invariant: it is computed from jobs and their histories when it is asked for, and holds numbers and codes of
//! organizations alone. One job is in memory at a time.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use tidegate_domain::OrgCode;
use tidegate_domain::job::Backlog;
use tidegate_domain::maintenance::{Occurrence, OccurrenceState, occurrences};
use tidegate_store::{Filter, Store, StoreError};

use super::Control;
use super::extract::Parameters;
use super::failure::Failure;
use super::status::blocking;
use crate::api::{BacklogView, OccurrenceView, OrgBacklogView, ReportView};

/// How long before a window files are looked for that waited for its end.
const WAITED_MAX: TimeDelta = TimeDelta::days(30);

/// How far back the last occurrence of a window is looked for: a year and a month.
const LOOKED_BACK: TimeDelta = TimeDelta::days(396);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportQuery {
    name: String,
    occurrence: Option<NaiveDate>,
}

pub(super) async fn show(
    State(control): State<Control>,
    Parameters(query): Parameters<ReportQuery>,
) -> Result<Json<ReportView>, Failure> {
    let now = control.now();
    let occurrence = find(&control.store, &query, now)?;
    Ok(Json(blocking(move || report(&control.store, &occurrence, now)).await??))
}

/// The occurrence that is meant: the running one, else the last.
fn find(store: &Store, query: &ReportQuery, now: DateTime<Utc>) -> Result<Occurrence, Failure> {
    let maintenance = store.maintenance();
    if !maintenance.calendar.has_window(&query.name) {
        return Err(Failure::not_found(format!("there is no window named {:?}", query.name))
            .hint("`tidegate maintenance list` shows windows and holds"));
    }
    let day = |date: NaiveDate| date.and_time(chrono::NaiveTime::MIN).and_utc();
    // Some zone is a day ahead of UTC, another a day behind.
    let around = |date: NaiveDate| (day(date) - TimeDelta::days(1), day(date) + TimeDelta::days(3));
    let (from, to) = query.occurrence.map_or((now - LOOKED_BACK, now), around);
    let is_meant = |one: &Occurrence| {
        let date = one.start.with_timezone(&one.zone).date_naive();
        one.window == query.name
            && one.start <= now
            && one.state != OccurrenceState::Skipped
            && query.occurrence.is_none_or(|wanted| date == wanted)
    };
    let found = occurrences(&maintenance.calendar, &maintenance.overrides, from, to, now);
    found.into_iter().rfind(is_meant).ok_or_else(|| {
        Failure::not_found(format!("no such occurrence of {:?} has begun", query.name))
            .hint("`tidegate maintenance list` shows when windows are")
    })
}

/// What became of the files that waited when `occurrence` ended, or that wait at `now` if it runs. Blocks for a look
/// at every job of the last 30 days before it.
pub fn report(store: &Store, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<ReportView, StoreError> {
    let end = occurrence.end.min(now);
    let mut by_org = BTreeMap::<OrgCode, Backlog>::new();
    let since = Some(occurrence.start - WAITED_MAX);
    store.visit(&Filter { since, limit: usize::MAX, ..Filter::default() }, |job| {
        let org = &job.submission.org;
        let may_have_waited = job.received_at < end && job.finished_at.is_none_or(|at| end <= at);
        if may_have_waited && occurrence.scope.covers(Some(org)) {
            let history = match store.history(job.id) {
                // Retention took it since.
                Err(StoreError::UnknownJob) => return Ok(()),
                history => history?,
            };
            by_org.entry(org.clone()).or_default().add(&job, &history, end, now);
        }
        Ok(())
    })?;
    by_org.retain(|_, backlog| backlog.files > 0);
    let mut all = Backlog::default();
    for backlog in by_org.values() {
        all.plus(backlog);
    }
    let of_org =
        |(org, backlog): (OrgCode, Backlog)| OrgBacklogView { org, backlog: BacklogView::new(&backlog, end) };
    Ok(ReportView {
        at: now,
        occurrence: OccurrenceView::from(occurrence),
        all: BacklogView::new(&all, end),
        orgs: by_org.into_iter().map(of_org).collect(),
    })
}
