//! A tree in memory: one directory `sub`, files by path. It keeps what a `put` read up to an error
//! apart, to see what a backend would have learnt.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidegate_ftp::{Digest, Digests, Remarks};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;
use unftp_core::auth::{
    AuthenticationError, Authenticator, Credentials, Principal, UserDetail, UserDetailError,
    UserDetailProvider,
};
use unftp_core::storage::{
    Error, ErrorKind, FEATURE_RESTART, Fileinfo, Metadata as _, Result, StorageBackend,
};

use crate::entry::Entry;

#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) files: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
    /// The kinds of error that uploads ended with.
    pub(crate) broken: Arc<Mutex<Vec<std::io::ErrorKind>>>,
    /// Told at the beginning of each upload.
    pub(crate) begun: Arc<Notify>,
    pub(crate) remarks: Remarks,
}

/// Knows the digests of files that it does not have.
#[derive(Debug)]
pub(crate) struct Known;

#[async_trait]
impl Digests<User> for Known {
    async fn digest(&self, _: &User, path: &Path) -> Result<Option<Digest>> {
        match path.to_str() {
            Some("/sub/known") => Ok(Some(Digest { sha256: [0xa7; 32], size_bytes: 70_000 })),
            Some("/sub/secret") => Err(Error::new(ErrorKind::PermissionDenied, "that is nobody's business")),
            _ => Ok(None),
        }
    }
}

#[derive(Debug)]
pub(crate) struct User(String);

#[derive(Debug)]
pub(crate) struct Accounts;

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("user")
    }
}

impl UserDetail for User {
    fn account_enabled(&self) -> bool {
        self.0 != "locked"
    }
}

#[async_trait]
impl Authenticator for Accounts {
    async fn authenticate(
        &self,
        name: &str,
        credentials: &Credentials,
    ) -> std::result::Result<Principal, AuthenticationError> {
        let has_certificate = credentials.certificate_chain.as_ref().is_some_and(|chain| chain.len() == 1);
        if name == "certified" && !has_certificate {
            return Err(AuthenticationError::BadPassword);
        }
        if name == "late" && credentials.password.as_deref() == Some("secret") {
            return Err(AuthenticationError::new("Too many of you"));
        }
        if ["ann", "certified", "locked", "homeless"].contains(&name)
            && credentials.password.as_deref() == Some("secret")
        {
            return Ok(Principal { username: name.to_owned() });
        }
        Err(AuthenticationError::BadPassword)
    }
}

#[async_trait]
impl UserDetailProvider for Accounts {
    type User = User;

    async fn provide_user_detail(&self, user: &Principal) -> std::result::Result<User, UserDetailError> {
        Ok(User(user.username.clone()))
    }
}

impl Memory {
    fn entry(&self, path: &Path) -> Result<Entry> {
        if path == Path::new("/") || path == Path::new("/sub") {
            return Ok(Entry(None));
        }
        if path == Path::new("/endless") {
            return Ok(Entry(Some(0)));
        }
        if path == Path::new("/unwell") {
            return Err(ErrorKind::LocalError.into());
        }
        let files = self.files.lock().unwrap();
        let file = files.get(path).ok_or(ErrorKind::PermanentFileNotAvailable)?;
        Ok(Entry(Some(file.len())))
    }
}

#[async_trait]
impl StorageBackend<User> for Memory {
    type Metadata = Entry;

    fn enter(&mut self, user: &User) -> std::io::Result<()> {
        if user.0 == "homeless" { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(()) }
    }

    fn supported_features(&self) -> u32 {
        FEATURE_RESTART
    }

    async fn metadata<P: AsRef<Path> + Send + Debug>(&self, _: &User, path: P) -> Result<Entry> {
        self.entry(path.as_ref())
    }

    async fn list<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &User,
        path: P,
    ) -> Result<Vec<Fileinfo<PathBuf, Entry>>> {
        let path = path.as_ref();
        if self.entry(path)?.is_file() {
            return Err(ErrorKind::PermanentDirectoryNotAvailable.into());
        }
        let files = self.files.lock().unwrap();
        let here = files.iter().filter(|(file, _)| file.parent() == Some(path));
        Ok(here
            .map(|(file, bytes)| Fileinfo { path: file.clone(), metadata: Entry(Some(bytes.len())) })
            .collect())
    }

    async fn get<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &User,
        path: P,
        start: u64,
    ) -> Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        if path.as_ref() == Path::new("/endless") {
            self.begun.notify_one();
            return Ok(Box::new(tokio::io::repeat(0)));
        }
        let files = self.files.lock().unwrap();
        let file = files.get(path.as_ref()).ok_or(ErrorKind::PermanentFileNotAvailable)?;
        Ok(Box::new(Cursor::new(file[usize::try_from(start).unwrap()..].to_vec())))
    }

    async fn put<P: AsRef<Path> + Send + Debug, R: AsyncRead + Send + Sync + Unpin + 'static>(
        &self,
        _: &User,
        mut input: R,
        path: P,
        start: u64,
    ) -> Result<u64> {
        self.begun.notify_one();
        if path.as_ref() == Path::new("/forbidden") {
            return Err(Error::new(ErrorKind::FileNameNotAllowedError, "that name is taken"));
        }
        let mut bytes = Vec::new();
        if let Err(error) = input.read_to_end(&mut bytes).await {
            self.broken.lock().unwrap().push(error.kind());
            return Err(ErrorKind::ConnectionClosed.into());
        }
        let mut files = self.files.lock().unwrap();
        let file = files.entry(path.as_ref().to_owned()).or_default();
        file.truncate(usize::try_from(start).unwrap());
        file.extend_from_slice(&bytes);
        Ok(bytes.len() as u64)
    }

    async fn del<P: AsRef<Path> + Send + Debug>(&self, _: &User, path: P) -> Result<()> {
        let removed = self.files.lock().unwrap().remove(path.as_ref());
        removed.map(drop).ok_or_else(|| ErrorKind::PermanentFileNotAvailable.into())
    }

    async fn mkd<P: AsRef<Path> + Send + Debug>(&self, _: &User, _: P) -> Result<()> {
        Ok(())
    }

    async fn rename<P: AsRef<Path> + Send + Debug>(&self, _: &User, from: P, to: P) -> Result<()> {
        let mut files = self.files.lock().unwrap();
        let file = files.remove(from.as_ref()).ok_or(ErrorKind::PermanentFileNotAvailable)?;
        files.insert(to.as_ref().to_owned(), file);
        Ok(())
    }

    async fn rmd<P: AsRef<Path> + Send + Debug>(&self, _: &User, _: P) -> Result<()> {
        Err(ErrorKind::PermissionDenied.into())
    }

    async fn cwd<P: AsRef<Path> + Send + Debug>(&self, _: &User, path: P) -> Result<()> {
        match self.entry(path.as_ref()) {
            Ok(entry) if entry.is_dir() => Ok(()),
            _ => Err(ErrorKind::PermanentDirectoryNotAvailable.into()),
        }
    }
}
