//! Which jobs staff mean.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidegate_domain::OrgCode;
use tidegate_domain::job::{JobState, Outcome};

use super::Since;

/// What jobs have in common; whatever is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobFilter {
    /// Whose.
    pub org: Option<OrgCode>,
    /// Where they stand; if it names none, anywhere.
    #[serde(rename = "state")]
    pub states: States,
    /// How they ended, if they are complete.
    pub outcome: Option<Outcome>,
    /// Received then or later.
    pub since: Option<Since>,
    /// Received before then.
    pub until: Option<Since>,
    /// What their names look like, `*` for any characters; sensitive, never log it.
    pub name: Option<String>,
}

/// States as people write them: `error,exception`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct States(pub Vec<JobState>);

impl FromStr for States {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|state| state.as_str()).collect();
        f.write_str(&words.join(","))
    }
}

impl From<States> for String {
    fn from(states: States) -> Self {
        states.to_string()
    }
}

impl TryFrom<String> for States {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
