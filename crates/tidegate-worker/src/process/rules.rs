//! What an organization's files must look like, where its messages go, and in whose name and time files are
//! answered.
//!
//! Invariant: read once for each attempt at a job, so that a change of the organization's file never
//! falls between two messages of an attempt.

use std::sync::Arc;

use tidegate_domain::job::Job;
use tidegate_domain::{Hl7Profile, Warnings};
use tidegate_hl7::{Charset, Profile, Reply, Tables};

use super::Context;
use super::halt::Halt;
use crate::targets::Target;

/// Rules and reply for one attempt.
pub(super) struct Rules {
    pub(super) profile: Profile,
    pub(super) reply: Reply,
    /// Where its messages go.
    pub(super) target: Arc<Target>,
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
        let mut profile = profile(&organization.hl7, &context.tables);
        profile.strict_counts &= !is_begun;
        let now = context.clock.now();
        let zone = organization.timezone.or(context.store.maintenance().calendar.timezone);
        let at = zone.map_or_else(|| now.fixed_offset(), |zone| now.with_timezone(&zone).fixed_offset());
        let target = context.targets.of(organization);
        Ok(Self { profile, reply: Reply::new(job.id.to_string(), at), target })
    }
}

/// What an organization's settings mean for the door, with these code tables.
pub fn profile(hl7: &Hl7Profile, tables: &Arc<Tables>) -> Profile {
    Profile {
        versions: hl7.versions.clone(),
        processing_ids: vec![hl7.processing_id.clone()],
        forward_on_group_error: hl7.forward_on_group_error,
        warnings: match hl7.warnings {
            Warnings::Error => tidegate_hl7::Warnings::Error,
            Warnings::Accept => tidegate_hl7::Warnings::Accept,
            Warnings::Off => tidegate_hl7::Warnings::Off,
        },
        default_charset: Charset::named(hl7.default_charset.as_bytes()).unwrap_or(Charset::Utf8),
        strict_counts: hl7.strict_counts,
        test_mode: hl7.is_test(),
        tables: tables.clone(),
        ..Profile::default()
    }
}

#[cfg(test)]
mod tests {
    use tidegate_domain::Mode;

    use super::*;

    #[test]
    fn each_character_set_that_may_be_the_default_is_known_to_the_door() {
        for name in Hl7Profile::CHARSETS {
            assert!(Charset::named(name.as_bytes()).is_some(), "{name}");
        }
    }

    #[test]
    fn an_organizations_settings_reach_the_door() {
        let tables = Arc::default();
        let default = Profile { tables: Arc::clone(&tables), ..Profile::default() };
        assert_eq!(profile(&Hl7Profile::default(), &tables), default);
        let settings = Hl7Profile {
            versions: vec!["2.3.1".to_owned()],
            processing_id: "T".to_owned(),
            strict_counts: true,
            forward_on_group_error: true,
            mode: None,
            default_charset: "8859/15".to_owned(),
            warnings: Warnings::Off,
        };
        let expected = Profile {
            versions: vec!["2.3.1".to_owned()],
            processing_ids: vec!["T".to_owned()],
            forward_on_group_error: true,
            warnings: tidegate_hl7::Warnings::Off,
            default_charset: Charset::Iso8859(15),
            strict_counts: true,
            test_mode: true,
            tables: Arc::clone(&tables),
            limits: default.limits,
        };
        assert_eq!(profile(&settings, &tables), expected);
        for (processing_id, mode, test_mode) in [
            ("P", None, false),
            ("D", None, true),
            ("P", Some(Mode::Test), true),
            ("T", Some(Mode::Production), false),
        ] {
            let settings =
                Hl7Profile { processing_id: processing_id.to_owned(), mode, ..Hl7Profile::default() };
            assert_eq!(profile(&settings, &tables).test_mode, test_mode, "{processing_id} {mode:?}");
        }
    }
}
