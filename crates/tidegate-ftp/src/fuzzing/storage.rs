//! A storage in memory that holds the engine to its promises: nobody who has not logged in gets here, no path leads out of the
//! tree, and an upload that ends is whole.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt};
use unftp_core::auth::{
    AuthenticationError, Authenticator, Credentials, DefaultUser, Principal, UserDetailError,
    UserDetailProvider,
};
use unftp_core::storage::{ErrorKind, FEATURE_RESTART, Fileinfo, Metadata as _, Result, StorageBackend};

use super::entry::Entry;

/// The only password there is; any name goes with it.
const PASSWORD: &str = "x";

/// What every upload brings.
pub(super) const UPLOAD: &[u8] = b"MSH|^~\\&|EHR\rFTS|1\r";

/// The account and its files: those in the root, by their path.
#[derive(Debug, Clone, Default)]
pub(super) struct Site(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    has_login: bool,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Site {
    pub(super) fn has_login(&self) -> bool {
        self.lock().has_login
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what the engine asks for, before it is given anything.
    fn asked(&self, path: &Path) {
        assert!(self.has_login(), "nobody has logged in");
        let bytes = path.as_os_str().as_bytes();
        assert!(!bytes.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')), "a name with a line end");
        let rest = bytes.strip_prefix(b"/").unwrap_or(b"..");
        let is_name = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
        assert!(rest.is_empty() || rest.split(|byte| *byte == b'/').all(is_name), "not a path of the tree");
    }

    fn entry(&self, path: &Path) -> Result<Entry> {
        self.asked(path);
        self.lock().entry(path)
    }
}

impl Inner {
    fn entry(&self, path: &Path) -> Result<Entry> {
        if path == Path::new("/") {
            return Ok(Entry(None));
        }
        let file = self.files.get(path).ok_or(ErrorKind::PermanentFileNotAvailable)?;
        Ok(Entry(Some(file.len())))
    }
}

#[async_trait]
impl Authenticator for Site {
    async fn authenticate(
        &self,
        name: &str,
        given: &Credentials,
    ) -> std::result::Result<Principal, AuthenticationError> {
        if given.password.as_deref() != Some(PASSWORD) {
            return Err(AuthenticationError::BadPassword);
        }
        self.lock().has_login = true;
        Ok(Principal { username: name.to_owned() })
    }
}

#[async_trait]
impl UserDetailProvider for Site {
    type User = DefaultUser;

    async fn provide_user_detail(&self, _: &Principal) -> std::result::Result<DefaultUser, UserDetailError> {
        Ok(DefaultUser)
    }
}

#[async_trait]
impl StorageBackend<DefaultUser> for Site {
    type Metadata = Entry;

    fn supported_features(&self) -> u32 {
        FEATURE_RESTART
    }

    async fn metadata<P: AsRef<Path> + Send + Debug>(&self, _: &DefaultUser, path: P) -> Result<Entry> {
        self.entry(path.as_ref())
    }

    async fn list<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &DefaultUser,
        path: P,
    ) -> Result<Vec<Fileinfo<PathBuf, Entry>>> {
        if self.entry(path.as_ref())?.is_file() {
            return Err(ErrorKind::PermanentDirectoryNotAvailable.into());
        }
        let info = |(path, bytes): (&PathBuf, &Vec<u8>)| Fileinfo {
            path: path.clone(),
            metadata: Entry(Some(bytes.len())),
        };
        Ok(self.lock().files.iter().map(info).collect())
    }

    async fn get<P: AsRef<Path> + Send + Debug>(
        &self,
        _: &DefaultUser,
        path: P,
        start: u64,
    ) -> Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        self.asked(path.as_ref());
        let inner = self.lock();
        let file = inner.files.get(path.as_ref()).ok_or(ErrorKind::PermanentFileNotAvailable)?;
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let rest = file.get(start..).map(<[u8]>::to_vec);
        // The engine has compared the two, and nothing makes a file shorter.
        assert!(rest.is_some(), "it begins behind the end of the file");
        Ok(Box::new(Cursor::new(rest.unwrap_or_default())))
    }

    async fn put<P: AsRef<Path> + Send + Debug, R: AsyncRead + Send + Sync + Unpin + 'static>(
        &self,
        _: &DefaultUser,
        mut input: R,
        path: P,
        start: u64,
    ) -> Result<u64> {
        self.asked(path.as_ref());
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).await?;
        assert_eq!(bytes, UPLOAD, "an upload was cut or changed");
        let mut inner = self.lock();
        let file = inner.files.entry(path.as_ref().to_owned()).or_default();
        if start != 0 && start != file.len() as u64 {
            return Err(ErrorKind::FileNameNotAllowedError.into());
        }
        // Never shorter than it was: a download may have begun.
        file.extend_from_slice(&bytes);
        Ok(bytes.len() as u64)
    }

    async fn del<P: AsRef<Path> + Send + Debug>(&self, _: &DefaultUser, path: P) -> Result<()> {
        self.entry(path.as_ref())?;
        Err(ErrorKind::PermissionDenied.into())
    }

    async fn mkd<P: AsRef<Path> + Send + Debug>(&self, _: &DefaultUser, path: P) -> Result<()> {
        self.asked(path.as_ref());
        Ok(())
    }

    async fn rename<P: AsRef<Path> + Send + Debug>(&self, _: &DefaultUser, from: P, to: P) -> Result<()> {
        self.asked(to.as_ref());
        self.asked(from.as_ref());
        let mut inner = self.lock();
        let file = inner.files.get(from.as_ref()).cloned().ok_or(ErrorKind::PermanentFileNotAvailable)?;
        inner.files.insert(to.as_ref().to_owned(), file);
        Ok(())
    }

    async fn rmd<P: AsRef<Path> + Send + Debug>(&self, _: &DefaultUser, path: P) -> Result<()> {
        self.asked(path.as_ref());
        Err(ErrorKind::PermissionDenied.into())
    }

    async fn cwd<P: AsRef<Path> + Send + Debug>(&self, _: &DefaultUser, path: P) -> Result<()> {
        self.asked(path.as_ref());
        Ok(())
    }
}
