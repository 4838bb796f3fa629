//! The end of the audit log.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use maud::html;
use serde_json::{Map, Value};

use super::console::{Console, Inside};
use super::frame::frame;
use crate::control::blocking;
use crate::pages::refusal::Refusal;
use crate::staff::Role;

/// Of the log's end, in bytes.
const READ_BYTES: u64 = 128 << 10;

/// Lines that are shown.
const SHOWN: usize = 300;

/// What has a column of its own.
const COLUMNS: [(&str, &str); 4] =
    [("event", "What"), ("org", "Organization"), ("account", "Account"), ("peer", "From")];

pub(super) async fn show(State(console): State<Arc<Console>>, inside: Inside) -> Result<Response, Refusal> {
    inside.need(Role::Administrator)?;
    let path = console.parts.audit_log.clone();
    let lines = match path {
        Some(path) => blocking(move || tail(&path)).await?.unwrap_or_default(),
        None => Vec::new(),
    };
    let zone = console.zone();
    let content = html! {
        h1 { "Audit log" }
        section.card {
            @if lines.is_empty() { p { "There is nothing in it, or it is switched off." } }
            @else {
                table.stack {
                    thead { tr { th { "When" } @for (_, title) in COLUMNS { th { (title) } } th { "Detail" } } }
                    tbody {
                        @for line in &lines {
                            tr {
                                td { (when(line, zone)) }
                                @for (name, title) in COLUMNS { td.name data-label=(title) { (text(line.get(name))) } }
                                td.name data-label="Detail" { (rest(line)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(frame(&console, &inside, "/staff/audit", "Audit log", None, &content).into_response())
}

/// The last lines, the latest first.
fn tail(path: &Path) -> io::Result<Vec<Map<String, Value>>> {
    let mut file = File::open(path)?;
    let begin = file.metadata()?.len().saturating_sub(READ_BYTES);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(READ_BYTES).read_to_end(&mut bytes)?;
    // The first line may be half a one; then it is no JSON.
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().rev().filter_map(|line| serde_json::from_str(line).ok()).take(SHOWN).collect())
}

fn when(line: &Map<String, Value>, zone: Tz) -> String {
    let at = line.get("at").and_then(Value::as_str).and_then(|at| at.parse::<DateTime<Utc>>().ok());
    at.map(|at| at.with_timezone(&zone).format("%-d %b %Y %H:%M:%S").to_string()).unwrap_or_default()
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.replace('_', " "),
        Some(other) => other.to_string(),
    }
}

fn rest(line: &Map<String, Value>) -> String {
    let others =
        line.iter().filter(|(name, _)| *name != "at" && COLUMNS.iter().all(|(column, _)| column != name));
    others
        .map(|(name, value)| format!("{} {}", name.replace('_', " "), text(Some(value))))
        .collect::<Vec<_>>()
        .join(", ")
}
