//! `tidegate reload`.

use serde_json::json;
use tidegate_web::api::Reloaded;

use crate::cli::JsonArg;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::{Ink, Screen, plural, some_of};

/// Exit code 1 if anything was refused.
pub(super) fn reload(context: &Context, args: JsonArg) -> Result<(), Failure> {
    let reloaded: Reloaded = context.client()?.post("/v1/reload", &json!({}))?;
    if args.json {
        Screen::json(&reloaded)?;
    } else {
        Screen::print(&text(&reloaded, &context.screen()))?;
    }
    if reloaded.problems.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

fn text(reloaded: &Reloaded, screen: &Screen) -> String {
    let count = |count: usize, noun| plural(count.try_into().unwrap_or(u64::MAX), noun);
    let in_force = format!(
        "In force: {} of tidegate.toml, {}, certificates as they are on disk.",
        count(reloaded.windows, "window"),
        count(reloaded.organizations, "organization")
    );
    let mut lines = vec![in_force];
    if !reloaded.needs_restart.is_empty() {
        let keys = some_of(&reloaded.needs_restart);
        lines.push(screen.paint(Ink::Caution, &format!("Not before the server is restarted: {keys}")));
    }
    if !reloaded.problems.is_empty() {
        lines.push("Refused, and what it said before stays in force:".to_owned());
        lines.extend(reloaded.problems.iter().map(|problem| screen.paint(Ink::Bad, problem)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_tells_what_is_in_force_what_waits_for_a_restart_and_what_was_refused() {
        let mut reloaded =
            Reloaded { organizations: 1, windows: 2, problems: Vec::new(), needs_restart: Vec::new() };
        let in_force =
            "In force: 2 windows of tidegate.toml, 1 organization, certificates as they are on disk.";
        assert_eq!(text(&reloaded, &Screen::test()), in_force);
        reloaded.needs_restart = vec!["alerts".to_owned(), "limits.sessions_max".to_owned()];
        reloaded.problems = vec!["orgs.d/BAD.toml: code: is missing".to_owned()];
        assert_eq!(
            text(&reloaded, &Screen::test()),
            format!(
                "{in_force}\nNot before the server is restarted: alerts, limits.sessions_max\n\
                 Refused, and what it said before stays in force:\norgs.d/BAD.toml: code: is missing"
            )
        );
    }
}
