//! Mails a report on a window to staff.

use chrono::{DateTime, Utc};

use crate::notice::plain;
use crate::{AnnounceError, Event, Ledger, Mail, Mailer, Record, Told};

/// Those of `staff` who have no report on that occurrence.
pub fn unreported<'a>(event: &Event, staff: &'a [String], records: &[Record]) -> Vec<&'a String> {
    let is_of = |record: &&Record| {
        record.told == Told::Report
            && (&record.event.window, record.event.start) == (&event.window, event.start)
    };
    let has = |address: &str| {
        records.iter().filter(is_of).any(|record| record.address.eq_ignore_ascii_case(address))
    };
    staff.iter().filter(|address| !has(address)).collect()
}

/// Mails a report on an occurrence to those of `staff` who have none, and keeps that they have. Blocks. The first
/// who can't be told ends it; the next call goes on.
pub fn mail_report(
    mailer: &Mailer,
    ledger: &mut Ledger,
    event: &Event,
    staff: &[String],
    (subject, text): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), AnnounceError> {
    let start = event.start.format("%Y%m%dt%H%M%Sz");
    for address in unreported(event, staff, ledger.records()) {
        let id = format!("report.{}-{start}.{}", plain(&event.window), plain(address));
        let mail = Mail { to: address, subject, text: text.to_owned(), html: None, calendar: None, id };
        let address = address.clone();
        mailer.send(&mail).map_err(|source| AnnounceError::Mail {
            address: address.clone(),
            orgs: vec!["staff".to_owned()],
            source,
        })?;
        let record = Record {
            at: now,
            actor: "tidegate".to_owned(),
            address: address.clone(),
            orgs: Vec::new(),
            told: Told::Report,
            event: event.clone(),
        };
        ledger.append(record).map_err(|source| AnnounceError::Keep { address, source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::event;
    use crate::smtp_server::{Fault, SmtpServer};

    #[test]
    fn staff_get_one_report_each_and_who_did_not_gets_it_next_time() {
        let server = SmtpServer::start(vec![Fault::Refuse("b@x.example")]);
        let address = server.address();
        let config = format!(
            "host = '{}'\nport = {}\ntls = 'off'\nfrom = 'r@x.example'",
            address.ip(),
            address.port()
        );
        let mailer = Mailer::open(&toml::from_str(&config).unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        let uid = "u".to_owned();
        let told = Told::Announcement { uid, sequence: 0, state: crate::State::Announced };
        let (at, actor, address) = (event().start, "staff:jo".to_owned(), "a@x.example".to_owned());
        ledger.append(Record { at, actor, address, orgs: vec![], told, event: event() }).unwrap();
        let staff = ["a@x.example", "b@x.example"].map(str::to_owned);
        let mut send =
            || mail_report(&mailer, &mut ledger, &event(), &staff, ("report", "12 files\n"), event().end);
        assert!(send().is_err());
        send().unwrap();
        send().unwrap();
        let mails = server.mails();
        assert_eq!(mails.len(), 2);
        assert!(mails[1].text.contains("Subject: report") && mails[1].text.contains("12 files"));
        let next = Event { start: event().end, ..event() };
        assert_eq!(unreported(&next, &staff, ledger.records()).len(), 2);
    }
}
