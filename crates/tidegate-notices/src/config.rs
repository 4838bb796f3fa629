//! The section `[notices]` of the configuration file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What announcements say besides the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoticesConfig {
    /// What the registry is called.
    pub registry: String,
    /// Whom senders may ask, a line each.
    pub contacts: Vec<String>,
    /// Whether windows also stop a web service and web pages, here or elsewhere.
    pub web: bool,
    /// A directory with templates that replace built-in ones of the same name; relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<PathBuf>,
}

impl Default for NoticesConfig {
    fn default() -> Self {
        Self { registry: "The registry".to_owned(), contacts: Vec::new(), web: true, templates: None }
    }
}

impl NoticesConfig {
    /// What is wrong with values that are right in themselves: key and message.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.registry.trim().is_empty() || self.registry.chars().any(char::is_control) {
            found.push(("registry", "write the registry's name, on one line".to_owned()));
        }
        if self.contacts.iter().any(|line| line.chars().any(char::is_control)) {
            found.push(("contacts", "write each contact on one line of its own".to_owned()));
        }
        found
    }
}
