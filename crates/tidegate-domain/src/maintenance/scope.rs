//! Whom a window concerns.
//!
//! Invariant: a pattern can only match what can be an organization's code, compared case-sensitively.
//! Whether an organization of that code exists is not known here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::OrgCode;

/// The organizations a window closes the gate for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of them, also those that are added later.
    Everyone,
    /// Those whose code matches one of the patterns.
    Orgs(Vec<OrgPattern>),
}

impl Scope {
    /// Whether it holds `org`; `None` asks about everyone, whom only [`Scope::Everyone`] holds.
    pub fn covers(&self, org: Option<&OrgCode>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Orgs(patterns) => org.is_some_and(|org| patterns.iter().any(|p| p.matches(org))),
        }
    }
}

/// An organization's code in which each `*` stands for any number of characters, such as `county-*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrgPattern(String);

/// A text that is no pattern of organization codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no pattern of organizations: write 1 to {max} characters of A-Z a-z 0-9 - _ and *, \
     such as \"county-*\"", max = OrgPattern::CHARS_MAX
)]
pub struct OrgPatternError(String);

impl OrgPattern {
    /// Longest pattern in characters: a code at its longest, with room for some `*`.
    pub const CHARS_MAX: usize = 40;

    /// Checks a pattern.
    pub fn new(pattern: impl Into<String>) -> Result<Self, OrgPatternError> {
        let pattern = pattern.into();
        let fits = (1..=Self::CHARS_MAX).contains(&pattern.len())
            && pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte));
        if fits { Ok(Self(pattern)) } else { Err(OrgPatternError(pattern)) }
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `org` matches, as a whole.
    pub fn matches(&self, org: &OrgCode) -> bool {
        let code = org.as_str();
        let Some((head, rest)) = self.0.split_once('*') else {
            return self.0 == code;
        };
        let Some(code) = code.strip_prefix(head) else {
            return false;
        };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        code.strip_suffix(tail).is_some_and(|code| has_in_order(code, middle.split('*')))
    }
}

/// Whether the parts stand in `text` one after the other. Taking each at its first place leaves the
/// most room for those that follow.
fn has_in_order<'a>(text: &str, mut parts: impl Iterator<Item = &'a str>) -> bool {
    parts.try_fold(text, |rest, part| rest.split_once(part).map(|(_, after)| after)).is_some()
}

impl fmt::Display for OrgPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for OrgPattern {
    type Error = OrgPatternError;

    fn try_from(pattern: String) -> Result<Self, Self::Error> {
        Self::new(pattern)
    }
}

impl From<OrgPattern> for String {
    fn from(pattern: OrgPattern) -> Self {
        pattern.0
    }
}

impl From<&OrgCode> for OrgPattern {
    fn from(org: &OrgCode) -> Self {
        Self(org.as_str().to_owned())
    }
}
