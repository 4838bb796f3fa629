//! `tidegate staff ...`: who may use the console.
//!
//! Invariant: a running server needs no word of it: it reads the files at each request.

use anyhow::{Context as _, anyhow};
use serde_json::json;
use tidegate_web::staff::{Account, StaffError, StaffFolder, Totp};

use super::org_files::hand_over;
use super::password;
use crate::cli::{JsonArg, StaffCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::render::{Screen, Table};

pub(super) fn staff(context: &Context, command: StaffCommand) -> Result<(), Failure> {
    match command {
        StaffCommand::List(args) => list(context, args),
        StaffCommand::Add(args) => {
            let password_hash = password::read_and_hash(&context.loaded, args.password_stdin)?;
            let account = Account {
                name: args.name,
                role: args.role,
                password_hash,
                totp_secret: None,
                disabled: false,
            };
            let path = folder(context).add(&account).map_err(wrong)?;
            let owner = &context.loaded.orgs_dir();
            hand_over(folder(context).path(), owner)?;
            hand_over(&path, owner)?;
            Ok(Screen::print(&format!("Added {}, {}. They log in at /staff.", account.name, account.role))?)
        }
        StaffCommand::Passwd(args) => {
            let password_hash = password::read_and_hash(&context.loaded, args.password_stdin)?;
            change(context, &args.name, |account| account.password_hash = password_hash)?;
            Ok(Screen::print(&format!(
                "{} has a new password; sessions with the old one have ended.",
                args.name
            ))?)
        }
        StaffCommand::Role(args) => {
            change(context, &args.name, |account| account.role = args.role)?;
            Ok(Screen::print(&format!("{} is {} now.", args.name, args.role))?)
        }
        StaffCommand::Disable(args) => {
            change(context, &args.name, |account| account.disabled = true)?;
            Ok(Screen::print(&format!("{} is shut out.", args.name))?)
        }
        StaffCommand::Enable(args) => {
            change(context, &args.name, |account| account.disabled = false)?;
            Ok(Screen::print(&format!("{} is let in again.", args.name))?)
        }
        StaffCommand::Totp(args) if args.off => {
            change(context, &args.name, |account| account.totp_secret = None)?;
            Ok(Screen::print(&format!("{} needs no one-time password any more.", args.name))?)
        }
        StaffCommand::Totp(args) => totp(context, &args.name),
    }
}

fn totp(context: &Context, name: &str) -> Result<(), Failure> {
    let secret = Totp::generate().map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    let secret = secret.to_base32();
    change(context, name, |account| account.totp_secret = Some(secret.clone()))?;
    Ok(Screen::print(&format!(
        "{name} needs a one-time password from now on. For their authenticator, shown this once:\n\
         otpauth://totp/tidegate:{name}?secret={secret}&issuer=tidegate"
    ))?)
}

fn folder(context: &Context) -> StaffFolder {
    context.loaded.staff()
}

fn change(context: &Context, name: &str, change: impl FnOnce(&mut Account)) -> Result<(), Failure> {
    let folder = folder(context);
    let mut account = folder.find(name).map_err(wrong)?;
    change(&mut account);
    let path = folder.save(&account).map_err(wrong)?;
    hand_over(&path, &context.loaded.orgs_dir())
}

fn wrong(error: StaffError) -> Failure {
    anyhow::Error::new(error).into()
}

fn list(context: &Context, args: JsonArg) -> Result<(), Failure> {
    let found = folder(context).list().context("while looking for staff")?;
    let (mut accounts, mut problems) = (Vec::new(), Vec::new());
    for one in found {
        match one {
            Ok(account) => accounts.push(account),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    if args.json {
        let view = |one: &Account| json!({"name": one.name, "role": one.role, "totp": one.totp_secret.is_some(), "disabled": one.disabled});
        return Ok(Screen::json(&accounts.iter().map(view).collect::<Vec<_>>())?);
    }
    let mut table = Table::new(context.screen(), &["NAME", "ROLE", "ONE-TIME PASSWORD", "STATE"]);
    for one in &accounts {
        let (totp, state) = (one.totp_secret.is_some(), if one.disabled { "shut out" } else { "open" });
        let cells = [
            one.name.clone(),
            one.role.to_string(),
            if totp { "yes" } else { "no" }.to_owned(),
            state.to_owned(),
        ];
        table.row(cells.map(|cell| (cell, None)));
    }
    if accounts.is_empty() {
        Screen::print("There is nobody. `tidegate staff add NAME --role administrator` adds somebody.")?;
    } else {
        Screen::print(&table.to_string())?;
    }
    if problems.is_empty() { Ok(()) } else { Err(anyhow!(problems.join("\n")).into()) }
}
