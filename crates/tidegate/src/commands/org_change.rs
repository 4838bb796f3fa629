//! `tidegate org set|disable|enable|account ...`: changes of one organization.
//!
//! Invariant: a change that would make the file one that the server refuses is not written.

use anyhow::{Context as _, anyhow};
use tidegate_domain::{Account, Completion, Mode, OrgCode, OrgLimits, Organization};
use tidegate_ingest::accounts::{check_organization, save_organization};

use super::org::{read, unknown};
use super::org_files::{hand_over, poke};
use super::org_view::how_to_upload;
use super::password;
use crate::cli::{AccountAddArgs, AccountsArgs, Limit, LimitArgs, LoginArg, OrgSetArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn set(context: &Context, args: &OrgSetArgs) -> Result<(), Failure> {
    let OrgSetArgs { name, contact, timezone, allow_from, completion, mode, limits, .. } = args;
    let sets_text = name.is_some() || timezone.is_some() || !contact.is_empty();
    let sets_choice = completion.is_some() || mode.is_some();
    if !sets_text && !sets_choice && allow_from.is_empty() && !sets_any(limits) {
        let what = "say what to set: --name, --contact, --timezone, --allow-from, --completion, --mode or a limit such as --sessions-max";
        return Err(Failure::Usage(what.to_owned()));
    }
    check_folders(context, &args.org.code, completion.unwrap_or_default())?;
    change(context, &args.org.code, |organization| {
        if let Some(name) = name {
            organization.name.clone_from(name);
        }
        if !contact.is_empty() {
            organization.contacts = without_empty(contact);
        }
        if let Some(zone) = timezone {
            organization.timezone = parse_zone(zone)?;
        }
        if !allow_from.is_empty() {
            let networks = without_empty(allow_from);
            for account in chosen(organization, args.account.as_deref())? {
                account.allow_from.clone_from(&networks);
            }
        }
        set_limits(&mut organization.limits, limits);
        let mut changed = format!("Changed {}.", args.org.code);
        if let Some(mode) = *mode {
            organization.hl7.mode = Some(mode);
            changed = format!("{changed} {}.", what_follows(mode));
        }
        let Some(completion) = *completion else { return Ok(changed) };
        organization.completion = completion;
        Ok(format!("{changed} Tell its sender: upload {}.", how_to_upload(completion)))
    })
}

/// Refuses what a watched folder of the organization can't tell.
pub(super) fn check_folders(
    context: &Context,
    code: &OrgCode,
    completion: Completion,
) -> Result<(), Failure> {
    let mut folders = context.loaded.config.folder.iter().filter(|folder| folder.org == *code);
    match folders.next() {
        Some(folder) if !completion.is_default() => Err(anyhow!(
            "{} is watched for {code}, and a watched folder can't tell {completion}; nothing was changed\n\
             Take its [[folder]] out of {} first",
            folder.path.display(),
            context.loaded.file.display()
        )
        .into()),
        _ => Ok(()),
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

fn sets_any(limits: &LimitArgs) -> bool {
    let LimitArgs { sessions_max, upload_bytes_max, files_waiting_max, uploads_per_minute_max } = limits;
    sessions_max.is_some()
        || upload_bytes_max.is_some()
        || files_waiting_max.is_some()
        || uploads_per_minute_max.is_some()
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
        let done = if disabled { "shut out" } else { "let in again" };
        let Some(name) = &args.account else {
            organization.disabled = disabled;
            return Ok(format!("{} is {done}.", args.org.code));
        };
        for account in chosen(organization, Some(name))? {
            account.disabled = disabled;
        }
        Ok(format!("Account {name} of {} is {done}.", args.org.code))
    })
}

pub(super) fn add_account(context: &Context, args: AccountAddArgs) -> Result<(), Failure> {
    let AccountAddArgs { login: LoginArg { code, account: name }, password_stdin, no_password } = args;
    if let Some(owner) = read(context).owner_of(&name) {
        return Err(anyhow!("account {name} belongs to organization {} already", owner.code).into());
    }
    change(context, &code, |organization| {
        let password_hash =
            if no_password { None } else { Some(password::read_and_hash(&context.loaded, password_stdin)?) };
        let done = format!("Added account {name} to {code}.");
        organization.accounts.push(Account { password_hash, ..Account::new(name) });
        Ok(done)
    })
}

pub(super) fn remove_account(context: &Context, args: &LoginArg) -> Result<(), Failure> {
    change(context, &args.code, |organization| {
        one(organization, &args.account)?;
        organization.accounts.retain(|account| account.name != args.account);
        let left = match organization.accounts.len() {
            0 => "; it has none any more, so nobody can log in for it",
            _ => "",
        };
        Ok(format!("Account {} of {} is gone{left}.", args.account, args.code))
    })
}

/// Changes an organization, writes its file, says what was done, and has a running server take it up.
/// Changes one account in the same way.
pub(super) fn change_account(
    context: &Context,
    login: &LoginArg,
    what: impl FnOnce(&mut Account) -> Result<String, Failure>,
) -> Result<(), Failure> {
    change(context, &login.code, |organization| what(one(organization, &login.account)?))
}

fn change(
    context: &Context,
    code: &OrgCode,
    what: impl FnOnce(&mut Organization) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let folder = read(context);
    let (file, organization) = folder.find(code).ok_or_else(|| unknown(code))?;
    let mut changed = organization.clone();
    let done = what(&mut changed)?;
    if let Some(mistake) = check_organization(&changed).first() {
        return Err(anyhow!("{mistake}; nothing was changed").into());
    }
    save_organization(file, &changed).context("while writing the organization's file")?;
    hand_over(file, &context.loaded.orgs_dir())?;
    Screen::print(&done)?;
    poke(context)
}

/// One account, or all of them.
fn chosen<'a>(
    organization: &'a mut Organization,
    name: Option<&str>,
) -> Result<Vec<&'a mut Account>, Failure> {
    match name {
        Some(name) => Ok(vec![one(organization, name)?]),
        None => Ok(organization.accounts.iter_mut().collect()),
    }
}

fn one<'a>(organization: &'a mut Organization, name: &str) -> Result<&'a mut Account, Failure> {
    let Organization { code, accounts, .. } = organization;
    let names: Vec<String> = accounts.iter().map(|account| account.name.clone()).collect();
    let found = accounts.iter_mut().find(|account| account.name == name);
    found.ok_or_else(|| anyhow!("{code} has no account {name}; it has {}", names.join(", ")).into())
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
