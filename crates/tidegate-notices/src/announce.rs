//! Mails a notice to everybody whom it concerns.
//!
//! Invariant: whoever was told of this state of an occurrence is not told again, whatever broke off in between. A mail
//! is kept as sent as soon as the mail server took it over; only a kill, or a connection that breaks, between the
//! two has one address told twice.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tidegate_domain::Organization;
use tidegate_domain::maintenance::{OrgPattern, Scope};

use crate::calendar::{calendar, method};
use crate::mail::is_address;
use crate::notice::plain;
use crate::{
    Event, Ledger, LedgerError, Mail, MailError, Mailer, Notice, Page, Record, TemplateError, Templates,
};

/// One address, and whose contact it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The mail address.
    pub address: String,
    /// Codes of its organizations.
    pub orgs: Vec<String>,
    /// The same with their names.
    names: Vec<String>,
}

/// Whom an occurrence concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Each address once, although it may be the contact of many.
    pub by_mail: Vec<Recipient>,
    /// Organizations without a contact that mail can go to, with what stands there instead.
    pub otherwise: Vec<(String, Vec<String>)>,
}

/// What became of one address.
#[derive(Debug)]
pub enum Outcome {
    /// The mail server has it.
    Sent,
    /// The mail server refused it, for that reason.
    Refused(String),
}

/// Why announcing stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The words can't be made.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The mail server can't be used. It may have taken this mail over without saying so.
    #[error("while telling {address} ({}): {source}", orgs.join(", "))]
    Mail {
        /// Whom it was to go to.
        address: String,
        /// Whose contact that is.
        orgs: Vec<String>,
        /// What happened.
        source: MailError,
    },
    /// A mail was sent, and that it was could not be kept.
    #[error("the mail to {address} was sent, but this could not be kept, so it will be sent again: {source}")]
    Keep {
        /// Whom it went to.
        address: String,
        /// Why not.
        source: LedgerError,
    },
}

/// A notice with the words and the means to send it.
pub struct Announcement<'a> {
    /// What there is to say.
    pub notice: &'a Notice,
    /// How it is said.
    pub templates: &'a Templates,
    /// By whom it is sent.
    pub mailer: &'a Mailer,
    /// Who has it sent, such as `staff:jo`.
    pub actor: &'a str,
}

impl Recipients {
    /// The contacts of all organizations that the occurrence concerns and that are not shut out.
    pub fn of<'a>(event: &Event, organizations: impl IntoIterator<Item = &'a Organization>) -> Self {
        let scope = match &event.orgs {
            None => Scope::Everyone,
            Some(patterns) => {
                Scope::Orgs(patterns.iter().filter_map(|one| OrgPattern::new(one).ok()).collect())
            }
        };
        let (mut by_address, mut otherwise) = (BTreeMap::<String, Recipient>::new(), Vec::new());
        let concerned = |one: &&Organization| !one.disabled && scope.covers(Some(&one.code));
        for organization in organizations.into_iter().filter(concerned) {
            let contacts = organization.contacts.iter();
            let (mails, others): (Vec<&String>, Vec<&String>) = contacts.partition(|one| is_address(one));
            let code = organization.code.to_string();
            if mails.is_empty() {
                otherwise.push((code.clone(), others.into_iter().cloned().collect()));
            }
            for address in mails {
                // Some write the same address in other letters.
                let recipient = by_address.entry(address.to_ascii_lowercase()).or_insert_with(|| Recipient {
                    address: address.clone(),
                    orgs: Vec::new(),
                    names: Vec::new(),
                });
                if !recipient.orgs.contains(&code) {
                    recipient.orgs.push(code.clone());
                    recipient.names.push(named(organization));
                }
            }
        }
        Self { by_mail: by_address.into_values().collect(), otherwise }
    }
}

fn named(organization: &Organization) -> String {
    match organization.name.trim() {
        "" => organization.code.to_string(),
        name => format!("{name} ({})", organization.code),
    }
}

impl Announcement<'_> {
    /// Mails it to those of `recipients` who were not told of it, and keeps who was. `told` hears of each at once.
    /// What one address is refused for does not keep others from being told. Blocks.
    pub fn send(
        &self,
        recipients: &[Recipient],
        ledger: &mut Ledger,
        now: impl Fn() -> DateTime<Utc>,
        mut told: impl FnMut(&Recipient, &Outcome),
    ) -> Result<(), AnnounceError> {
        for recipient in recipients {
            if self.notice.was_told(&recipient.address, ledger.records()) {
                continue;
            }
            let outcome = match self.send_one(recipient, now()) {
                Ok(()) => self.keep(recipient, ledger, now()).map(|()| Outcome::Sent)?,
                Err(AnnounceError::Mail { source: MailError::Refused(why), .. }) => Outcome::Refused(why),
                Err(error) => return Err(error),
            };
            told(recipient, &outcome);
        }
        Ok(())
    }

    fn send_one(&self, recipient: &Recipient, now: DateTime<Utc>) -> Result<(), AnnounceError> {
        let Self { notice, templates, mailer, .. } = self;
        let page = |page| templates.render(page, notice, &recipient.names);
        let (subject, text) = (page(Page::Subject)?, page(Page::Text)?);
        let calendar = calendar(notice, &subject, &text, Some(&mailer.address()), now);
        let id = format!("{}.{}.{}", plain(&notice.uid), notice.sequence, plain(&recipient.address));
        let mail = Mail {
            to: &recipient.address,
            subject: &subject,
            html: Some(page(Page::Html)?),
            text,
            calendar: Some((calendar, method(notice))),
            id,
        };
        mailer.send(&mail).map_err(|source| {
            let (address, orgs) = (recipient.address.clone(), recipient.orgs.clone());
            AnnounceError::Mail { address, orgs, source }
        })
    }

    fn keep(
        &self,
        recipient: &Recipient,
        ledger: &mut Ledger,
        at: DateTime<Utc>,
    ) -> Result<(), AnnounceError> {
        let record = Record {
            at,
            actor: self.actor.to_owned(),
            address: recipient.address.clone(),
            orgs: recipient.orgs.clone(),
            told: self.notice.told(),
            event: self.notice.event.clone(),
        };
        ledger
            .append(record)
            .map_err(|source| AnnounceError::Keep { address: recipient.address.clone(), source })
    }
}

#[cfg(test)]
mod tests;
