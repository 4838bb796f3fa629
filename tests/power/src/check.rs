//! Compares a drained server with the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::ledger::{Entry, Ledger, Told};
use crate::server::{Server, log_in};
use crate::site::{ORGS, Site};
use crate::upload::Upload;

/// What is not as it was promised.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<String>);

impl Problems {
    pub(crate) fn expect(&mut self, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.0.push(words());
        }
    }
}

/// Every check. An upload that was acknowledged is one job with its bytes, accepted, answered and
/// delivered once. One that was only begun may be a job, then a whole one, or none; nothing else is.
pub(crate) fn all(site: &Site, server: &Server, ledger: &Ledger, problems: &mut Problems) -> Result<()> {
    let jobs = jobs_by_name(site)?;
    for name in jobs.keys() {
        let begun = Upload::of_name(name).is_some_and(|it| ledger.uploads.contains_key(&it.0));
        problems.expect(begun, || format!("{name} is a job and was never begun"));
    }
    let outboxes = outboxes(server)?;
    let mut delivered = delivered(site)?;
    for (number, entry) in &ledger.uploads {
        let upload = Upload(*number);
        let jobs = jobs.get(&upload.name()).map(Vec::as_slice).unwrap_or_default();
        match jobs {
            [] => problems.expect(entry.accepted != Told::Yes, || format!("{}: LOST", words(upload, entry))),
            [job] => {
                job_is_right(job, upload, entry, problems);
                answer_is_right(site, &outboxes, job, upload, entry, problems)?;
                is_delivered_once(&mut delivered, upload, entry, problems);
            }
            _ => problems.expect(false, || format!("{}: {} jobs", words(upload, entry), jobs.len())),
        }
    }
    problems.expect(delivered.is_empty(), || format!("delivered and nobody's: {:?}", delivered.keys()));
    store_is_right(site, problems)
}

fn words(upload: Upload, entry: &Entry) -> String {
    let size = if upload.is_long() { "long" } else { "short" };
    let fetched = if entry.fetched.is_some() { ", response fetched" } else { "" };
    format!("{} of {} ({size}, accepted: {:?}{fetched})", upload.name(), entry.org, entry.accepted)
}

fn jobs_by_name(site: &Site) -> Result<BTreeMap<String, Vec<Value>>> {
    let listed = site.json(&["queue", "list", "--limit", "100000", "--json"])?;
    let mut jobs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for job in listed.as_array().context("no list of jobs")? {
        let name = job["name"].as_str().context("a job without a name")?;
        jobs.entry(name.to_owned()).or_default().push(job.clone());
    }
    Ok(jobs)
}

fn job_is_right(job: &Value, upload: Upload, entry: &Entry, problems: &mut Problems) {
    for (key, expected) in [
        ("org", entry.org.to_owned()),
        ("sha256", upload.sha256()),
        ("state", "complete".to_owned()),
        ("outcome", "accepted".to_owned()),
    ] {
        problems.expect(job[key] == expected, || format!("{}: {key} is {}", words(upload, entry), job[key]));
    }
}

/// What senders see in their outboxes.
fn outboxes(server: &Server) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for org in ORGS {
        names.extend(log_in(server.ftp, org)?.nlst(Some("/outbox"))?);
    }
    Ok(names)
}

/// The response is there, whole, and the one that was fetched before; or it was deleted and stays so.
fn answer_is_right(
    site: &Site,
    outboxes: &BTreeSet<String>,
    job: &Value,
    upload: Upload,
    entry: &Entry,
    problems: &mut Problems,
) -> Result<()> {
    let id = job["id"].as_str().context("a job without an id")?;
    let name = format!("{}.{id}.response", upload.name());
    let is_there = outboxes.contains(&name);
    match entry.deleted {
        Told::Yes => {
            problems.expect(!is_there, || format!("{}: the deleted response is back", words(upload, entry)));
        }
        Told::Begun => {}
        Told::No => problems.expect(is_there, || format!("{}: no response", words(upload, entry))),
    }
    let path = site.data(&format!("orgs/{}/archive/{id}.response", entry.org));
    let Ok(bytes) = fs::read(path) else {
        problems.expect(false, || format!("{}: staff have no response", words(upload, entry)));
        return Ok(());
    };
    let text = String::from_utf8_lossy(&bytes);
    for (control_id, _) in upload.messages() {
        let acknowledged = text.contains(&format!("MSA|AA|{control_id}"));
        problems.expect(acknowledged, || format!("{}: response not whole", words(upload, entry)));
    }
    let same = entry.fetched.as_ref().is_none_or(|fetched| fetched[..] == bytes[..]);
    problems.expect(same, || format!("{}: not the response that was fetched", words(upload, entry)));
    if is_there {
        let published = fs::read(site.data(&format!("orgs/{}/outbox/{name}", entry.org)))?;
        problems.expect(published == bytes, || format!("{}: two responses", words(upload, entry)));
    }
    Ok(())
}

/// Delivered messages by control id; files that are being written have hidden names.
fn delivered(site: &Site) -> Result<BTreeMap<String, Vec<Vec<u8>>>> {
    let mut messages: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for org in ORGS {
        let Ok(entries) = fs::read_dir(site.data(&format!("delivered/{org}"))) else { continue };
        for entry in entries {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                let bytes = fs::read(entry.path())?;
                let control_id = bytes.split(|byte| *byte == b'|').nth(9).unwrap_or_default();
                let control_id = String::from_utf8_lossy(control_id).into_owned();
                messages.entry(control_id).or_default().push(bytes);
            }
        }
    }
    Ok(messages)
}

fn is_delivered_once(
    delivered: &mut BTreeMap<String, Vec<Vec<u8>>>,
    upload: Upload,
    entry: &Entry,
    problems: &mut Problems,
) {
    for (control_id, message) in upload.messages() {
        let found = delivered.remove(&control_id).unwrap_or_default();
        problems.expect(found.len() == 1, || {
            format!("{}: {control_id} delivered {} times", words(upload, entry), found.len())
        });
        problems.expect(found.iter().all(|bytes| *bytes == message), || {
            format!("{}: {control_id} delivered with other bytes", words(upload, entry))
        });
    }
}

/// The store finds nothing wrong with itself, and the log of the start has no error.
fn store_is_right(site: &Site, problems: &mut Problems) -> Result<()> {
    if let Err(error) = site.run(&["store", "verify"]) {
        problems.0.push(format!("store verify: {error:#}"));
    }
    let log = fs::read_to_string(site.log())?;
    // A full disk has no room for the audit log either, unless its last block has: that is said, and is no fault.
    let is_error = |line: &&str| line.contains("ERROR") && !line.contains("audit log not written");
    let errors = log.lines().filter(is_error);
    problems.0.extend(errors.map(|line| format!("log: {line}")));
    Ok(())
}
