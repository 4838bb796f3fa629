//! The words of announcements: templates that staff may replace one by one.
//!
//! Invariant: a template that says something unknown is an error with its file, line and what to do, never an
//! announcement with a hole. What is built in is tried by a test, what staff wrote by `check-config`: each with every
//! state.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use tidegate_domain::maintenance::UNAVAILABLE;

use crate::config::NoticesConfig;
use crate::words::{length, local, utc};
use crate::{Channels, Event, Notice, State};

/// The templates that come with the program: file name and text.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("subject.txt", include_str!("templates/subject.txt")),
    ("notice.txt", include_str!("templates/notice.txt")),
    ("notice.html", include_str!("templates/notice.html")),
];

/// Longest template that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// Steps that a template may take: one that never ends is an error, too.
const FUEL: u64 = 1_000_000;

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// One line: the subject of mails and the title in calendars.
    Subject,
    /// For mails and calendars.
    Text,
    /// For mails and web pages.
    Html,
}

/// A template that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}", file.display(), line.map_or_else(String::new, |line| format!(" line {line}")))]
pub struct TemplateError {
    /// The file, or the name of the built-in one.
    pub file: PathBuf,
    /// Where, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

/// What stands in a notice besides the occurrence.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    directory: Option<PathBuf>,
    replaced: Vec<&'static str>,
    registry: String,
    contacts: Vec<String>,
    channels: Channels,
}

/// What templates may say; docs/operations/maintenance.md tells of each.
#[derive(Debug, Serialize)]
struct Words<'a> {
    registry: &'a str,
    contacts: &'a [String],
    doors: &'a str,
    web: bool,
    web_pages: bool,
    status_page: Option<&'a str>,
    unavailable: &'static str,
    state: &'static str,
    window: &'a str,
    reason: &'a str,
    why: &'a str,
    everyone: bool,
    orgs: &'a [String],
    recipients: &'a [String],
    #[serde(flatten)]
    times: Times,
    before: Option<Times>,
}

#[derive(Debug, Serialize)]
struct Times {
    start: String,
    end: String,
    start_utc: String,
    end_utc: String,
    length: String,
}

impl Times {
    fn of(event: &Event) -> Self {
        Self {
            start: local(event.start, event.timezone),
            end: local(event.end, event.timezone),
            start_utc: utc(event.start),
            end_utc: utc(event.end),
            length: length(event.end - event.start),
        }
    }
}

impl Page {
    const fn file(self) -> &'static str {
        match self {
            Self::Subject => "subject.txt",
            Self::Text => "notice.txt",
            Self::Html => "notice.html",
        }
    }
}

impl Templates {
    /// The built-in templates and those that replace them.
    pub fn load(config: &NoticesConfig, channels: Channels) -> Result<Self, Vec<TemplateError>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_keep_trailing_newline(true);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|name| {
            if Path::new(name).extension().is_some_and(|extension| extension == "html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        let mut templates = Self {
            environment,
            directory: config.templates.clone(),
            replaced: Vec::new(),
            registry: config.registry.clone(),
            contacts: config.contacts.clone(),
            channels,
        };
        let wrong: Vec<_> = BUILT_IN.iter().filter_map(|built_in| templates.add(built_in).err()).collect();
        if wrong.is_empty() { Ok(templates) } else { Err(wrong) }
    }

    fn add(&mut self, (name, built_in): &(&'static str, &'static str)) -> Result<(), TemplateError> {
        let replacement = self.replacement(name)?;
        if replacement.is_some() {
            self.replaced.push(name);
        }
        let text = replacement.unwrap_or_else(|| (*built_in).to_owned());
        self.environment.add_template_owned(*name, text).map_err(|error| self.error(name, &error))
    }

    fn replacement(&self, name: &str) -> Result<Option<String>, TemplateError> {
        let Some(directory) = &self.directory else { return Ok(None) };
        let path = directory.join(name);
        let failed = |what: String| TemplateError { file: path.clone(), line: None, what };
        match path.metadata() {
            Ok(metadata) if metadata.len() > BYTES_MAX => Err(failed("is longer than 1 MiB".to_owned())),
            Ok(_) => {
                std::fs::read_to_string(&path).map(Some).map_err(|e| failed(format!("can't be read: {e}")))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && directory.is_dir() => Ok(None),
            Err(error) => Err(failed(format!("can't be read: {error}"))),
        }
    }

    fn error(&self, name: &str, error: &minijinja::Error) -> TemplateError {
        // An error in what a template includes names that.
        let name = error.name().unwrap_or(name);
        let directory = self.directory.as_ref().filter(|_| self.replaced.contains(&name));
        let file = directory.map_or_else(|| name.into(), |directory| directory.join(name));
        let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
        TemplateError { file, line: error.line(), what: format!("{}{detail}", error.kind()) }
    }

    /// One text of a notice. `recipients` names the organizations that it goes to, if it goes to some.
    pub fn render(
        &self,
        page: Page,
        notice: &Notice,
        recipients: &[String],
    ) -> Result<String, TemplateError> {
        let name = page.file();
        let event = &notice.event;
        let words = Words {
            registry: &self.registry,
            contacts: &self.contacts,
            doors: &self.channels.doors,
            web: self.channels.web_service,
            web_pages: self.channels.web_pages,
            status_page: self.channels.status_page.as_deref(),
            unavailable: UNAVAILABLE,
            state: notice.state.name(),
            window: &event.window,
            reason: &event.reason,
            why: &notice.why,
            everyone: event.orgs.is_none(),
            orgs: event.orgs.as_deref().unwrap_or_default(),
            recipients,
            times: Times::of(event),
            before: notice.before.as_ref().map(Times::of),
        };
        let template = self.environment.get_template(name);
        let rendered = template.and_then(|template| template.render(words));
        let text = rendered.map_err(|error| self.error(name, &error))?;
        Ok(if page == Page::Subject { one_line(&text) } else { text })
    }

    /// What is wrong with the templates that shows only when they are used: each is tried with every state.
    pub fn check(&self) -> Vec<TemplateError> {
        let mut found: Vec<TemplateError> = Vec::new();
        for notice in State::ALL.into_iter().flat_map(examples) {
            for page in [Page::Subject, Page::Text, Page::Html] {
                let recipients = if notice.before.is_some() { vec!["ACME01".to_owned()] } else { Vec::new() };
                let error = self.render(page, &notice, &recipients).err();
                found.extend(error.filter(|error| !found.contains(error)));
            }
        }
        found
    }
}

/// Notices with as little and with as much in them as there may be.
fn examples(state: State) -> [Notice; 2] {
    let start = DateTime::UNIX_EPOCH;
    let event = Event {
        window: "example".to_owned(),
        start,
        end: start + TimeDelta::hours(5),
        timezone: Tz::America__Chicago,
        reason: String::new(),
        orgs: None,
    };
    let little = Notice { uid: String::new(), sequence: 0, state, event, before: None, why: String::new() };
    let mut much = Notice { before: Some(little.event.clone()), why: "why".to_owned(), ..little.clone() };
    "reason".clone_into(&mut much.event.reason);
    much.event.orgs = Some(vec!["county-*".to_owned()]);
    [little, much]
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
