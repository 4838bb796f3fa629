//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, Result};

use crate::machine::FileSystem;

pub(crate) const USAGE: &str = "\
Cuts the power under tidegate on a disk that forgets, and overloads it; needs root, /dev/fuse, losetup and mkfs.ext4.

  tidegate-power [SCENARIO] [OPTION]...

  cuts             power cuts at random moments [default]
  failing-sync     a disk that fails
  slow-disk        a disk whose flushes take 50 ms
  full-disk        a small disk that fills up
  backlog          many files that wait
  overload         all but the first, one after the other

  --binary PATH    the server [default: target/release/tidegate]
  --images N       images to open, each three ways [default: 21]
  --per-cut N      images of each cut: flushed, received, the rest of some blocks [default: 3]
  --files N        files of the backlog [default: 100000]
  --seed N         repeats the choices of a run
  --at-once N      openings at once [default: 3]
  --no-journal     ext4 without a journal, checked with e2fsck before each boot
  --keep DIR       keeps images that fail there, with their ledger
";

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Cuts,
    FailingSync,
    SlowDisk,
    FullDisk,
    Backlog,
    Overload,
}

impl Scenario {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "cuts" => Self::Cuts,
            "failing-sync" => Self::FailingSync,
            "slow-disk" => Self::SlowDisk,
            "full-disk" => Self::FullDisk,
            "backlog" => Self::Backlog,
            "overload" => Self::Overload,
            _ => return None,
        })
    }
}

/// What a run is told.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) scenario: Scenario,
    pub(crate) binary: PathBuf,
    pub(crate) files: u64,
    pub(crate) images: u64,
    pub(crate) per_cut: u64,
    pub(crate) seed: u64,
    pub(crate) at_once: usize,
    pub(crate) file_system: FileSystem,
    pub(crate) keep: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self {
            scenario: Scenario::Cuts,
            files: 100_000,
            binary: PathBuf::from("target/release/tidegate"),
            images: 21,
            per_cut: 3,
            seed: u64::from(std::process::id()),
            at_once: 3,
            file_system: FileSystem::Journal,
            keep: None,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--binary" => arguments.binary = value(&word, words.next())?,
                "--files" => arguments.files = value(&word, words.next())?,
                "--images" => arguments.images = value(&word, words.next())?,
                "--per-cut" => arguments.per_cut = value::<u64>(&word, words.next())?.max(1),
                "--seed" => arguments.seed = value(&word, words.next())?,
                "--at-once" => arguments.at_once = value(&word, words.next())?,
                "--no-journal" => arguments.file_system = FileSystem::NoJournal,
                "--keep" => arguments.keep = Some(value(&word, words.next())?),
                _ => {
                    let named = Scenario::named(&word);
                    arguments.scenario =
                        named.with_context(|| format!("{word:?} is not understood\n{USAGE}"))?;
                }
            }
        }
        Ok(arguments)
    }
}

fn value<T: FromStr>(option: &str, word: Option<String>) -> Result<T> {
    word.and_then(|word| word.parse().ok()).with_context(|| format!("{option} needs a value\n{USAGE}"))
}
