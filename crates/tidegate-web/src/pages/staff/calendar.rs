//! A month with the occurrences of windows in it.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};
use tidegate_domain::maintenance::OccurrenceState;

use crate::api::OccurrenceView;

/// A month in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Month {
    first: NaiveDate,
    today: NaiveDate,
    zone: Tz,
}

impl Month {
    /// The month that is asked for, such as `2026-11`; else the present one.
    pub(super) fn of(text: Option<&str>, now: DateTime<Utc>, zone: Tz) -> Self {
        let today = now.with_timezone(&zone).date_naive();
        let asked = text.and_then(|text| NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok());
        let first = asked.or_else(|| today.with_day(1)).unwrap_or(today);
        Self { first, today, zone }
    }

    fn moved(self, by: i32) -> String {
        let months = Months::new(by.unsigned_abs());
        let first = if by < 0 {
            self.first.checked_sub_months(months)
        } else {
            self.first.checked_add_months(months)
        };
        first.unwrap_or(self.first).format("/staff/maintenance?month=%Y-%m").to_string()
    }

    /// Whole weeks, from Sunday to Saturday.
    fn weeks(self) -> Vec<Vec<NaiveDate>> {
        let begin = self.first - Days::new(self.first.weekday().num_days_from_sunday().into());
        let weeks =
            (0..6).map(|week| (0..7).map(|day| begin + Days::new(week * 7 + day)).collect::<Vec<_>>());
        weeks.filter(|days| days.iter().any(|day| self.has(*day))).collect()
    }

    fn has(self, day: NaiveDate) -> bool {
        (day.year(), day.month()) == (self.first.year(), self.first.month())
    }

    /// What an occurrence covers of a day, such as `19:00-24:00`.
    fn part(self, one: &OccurrenceView, day: NaiveDate) -> Option<String> {
        let local = |at: DateTime<Utc>| at.with_timezone(&self.zone).naive_local();
        let (start, end) = (local(one.start), local(one.end));
        let (midnight, next) =
            (day.and_time(chrono::NaiveTime::MIN), (day + Days::new(1)).and_time(chrono::NaiveTime::MIN));
        if end <= midnight || next <= start {
            return None;
        }
        let from = if start <= midnight { "00:00".to_owned() } else { start.format("%H:%M").to_string() };
        let to = if end >= next { "24:00".to_owned() } else { end.format("%H:%M").to_string() };
        Some(format!("{from}-{to}"))
    }

    pub(super) fn table(self, occurrences: &[OccurrenceView]) -> Markup {
        let shown: Vec<&OccurrenceView> =
            occurrences.iter().filter(|one| one.state != OccurrenceState::Skipped).collect();
        html! {
            div.month-head {
                h2 { (self.first.format("%B %Y")) }
                span.grow {}
                a.button href=(self.moved(-1)) { "Earlier" }
                a.button href=(self.moved(1)) { "Later" }
            }
            table.month {
                thead { tr { @for day in ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] { th { (day) } } } }
                tbody { @for week in self.weeks() { tr { @for day in week { (self.cell(day, &shown)) } } } }
            }
        }
    }

    fn cell(self, day: NaiveDate, shown: &[&OccurrenceView]) -> Markup {
        let parts: Vec<(String, &str)> =
            shown.iter().filter_map(|one| Some((self.part(one, day)?, one.name.as_str()))).collect();
        let class = match (self.has(day), day == self.today) {
            (false, _) => "other",
            (true, true) => "today",
            (true, false) => "",
        };
        html! {
            td class=(class) {
                span.day { (day.day()) }
                @for (hours, name) in parts { div.window.name { (hours) " " (name) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_whole_weeks_and_the_parts_of_windows_that_cross_midnight() {
        let zone = chrono_tz::America::Chicago;
        let month = Month::of(Some("2024-03"), "2024-03-09T01:30:00Z".parse().unwrap(), zone);
        let weeks = month.weeks();
        assert_eq!((weeks.len(), weeks[0].len()), (6, 7));
        assert_eq!(
            (weeks[0][0].to_string(), weeks[5][6].to_string()),
            ("2024-02-25".into(), "2024-04-06".into())
        );
        let one = OccurrenceView {
            name: "upgrade".to_owned(),
            start: "2024-03-09T01:00:00Z".parse().unwrap(),
            end: "2024-03-09T12:00:00Z".parse().unwrap(),
            announced_end: "2024-03-09T12:00:00Z".parse().unwrap(),
            timezone: zone,
            state: OccurrenceState::Active,
            reason: String::new(),
            orgs: None,
            origin: "staff".to_owned(),
            actor: None,
            ended: None,
            changes: Vec::new(),
        };
        let part = |day: &str| month.part(&one, day.parse().unwrap());
        assert_eq!(part("2024-03-08").as_deref(), Some("19:00-24:00"));
        assert_eq!(part("2024-03-09").as_deref(), Some("00:00-06:00"));
        assert_eq!((part("2024-03-07"), part("2024-03-10")), (None, None));
        assert_eq!(
            Month::of(Some("13"), "2024-03-09T01:30:00Z".parse().unwrap(), zone).first.to_string(),
            "2024-03-01"
        );
    }
}
