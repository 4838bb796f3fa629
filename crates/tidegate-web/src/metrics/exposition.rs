//! What `/metrics` tells.
//!
//! Everything is looked up when it is asked for, so that no number can be out of step.

use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use chrono::{DateTime, Utc};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tidegate_domain::maintenance::{CauseKind, GateState};
use tidegate_store::Stats;

use crate::control::{Control, Failure, blocking};

const OPENMETRICS: [(HeaderName, &str); 1] =
    [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];

/// Seconds, bytes and rates.
type Number = Gauge<f64, AtomicU64>;

/// One label for each value.
type By<M> = Family<Vec<(&'static str, String)>, M>;

pub(super) async fn metrics(
    State(control): State<Control>,
) -> Result<([(HeaderName, &'static str); 1], String), Failure> {
    let told = blocking(move || told(&control)).await??;
    Ok((OPENMETRICS, told))
}

/// Blocks for a look at the index and at the disk.
fn told(control: &Control) -> Result<String, Failure> {
    let mut registry = Registry::with_prefix("tidegate");
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    by(&mut registry, "build_info", "The running version", [(version, 1)]);
    queue(&mut registry, &control.store.stats()?, control.now());
    gate(&mut registry, control);
    doors(&mut registry, control);
    if let Ok(free) = control.store.free_bytes() {
        let help = "Bytes that uploads may still take before they are refused";
        number(&mut registry, "free", help, Unit::Bytes, free);
    }
    let problems = control.site.problems().len();
    count(&mut registry, "configuration_problems", "What is wrong with files of the configuration", problems);
    let mut told = String::new();
    // Writing into a text never fails.
    let _ = text::encode(&mut told, &registry);
    Ok(told)
}

fn queue(registry: &mut Registry, stats: &Stats, now: DateTime<Utc>) {
    let in_state = stats.by_state.iter().map(|(state, jobs)| (vec![("state", state.to_string())], *jobs));
    by(registry, "jobs", "Jobs in each state", in_state);
    let lanes = stats.lanes.iter().map(|(org, waiting)| (vec![("org", org.to_string())], *waiting));
    by(registry, "jobs_waiting", "Jobs that wait, of each organization that has some", lanes);
    let oldest = stats.oldest_waiting_at.map_or(0, |since| (now - since).num_seconds().max(0).unsigned_abs());
    number(
        registry,
        "oldest_waiting",
        "How long the oldest job has waited; 0 if none does",
        Unit::Seconds,
        oldest,
    );
    let rate = Number::default();
    rate.set(stats.finished_per_s);
    registry.register("drain_files_per_second", "Files finished in a second, of late", rate);
}

fn gate(registry: &mut Registry, control: &Control) {
    let gate = control.gate(None).gate;
    let is_open = usize::from(gate.state == GateState::Open);
    count(
        registry,
        "gate_open",
        "1 while files are processed, 0 while the gate is closed for everyone",
        is_open,
    );
    let kinds =
        [(CauseKind::Window, "window"), (CauseKind::Hold, "hold"), (CauseKind::Downstream, "downstream")];
    let causes = kinds.map(|(kind, name)| {
        let causes = gate.causes.iter().filter(|cause| cause.kind == kind).count();
        (vec![("kind", name.to_owned())], causes as u64)
    });
    by(registry, "gate_causes", "What closes the gate for everyone", causes);
    if let Some(until) = gate.until {
        let help = "When the gate opens again; absent while it is open or nobody knows";
        number(
            registry,
            "gate_until_timestamp",
            help,
            Unit::Seconds,
            until.timestamp().max(0).unsigned_abs(),
        );
    }
}

fn doors(registry: &mut Registry, control: &Control) {
    let site = &control.site;
    count(registry, "sessions", "Senders that are logged in", site.sessions());
    count(registry, "bans", "Addresses that are banned for failed logins", site.bans().len());
    if let Some(expires_at) = site.certificate_expires_at() {
        let seconds = expires_at.timestamp().max(0).unsigned_abs();
        number(
            registry,
            "certificate_expiry_timestamp",
            "When the certificate expires",
            Unit::Seconds,
            seconds,
        );
    }
    let events = By::<Counter>::default();
    for told in site.events() {
        let labels = vec![("protocol", told.protocol.to_owned()), ("event", told.event.to_owned())];
        events.get_or_create(&labels).inc_by(told.count);
    }
    registry.register("events", "What happened at the doors since the start, as in the audit log", events);
}

fn by(
    registry: &mut Registry,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Vec<(&'static str, String)>, u64)>,
) {
    let family = By::<Gauge>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
    }
    registry.register(name, help, family);
}

fn count(registry: &mut Registry, name: &str, help: &str, value: usize) {
    let gauge = Gauge::<i64>::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    registry.register(name, help, gauge);
}

fn number(registry: &mut Registry, name: &str, help: &str, unit: Unit, value: u64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    registry.register_with_unit(name, help, unit, gauge);
}
