//! Adds and changes organizations: what the command line and the staff console have in common.
//!
//! Invariant: nothing is written that the server would refuse; and of two who change at once neither undoes what the
//! other did, since whoever changes has the folder to himself from reading to writing.

mod error;
#[cfg(test)]
mod tests;
mod verbs;

use std::fs::File;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;
use tidegate_domain::{OrgCode, Organization};

use super::file::{mistakes, read_as_written};
use super::folder::{OrgFolder, load_folder};
use super::problem::Problems;
use super::write::{create_organization, save_organization};
pub use error::ChangeError;
pub use verbs::{
    account_mut, add_account, add_keys, bind, parse_keys, remove_account, remove_keys, set_disabled, unbind,
};

/// Changes the organizations of a folder.
#[derive(Debug, Clone)]
pub struct OrgEditor {
    /// `orgs.d`.
    folder: PathBuf,
    /// Watched folders, and whose files they bring.
    watched: Vec<(OrgCode, PathBuf)>,
}

/// An organization that was changed.
#[derive(Debug)]
pub struct Changed<T> {
    /// Its file.
    pub file: PathBuf,
    /// What the change had to say.
    pub done: T,
}

impl OrgEditor {
    /// For the organizations in `folder`; `watched` names the watched folders with their organizations.
    pub fn new(folder: impl Into<PathBuf>, watched: Vec<(OrgCode, PathBuf)>) -> Self {
        Self { folder: folder.into(), watched }
    }

    /// Whether that organization could be added. Blocks.
    pub fn check_new(&self, organization: &Organization) -> Result<(), ChangeError> {
        let folder = load_folder(&self.folder);
        if let Some((file, _)) = folder.find(&organization.code) {
            return Err(ChangeError::Exists { code: organization.code.clone(), file: file.to_owned() });
        }
        self.check_completion(organization)?;
        check(&folder, None, organization)
    }

    /// Whether no organization has an account of that name. Blocks.
    pub fn check_free(&self, account: &str) -> Result<(), ChangeError> {
        check_account(&load_folder(&self.folder), None, account)
    }

    /// Writes a new organization's file, and tells which. Blocks.
    pub fn add(&self, organization: &Organization) -> Result<PathBuf, ChangeError> {
        let _lock = self.lock()?;
        self.check_new(organization)?;
        Ok(create_organization(&self.folder, organization)?)
    }

    /// Has `what` change an organization, and writes its file. Nothing is written where either refuses. Blocks.
    pub fn change<T>(
        &self,
        code: &OrgCode,
        what: impl FnOnce(&mut Organization) -> Result<T, ChangeError>,
    ) -> Result<Changed<T>, ChangeError> {
        let _lock = self.lock()?;
        let folder = load_folder(&self.folder);
        let (file, _) = folder.find(code).ok_or_else(|| ChangeError::Unknown(code.clone()))?;
        // As it is written: paths in it stay as they are.
        let before = read_as_written(file).map_err(Problems)?;
        let mut organization = before.clone();
        let done = what(&mut organization)?;
        if organization.completion != before.completion {
            self.check_completion(&organization)?;
        }
        check(&folder, Some(code), &organization)?;
        save_organization(file, &organization)?;
        Ok(Changed { file: file.to_owned(), done })
    }

    /// Nobody else changes an organization while this is held.
    fn lock(&self) -> Result<File, ChangeError> {
        let failed = |source| ChangeError::Folder { path: self.folder.clone(), source };
        let folder = File::open(&self.folder).map_err(failed)?;
        let locked = retry_on_intr(|| flock(&folder, FlockOperation::LockExclusive));
        locked.map_err(|errno| failed(errno.into()))?;
        Ok(folder)
    }

    /// Refuses what a watched folder of the organization can't tell.
    fn check_completion(&self, organization: &Organization) -> Result<(), ChangeError> {
        let Organization { code, completion, .. } = organization;
        let folder = self.watched.iter().find(|(org, _)| org == code);
        match folder {
            Some((_, folder)) if !completion.is_default() => Err(ChangeError::Watched {
                code: code.clone(),
                folder: folder.clone(),
                completion: *completion,
            }),
            _ => Ok(()),
        }
    }
}

/// Whether `account` is free, or belongs to `code`.
fn check_account(folder: &OrgFolder, code: Option<&OrgCode>, account: &str) -> Result<(), ChangeError> {
    match folder.owner_of(account).filter(|owner| Some(&owner.code) != code) {
        None => Ok(()),
        Some(owner) => Err(ChangeError::Taken { account: account.to_owned(), owner: owner.code.clone() }),
    }
}

fn check(folder: &OrgFolder, code: Option<&OrgCode>, organization: &Organization) -> Result<(), ChangeError> {
    for account in &organization.accounts {
        check_account(folder, code, &account.name)?;
    }
    let found = mistakes(organization);
    if found.is_empty() { Ok(()) } else { Err(ChangeError::Refused(found)) }
}
