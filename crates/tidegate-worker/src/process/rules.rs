//! What an organization's files must look like, and in whose name and time they are answered.
//!
//! Invariant: read once for each attempt at a job, so that a change of the organization's file never
//! falls between two messages of an attempt.

use tidegate_domain::Hl7Profile;
use tidegate_domain::job::Job;
use tidegate_hl7::{Profile, Reply};

use super::Context;
use super::halt::Halt;

/// Rules and reply for one attempt.
pub(super) struct Rules {
    pub(super) profile: Profile,
    pub(super) reply: Reply,
}

impl Rules {
    /// An organization whose file was taken away keeps its jobs: they wait for it to come back, and in
    /// the end for staff. `is_begun` says that messages of the file may be delivered already, so that
    /// it can't be refused as a whole for its counts any more.
    pub(super) fn of(context: &Context, job: &Job, is_begun: bool) -> Result<Self, Halt> {
        let organizations = context.organizations.borrow().clone();
        let organization = organizations
            .get(&job.submission.org)
            .ok_or_else(|| Halt::Passing("the organization is not configured any more".to_owned()))?;
        let mut profile = profile(&organization.hl7);
        profile.strict_counts &= !is_begun;
        let now = context.clock.now();
        let zone = organization.timezone.or(context.store.maintenance().calendar.timezone);
        let at = zone.map_or_else(|| now.fixed_offset(), |zone| now.with_timezone(&zone).fixed_offset());
        Ok(Self { profile, reply: Reply::new(job.id.to_string(), at) })
    }
}

fn profile(hl7: &Hl7Profile) -> Profile {
    Profile {
        versions: hl7.versions.clone(),
        processing_ids: vec![hl7.processing_id.clone()],
        forward_on_group_error: hl7.forward_on_group_error,
        strict_counts: hl7.strict_counts,
        ..Profile::default()
    }
}
