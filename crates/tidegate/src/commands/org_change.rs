//! `tidegate org set|disable|enable|account ...`: changes of one organization.
//!
//! Invariant: a change that would make the file one that the server refuses is not written.

use anyhow::anyhow;
use tidegate_domain::{Account, Mode, OrgCode, OrgLimits, Organization};
use tidegate_ingest::accounts::{
    ChangeError, OrgEditor, account_mut, add_account as add_to, remove_account as remove_from,
    set_disabled as shut_out,
};
use tidegate_web::org_words::{how_to_upload, what_becomes};

use super::org::{read, unknown};
use super::org_files::{hand_over, poke};
use super::password;
use crate::cli::{AccountAddArgs, AccountsArgs, Limit, LimitArgs, LoginArg, OrgSetArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn set(context: &Context, args: &OrgSetArgs) -> Result<(), Failure> {
    if !sets_any(args) {
        let what = "say what to set: --name, --contact, --timezone, --allow-from, --completion, --mode, --facility, --when-closed or a limit such as --sessions-max";
        return Err(Failure::Usage(what.to_owned()));
    }
    let timezone = args.timezone.as_deref().map(parse_zone).transpose()?;
    change(context, &args.org.code, |organization| {
        set_texts(organization, args);
        if let Some(zone) = timezone {
            organization.timezone = zone;
        }
        if !args.allow_from.is_empty() {
            let networks = without_empty(&args.allow_from);
            for account in chosen(organization, args.account.as_deref())? {
                account.allow_from.clone_from(&networks);
            }
        }
        set_limits(&mut organization.limits, &args.limits);
        Ok(set_choices(organization, args))
    })
}

fn set_texts(organization: &mut Organization, args: &OrgSetArgs) {
    if let Some(name) = &args.name {
        organization.name.clone_from(name);
    }
    if !args.contact.is_empty() {
        organization.contacts = without_empty(&args.contact);
    }
    if !args.facility.is_empty() {
        organization.facilities = without_empty(&args.facility);
    }
}

/// Tells what follows from each.
fn set_choices(organization: &mut Organization, args: &OrgSetArgs) -> String {
    let mut told = format!("Changed {}.", args.org.code);
    if let Some(mode) = args.mode {
        organization.hl7.mode = Some(mode);
        told = format!("{told} {}.", what_follows(mode));
    }
    if let Some(when_closed) = args.when_closed {
        organization.when_closed = when_closed;
        told = format!("{told} While the gate is closed, {}.", what_becomes(when_closed));
    }
    if let Some(completion) = args.completion {
        organization.completion = completion;
        told = format!("{told} Tell its sender: upload {}.", how_to_upload(completion));
    }
    told
}

/// What changes organizations, here as in the console.
pub(super) fn editor(context: &Context) -> OrgEditor {
    OrgEditor::new(context.loaded.orgs_dir(), context.loaded.watched())
}

/// What was refused, and what to do about it.
pub(super) fn refused(context: &Context, error: &ChangeError) -> Failure {
    match error {
        ChangeError::Unknown(code) => {
            // It may stand in a file that is broken: reading names each.
            read(context);
            unknown(code).into()
        }
        ChangeError::Exists { code, .. } => {
            anyhow!("{error}\nSet a password with `tidegate org passwd {code} ACCOUNT`").into()
        }
        ChangeError::Watched { .. } => anyhow!(
            "{error}; nothing was changed\nTake its [[folder]] out of {} first",
            context.loaded.file.display()
        )
        .into(),
        _ => anyhow!("{error}; nothing was changed").into(),
    }
}

/// What a mode means for files to come.
fn what_follows(mode: Mode) -> &'static str {
    match mode {
        Mode::Production => "The messages of files that are begun from now on are delivered",
        Mode::Test => {
            "Files that are begun from now on are checked and answered, and nothing of them is delivered"
        }
    }
}

fn sets_any(args: &OrgSetArgs) -> bool {
    let OrgSetArgs { name, contact, timezone, allow_from, completion, mode, facility, when_closed, .. } =
        args;
    let LimitArgs { sessions_max, upload_bytes_max, files_waiting_max, uploads_per_minute_max } =
        &args.limits;
    let sets_text = name.is_some() || timezone.is_some();
    let sets_list = [contact, allow_from, facility].into_iter().any(|list| !list.is_empty());
    let sets_choice = completion.is_some() || mode.is_some() || when_closed.is_some();
    let sets_limit = sessions_max.is_some()
        || upload_bytes_max.is_some()
        || files_waiting_max.is_some()
        || uploads_per_minute_max.is_some();
    sets_text || sets_list || sets_choice || sets_limit
}

