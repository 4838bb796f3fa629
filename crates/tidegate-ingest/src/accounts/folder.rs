//! All files of `orgs.d/` together.
//!
//! Invariant: a code or an account name that two files claim belongs to the file that had it first;
//! the other is left out and reported. So nobody takes over an account by adding a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tidegate_domain::{OrgCode, Organization};

use super::file::read_organization;
use super::problem::Problem;

/// What a folder of organizations holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrgFolder {
    /// The organizations that are in force, by file.
    pub organizations: BTreeMap<PathBuf, Organization>,
    /// What is wrong with files; each is without effect or as it was before.
    pub problems: Vec<Problem>,
}

impl OrgFolder {
    /// The file and the organization of a code.
    pub fn find(&self, code: &OrgCode) -> Option<(&Path, &Organization)> {
        let found = self.organizations.iter().find(|(_, organization)| organization.code == *code);
        found.map(|(path, organization)| (path.as_path(), organization))
    }

    /// The organization that an account belongs to.
    pub fn owner_of(&self, account: &str) -> Option<&Organization> {
        let owns = |organization: &&Organization| organization.accounts.iter().any(|it| it.name == account);
        self.organizations.values().find(owns)
    }
}

/// Reads every `*.toml` in `folder`. Blocks.
pub fn load_folder(folder: &Path) -> OrgFolder {
    reload_folder(folder, &OrgFolder::default())
}

/// Like [`load_folder`], but where a file is broken, what it said in `before` stays in force.
pub(super) fn reload_folder(folder: &Path, before: &OrgFolder) -> OrgFolder {
    let paths = match paths(folder) {
        Ok(paths) => paths,
        Err(error) => {
            let message = format!("can't be read: {error}");
            let problem = Problem { file: folder.to_owned(), key: String::new(), message };
            return OrgFolder { organizations: before.organizations.clone(), problems: vec![problem] };
        }
    };
    let mut read = BTreeMap::new();
    let mut problems = Vec::new();
    for path in paths {
        match read_organization(&path) {
            Ok(organization) => _ = read.insert(path, organization),
            Err(found) => {
                problems.extend(found);
                if let Some(organization) = before.organizations.get(&path) {
                    read.insert(path, organization.clone());
                }
            }
        }
    }
    let (organizations, conflicts) = settle(read, before);
    problems.extend(conflicts);
    problems.sort();
    OrgFolder { organizations, problems }
}

fn paths(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Leaves a file that claims another's code or account as it was before, or out, until no two claim the same.
fn settle(
    mut read: BTreeMap<PathBuf, Organization>,
    before: &OrgFolder,
) -> (BTreeMap<PathBuf, Organization>, Vec<Problem>) {
    let mut problems = Vec::new();
    while let Some(problem) = first_conflict(&read, before) {
        // What it said before is kept for it from then on, so that this ends.
        match before.organizations.get(&problem.file) {
            Some(previous) => _ = read.insert(problem.file.clone(), previous.clone()),
            None => _ = read.remove(&problem.file),
        }
        problems.push(problem);
    }
    (read, problems)
}

fn first_conflict(read: &BTreeMap<PathBuf, Organization>, before: &OrgFolder) -> Option<Problem> {
    let mut claims = Claims::kept(read, before);
    read.iter().find_map(|(path, organization)| {
        let (key, message) = claims.claim(path, organization).err()?;
        Some(Problem { file: path.clone(), key, message })
    })
}

/// Which file has which code and which account.
#[derive(Default)]
struct Claims<'a> {
    codes: BTreeMap<&'a OrgCode, &'a Path>,
    accounts: BTreeMap<&'a str, (&'a Path, &'a OrgCode)>,
}

impl<'a> Claims<'a> {
    /// What files had before and still ask for: nobody else gets that, whichever file is looked at first.
    fn kept(read: &'a BTreeMap<PathBuf, Organization>, before: &OrgFolder) -> Self {
        let mut claims = Self::default();
        for (path, organization) in read {
            let Some(previous) = before.organizations.get(path) else { continue };
            if previous.code == organization.code {
                claims.codes.insert(&organization.code, path);
            }
            let had = |name: &str| previous.accounts.iter().any(|account| account.name == name);
            for account in organization.accounts.iter().filter(|account| had(&account.name)) {
                claims.accounts.insert(&account.name, (path, &organization.code));
            }
        }
        claims
    }

