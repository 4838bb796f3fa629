//! `tidegate maintenance announce`: mails a notice to everybody whom it concerns.
//!
//! Invariant: whom it goes to is shown before anything goes out, and nothing goes out without a yes.

use anyhow::{Context as _, anyhow};
use chrono::Utc;
use tidegate_ingest::accounts::load_folder;
use tidegate_notices::{Announcement, Ledger, MailError, Mailer, Outcome, Recipient, Record, Told};
use tidegate_web::announcing::Plan;

use super::confirm::confirm;
use super::notice::{find, load_templates};
use super::org_files::hand_over;
use crate::cli::{AnnounceArgs, AnnouncementsArgs};
use crate::context::{Context, actor};
use crate::failure::Failure;
use crate::render::{Screen, Table, by, plural};

pub(super) fn announce(context: &Context, args: &AnnounceArgs) -> Result<(), Failure> {
    let loaded = &context.loaded;
    let data_dir = &loaded.config.data_dir;
    let mut ledger = Ledger::open(data_dir).context("while looking up who was told")?;
    hand_over(&data_dir.join(Ledger::FILE), data_dir)?;
    let notice = find(context, &args.which, ledger.records())?;
    let templates = load_templates(loaded)?;
    let organizations = load_folder(&loaded.orgs_dir());
    for problem in &organizations.problems {
        eprintln!("tidegate: {problem}; nobody there is told");
    }
    let all = organizations.organizations.values();
    let plan = Plan::new(&notice, &templates, all, ledger.records()).map_err(|error| anyhow!("{error}"))?;
    Screen::print(&overview(&plan))?;
    let rest = plan.rest;
    if rest.is_empty() {
        return Ok(Screen::print("Nobody is left to be told; nothing was sent.")?);
    }
    if args.dry_run {
        return Ok(());
    }
    if !args.yes {
        confirm(&format!("Send {}?", plural(count(rest.len()), "mail")))?;
    }
    let mailer = open_mailer(context)?;
    let actor = format!("staff:{}", actor());
    let announcement =
        Announcement { notice: &notice, templates: &templates, mailer: &mailer, actor: &actor };
    send(&announcement, &rest, &mut ledger)
}

fn overview(plan: &Plan) -> String {
    let Plan { subject, told, rest, otherwise } = plan;
    let line = |one: &Recipient| format!("  {}  ({})", one.address, one.orgs.join(", "));
    let mut lines = vec![subject.clone()];
    if !told.is_empty() {
        lines.push(format!("{} told already.", plural(count(told.len()), "recipient")));
    }
    if !rest.is_empty() {
        lines.push(format!("To be told by mail, {}:", plural(count(rest.len()), "recipient")));
        lines.extend(rest.iter().map(line));
    }
    if !otherwise.is_empty() {
        lines.push("To be told otherwise, without a mail address in `contacts`:".to_owned());
        lines.extend(otherwise.iter().map(|(org, contacts)| {
            let contacts = if contacts.is_empty() { "no contact".to_owned() } else { contacts.join("; ") };
            format!("  {org}  ({contacts})")
        }));
    }
    lines.join("\n")
}

fn count(number: usize) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

/// The mail server, once it has let us in.
fn open_mailer(context: &Context) -> Result<Mailer, Failure> {
    let opened = context.loaded.announcing().mailer().map_err(|error| mail_failure(&error))?;
    opened.ok_or_else(|| {
        let what = "there is no section [notices.smtp], so nothing can be mailed\n\
                    Add one, see `tidegate print-config --default`, or send what `tidegate maintenance notice` writes";
        Failure::Configuration(what.to_owned())
    })
}

fn mail_failure(error: &MailError) -> Failure {
    match error {
        MailError::Setting { .. } => Failure::Configuration(error.to_string()),
        _ => again(error),
    }
}

fn again(error: &dyn std::fmt::Display) -> Failure {
    anyhow!(
        "{error}\nLook at [notices.smtp] and at the mail server, and run the command again: who was told is \
         not told again"
    )
    .into()
}

fn send(announcement: &Announcement<'_>, rest: &[Recipient], ledger: &mut Ledger) -> Result<(), Failure> {
    let (mut sent, mut refused) = (0_usize, 0_usize);
    let ended = announcement.send(rest, ledger, Utc::now, |to, outcome| {
        let orgs = to.orgs.join(", ");
        match outcome {
            Outcome::Sent => {
                sent += 1;
                // Whoever closed the terminal still wants the mails sent.
                let _ = Screen::print(&format!("Sent to {} ({orgs})", to.address));
            }
            Outcome::Refused(why) => {
                refused += 1;
                eprintln!("tidegate: not sent to {} ({orgs}): {why}", to.address);
            }
        }
    });
    let left = rest.len().saturating_sub(sent).saturating_sub(refused);
    Screen::print(&format!("{} sent, {refused} refused, {left} not tried.", plural(count(sent), "mail")))?;
    match ended {
        Ok(()) if refused == 0 => Ok(()),
        Ok(()) => Err(anyhow!(
            "some addresses were refused: correct them with `tidegate org set CODE --contact ADDRESS`, and run \
             the command again; only they are tried"
        )
        .into()),
        Err(error) => Err(again(&error)),
    }
}

pub(super) fn announcements(context: &Context, args: &AnnouncementsArgs) -> Result<(), Failure> {
    let records = Ledger::read(&context.loaded.config.data_dir).context("while looking up who was told")?;
    let is_meant = |record: &&Record| args.name.as_ref().is_none_or(|name| record.event.window == *name);
    let records: Vec<Record> = records.iter().filter(is_meant).cloned().collect();
    if args.json.json {
        return Ok(Screen::json(&records)?);
    }
    if records.is_empty() {
        return Ok(Screen::print("Nobody was told of anything by mail.")?);
    }
    let screen = context.screen();
    let mut table = Table::new(screen, &["WHEN", "BY", "WINDOW", "OCCURRENCE", "WHAT", "ADDRESS", "FOR"])
        .wraps(&["FOR", "ADDRESS"])
        .spares(&["BY"]);
    for record in &records {
        let what = match &record.told {
            Told::Announcement { state, .. } => state.name().replace('_', " "),
            Told::Report => "report".to_owned(),
        };
        let cells = [
            screen.time(record.at),
            by(&record.actor).to_owned(),
            record.event.window.clone(),
            screen.minute(record.event.start),
            what,
            record.address.clone(),
            record.orgs.join(", "),
        ];
        table.row(cells.map(|cell| (cell, None)));
    }
    Ok(Screen::print(&table.to_string())?)
}
