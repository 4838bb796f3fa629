//! Uploads that wait for a rename or a sidecar that does not seem to come.

use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use crate::environment::Finding;
use crate::render::{Screen, length, plural};

/// Senders rename at once; a day after the upload it is gone.
const WAIT_MAX: TimeDelta = TimeDelta::hours(2);

/// Organizations whose staged uploads were left behind, by what lies below `data_dir`. What can't be looked at is told
/// elsewhere.
pub(super) fn staged(data_dir: &Path, screen: &Screen) -> Vec<Finding> {
    let Ok(orgs) = fs::read_dir(data_dir.join("staged")) else { return Vec::new() };
    let mut orgs: Vec<_> = orgs.filter_map(Result::ok).map(|org| org.path()).collect();
    orgs.sort();
    orgs.iter().filter_map(|org| left_behind(org, screen)).collect()
}

fn left_behind(org: &Path, screen: &Screen) -> Option<Finding> {
    let written_at =
        |entry: fs::DirEntry| Some(DateTime::<Utc>::from(entry.metadata().ok()?.modified().ok()?));
    let times = fs::read_dir(org).ok()?.filter_map(|entry| written_at(entry.ok()?));
    let (mut count, mut oldest) = (0, None);
    for at in times.filter(|at| screen.now - *at > WAIT_MAX) {
        count += 1;
        oldest = oldest.into_iter().chain([at]).min();
    }
    let (code, age) = (org.file_name()?.to_string_lossy(), length(screen.now - oldest?));
    let (uploads, wait) = (plural(count, "upload"), if count == 1 { "waits" } else { "wait" });
    Some(Finding::warning(
        format!("{uploads} of {code} {wait} for a rename or a sidecar, the oldest for {age}: not submitted"),
        format!("ask {code} to finish what lies in {}: a day after its upload it is removed", org.display()),
    ))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn uploads_that_were_left_behind_are_counted_and_not_named() {
        let dir = tempfile::tempdir().unwrap();
        let screen = Screen::test();
        assert_eq!(staged(dir.path(), &screen), []);
        for (name, hours) in [("ACME01/smith.tmp", 23), ("ACME01/jones.tmp", 3), ("BURL01/new.tmp", 1)] {
            let path = dir.path().join("staged").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = fs::File::create(&path).unwrap();
            file.set_modified(SystemTime::from(screen.now - TimeDelta::hours(hours))).unwrap();
        }
        let found = staged(dir.path(), &screen);
        let what: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
        let expected =
            "2 uploads of ACME01 wait for a rename or a sidecar, the oldest for 23 h: not submitted";
        assert_eq!(what, [expected]);
    }
}
