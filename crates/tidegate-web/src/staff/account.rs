//! One account of staff, and the folder they are in.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 32;

/// What somebody may do. Each may do what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Act on jobs and maintenance.
    Operator,
    /// Act on accounts, and read the audit log.
    Administrator,
}

impl Role {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = [Self::Viewer, Self::Operator, Self::Administrator];
        let found = all.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| "write viewer, operator or administrator".to_owned())
    }
}

/// One account, as it stands in `NAME.toml`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The name, which is that of the file; stands in histories as who did it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// The secret of one-time passwords in base32; none are asked for where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<String>,
    /// Whether it is shut out.
    #[serde(default)]
    pub disabled: bool,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Why an account can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// It can't be a name.
    #[error(
        "a name has up to 32 small letters, digits, dots, hyphens and underscores, and begins with a letter"
    )]
    Name,
    /// There is one already.
    #[error("{0} exists already")]
    Exists(String),
    /// There is none.
    #[error("there is no {0} among the staff; `tidegate staff list` shows those there are")]
    Unknown(String),
    /// The file says something else.
    #[error("{path} can't be understood: {message}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// The folder `staff.d`. It need not be there: then there is no staff.
#[derive(Debug, Clone)]
pub struct StaffFolder(PathBuf);

impl StaffFolder {
    /// The folder of that path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The account of that name. Blocks.
    pub fn find(&self, name: &str) -> Result<Account, StaffError> {
        let path = self.file(name)?;
        let text = fs::read_to_string(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => StaffError::Unknown(name.to_owned()),
            _ => StaffError::Io { path: path.clone(), source },
        })?;
        let account: Account = toml::from_str(&text)
            .map_err(|error| StaffError::Form { path: path.clone(), message: error.message().to_owned() })?;
        if account.name != name {
            let message = format!("name is {:?}, unlike the file's", account.name);
            return Err(StaffError::Form { path, message });
        }
        Ok(account)
    }

    /// Every account, by name, or what is wrong with it. Blocks.
    pub fn list(&self) -> Result<Vec<Result<Account, StaffError>>, StaffError> {
        let io = |source| StaffError::Io { path: self.0.clone(), source };
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".toml").filter(|name| !name.starts_with('.')).map(str::to_owned));
        }
        names.sort();
        Ok(names.iter().map(|name| self.find(name)).collect())
    }

    /// Writes a new account; its file. Blocks.
    pub fn add(&self, account: &Account) -> Result<PathBuf, StaffError> {
        let path = self.file(&account.name)?;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(|source| StaffError::Io { path: self.0.clone(), source })?;
        self.write(account, &path, |new| {
            // A link, unlike a rename, never replaces a file that somebody else made meanwhile.
            fs::hard_link(new, &path)?;
            fs::remove_file(new)
        })
    }

    /// Writes an account anew; its file. Blocks.
    pub fn save(&self, account: &Account) -> Result<PathBuf, StaffError> {
        let path = self.file(&account.name)?;
        self.write(account, &path, |new| fs::rename(new, &path))
    }

    /// Whoever reads meanwhile finds the old file or the new one, whole, for its owner only.
    fn write(
        &self,
        account: &Account,
        path: &Path,
        publish: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<PathBuf, StaffError> {
        let form =
            |error: toml::ser::Error| StaffError::Form { path: path.to_owned(), message: error.to_string() };
        let text = toml::to_string_pretty(account).map_err(form)?;
        let new = self.0.join(format!(".{}.new", std::process::id()));
        let written = write_synced(&new, &text).and_then(|()| publish(&new));
        let written = written.and_then(|()| File::open(&self.0)?.sync_all());
        written.map_err(|source| {
            let _ = fs::remove_file(&new);
            match source.kind() {
                io::ErrorKind::AlreadyExists => StaffError::Exists(account.name.clone()),
                _ => StaffError::Io { path: path.to_owned(), source },
            }
        })?;
        Ok(path.to_owned())
    }

    /// No name leads out of the folder.
    fn file(&self, name: &str) -> Result<PathBuf, StaffError> {
        let is_plain = |char: char| {
            char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '.' | '-' | '_')
        };
        let begins_well = name.starts_with(|char: char| char.is_ascii_lowercase());
        if !begins_well || name.len() > NAME_BYTES_MAX || !name.chars().all(is_plain) {
            return Err(StaffError::Name);
        }
        Ok(self.0.join(format!("{name}.toml")))
    }
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    // Left over from a process of the same id that died.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
