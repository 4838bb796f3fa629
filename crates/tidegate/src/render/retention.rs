//! Terms, passes and legal holds in words.

use tidegate_web::api::{LegalHoldView, OrgAmount, PassView, RetentionView};

use super::{Ink, Keys, Screen, Table, by, one_line, plural, size};

/// Terms, the last pass and legal holds.
pub(crate) fn retention_text(view: &RetentionView, screen: &Screen) -> String {
    let mut keys = Keys::default();
    let (complete, error) = (view.terms.complete, view.terms.error);
    keys.add(
        "Kept",
        format!(
            "{complete} after the end of complete, duplicate and cancelled jobs\n{error} of those in error"
        ),
    );
    let never = || "none yet; the first comes 5 minutes after the start, then one every hour".to_owned();
    keys.add("Last pass", view.last_pass.as_ref().map_or_else(never, |pass| pass_line(pass, screen)));
    if view.legal_holds.is_empty() {
        keys.add("Legal holds", "none");
        return keys.fitted(screen).to_string();
    }
    format!("{}\n\n{}", keys.fitted(screen), legal_holds(&view.legal_holds, screen))
}

fn pass_line(pass: &PassView, screen: &Screen) -> String {
    let what = match (&pass.postponed, &pass.error) {
        (Some(why), _) => screen.paint(Ink::Caution, &format!("postponed: {why}")),
        (_, Some(error)) => screen.paint(Ink::Bad, &format!("broke off: {error}")),
        _ => format!("{} deleted, {} kept by legal holds", jobs(&pass.purged), count(&pass.kept)),
    };
    format!("{}: {what}", screen.time(pass.at))
}

/// What a pass did or would do.
pub(crate) fn pass_text(pass: &PassView, screen: &Screen) -> String {
    if pass.postponed.is_some() || pass.error.is_some() {
        return format!("Nothing more is deleted.\n{}", pass_line(pass, screen));
    }
    let done = if pass.dry_run { "would be deleted" } else { "deleted" };
    let head = format!("{} {done}, {} kept by legal holds", jobs(&pass.purged), count(&pass.kept));
    if pass.purged.is_empty() && pass.kept.is_empty() {
        return head;
    }
    let mut table = Table::new(*screen, &["ORG", "JOBS", "UPLOADS", "WHAT"]);
    for (amounts, what) in [(&pass.purged, done), (&pass.kept, "kept: legal hold")] {
        for amount in amounts {
            let cells =
                [amount.org.to_string(), amount.jobs.to_string(), size(amount.upload_bytes), what.to_owned()];
            table.row(cells.map(|cell| (cell, None)));
        }
    }
    format!("{head}\n{table}")
}

fn jobs(amounts: &[OrgAmount]) -> String {
    plural(count(amounts), "job")
}

fn count(amounts: &[OrgAmount]) -> u64 {
    amounts.iter().map(|amount| amount.jobs).sum()
}

fn legal_holds(holds: &[LegalHoldView], screen: &Screen) -> String {
    let mut table = Table::new(*screen, &["LEGAL HOLD", "SINCE", "BY", "REASON"]).wraps(&["REASON"]);
    for hold in holds {
        let cells = [
            hold.org.to_string(),
            screen.time(hold.placed_at),
            by(&hold.actor).to_owned(),
            one_line(&hold.reason),
        ];
        table.row(cells.map(|cell| (cell, None)));
    }
    table.to_string()
}

/// One legal hold in a sentence.
pub(crate) fn legal_hold_line(hold: &LegalHoldView, screen: &Screen) -> String {
    let (since, by) = (screen.instant(hold.placed_at), by(&hold.actor));
    format!("{} since {since} by {by}: {}", hold.org, one_line(&hold.reason))
}
