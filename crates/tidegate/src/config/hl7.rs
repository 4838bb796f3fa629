//! The section `[hl7]`: code tables that replace those of the program.
//!
//! Invariant: tables are read once, when the configuration is; whatever is wrong with one of them is an error of the
//! configuration, so that no message is ever judged by half a table.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidegate_hl7::Tables;

/// Longest table that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What all organizations share of HL7.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Hl7Config {
    /// Directory with code tables, `NAME.txt`; relative to the file's directory. Tables that it does not hold stay those
    /// that are compiled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tables: Option<PathBuf>,
}

impl Hl7Config {
    /// The tables, or all that is wrong with them.
    pub(super) fn load_tables(&self) -> Result<Arc<Tables>, Vec<String>> {
        let mut tables = Tables::default();
        let Some(directory) = &self.tables else { return Ok(Arc::new(tables)) };
        let files = files(directory)
            .map_err(|error| vec![format!("{} can't be read: {error}", directory.display())])?;
        let mut wrong = Vec::new();
        for (name, path) in files {
            let replaced =
                read(&path).and_then(|text| tables.replace(&name, &text).map_err(|error| error.to_string()));
            if let Err(message) = replaced {
                wrong.push(format!("{}: {message}", path.display()));
            }
        }
        if wrong.is_empty() { Ok(Arc::new(tables)) } else { Err(wrong) }
    }
}

/// The files of a directory that are meant as tables, with their names, in order.
fn files(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        if path.extension().is_some_and(|extension| extension == "txt") {
            found.push((name.unwrap_or_default(), path));
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("can't be read: {error}");
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err("longer than 1 MiB".to_owned());
    }
    fs::read_to_string(path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_replace_tables_and_everything_wrong_with_them_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let config = Hl7Config { tables: Some(folder.path().to_owned()) };
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(config.load_tables().unwrap(), Arc::default(), "an empty directory replaces nothing");
        write("cvx.txt", "date 2026-01-31\n08\n");
        write("README", "not a table");
        let tables = config.load_tables().unwrap();
        assert_eq!(tables.dates().find(|(name, _)| *name == "cvx"), Some(("cvx", "2026-01-31")));
        write("cvx.txt", "08\n");
        write("cvs.txt", "date 2026\n08\n");
        write("mvx.txt", &"x".repeat(2 << 20));
        let wrong = config.load_tables().unwrap_err();
        let told =
            |name: &str, words: &str| wrong.iter().any(|one| one.contains(name) && one.contains(words));
        assert!(told("cvx.txt", "date"), "{wrong:?}");
        assert!(told("cvs.txt", "no rule uses a table of this name"), "{wrong:?}");
        assert!(told("mvx.txt", "1 MiB") && wrong.len() == 3, "{wrong:?}");
        let absent = Hl7Config { tables: Some(folder.path().join("absent")) };
        assert!(absent.load_tables().unwrap_err()[0].contains("can't be read"));
    }
}
