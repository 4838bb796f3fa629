//! The segments of one message in their order, with their ORDER groups.
//!
//! Invariant: unknown, optional and Z segments are passed over without a word (CDC guide 1.5, table 3-1); an error inside
//! an ORDER group fails that group, an error anywhere else the message.

use crate::check::{Checker, apply, consequence};
use crate::delimiters::Delimiters;
use crate::dtm::{Day, Dtm};
use crate::fault::Fault;
use crate::finding::{Finding, Severity};
use crate::rules::{FieldRule, Rule, message, order, patient};
use crate::verdict::Findings;
use crate::view::{Fields, Header, lines, segment_name};

pub(crate) struct Walk<'a> {
    checker: &'a Checker,
    delimiters: Delimiters,
    findings: &'a mut Findings,
    born: Option<Day>,
    /// Rank of the last patient-level segment in the order of the message structure.
    rank: u8,
    patients: u32,
    orders: u32,
    vaccinations: u32,
    routes: u32,
    observations: u32,
    /// Line of the segment in hand, counted from 1.
    line: u32,
    kin: u32,
    group: Option<Group>,
    groups: u32,
    failed_groups: u32,
}

/// An ORDER group while its segments pass by.
#[derive(Default)]
struct Group {
    failed: bool,
    /// Number of its ORC, RXA in the message; 0 if there is none yet.
    order: u32,
    vaccination: u32,
    /// Line of its last ORC or RXA.
    line: u32,
    is_new_dose: bool,
    routes: u32,
    eligibilities: u32,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(checker: &'a Checker, header: &Header<'_>, findings: &'a mut Findings) -> Self {
        Self {
            checker,
            delimiters: header.fields.delimiters,
            findings,
            born: None,
            rank: 0,
            patients: 0,
            orders: 0,
            vaccinations: 0,
            routes: 0,
            observations: 0,
            line: 1,
            kin: 0,
            group: None,
            groups: 0,
            failed_groups: 0,
        }
    }

    /// Walks over all segments; says whether the message may be delivered although a group has errors.
    pub(crate) fn over(mut self, message: &[u8]) -> bool {
        for (number, line) in lines(message).skip(1) {
            self.line = number + 1;
            match segment_name(line, self.delimiters.field) {
                Some(name) => self.segment(name, line),
                None => self.not_a_segment(),
            }
        }
        self.end_group();
        self.line = 0;
        if self.patients == 0 {
            self.misplaced(*b"PID", 1, Fault::SegmentMissing);
        }
        if self.groups == 0 {
            self.findings.push(Finding::new(&message::NO_ORDERS, Fault::NoOrders, 1));
        }
        self.despite_failed_groups()
    }

    /// What failed groups mean for the message: one that has no other is rejected (CDC guide 1.5, table 3-1); of one that
    /// has, nothing is cut out here, so the organization decides whether it is delivered as it came.
    fn despite_failed_groups(&mut self) -> bool {
        let is_left = self.failed_groups < self.groups;
        let forwards = self.checker.profile.forward_on_group_error;
        if self.failed_groups > 0 && !self.findings.fatal {
            if !is_left {
                self.findings.push(consequence(*b"   ", 1, 0, Fault::NoGroupLeft));
            } else if !forwards {
                self.findings.push(Finding::new(&message::HELD_BACK, Fault::HeldBack, 1));
            }
        }
        forwards && is_left
    }

    fn segment(&mut self, name: [u8; 3], line: &[u8]) {
        match &name {
            b"PID" => self.patient(line),
            b"ORC" => self.order(line),
            b"RXA" => self.vaccination(line),
            b"RXR" => {
                self.routes += 1;
                let count = self.routes;
                self.in_group(name, count, |group| group.routes += 1);
                self.rules(order::RXR, line, count);
            }
            b"OBX" => self.observation(line),
            b"NK1" => {
                self.patient_level(name);
                self.kin += 1;
                let count = self.kin;
                self.rules(patient::NEXT_OF_KIN, line, count);
            }
            b"TQ1" | b"TQ2" if self.group.is_none() => self.misplaced(name, 1, Fault::OutOfOrder),
            _ => self.patient_level(name),
        }
    }

    fn patient(&mut self, line: &[u8]) {
        self.patients += 1;
        if self.patients > 1 {
            self.misplaced(*b"PID", self.patients, Fault::SegmentRepeated);
            return;
        }
        self.patient_level(*b"PID");
        let fields = Fields::of(line, self.delimiters);
        // A date that is wrong counts as absent (CDC guide 1.5, table 3-1), or every dose would be wrong with it.
        let born = Dtm::parse(fields.component(7, 1)).and_then(Dtm::day);
        self.born = born.filter(|day| *day <= self.checker.today);
        self.apply(patient::RULES, &fields, 1);
    }

