//! Forms that come back to whoever sent them: what was typed stays, and what is wrong stands beside its field.
//!
//! Invariant: a password never comes back.

use maud::{Markup, html};
use tidegate_ingest::accounts::ChangeError;

use crate::pages::fields::Fields;

/// What is wrong, and in which field; in none of them where its name is empty.
#[derive(Debug)]
pub(super) struct Mistake {
    field: String,
    text: String,
}

/// A form that was refused.
pub(super) struct Draft<'a> {
    /// What it was to do.
    pub(super) action: &'a str,
    /// The account that it is about; empty for the organization itself.
    pub(super) account: &'a str,
    pub(super) fields: &'a Fields,
    pub(super) mistakes: &'a [Mistake],
}

impl Mistake {
    pub(super) fn new(field: &str, text: impl Into<String>) -> Self {
        Self { field: field.to_owned(), text: sentence(&text.into()) }
    }

    /// What kept an organization from being changed.
    pub(super) fn of(error: &ChangeError) -> Vec<Self> {
        let field = match error {
            ChangeError::Refused(found) => {
                return found.iter().map(|(key, text)| Self::new(field_of(key), text.clone())).collect();
            }
            ChangeError::Exists { .. } => "code",
            ChangeError::Taken { .. } => "account",
            ChangeError::Watched { .. } => "completion",
            ChangeError::HasKey { .. } => "public_keys",
            ChangeError::Bound { .. } => "certificate",
            _ => "",
        };
        // It may begin with a name, which is not changed.
        vec![Self { field: field.to_owned(), text: format!("{error}.") }]
    }
}

/// What a command line says after a colon, for a page.
fn sentence(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

/// The field in which `account[0].name` or `limits.sessions_max` is typed.
fn field_of(key: &str) -> &str {
    match key.rsplit('.').next().unwrap_or(key) {
        "name" => "account",
        "authorized_keys" => "public_keys",
        "client_certificates" => "certificate",
        field => field,
    }
}

/// A form, empty or come back. `id` tells its fields from those of other forms on the page.
pub(super) struct Form<'a> {
    pub(super) id: String,
    pub(super) draft: Option<&'a Draft<'a>>,
}

impl Form<'_> {
    /// Whether it came back.
    pub(super) fn is_refused(&self) -> bool {
        self.draft.is_some()
    }

    /// What is wrong with it as a whole, or in fields that are not `shown`.
    pub(super) fn troubles(&self, shown: &[&str]) -> Markup {
        let mistakes = self.draft.map_or(&[][..], |draft| draft.mistakes);
        html! {
            @for mistake in mistakes {
                @if !shown.contains(&mistake.field.as_str()) { p.trouble role="alert" { (mistake.text) } }
            }
        }
    }

    /// A line of text.
    pub(super) fn input(&self, name: &str, label: &str, hint: &str, now: &str) -> Markup {
        let (id, mistake) = (self.id_of(name), self.mistake(name));
        self.field(
            name,
            label,
            hint,
            &html! {
                input id=(id) name=(name) value=(self.value(name, now)) aria-invalid=[mistake.map(|_| "true")]
                    aria-describedby=[self.described(name)] autocomplete="off" spellcheck="false";
            },
        )
    }

    /// Lines of text.
    pub(super) fn area(&self, name: &str, label: &str, hint: &str, now: &str) -> Markup {
        let (id, mistake) = (self.id_of(name), self.mistake(name));
        let value = self.value(name, now);
        self.field(name, label, hint, &html! {
            textarea id=(id) name=(name) rows=(value.lines().count().clamp(2, 8)) aria-invalid=[mistake.map(|_| "true")]
                aria-describedby=[self.described(name)] spellcheck="false" {
                // A browser takes the first line end away.
                "\n" (value)
            }
        })
    }

    /// A password, twice. What was typed is gone.
    pub(super) fn password(&self, label: &str, hint: &str) -> Markup {
        let one = |name: &str, label: &str, hint: &str| {
            let mistake = self.mistake(name);
            self.field(
                name,
                label,
                hint,
                &html! {
                    input id=(self.id_of(name)) name=(name) type="password" autocomplete="new-password"
                        aria-invalid=[mistake.map(|_| "true")] aria-describedby=[self.described(name)];
                },
            )
        };
        html! { (one("password", label, hint)) (one("again", "The same again", "")) }
    }

    /// One of some words, each with what it means.
    pub(super) fn choice(&self, name: &str, label: &str, options: &[(&str, String)], now: &str) -> Markup {
        let (id, mistake) = (self.id_of(name), self.mistake(name));
        let value = self.value(name, now);
        self.field(name, label, "", &html! {
            select id=(id) name=(name) aria-invalid=[mistake.map(|_| "true")] aria-describedby=[self.described(name)] {
                @for (word, meaning) in options {
                    option value=(word) selected[*word == value] { (meaning) }
                }
            }
        })
    }

    fn field(&self, name: &str, label: &str, hint: &str, control: &Markup) -> Markup {
        html! {
            div.field {
                label for=(self.id_of(name)) { (label) @if !hint.is_empty() { " " span.quiet { (hint) } } }
                (control)
                @if let Some(text) = self.mistake(name) { p.mistake id={ (self.id_of(name)) "-mistake" } { (text) } }
            }
        }
    }

    fn id_of(&self, name: &str) -> String {
        format!("{}-{name}", self.id)
    }

    fn described(&self, name: &str) -> Option<String> {
        self.mistake(name).map(|_| format!("{}-mistake", self.id_of(name)))
    }

    fn value<'b>(&'b self, name: &str, now: &'b str) -> &'b str {
        self.draft.map_or(now, |draft| draft.fields.exact(name))
    }

    fn mistake(&self, name: &str) -> Option<&str> {
        let mistakes = self.draft.map_or(&[][..], |draft| draft.mistakes);
        mistakes.iter().find(|mistake| mistake.field == name).map(|mistake| mistake.text.as_str())
    }
}
