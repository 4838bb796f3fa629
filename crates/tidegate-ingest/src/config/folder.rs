//! The sections `[[folder]]`.
//!
//! Invariant: no two watched folders share a directory, and none is its own place for responses, so
//! that no file is ever taken twice or taken for an upload that we wrote ourselves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_domain::OrgCode;
use tidegate_domain::units::HumanDuration;

/// A directory into which something else writes an organization's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// The directory; what lies in directories below it is left alone.
    pub path: PathBuf,
    /// Whose files they are.
    pub org: OrgCode,
    /// Where the responses to its files are brought; they stay in the organization's outbox where
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responses: Option<PathBuf>,
    /// How long a file must have stayed as it is before it is taken, if nobody saw its writer close it.
    #[serde(default = "settle")]
    pub settle: HumanDuration,
    /// How often the directory is looked through; the system's notifications only make it quicker.
    #[serde(default = "rescan")]
    pub rescan: HumanDuration,
}

fn settle() -> HumanDuration {
    HumanDuration(Duration::from_secs(30))
}

fn rescan() -> HumanDuration {
    HumanDuration(Duration::from_secs(10))
}

impl FolderConfig {
    /// Most folders that may be watched: each takes a task and a watch of the system.
    pub const FOLDERS_MAX: usize = 1_000;

    /// Everything that makes the sections unusable: the number of the folder, its key, and why.
    pub fn validate(folders: &[Self]) -> Vec<(usize, &'static str, String)> {
        let mut problems = Vec::new();
        for (number, folder) in folders.iter().enumerate() {
            if number == Self::FOLDERS_MAX {
                problems.push((
                    number,
                    "path",
                    format!("at most {} folders can be watched", Self::FOLDERS_MAX),
                ));
                return problems;
            }
            let earlier = folders.get(..number).unwrap_or_default();
            if earlier.iter().any(|other| other.path == folder.path) {
                problems.push((number, "path", "another [[folder]] watches this directory".to_owned()));
            }
            let watched = |path: &Path| folders.iter().any(|other| other.path == path);
            if folder.responses.as_deref().is_some_and(watched) {
                let message =
                    "responses would be taken for uploads there; use a directory that is not watched";
                problems.push((number, "responses", message.to_owned()));
            }
            for (key, time) in [("settle", folder.settle), ("rescan", folder.rescan)] {
                if !(1..=3_600).contains(&time.0.as_secs()) {
                    problems.push((number, key, "use a duration from 1s to 1h".to_owned()));
                }
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Sections {
        folder: Vec<FolderConfig>,
    }

    fn keys(text: &str) -> Vec<(usize, &'static str)> {
        let sections: Sections = toml::from_str(text).unwrap();
        let problems = FolderConfig::validate(&sections.folder);
        problems.into_iter().map(|(number, key, _)| (number, key)).collect()
    }

    #[test]
    fn path_and_organization_are_enough() {
        assert_eq!(keys("[[folder]]\npath = '/srv/a'\norg = 'A'"), []);
    }

    #[test]
    fn no_file_can_be_taken_twice_or_be_our_own() {
        let two = "[[folder]]\npath = '/srv/a'\norg = 'A'\n[[folder]]\npath = '/srv/a'\norg = 'B'\n";
        assert_eq!(keys(two), [(1, "path")]);
        let own = "[[folder]]\npath = '/srv/a'\norg = 'A'\nresponses = '/srv/a'\n";
        assert_eq!(keys(own), [(0, "responses")]);
    }

    #[test]
    fn times_have_bounds() {
        let text = "[[folder]]\npath = '/srv/a'\norg = 'A'\nsettle = '0s'\nrescan = '2h'\n";
        assert_eq!(keys(text), [(0, "settle"), (0, "rescan")]);
    }
}