    /// Notes what a file asks for; what is in the way: its key, and why.
    fn claim(&mut self, path: &'a Path, organization: &'a Organization) -> Result<(), (String, String)> {
        let other = *self.codes.entry(&organization.code).or_insert(path);
        if other != path {
            return Err(("code".to_owned(), format!("stands in {} already", other.display())));
        }
        let mut names = BTreeSet::new();
        for (index, account) in organization.accounts.iter().enumerate() {
            let name = account.name.as_str();
            let key = || format!("account[{index}].name");
            let (other, code) = *self.accounts.entry(name).or_insert((path, &organization.code));
            if other != path {
                return Err((key(), format!("{name:?} is an account of {code} already")));
            }
            if !names.insert(name) {
                return Err((key(), format!("{name:?} stands twice")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files(tempfile::TempDir);

    impl Files {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, name: &str, code: &str, account: &str) -> &Self {
            let text = format!("code = '{code}'\n[[account]]\nname = '{account}'\n");
            self.write_text(name, &text)
        }

        fn write_text(&self, name: &str, text: &str) -> &Self {
            std::fs::write(self.0.path().join(name), text).unwrap();
            self
        }

        fn reload(&self, before: &OrgFolder) -> OrgFolder {
            reload_folder(self.0.path(), before)
        }
    }

    fn codes(folder: &OrgFolder) -> Vec<&str> {
        folder.organizations.values().map(|organization| organization.code.as_str()).collect()
    }

    #[test]
    fn only_visible_toml_files_are_read() {
        let files = Files::new();
        files.write("A.toml", "A", "a").write(".B.toml", "B", "b").write("C.toml~", "C", "c");
        let folder = load_folder(files.0.path());
        assert_eq!((codes(&folder), folder.problems.len()), (vec!["A"], 0));
    }

    #[test]
    fn a_broken_file_keeps_what_it_said_before_and_the_others_go_on() {
        let files = Files::new();
        let before = files.write("A.toml", "A", "a").write("B.toml", "B", "b").reload(&OrgFolder::default());
        files.write_text("A.toml", "code = ").write("B.toml", "B", "b2");
        let after = files.reload(&before);
        assert_eq!(codes(&after), ["A", "B"]);
        assert!(after.owner_of("a").is_some() && after.owner_of("b2").is_some());
        assert_eq!(after.problems.len(), 1);
        assert!(files.write("A.toml", "A", "a").reload(&after).problems.is_empty());
    }

    #[test]
    fn a_file_that_is_gone_takes_its_organization_along() {
        let files = Files::new();
        let before = files.write("A.toml", "A", "a").reload(&OrgFolder::default());
        std::fs::remove_file(files.0.path().join("A.toml")).unwrap();
        assert_eq!(files.reload(&before), OrgFolder::default());
    }

    #[test]
    fn an_account_stays_with_the_file_that_had_it() {
        let files = Files::new();
        let before = files.write("Z.toml", "Z", "z").reload(&OrgFolder::default());
        let after = files.write("A.toml", "A", "z").reload(&before);
        assert_eq!(codes(&after), ["Z"]);
        assert_eq!(after.problems[0].key, "account[0].name");
        assert_eq!(files.write("B.toml", "Z", "b").reload(&before).problems.len(), 2);
    }

    #[test]
    fn a_change_that_conflicts_leaves_the_file_as_it_was() {
        let files = Files::new();
        let before = files.write("A.toml", "A", "a").write("B.toml", "B", "b").reload(&OrgFolder::default());
        let after = files.write("B.toml", "B", "a").reload(&before);
        assert_eq!(after.organizations, before.organizations);
        assert_eq!(after.problems.len(), 1);
    }

    #[test]
    fn an_account_stays_with_its_file_although_that_changes_at_the_same_time() {
        let files = Files::new();
        let before = files.write("B.toml", "B", "b").reload(&OrgFolder::default());
        files
            .write("A.toml", "A", "b")
            .write_text("B.toml", "code = 'B'\nname = 'new'\n[[account]]\nname = 'b'");
        let after = files.reload(&before);
        assert_eq!(codes(&after), ["B"]);
        assert_eq!(after.owner_of("b").unwrap().name, "new");
        assert_eq!(after.problems.len(), 1);
        // The same for a code that another file asks for.
        files.write("A.toml", "B", "a").write("B.toml", "B", "b");
        let after = files.reload(&after);
        assert_eq!((codes(&after), after.owner_of("a")), (vec!["B"], None));
    }

    #[test]
    fn a_file_that_asks_for_too_much_keeps_even_what_it_would_have_given_up() {
        let files = Files::new();
        let before = files.write("M.toml", "M", "m").write("Z.toml", "Z", "z").reload(&OrgFolder::default());
        // M wants the account of Z instead of its own, which a new file wants.
        let after = files.write("A.toml", "A", "m").write("M.toml", "M", "z").reload(&before);
        assert_eq!(after.organizations, before.organizations);
        assert_eq!(after.problems.len(), 2);
    }

    #[test]
    fn accounts_may_move_and_change_places_between_files_at_once() {
        let files = Files::new();
        let before = files.write("A.toml", "A", "a").write("B.toml", "B", "b").reload(&OrgFolder::default());
        let after = files.write("A.toml", "A", "b").write("B.toml", "B", "a").reload(&before);
        assert_eq!(after.problems, []);
        assert_eq!(after.owner_of("a").unwrap().code.as_str(), "B");
    }

    #[test]
    fn a_folder_that_is_gone_changes_nothing() {
        let files = Files::new();
        let before = files.write("A.toml", "A", "a").reload(&OrgFolder::default());
        let after = reload_folder(&files.0.path().join("gone"), &before);
        assert_eq!(after.organizations, before.organizations);
        assert_eq!(after.problems.len(), 1);
    }
}