fn set_limits(limits: &mut OrgLimits, to: &LimitArgs) {
    if let Some(Limit(max)) = to.sessions_max {
        limits.sessions_max = max;
    }
    if let Some(Limit(max)) = to.upload_bytes_max {
        limits.upload_bytes_max = max;
    }
    if let Some(Limit(max)) = to.files_waiting_max {
        limits.files_waiting_max = max;
    }
    if let Some(Limit(max)) = to.uploads_per_minute_max {
        limits.uploads_per_minute_max = max;
    }
}

pub(super) fn set_disabled(context: &Context, args: &AccountsArgs, disabled: bool) -> Result<(), Failure> {
    change(context, &args.org.code, |organization| {
        shut_out(organization, args.account.as_deref(), disabled)?;
        let done = if disabled { "shut out" } else { "let in again" };
        Ok(match &args.account {
            Some(name) => format!("Account {name} of {} is {done}.", args.org.code),
            None => format!("{} is {done}.", args.org.code),
        })
    })
}

pub(super) fn add_account(context: &Context, args: AccountAddArgs) -> Result<(), Failure> {
    let AccountAddArgs { login: LoginArg { code, account: name }, password_stdin, no_password } = args;
    // Before anybody types a password for nothing.
    editor(context).check_free(&name).map_err(|error| refused(context, &error))?;
    find(context, &code)?;
    let password_hash =
        if no_password { None } else { Some(password::read_and_hash(&context.loaded, password_stdin)?) };
    change(context, &code, |organization| {
        let done = format!("Added account {name} to {code}.");
        add_to(organization, Account { password_hash, ..Account::new(name) })?;
        Ok(done)
    })
}

pub(super) fn remove_account(context: &Context, args: &LoginArg) -> Result<(), Failure> {
    change(context, &args.code, |organization| {
        remove_from(organization, &args.account)?;
        let left = match organization.accounts.len() {
            0 => "; it has none any more, so nobody can log in for it",
            _ => "",
        };
        Ok(format!("Account {} of {} is gone{left}.", args.account, args.code))
    })
}

/// The organization of a code, as it is now.
pub(super) fn find(context: &Context, code: &OrgCode) -> Result<Organization, Failure> {
    let folder = read(context);
    let (_, organization) = folder.find(code).ok_or_else(|| unknown(code))?;
    Ok(organization.clone())
}

/// Changes one account in the same way.
pub(super) fn change_account(
    context: &Context,
    login: &LoginArg,
    what: impl FnOnce(&mut Account) -> Result<String, ChangeError>,
) -> Result<(), Failure> {
    change(context, &login.code, |organization| what(account_mut(organization, &login.account)?))
}

/// Changes an organization, says what was done, and has a running server take it up.
fn change(
    context: &Context,
    code: &OrgCode,
    what: impl FnOnce(&mut Organization) -> Result<String, ChangeError>,
) -> Result<(), Failure> {
    let changed = editor(context).change(code, what).map_err(|error| refused(context, &error))?;
    hand_over(&changed.file, &context.loaded.orgs_dir())?;
    Screen::print(&changed.done)?;
    poke(context)
}

/// One account, or all of them.
fn chosen<'a>(
    organization: &'a mut Organization,
    name: Option<&str>,
) -> Result<Vec<&'a mut Account>, ChangeError> {
    match name {
        Some(name) => Ok(vec![account_mut(organization, name)?]),
        None => Ok(organization.accounts.iter_mut().collect()),
    }
}

fn without_empty(values: &[String]) -> Vec<String> {
    values.iter().filter(|value| !value.is_empty()).cloned().collect()
}

fn parse_zone(zone: &str) -> Result<Option<chrono_tz::Tz>, Failure> {
    if zone.is_empty() {
        return Ok(None);
    }
    let known = zone.parse().map_err(|_| {
        anyhow!("{zone:?} is no time zone; write one of the IANA database, such as America/Chicago")
    })?;
    Ok(Some(known))
}
