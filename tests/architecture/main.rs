//! The house keeps its rules: who may use whom, and what stands in which document.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Direct dependencies of each crate of the workspace, without those for tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let of = |package: &Value| {
        let normal = package["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"].is_null());
        normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
    };
    packages.map(|package| (package["name"].as_str().unwrap().to_owned(), of(package))).collect()
}

/// The table of allowed edges in `docs/architecture.md`: `| crate | what it is | may use |`.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `tidegate")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, _, uses, ..] = cells.as_slice() else { panic!("an odd row: {line}") };
        let uses = uses.split(',').map(|word| word.trim().trim_matches('`').to_owned());
        rows.insert(
            name.trim_matches('`').to_owned(),
            uses.filter(|word| word.starts_with("tidegate")).collect(),
        );
    }
    rows
}

#[test]
fn crates_use_each_other_as_the_architecture_says() {
    let (found, allowed) = (dependencies(), allowed());
    assert_eq!(found.keys().collect::<Vec<_>>(), allowed.keys().collect::<Vec<_>>(), "crates in the table");
    for (name, uses) in found {
        let edges: BTreeSet<String> = uses.into_iter().filter(|used| used.starts_with("tidegate")).collect();
        let extra: Vec<&String> = edges.difference(&allowed[&name]).collect();
        assert!(extra.is_empty(), "{name} may not use {extra:?}");
    }
}

#[test]
fn each_foreign_engine_is_named_by_one_room_only() {
    // The program names rustls and russh for the senders of its demo alone.
    let homes = [
        ("sled", &["tidegate-store", "tidegate-migrations"][..]),
        ("libunftp", &["tidegate-ingest"]),
        ("tokio-rustls", &["tidegate-ftp", "tidegate-web"]),
        ("rustls", &["tidegate-ingest", "tidegate-notices", "tidegate-worker", "tidegate"]),
        ("unftp-core", &["tidegate-ftp", "tidegate-ingest"]),
        ("russh", &["tidegate-ingest", "tidegate"]),
        ("russh-sftp", &["tidegate-ingest", "tidegate"]),
        ("notify", &["tidegate-ingest"]),
        ("axum", &["tidegate-web"]),
        ("maud", &["tidegate-web"]),
        ("icalendar", &["tidegate-notices"]),
        ("lettre", &["tidegate-notices"]),
        ("minijinja", &["tidegate-notices"]),
        ("ureq", &["tidegate-notices", "tidegate-worker"]),
        ("quick-xml", &["tidegate-soap"]),
        ("clap", &["tidegate"]),
    ];
    for (name, uses) in dependencies() {
        for (engine, homes) in homes {
            assert!(!uses.contains(engine) || homes.contains(&name.as_str()), "{name} may not use {engine}");
        }
    }
}

#[test]
fn the_top_of_the_tree_is_as_promised() {
    for name in ["Cargo.toml", "crates", "migrations", "tests", "docs", "justfile", "LICENSE", "README.md"] {
        assert!(root().join(name).exists(), "{name} is missing");
    }
}

/// Every test that the architecture names for an invariant is there.
#[test]
fn each_invariant_is_held_by_a_test_that_exists() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let named: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Held by: "))
        .flat_map(|rest| rest.split(", "))
        .collect();
    assert!(named.len() >= 8, "each invariant names a test: {named:?}");
    let sources = sources(&root());
    for name in named {
        let name = name.trim_matches(['`', '.']);
        assert!(sources.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}

fn sources(directory: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            all.push_str(&sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    all
}
