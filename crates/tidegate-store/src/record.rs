//! What the journal is made of.
//!
//! These types are written to disk in an encoding that does not name fields: add variants at the end
//! only. A program that does not know a variant can't read what it finds, so each is a new layout with a step in
//! `migrations/`, as is any other change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tidegate_domain::job::JobEvent;
use tidegate_domain::maintenance::{Hold, Override, Window};
use tidegate_domain::{JobId, OrgCode, UploadName};

/// One durable change, in the order of all changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Place in the order, from 1 without gaps.
    pub(crate) seq: u64,
    /// When, by the wall clock.
    pub(crate) at: DateTime<Utc>,
    /// Who.
    pub(crate) actor: String,
    /// What.
    pub(crate) change: Change,
}

impl Entry {
    /// Tells this change from any other that might have got its number. Two stores that grew out of one
    /// copy have different changes of one number.
    pub(crate) fn fingerprint(&self) -> u32 {
        crc32c::crc32c(&postcard::to_allocvec(self).unwrap_or_default())
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// A job.
    Job {
        /// Which.
        id: JobId,
        /// How.
        event: JobEvent,
    },
    /// The maintenance calendar.
    Maintenance(MaintenanceChange),
    /// A job's term is over: everything of it goes.
    Purged(Purged),
    /// What stops that for an organization.
    LegalHold(LegalHoldChange),
}

/// What has to be known of a job that is gone, to take its files away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Purged {
    /// Which.
    pub(crate) id: JobId,
    /// Whose.
    pub(crate) org: OrgCode,
    /// The upload's name, by which its answers are called in the outbox.
    pub(crate) name: UploadName,
}

/// What staff changed about legal holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum LegalHoldChange {
    /// Nothing of the organization is deleted any more.
    Placed {
        /// Whose.
        org: OrgCode,
        /// Why.
        reason: String,
    },
    /// Terms count again.
    Released {
        /// Whose.
        org: OrgCode,
        /// Why.
        reason: String,
    },
}

/// What staff changed about windows and holds while the service ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum MaintenanceChange {
    /// A window was announced.
    WindowAdded(Window),
    /// A hold was placed.
    HoldPlaced(Hold),
    /// The holds of one organization, or the global ones, were released.
    HoldsReleased {
        /// Whose; none means the global ones.
        org: Option<OrgCode>,
        /// Why.
        reason: String,
    },
    /// One occurrence of a window was changed.
    Overridden(Override),
    /// A window of staff was taken back.
    WindowRemoved {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use tidegate_domain::job::{JobState, Outcome, Protocol};
    use tidegate_migrations::LAYOUT;

    use super::*;

    /// How many variants an enum of the journal has: the first number that stands for none.
    fn variants<T: DeserializeOwned>() -> u8 {
        let is_one = |number: &u8| {
            let read = postcard::from_bytes::<T>(&[*number]);
            !read.is_err_and(|error| error == postcard::Error::SerdeDeCustom)
        };
        (0..127).take_while(is_one).count().try_into().unwrap()
    }

    /// A program that knows fewer of them refuses the journal, and takes what the index has of them for damage.
    #[test]
    fn a_new_kind_of_record_is_a_new_layout() {
        let kinds = [
            variants::<Change>(),
            variants::<JobEvent>(),
            variants::<MaintenanceChange>(),
            variants::<LegalHoldChange>(),
            variants::<Override>(),
            variants::<Outcome>(),
            variants::<Protocol>(),
            variants::<JobState>(),
        ];
        assert_eq!(
            (LAYOUT, kinds),
            (3, [4, 17, 5, 2, 3, 4, 7, 9]),
            "add a step in migrations/, then its number here"
        );
    }
}
