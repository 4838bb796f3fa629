//! Fairness: between two claims of one organization every other one got its turn that had work all
//! the while and was not kept from it.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_domain::OrgCode;

/// For each organization those that have to be served before it is served again.
#[derive(Debug, Default)]
pub(crate) struct Fairness(BTreeMap<OrgCode, BTreeSet<OrgCode>>);

impl Fairness {
    /// An organization is served while these others could be; those that it should have let go first.
    pub(crate) fn serve(&mut self, org: &OrgCode, others: BTreeSet<OrgCode>) -> BTreeSet<OrgCode> {
        for owed in self.0.values_mut() {
            owed.remove(org);
        }
        self.0.insert(org.clone(), others).unwrap_or_default()
    }

    /// Only these could be served just now: no other one waited all the while.
    pub(crate) fn look(&mut self, claimable: &BTreeSet<OrgCode>) {
        for owed in self.0.values_mut() {
            owed.retain(|org| claimable.contains(org));
        }
    }

    /// A start begins the round anew.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}
