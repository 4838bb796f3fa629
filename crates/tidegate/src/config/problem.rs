//! What is wrong with a configuration, for people: all of it at once.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// Line in the file, from 1.
    pub(crate) line: Option<usize>,
    /// Path of the key, such as `ftp.listen`; empty where there is none.
    pub(crate) key: String,
    /// What is wrong, and what is expected.
    pub(crate) message: String,
}

/// All mistakes of one file; never empty when returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problems {
    /// The file.
    pub(crate) file: PathBuf,
    /// In the order of its lines.
    pub(crate) problems: Vec<Problem>,
}

impl Problems {
    /// Each in a line of its own, with the file's name.
    pub(crate) fn lines(&self) -> Vec<String> {
        let file = self.file.display();
        let place = |problem: &Problem| problem.line.map_or_else(String::new, |line| format!(":{line}"));
        self.problems
            .iter()
            .map(|problem| format!("{file}{}: {}: {}", place(problem), problem.key, problem.message))
            .collect()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [Problem { line: None, key, message }] = self.problems.as_slice()
            && key.is_empty()
        {
            return write!(f, "{} {message}", self.file.display());
        }
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{} has {count} {noun}:", self.file.display())?;
        let width = self.problems.iter().map(|problem| problem.key.len()).max().unwrap_or(0);
        for problem in &self.problems {
            let line = problem.line.map_or_else(String::new, |line| format!("line {line}"));
            write!(f, "\n  {line:<9} {:<width$}  {}", problem.key, problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
