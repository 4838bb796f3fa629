//! What senders were told, beside what can be found afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidegate_hl7::sample;

use crate::rig::{Server, Site};

/// One upload whose sender read 226.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    pub(crate) org: &'static str,
    pub(crate) name: String,
    /// Seeds of its messages; see [`content`].
    pub(crate) seeds: [u64; 2],
}

/// Two messages that no other upload has.
pub(crate) fn content(seeds: [u64; 2]) -> Vec<u8> {
    sample::file(&seeds[0].to_string(), &seeds.map(sample::message))
}

/// Each acknowledged upload is exactly once among the jobs, has its response, and its messages were
/// delivered exactly once. Uploads that were not acknowledged may have been accepted all the same, when
/// the kill took only the reply: but not twice. A file that was accepted and not yet removed from its watched
/// folder comes again as a duplicate, which does not count.
pub(crate) fn check(site: &Site, server: &Server, ledger: &[Acknowledged]) {
    let jobs = jobs_by_name(site);
    let delivered = delivered(site);
    for upload in ledger {
        let of_name = jobs.get(&upload.name).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(of_name.len(), 1, "{upload:?}: {of_name:?}");
        assert_eq!(of_name[0]["outcome"], "accepted", "{upload:?}: {}", of_name[0]);
        for seed in upload.seeds {
            assert_eq!(delivered.get(&format!("SAMPLE-{seed}")), Some(&1), "{upload:?}");
        }
    }
    assert!(jobs.values().all(|jobs| jobs.len() == 1), "a job stands twice");
    assert!(delivered.values().all(|times| *times == 1), "a message was delivered twice");
    for org in ["a", "b"] {
        let outbox: BTreeSet<String> =
            server.log_in(org).nlst(Some("/outbox")).unwrap().into_iter().collect();
        for upload in ledger.iter().filter(|upload| upload.org == org) {
            let id = jobs[&upload.name][0]["id"].as_str().unwrap();
            let response = format!("{}.{id}.response", upload.name);
            assert!(outbox.contains(&response), "no {response} in the outbox");
        }
    }
}

fn jobs_by_name(site: &Site) -> BTreeMap<String, Vec<Value>> {
    let mut jobs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let comes_again = |job: &Value| job["protocol"] == "folder" && job["state"] == "duplicate";
    for job in site.jobs().into_iter().filter(|job| !comes_again(job)) {
        jobs.entry(job["name"].as_str().unwrap().to_owned()).or_default().push(job);
    }
    jobs
}

/// Control ids of the delivered messages and how often each was delivered.
pub(crate) fn delivered(site: &Site) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for org in ["A", "B"] {
        for name in site.files(&format!("delivered/{org}")) {
            // A message that is being written has a hidden name.
            if name.starts_with('.') {
                continue;
            }
            let bytes = std::fs::read(site.path("data/delivered").join(org).join(name)).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            let id = text.split('|').nth(9).unwrap().to_owned();
            *times.entry(id).or_default() += 1;
        }
    }
    times
}
