//! The accounts of an organization on its page.

use maud::{Markup, html};
use tidegate_domain::{Account, Organization};
use tidegate_ingest::accounts::SenderKey;

use super::draft::{Draft, Form};
use crate::pages::staff::accounts::open;
use crate::pages::staff::console::Inside;
use crate::pages::staff::frame::key;
use crate::staff::Role;

pub(super) fn accounts(inside: &Inside, organization: &Organization, draft: Option<&Draft<'_>>) -> Markup {
    let code = organization.code.as_str();
    html! {
        @for (number, account) in organization.accounts.iter().enumerate() {
            (Place { inside, code, account, number, draft }.card())
        }
        @if organization.accounts.is_empty() { section.card { p { "It has no account: nobody can log in for it." } } }
        @if inside.may(Role::Administrator) { (add(inside, code, draft)) }
    }
}

fn add(inside: &Inside, code: &str, draft: Option<&Draft<'_>>) -> Markup {
    let form = Form { id: "add".to_owned(), draft: draft.filter(|draft| draft.action == "add-account") };
    html! {
        section.card {
            details open[form.is_refused()] {
                summary { "Add an account" }
                (form.troubles(&["account", "password", "again"]))
                form method="post" action={ "/staff/organizations/" (code) "/add-account" } {
                    (key(inside))
                    div.fields {
                        (form.input("account", "Account", "its user name", ""))
                        div {}
                        (form.password("Password", "none for an account that logs in with keys only"))
                    }
                    p.actions { button.primary type="submit" { "Add the account" } }
                }
            }
        }
    }
}

/// An account and where it stands.
struct Place<'a> {
    inside: &'a Inside,
    code: &'a str,
    account: &'a Account,
    number: usize,
    draft: Option<&'a Draft<'a>>,
}

impl Place<'_> {
    fn card(&self) -> Markup {
        let may = self.inside.may(Role::Administrator);
        let Account { name, password_hash, allow_from, disabled, .. } = self.account;
        html! {
            section.card {
                h2.name { "Account " (name) " " (open(*disabled)) }
                dl.facts {
                    dt { "Password" } dd { (if password_hash.is_some() { "is set" } else { "none" }) }
                    dt { "Keys for SFTP" } dd { (self.keys(may)) }
                    dt { "Certificates for FTPS" } dd { (self.certificates(may)) }
                    dt { "From" } dd { (if allow_from.is_empty() { "anywhere".to_owned() } else { allow_from.join(", ") }) }
                }
                @if may { div.changes { (self.changes()) } }
            }
        }
    }

    fn keys(&self, may: bool) -> Markup {
        let keys = self.account.authorized_keys.iter().filter_map(|line| SenderKey::parse(line).ok());
        let keys: Vec<SenderKey> = keys.collect();
        html! {
            @if keys.is_empty() { "none" }
            @for key in &keys {
                div.item { code { (key.describe()) }
                    @if may { (self.button("remove-key", ("fingerprint", &key.fingerprint()), "Take away")) } }
            }
        }
    }

    fn certificates(&self, may: bool) -> Markup {
        html! {
            @if self.account.client_certificates.is_empty() { "none: any will do, or none" }
            @for certificate in &self.account.client_certificates {
                div.item { code { (certificate) } @if may { (self.button("unbind", ("certificate", certificate), "Take away")) } }
            }
        }
    }

    fn changes(&self) -> Markup {
        let (shut, word) =
            if self.account.disabled { ("enable", "Let in again") } else { ("disable", "Shut out") };
        html! {
            (self.change("set-password", "Set the password", &["password", "again"], |form| form.password("New password", "8 characters or more")))
            (self.change("add-keys", "Add keys", &["public_keys"], |form| {
                form.area("public_keys", "Public keys for SFTP", "one a line, as ssh-keygen writes them into NAME.pub", "")
            }))
            (self.change("bind", "Bind to a certificate", &["certificate"], |form| {
                form.area("certificate", "Certificate", "PEM, or its SHA-256 fingerprint; its password then counts only with it, over FTPS", "")
            }))
            (self.change("allow-from", "Networks", &["allow_from"], |form| {
                let now = self.account.allow_from.join("\n");
                form.area("allow_from", "Networks that it may log in from", "such as 192.0.2.0/24, one a line; anywhere if empty", &now)
            }))
            div.actions {
                (self.button(shut, ("", ""), word))
                (self.button("remove-account", ("", ""), "Remove the account"))
            }
        }
    }

    /// A form that opens where it stands.
    fn change(
        &self,
        action: &str,
        title: &str,
        fields: &[&str],
        content: impl Fn(&Form<'_>) -> Markup,
    ) -> Markup {
        let is_mine = |draft: &&Draft<'_>| draft.action == action && draft.account == self.account.name;
        let form = Form { id: format!("{action}-{}", self.number), draft: self.draft.filter(is_mine) };
        html! {
            details open[form.is_refused()] {
                summary { (title) }
                (form.troubles(fields))
                form method="post" action=(self.path(action)) {
                    (key(self.inside))
                    input type="hidden" name="account" value=(self.account.name);
                    (content(&form))
                    p.actions { button.primary type="submit" { (title) } }
                }
            }
        }
    }

    /// A form that is a button alone.
    fn button(&self, action: &str, (name, value): (&str, &str), word: &str) -> Markup {
        html! {
            form.inline method="post" action=(self.path(action)) {
                (key(self.inside))
                input type="hidden" name="account" value=(self.account.name);
                @if !name.is_empty() { input type="hidden" name=(name) value=(value); }
                " " button.danger[action != "enable"] type="submit" aria-label={ (word) ": " @if value.is_empty() { (self.account.name) } @else { (value) } } { (word) }
            }
        }
    }

    fn path(&self, action: &str) -> String {
        format!("/staff/organizations/{}/{action}", self.code)
    }
}
