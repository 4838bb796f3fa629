//! The books: what is there, what of it is durable, and what pends between the two.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Call;

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    Directory,
    /// A file, by the number of its content.
    File(u64),
}

/// A name and what it stands for from now on.
pub(super) type Named = (PathBuf, Option<Thing>);

/// What names stand for. A change that was made before the one that is shown already does not count
/// any more, in whatever order they become durable.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(BTreeMap<PathBuf, (u64, Option<Thing>)>);

/// Names that change together or not at all.
#[derive(Debug, Clone)]
pub(super) struct NameChange {
    number: u64,
    pub(super) names: Vec<Named>,
}

/// A change of a file's bytes that is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum ByteChange {
    Write { at: usize, bytes: Vec<u8> },
    Cut(usize),
}

#[derive(Debug, Default)]
pub(super) struct Content {
    /// As it reads.
    pub(super) now: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) pending: Vec<ByteChange>,
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) root: PathBuf,
    apart: Vec<PathBuf>,
    changes: u64,
    pub(super) now: Names,
    pub(super) durable: Names,
    pub(super) pending: Vec<NameChange>,
    pub(super) contents: HashMap<u64, Content>,
}

impl Record {
    pub(super) fn of(root: &Path, apart: &[&str]) -> io::Result<Self> {
        let mut record = Self {
            root: root.to_owned(),
            apart: apart.iter().map(|name| root.join(name)).collect(),
            changes: 0,
            now: Names::default(),
            durable: Names::default(),
            pending: Vec::new(),
            contents: HashMap::new(),
        };
        record.read(root, &mut HashMap::new())?;
        record.sync_all();
        Ok(record)
    }