    /// Segments before the first order, in the order of `VXU_V04` (HL7 2.5.1, chapter 4; Z22).
    fn patient_level(&mut self, name: [u8; 3]) {
        let rank = match &name {
            b"SFT" => 1,
            b"PID" => 2,
            b"PD1" => 3,
            b"NK1" => 4,
            b"PV1" => 5,
            b"PV2" => 6,
            b"GT1" => 7,
            b"IN1" | b"IN2" | b"IN3" => 8,
            _ => return,
        };
        if self.groups > 0 || rank < self.rank {
            self.misplaced(name, 1, Fault::OutOfOrder);
        }
        self.rank = self.rank.max(rank);
    }

    fn order(&mut self, line: &[u8]) {
        self.orders += 1;
        self.open_group(self.orders);
        self.rules(order::ORC, line, self.orders);
    }

    fn vaccination(&mut self, line: &[u8]) {
        self.vaccinations += 1;
        let count = self.vaccinations;
        if self.group.as_ref().is_none_or(|group| group.vaccination > 0) {
            self.open_group(0);
            self.misplaced(*b"RXA", count, Fault::WithoutOrc);
        }
        let fields = Fields::of(line, self.delimiters);
        let is_new_dose = order::is_new_dose(&self.checker.scope(&fields, self.born));
        if let Some(group) = &mut self.group {
            (group.vaccination, group.is_new_dose, group.line) = (count, is_new_dose, self.line);
        }
        self.apply(order::RXA, &fields, count);
    }

    fn observation(&mut self, line: &[u8]) {
        self.observations += 1;
        let fields = Fields::of(line, self.delimiters);
        let is_eligibility = fields.component(3, 1) == b"64994-7";
        let count = self.observations;
        self.in_group(*b"OBX", count, |group| group.eligibilities += u32::from(is_eligibility));
        self.apply(order::OBX, &fields, count);
    }

    /// A segment that follows the RXA of its group.
    fn in_group(&mut self, name: [u8; 3], occurrence: u32, note: impl FnOnce(&mut Group)) {
        match &mut self.group {
            Some(group) if group.vaccination > 0 => note(group),
            _ => self.misplaced(name, occurrence, Fault::OutOfOrder),
        }
    }

    fn open_group(&mut self, order: u32) {
        self.end_group();
        self.groups += 1;
        self.group = Some(Group { order, line: self.line, ..Group::default() });
    }

    fn end_group(&mut self) {
        if let Some(group) = &self.group {
            let (order, vaccination) = (group.order, group.vaccination);
            let (no_route, no_eligibility) = (group.routes == 0, group.eligibilities == 0);
            let is_new_dose = group.is_new_dose;
            let after = std::mem::replace(&mut self.line, group.line);
            if vaccination == 0 {
                self.misplaced(*b"ORC", order, Fault::WithoutRxa);
            }
            if is_new_dose && no_route {
                self.push(&message::ROUTE, Fault::Missing, vaccination);
            }
            if is_new_dose && no_eligibility {
                self.push(&message::ELIGIBILITY, Fault::ObservationMissing, vaccination);
            }
            self.line = after;
        }
        self.failed_groups += u32::from(self.group.take().is_some_and(|group| group.failed));
    }

    fn not_a_segment(&mut self) {
        let mut finding = Finding::new(&message::NOT_A_SEGMENT, Fault::NotASegment, 1);
        finding.line = self.line;
        self.findings.fatal = true;
        self.findings.push(finding);
    }

    fn rules(&mut self, rules: &'static [FieldRule], line: &[u8], occurrence: u32) {
        self.apply(rules, &Fields::of(line, self.delimiters), occurrence);
    }

    fn apply(&mut self, rules: &'static [FieldRule], fields: &Fields<'_>, occurrence: u32) {
        let checker = self.checker;
        let mut failed = None;
        apply(rules, &checker.scope(fields, self.born), |rule, fault| {
            if rule.severity == Severity::Error {
                failed = Some(rule.segment);
            }
            self.push(rule, fault, occurrence);
        });
        if let Some(segment) = failed {
            let fault = match (&segment, &self.group) {
                (b"ORC" | b"RXA", Some(_)) => Fault::GroupCountsAsMissing,
                _ => Fault::CountsAsMissing,
            };
            self.findings.push(consequence(segment, occurrence, self.line, fault));
        }
    }

    fn push(&mut self, rule: &'static Rule, fault: Fault, occurrence: u32) {
        self.blame(rule.severity, rule.segment);
        let mut finding = Finding::new(rule, fault, occurrence);
        finding.line = self.line;
        self.findings.push(finding);
    }

    fn misplaced(&mut self, segment: [u8; 3], occurrence: u32, fault: Fault) {
        self.blame(Severity::Error, segment);
        let mut finding = Finding::new(&message::SEQUENCE, fault, occurrence);
        (finding.segment, finding.line) = (segment, self.line);
        self.findings.push(finding);
    }

    /// An error in a segment of a group is the fault of that group, any other the fault of the message.
    fn blame(&mut self, severity: Severity, segment: [u8; 3]) {
        if severity != Severity::Error {
            return;
        }
        match &mut self.group {
            Some(group) if matches!(&segment, b"ORC" | b"RXA" | b"RXR" | b"OBX") => group.failed = true,
            _ => self.findings.fatal = true,
        }
    }
}
