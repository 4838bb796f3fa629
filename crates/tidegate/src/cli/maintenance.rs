//! `tidegate maintenance ...`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use tidegate_domain::OrgCode;
use tidegate_domain::units::HumanDuration;

use super::org::org_code;
use tidegate_web::api::When;

use super::JsonArg;

#[derive(Debug, Subcommand)]
pub(crate) enum MaintenanceCommand {
    /// List windows with their next occurrences, and holds
    List(ListArgs),
    /// Announce a window
    Add(AddArgs),
    /// Close the gate now (a hold), for 30 minutes unless told otherwise
    Start(StartArgs),
    /// End the running occurrence of a window early
    End(EndArgs),
    /// Let the running occurrence of a window last longer
    Extend(ExtendArgs),
    /// Call off a coming occurrence of a window
    Skip(SkipArgs),
    /// Take back a window that staff announced and that does not run
    Remove(RemoveArgs),
    /// Release holds, so that the gate opens again unless a window closes it
    Release(ReleaseArgs),
    /// Tell whether the gate is open at an instant, and why not
    Explain(ExplainArgs),
    /// Print what senders are to be told of the running or next occurrence of a window
    Notice(NoticeArgs),
    /// Mail it to the contacts of all organizations that it concerns, to each once
    Announce(AnnounceArgs),
    /// Show who was told of what, and when
    Announcements(AnnouncementsArgs),
    /// Tell what became of the files that waited for the end of the running or last occurrence of a window
    Report(ReportArgs),
    /// Write the templates of announcements into a directory, to be edited
    Templates(TemplatesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// That many coming occurrences
    #[arg(short = 'n', value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) count: u16,
    /// Also what was longer ago than 7 days: occurrences of the last year, and the last 500 things that staff did
    #[arg(long, short)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Name of the window, such as dshs-2024-03-08
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Start: "2024-03-08 19:00" in the zone of the calendar, 19:00, or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub(crate) from: When,
    /// End, written like the start
    #[arg(long, value_name = "TIME", required_unless_present = "length", conflicts_with = "length")]
    pub(crate) to: Option<When>,
    /// Length, such as 5h
    #[arg(long = "for", id = "length", value_name = "DURATION")]
    pub(crate) length: Option<HumanDuration>,
    /// Only for this organization; may be given several times
    #[arg(long, value_name = "CODE")]
    pub(crate) org: Vec<String>,
    /// Why, as senders will read it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) length: Length,
    /// Only for this organization
    #[arg(long, value_name = "CODE", value_parser = org_code)]
    pub(crate) org: Option<OrgCode>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// How long a hold lasts.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Length {
    /// Length, such as 2h [default: 30m]
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) lasting: Option<HumanDuration>,
    /// End: 14:30, "2024-03-08 19:00" in the zone of the calendar, or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<When>,
    /// No end: until somebody releases it
    #[arg(long)]
    pub(crate) until_released: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    /// Name of the window
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExtendArgs {
    /// Name of the window
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// New end: 23:30, "2024-03-09 02:00" in the zone of the calendar, or an RFC 3339 time
    #[arg(long, value_name = "TIME", required_unless_present = "longer", conflicts_with = "longer")]
    pub(crate) until: Option<When>,
    /// How much longer than it would last now, such as 2h
    #[arg(long = "for", id = "longer", value_name = "DURATION")]
    pub(crate) longer: Option<HumanDuration>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct SkipArgs {
    /// Name of the window
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The first occurrence that is not over then, such as 2026-12-25 [default: the next one to come]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<When>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Name of the window
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    /// Only the holds of this organization; without it only those for everyone
    #[arg(long, value_name = "CODE", value_parser = org_code)]
    pub(crate) org: Option<OrgCode>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "released by staff")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Name of the window
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The occurrence that starts on this day, such as 2026-12-25 [default: the running or the next one]
    #[arg(long, value_name = "DATE")]
    pub(crate) occurrence: Option<NaiveDate>,
}

#[derive(Debug, Args)]
pub(crate) struct NoticeArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// For reading, for mails and web pages, or for calendars
    #[arg(long, value_enum, default_value_t = NoticeFormat::Text, value_name = "FORMAT")]
    pub(crate) format: NoticeFormat,
    /// Write it to a file instead
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum NoticeFormat {
    Text,
    Html,
    Ics,
}

#[derive(Debug, Args)]
pub(crate) struct AnnounceArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Only show who would be told
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AnnouncementsArgs {
    /// Only of this window
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Name of the window
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The occurrence that started on this day [default: the running or the last one]
    #[arg(long, value_name = "DATE")]
    pub(crate) occurrence: Option<NaiveDate>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Debug, Args)]
pub(crate) struct TemplatesArgs {
    /// Where to; files that are there already stay as they are
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Instant: "2024-03-08 19:00" in the zone of the calendar, 19:00, or an RFC 3339 time
    /// [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<When>,
    /// For this organization
    #[arg(long, value_name = "CODE", value_parser = org_code)]
    pub(crate) org: Option<OrgCode>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}
