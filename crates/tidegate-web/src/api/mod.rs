//! The JSON that the control API and the command line exchange; `--json` prints the same shapes.
//!
//! Invariant: names and nesting are those of the product's contract, which users script against:
//! keys may be added, never renamed or removed. Nothing here decides anything.

mod backup;
mod bans;
mod error;
mod filter;
mod gate;
mod job;
mod maintenance;
mod report;
mod retention;
mod staff;
mod status;
mod when;

#[cfg(test)]
mod tests;

pub use backup::{BackupNews, BackupRequest, BackupView};
pub use bans::{BanView, BansLifted, BansView, LiftBans};
pub use error::ApiError;
pub use filter::{JobFilter, States};
pub use gate::GateView;
pub use job::{FilesView, HistoryView, JobDetail, JobView, Messages};
pub use maintenance::{
    AddWindow, ChangeView, EndOccurrence, EndedView, ExtendOccurrence, HappenedView, HoldEnd, HoldView,
    MaintenanceView, OccurrenceChanged, OccurrenceView, PlaceHold, ReleaseHolds, Released, RemoveWindow,
    SkipOccurrence, WindowEnd,
};
pub use report::{BacklogView, OrgBacklogView, ReportView};
pub use retention::{
    LegalHoldView, LegalHoldsReleased, OrgAmount, PassView, PlaceLegalHold, ReleaseLegalHolds, RetentionView,
    RunRetention, TermsView,
};
pub use staff::{ACT_JOBS_MAX, ActRequest, ActResult, Acted, Action, ReadPayload, Selection};
pub use status::{ClosedOrg, ConfigurationView, Drain, LaneView, Listener, Reloaded, Status, VerifyView};
pub use when::{Edge, NoZone, Since, When, WhenError};
