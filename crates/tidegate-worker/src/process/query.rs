//! Queries: passed on as they are, and answered with what the registry says to them.
//!
//! Invariant: a query goes out right after the gate and the service's stop were asked, as a message does. Nothing is
//! kept of it or of its answer: asking again does no harm, and what is asked about are people.

use tidegate_domain::{JobIds, OrgCode};

use super::Context;
use super::turn::Turn;
use crate::gate_watch::GateWatch;
use crate::targets::Asked;

/// What became of a query.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// What the registry says.
    Said(Vec<u8>),
    /// The gate is closed or the registry is away: the query did not go out.
    Closed,
    /// It went out, and there is no answer.
    Unanswered,
    /// The organization's target has no answers to give, or must not be asked.
    NotAsked,
}

/// Asks the target of an organization. Blocks.
pub(crate) fn ask(context: &Context, org: &OrgCode, query: &[u8]) -> Reply {
    let organizations = context.organizations.borrow().clone();
    let Some(organization) = organizations.get(org).filter(|organization| !organization.hl7.is_test()) else {
        return Reply::NotAsked;
    };
    let target = context.targets.of(organization);
    let mut gate = GateWatch::new(Some(org.clone()), &context.store, &context.clock);
    // A name among those that try a target which is away, no job of the store.
    let trial = JobIds::after(None).next(context.clock.now(), getrandom::u32().unwrap_or_default());
    if context.is_stopping() || !gate.claims_allowed() {
        return Reply::Closed;
    }
    let Ok(_turn) = Turn::take(context, &target, trial) else { return Reply::Closed };
    if context.is_stopping() || !gate.claims_allowed() {
        return Reply::Closed;
    }
    let mut message = Vec::new();
    tidegate_hl7::forward(query, &mut message);
    let was_troubled = target.is_troubled();
    let asked = target.ask(&*context.clock, org, &message);
    if was_troubled || target.is_troubled() {
        context.show_targets();
    }
    match asked {
        None => Reply::NotAsked,
        Some(Asked::Answered(answer)) => Reply::Said(answer),
        Some(Asked::Away) => Reply::Closed,
        Some(Asked::Unanswered) => Reply::Unanswered,
    }
}

/// Whether a message asks for something (HL7 2.5.1, chapter 5): its type, MSH-9.1, is `QBP`.
pub fn is_query(message: &[u8]) -> bool {
    let begin = message.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b).unwrap_or(0);
    let message = message.get(begin..).unwrap_or_default();
    let Some(separator) = message.strip_prefix(b"MSH").and_then(|rest| rest.first()) else { return false };
    let header = message.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let kind = header.split(|byte| byte == separator).nth(8).unwrap_or_default();
    kind.strip_prefix(b"QBP")
        .is_some_and(|rest| rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_told_by_its_type() {
        for query in [
            "MSH|^~\\&|||||||QBP^Q11^QBP_Q11|1\rQPD|",
            " \u{b}MSH|^~\\&|||||||QBP",
            "MSH#*~\\&#######QBP*Q11#",
        ] {
            assert!(is_query(query.as_bytes()), "{query}");
        }
        for other in [
            "",
            "MSH",
            "MSH|^~\\&|||||||VXU^V04|1",
            "MSH|^~\\&|||||||QBPX^Q11|1",
            "MSH|^~\\&||||||\r|QBP|",
            "QBP",
        ] {
            assert!(!is_query(other.as_bytes()), "{other}");
        }
    }
}
