//! `tidegate org ...`.
//!
//! Invariant: these commands read and write the files of `orgs.d/`, whether or not the server runs,
//! and tell a running one. A password hash is never printed.

use anyhow::anyhow;
use tidegate_domain::{Account, OrgCode, Organization};
use tidegate_ingest::accounts::{OrgFolder, account_mut, load_folder};
use tidegate_web::api::{LegalHoldView, RetentionView};

use super::org_certificates;
use super::org_change::{self, refused};
use super::org_files::{hand_over, poke};
use super::org_keys;
use super::org_view::{OrgView, org_list, org_text, sheet};
use super::password;
use crate::cli::{
    AccountCommand, CertificateCommand, JsonArg, KeyCommand, OrgAddArgs, OrgCommand, OrgShowArgs, PasswdArgs,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn org(context: &Context, command: OrgCommand) -> Result<(), Failure> {
    match command {
        OrgCommand::Add(args) => add(context, args),
        OrgCommand::List(args) => list(context, args),
        OrgCommand::Show(args) => show(context, &args),
        OrgCommand::Set(args) => org_change::set(context, &args),
        OrgCommand::Disable(args) => org_change::set_disabled(context, &args, true),
        OrgCommand::Enable(args) => org_change::set_disabled(context, &args, false),
        OrgCommand::Account(AccountCommand::Add(args)) => org_change::add_account(context, args),
        OrgCommand::Account(AccountCommand::Remove(args)) => org_change::remove_account(context, &args),
        OrgCommand::Passwd(args) => passwd(context, &args),
        OrgCommand::Key(KeyCommand::Add(args)) => org_keys::add(context, &args),
        OrgCommand::Key(KeyCommand::Remove(args)) => org_keys::remove(context, &args),
        OrgCommand::Certificate(CertificateCommand::Add(args)) => org_certificates::add(context, &args),
        OrgCommand::Certificate(CertificateCommand::Remove(args)) => org_certificates::remove(context, &args),
    }
}

fn add(context: &Context, args: OrgAddArgs) -> Result<(), Failure> {
    let mut organization = Organization {
        name: args.name,
        completion: args.completion,
        accounts: vec![Account::new(args.account)],
        ..Organization::new(args.code)
    };
    let editor = org_change::editor(context);
    // Before anybody types a password for nothing.
    editor.check_new(&organization).map_err(|error| refused(context, &error))?;
    check_folder(context)?;
    let password_hash = password::read_and_hash(&context.loaded, args.password_stdin)?;
    for account in &mut organization.accounts {
        account.password_hash = Some(password_hash.clone());
    }
    let path = editor.add(&organization).map_err(|error| refused(context, &error))?;
    hand_over(&path, &context.loaded.orgs_dir())?;
    Screen::print(&format!("Added {} in {}", organization.code, path.display()))?;
    poke(context)?;
    Ok(Screen::print(&sheet(context, &organization))?)
}

fn check_folder(context: &Context) -> Result<(), Failure> {
    let folder = context.loaded.orgs_dir();
    if folder.is_dir() {
        return Ok(());
    }
    let shown = folder.display();
    Err(anyhow!(
        "the directory {shown} is not there\nMake it, for the service's user: install -d -m 0700 {shown}"
    )
    .into())
}

/// The files there are; broken ones are told of and left out.
pub(super) fn read(context: &Context) -> OrgFolder {
    let folder = load_folder(&context.loaded.orgs_dir());
    for problem in &folder.problems {
        eprintln!("tidegate: {problem}");
    }
    folder
}

fn list(context: &Context, args: JsonArg) -> Result<(), Failure> {
    let folder = read(context);
    let views: Vec<OrgView> = folder.organizations.iter().map(OrgView::of).collect();
    if args.json {
        return Ok(Screen::json(&views)?);
    }
    Ok(Screen::print(&org_list(&views, &context.screen()))?)
}

fn show(context: &Context, args: &OrgShowArgs) -> Result<(), Failure> {
    let code = &args.org.code;
    let folder = read(context);
    let (file, organization) = folder.find(code).ok_or_else(|| unknown(code))?;
    let mut view = OrgView::of((&file.to_owned(), organization));
    view.legal_holds = legal_holds(context, code);
    if args.json.json {
        return Ok(Screen::json(&view)?);
    }
    Ok(Screen::print(&org_text(&view, &context.screen()))?)
}

/// Those that stand, if the server runs and can be asked.
fn legal_holds(context: &Context, org: &OrgCode) -> Option<Vec<LegalHoldView>> {
    let view: RetentionView = context.client().ok()?.get("/v1/retention").ok()?;
    Some(view.legal_holds.into_iter().filter(|hold| hold.org == *org).collect())
}

fn passwd(context: &Context, args: &PasswdArgs) -> Result<(), Failure> {
    let PasswdArgs { login, password_stdin } = args;
    let mut organization = org_change::find(context, &login.code)?;
    // Before anybody types a password for nothing.
    account_mut(&mut organization, &login.account).map_err(|error| refused(context, &error))?;
    let password_hash = password::read_and_hash(&context.loaded, *password_stdin)?;
    org_change::change_account(context, login, |account| {
        account.password_hash = Some(password_hash);
        Ok(format!("The password of {} ({}) is set.", login.account, login.code))
    })
}

pub(super) fn unknown(code: &OrgCode) -> anyhow::Error {
    anyhow!("there is no organization {code}; `tidegate org list` shows those there are")
}
