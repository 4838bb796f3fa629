//! Reads a TOML document section by section and goes on after a mistake.
//!
//! Invariant: every mistake is reported once, with the path of its key and its line. serde stops at
//! the first error; so the offending key is taken out of a copy and the section is read again, until
//! it can be read. What the values mean together is not checked here.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use super::problem::Problem;
use super::wording::reword;

/// A parsed document from which sections are taken out one after the other.
pub(crate) struct Document<'i> {
    text: &'i str,
    pristine: DeTable<'i>,
    sections: DeTable<'i>,
    problems: Vec<Problem>,
}

impl<'i> Document<'i> {
    /// Parses `text`; what can't be parsed is a problem, the rest is read all the same.
    pub(crate) fn parse(text: &'i str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let problems = errors
            .iter()
            .map(|error| {
                let line = error.span().map(|span| line_of(text, span.start));
                Problem { line, key: String::new(), message: error.message().to_owned() }
            })
            .collect();
        let sections = table.into_inner();
        Self { text, pristine: sections.clone(), sections, problems }
    }

    /// Takes the section or key `name` out; `None` if it is absent or nothing of it can be read.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let pristine = self.sections.remove(name)?;
        let mut value = pristine.clone();
        loop {
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(section) => return Some(section),
                Err(error) => error,
            };
            let span = error.span().unwrap_or_else(|| pristine.span());
            let node = locate(&pristine, name, &span);
            let line = Some(line_of(self.text, span.start));
            self.problems.push(Problem { line, key: node.path, message: reword(error.message()) });
            if node.span == pristine.span() || !remove(value.get_mut(), &node.span) {
                return None;
            }
        }
    }

    /// Like [`Self::take`], with the default of an absent section.
    pub(crate) fn section<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        self.take(name).unwrap_or_default()
    }

    /// Adds a mistake that only shows when values are seen together.
    pub(crate) fn add(&mut self, key: &str, message: String) {
        let line = line_of_path(self.text, &self.pristine, key);
        self.problems.push(Problem { line, key: key.to_owned(), message });
    }

    /// Whether something of the section could not be read.
    pub(crate) fn is_broken(&self, section: &str) -> bool {
        self.problems.iter().any(|problem| {
            let inside = problem.key.strip_prefix(section);
            inside.is_some_and(|inside| inside.is_empty() || inside.starts_with(['.', '[']))
        })
    }

    /// All mistakes, by line; sections that nobody took are unknown ones. `known` names the others.
    pub(crate) fn finish(mut self, known: &[&str]) -> Vec<Problem> {
        for key in self.sections.keys() {
            let message = format!("unknown key; known here: {}", known.join(", "));
            let line = Some(line_of(self.text, key.span().start));
            self.problems.push(Problem { line, key: key.get_ref().to_string(), message });
        }
        self.problems.sort_by_key(|problem| problem.line);
        self.problems
    }
}

/// A value in the document: where it stands and what it is called.
struct Node {
    path: String,
    span: Range<usize>,
    width: usize,
}

/// The innermost value that `span` points to, by its key or by itself.
fn locate(section: &Spanned<DeValue<'_>>, name: &str, span: &Range<usize>) -> Node {
    let mut best = Node { path: name.to_owned(), span: section.span(), width: usize::MAX };
    search(section, name, span, &mut best);
    best
}

fn search(value: &Spanned<DeValue<'_>>, path: &str, span: &Range<usize>, best: &mut Node) {
    match value.get_ref() {
        DeValue::Table(table) => {
            for (key, inner) in table {
                let inner_path = format!("{path}.{}", key.get_ref());
                consider(&key.span(), inner, &inner_path, span, best);
                consider(&inner.span(), inner, &inner_path, span, best);
                search(inner, &inner_path, span, best);
            }
        }
        DeValue::Array(array) => {
            for (index, inner) in array.iter().enumerate() {
                let inner_path = format!("{path}[{index}]");
                consider(&inner.span(), inner, &inner_path, span, best);
                search(inner, &inner_path, span, best);
            }
        }
        _ => {}
    }
}

fn consider(
    place: &Range<usize>,
    value: &Spanned<DeValue<'_>>,
    path: &str,
    span: &Range<usize>,
    best: &mut Node,
) {
    let contains = place.start <= span.start && span.end <= place.end;
    // A list of tables and its first table have the same span: the inner one is meant.
    if contains && place.len() <= best.width {
        *best = Node { path: path.to_owned(), span: value.span(), width: place.len() };
    }
}

/// Takes the innermost value at exactly `span` out; false if there is none.
fn remove(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => {
            if table.iter_mut().any(|(_, inner)| remove(inner.get_mut(), span)) {
                return true;
            }
            let found = table.iter().find(|(_, inner)| inner.span() == *span);
            let key = found.map(|(key, _)| key.get_ref().to_string());
            key.is_some_and(|key| table.remove(key.as_str()).is_some())
        }
        DeValue::Array(array) => {
            if array.iter_mut().any(|inner| remove(inner.get_mut(), span)) {
                return true;
            }
            let mut rest = DeArray::new();
            array.iter().filter(|inner| inner.span() != *span).for_each(|inner| rest.push(inner.clone()));
            let removed = rest.len() < array.len();
            *array = rest;
            removed
        }
        _ => false,
    }
}

/// Line of a key such as `maintenance.window[1].to`, or of the nearest table around it.
fn line_of_path(text: &str, table: &DeTable<'_>, path: &str) -> Option<usize> {
    let mut steps = path.split(['.', '[']).map(|step| step.trim_end_matches(']'));
    let (key, mut value) = table.get_key_value(steps.next()?)?;
    let mut start = key.span().start;
    for step in steps {
        let inner = match value.get_ref() {
            DeValue::Table(table) => table.get_key_value(step).map(|(key, inner)| (key.span(), inner)),
            DeValue::Array(array) => {
                step.parse().ok().and_then(|index: usize| array.get(index)).map(|inner| (inner.span(), inner))
            }
            _ => None,
        };
        let Some((span, inner)) = inner else {
            break;
        };
        (start, value) = (span.start, inner);
    }
    Some(line_of(text, start))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