    /// Takes up what lies in a directory; `known` are contents by inode, as some have several names.
    fn read(&mut self, directory: &Path, known: &mut HashMap<u64, u64>) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt;
        for entry in fs::read_dir(directory)? {
            let (path, metadata) =
                (entry.as_ref().map(fs::DirEntry::path), entry.as_ref().map(fs::DirEntry::metadata));
            let (Ok(path), Ok(metadata)) = (path, metadata) else { continue };
            let metadata = metadata?;
            if metadata.is_dir() {
                self.rename(vec![(path.clone(), Some(Thing::Directory))]);
                if self.keeps(&path.join("x")) {
                    self.read(&path, known)?;
                }
                continue;
            }
            let number = match known.get(&metadata.ino()) {
                Some(number) => *number,
                None => self.new_content(fs::read(&path)?),
            };
            known.insert(metadata.ino(), number);
            self.rename(vec![(path, Some(Thing::File(number)))]);
        }
        Ok(())
    }

    fn keeps(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
            && !self.apart.iter().any(|apart| path.starts_with(apart) && path != apart)
    }

    fn new_content(&mut self, bytes: Vec<u8>) -> u64 {
        let number = self.contents.len() as u64;
        let content = Content { durable: bytes.clone(), now: bytes, pending: Vec::new() };
        self.contents.insert(number, content);
        number
    }

    /// The call, with what it is done to, for people.
    pub(super) fn describe(&self, call: &Call<'_>) -> String {
        let path = match call {
            Call::Create(path)
            | Call::Open(path)
            | Call::MakeDir(path)
            | Call::Remove(path)
            | Call::Sync(path)
            | Call::Write { path, .. }
            | Call::Cut { path, .. }
            | Call::Reserve { path, .. } => path,
            Call::Rename { to, .. } | Call::Link { to, .. } | Call::Exchange { one: to, .. } => to,
            Call::SyncAll => return "everything".to_owned(),
        };
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Notes a call that is going to be made. One that can't succeed changes nothing.
    pub(super) fn note(&mut self, call: &Call<'_>) {
        match call {
            Call::Create(path) => self.create(path),
            Call::Write { path, at, bytes } => {
                let at = usize::try_from(*at).unwrap_or(usize::MAX);
                self.change(path, ByteChange::Write { at, bytes: bytes.to_vec() });
            }
            Call::Cut { path, len } => {
                self.change(path, ByteChange::Cut(usize::try_from(*len).unwrap_or(usize::MAX)));
            }
            Call::MakeDir(path) => self.make_dir(path),
            Call::Rename { from, to } => {
                let (moved, gone) = self.moved(from, to);
                self.rename(gone.chain(moved).collect());
            }
            Call::Exchange { one, other } => {
                let ((there, from_one), (here, from_other)) =
                    (self.moved(one, other), self.moved(other, one));
                self.rename(from_one.chain(from_other).chain(there).chain(here).collect());
            }
            Call::Link { from, to } => {
                if let (Some(thing), None) = (self.now.get(from), self.now.get(to)) {
                    self.rename(vec![(to.to_path_buf(), Some(thing))]);
                }
            }
            Call::Remove(path) => self.rename(self.now.below(path).map(|name| (name, None)).collect()),
            Call::Sync(path) => match self.now.get(path) {
                Some(Thing::File(number)) => {
                    self.contents.get_mut(&number).into_iter().for_each(Content::sync);
                }
                _ => self.sync_names(|name| name.parent() == Some(path)),
            },
            Call::SyncAll => self.sync_all(),
            Call::Open(_) | Call::Reserve { .. } => {}
        }
    }

    /// Notes that what a sync should have written is lost.
    pub(super) fn note_failed_sync(&mut self, call: &Call<'_>) {
        match call {
            Call::Sync(path) => {
                if let Some(content) = self.content(path) {
                    content.lose();
                }
            }
            _ => self.contents.values_mut().for_each(Content::lose),
        }
    }

    /// The names that something has elsewhere, and those that are gone then. A directory takes along what lies
    /// in it.
    fn moved(&self, from: &Path, to: &Path) -> (impl Iterator<Item = Named>, impl Iterator<Item = Named>) {
        let names: Vec<(PathBuf, PathBuf, Thing)> = self
            .now
            .iter()
            .filter_map(|(name, thing)| {
                let below = name.strip_prefix(from).ok()?;
                let target = if below == Path::new("") { to.to_path_buf() } else { to.join(below) };
                Some((name.to_owned(), target, thing))
            })
            .collect();
        let gone: Vec<Named> = names.iter().map(|(name, ..)| (name.clone(), None)).collect();
        (names.into_iter().map(|(_, target, thing)| (target, Some(thing))), gone.into_iter())
    }

    fn create(&mut self, path: &Path) {
        if self.now.get(path).is_some() {
            self.change(path, ByteChange::Cut(0));
        } else if self.keeps(path)
            && path.parent().is_some_and(|home| home == self.root || self.now.get(home).is_some())
        {
            let number = self.new_content(Vec::new());
            self.rename(vec![(path.to_owned(), Some(Thing::File(number)))]);
        }
    }

    fn make_dir(&mut self, path: &Path) {
        let mut missing: Vec<PathBuf> = path
            .ancestors()
            .take_while(|path| *path != self.root && self.keeps(path) && self.now.get(path).is_none())
            .map(Path::to_owned)
            .collect();
        while let Some(path) = missing.pop() {
            self.rename(vec![(path, Some(Thing::Directory))]);
        }
    }

    /// The number of a file's content.
    pub(super) fn number(&self, path: &Path) -> Option<u64> {
        match self.now.get(path)? {
            Thing::File(number) => Some(number),
            Thing::Directory => None,
        }
    }

    /// The numbers of contents with bytes that are not durable.
    pub(super) fn unsynced(&self) -> impl Iterator<Item = u64> {
        let has_bytes = |content: &Content| {
            content.pending.iter().any(|change| matches!(change, ByteChange::Write { .. }))
        };
        self.contents.iter().filter(move |(_, content)| has_bytes(content)).map(|(number, _)| *number)
    }

    fn content(&mut self, path: &Path) -> Option<&mut Content> {
        self.contents.get_mut(&self.number(path)?)
    }

    fn change(&mut self, path: &Path, change: ByteChange) {
        if let Some(content) = self.content(path) {
            change.apply(&mut content.now);
            content.pending.push(change);
        }
    }

    fn rename(&mut self, names: Vec<Named>) {
        self.changes += 1;
        let change = NameChange { number: self.changes, names };
        self.now.apply(&change);
        self.pending.push(change);
    }

    fn sync_all(&mut self) {
        self.sync_names(|_| true);
        self.contents.values_mut().for_each(Content::sync);
    }

    fn sync_names(&mut self, covers: impl Fn(&Path) -> bool) {
        let durable = &mut self.durable;
        self.pending.retain(|change| {
            let is_covered = change.names.iter().any(|(name, _)| covers(name));
            if is_covered {
                durable.apply(change);
            }
            !is_covered
        });
    }
}

impl Names {
    pub(super) fn apply(&mut self, change: &NameChange) {
        for (name, thing) in &change.names {
            let slot = self.0.entry(name.clone()).or_default();
            if slot.0 <= change.number {
                *slot = (change.number, *thing);
            }
        }
    }

    fn get(&self, path: &Path) -> Option<Thing> {
        self.0.get(path).and_then(|(_, thing)| *thing)
    }

    /// What is there, directories before what lies in them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Path, Thing)> {
        self.0.iter().filter_map(|(path, (_, thing))| Some((path.as_path(), (*thing)?)))
    }

    fn below(&self, path: &Path) -> impl Iterator<Item = PathBuf> {
        self.iter().map(|(name, _)| name).filter(move |name| name.starts_with(path)).map(Path::to_owned)
    }
}

impl Content {
    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// The length is not lost: it is one of the file's properties, which a file system that can't write
    /// them stops at.
    fn lose(&mut self) {
        self.pending.retain(|change| matches!(change, ByteChange::Cut(_)));
    }
}

impl ByteChange {
    pub(super) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => overwrite(content, *at, bytes),
            Self::Cut(len) => content.resize(*len, 0),
        }
    }
}

/// Puts bytes into a content, which grows with zeros as far as it must.
pub(super) fn overwrite(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at.saturating_add(bytes.len());
    content.resize(content.len().max(end), 0);
    if let Some(room) = content.get_mut(at..end) {
        room.copy_from_slice(bytes);
    }
}
