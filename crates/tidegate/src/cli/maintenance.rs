//! `tidegate maintenance ...`.

use clap::{Args, Subcommand};
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
    /// Release holds, so that the gate opens again unless a window closes it
    Release(ReleaseArgs),
    /// Tell whether the gate is open at an instant, and why not
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// That many coming occurrences
    #[arg(short = 'n', value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) count: u16,
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
pub(crate) struct ReleaseArgs {
    /// Only the holds of this organization; without it only those for everyone
    #[arg(long, value_name = "CODE", value_parser = org_code)]
    pub(crate) org: Option<OrgCode>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "released by staff")]
    pub(crate) reason: String,
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
