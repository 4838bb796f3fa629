//! What a power cut leaves, drawn as a directory.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::random::Random;
use super::record::{ByteChange, Content, NameChange, Names, Record, Thing, overwrite};

/// What of that which was not synced is there after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survivors {
    /// Nothing.
    Nothing,
    /// Everything, as after a kill.
    Everything,
    /// Only what takes something away: removed names, files cut short.
    Losses,
    /// By chance: names in their order, in the order of each directory, or in none; writes whole, torn,
    /// as zeros, or not at all.
    Chance(u64),
}

impl Record {
    pub(super) fn draw(&self, survivors: Survivors, to: &Path) -> io::Result<()> {
        let names = match survivors {
            Survivors::Nothing => self.durable.clone(),
            Survivors::Everything => self.now.clone(),
            Survivors::Losses => {
                self.names_with(|change| change.names.iter().all(|(_, thing)| thing.is_none()))
            }
            Survivors::Chance(seed) => self.names_by_chance(&mut Random::new(seed)),
        };
        self.write(&names, survivors, to)
    }

    fn names_with(&self, mut survives: impl FnMut(&NameChange) -> bool) -> Names {
        let mut names = self.durable.clone();
        for change in self.pending.iter().filter(|change| survives(change)) {
            names.apply(change);
        }
        names
    }

    fn names_by_chance(&self, random: &mut Random) -> Names {
        match random.up_to(2) {
            0 => {
                let mut left = random.up_to(self.pending.len());
                self.names_with(|_| {
                    let survives = left > 0;
                    left = left.saturating_sub(1);
                    survives
                })
            }
            1 => {
                // Each directory keeps a first part of its changes.
                let mut left: HashMap<PathBuf, usize> = HashMap::new();
                self.names_with(|change| {
                    let homes = change.names.iter().filter_map(|(name, _)| name.parent());
                    homes.fold(true, |survives, home| {
                        let left = left.entry(home.to_owned()).or_insert_with(|| random.up_to(8));
                        *left = left.saturating_sub(1);
                        survives && *left > 0
                    })
                })
            }
            _ => self.names_with(|_| random.one_in(2)),
        }
    }

    fn write(&self, names: &Names, survivors: Survivors, to: &Path) -> io::Result<()> {
        let mut drawn: HashMap<u64, PathBuf> = HashMap::new();
        for (path, thing) in names.iter() {
            let Ok(below) = path.strip_prefix(&self.root) else { continue };
            let target = to.join(below);
            // Names in a directory that is lost are lost with it.
            if !target.parent().is_some_and(Path::is_dir) {
                continue;
            }
            match thing {
                Thing::Directory => fs::create_dir(&target)?,
                Thing::File(number) => match (drawn.get(&number), self.contents.get(&number)) {
                    (Some(other), _) => fs::hard_link(other, &target)?,
                    (None, Some(content)) => {
                        fs::write(&target, content.surviving(survivors, number))?;
                        drawn.insert(number, target);
                    }
                    (None, None) => {}
                },
            }
        }
        Ok(())
    }
}

impl Content {
    fn surviving(&self, survivors: Survivors, number: u64) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        match survivors {
            Survivors::Nothing => {}
            Survivors::Everything => bytes.clone_from(&self.now),
            Survivors::Losses => {
                let cuts = self.pending.iter().filter(|change| matches!(change, ByteChange::Cut(_)));
                cuts.for_each(|cut| cut.apply(&mut bytes));
            }
            Survivors::Chance(seed) => {
                let mut random = Random::new(seed ^ number.rotate_right(8));
                self.pending.iter().for_each(|change| change.apply_by_chance(&mut bytes, &mut random));
            }
        }
        bytes
    }
}

impl ByteChange {
    fn apply_by_chance(&self, content: &mut Vec<u8>, random: &mut Random) {
        let Self::Write { at, bytes } = self else {
            if random.one_in(2) {
                self.apply(content);
            }
            return;
        };
        match random.up_to(5) {
            0..=2 => self.apply(content),
            3 => {
                // Torn where a sector or a page ends; the length may tell of more.
                let unit = if random.one_in(2) { 512 } else { 4096 };
                let torn = random.up_to(bytes.len() / unit) * unit;
                overwrite(content, *at, bytes.get(..torn).unwrap_or(bytes));
            }
            4 if content.len() <= *at => overwrite(content, *at, &vec![0; bytes.len()]),
            _ => {}
        }
    }
}
