//! Walking the tree, looking at files, renaming and deleting.

use unftp_core::auth::{Authenticator, UserDetailProvider};
use unftp_core::storage::{Error, ErrorKind, Metadata, StorageBackend};

use super::Session;
use super::login::Login;
use crate::failure;
use crate::listing::timestamp;
use crate::path::VirtualPath;
use crate::reply::Reply;
use crate::verb::Verb;

/// Length of `20261123040000` (RFC 3659, 2.3), in bytes.
const TIME_LEN: usize = 14;

impl<S, A> Session<'_, S, A>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    /// Who is logged in; commands get here only then.
    pub(super) fn user(&self) -> Result<&A::User, Error> {
        match &self.login {
            Login::In(user) => Ok(user),
            Login::Out { .. } => Err(ErrorKind::PermissionDenied.into()),
        }
    }

    pub(super) async fn metadata(&self, argument: &[u8]) -> Result<S::Metadata, Error> {
        self.storage.metadata(self.user()?, self.path(argument).as_path()).await
    }

    pub(super) async fn walk(&mut self, verb: Verb, argument: &[u8]) -> Reply {
        match self.try_walk(verb, argument).await {
            Ok(reply) => reply,
            Err(error) => failure::reply(&error),
        }
    }

    async fn try_walk(&mut self, verb: Verb, argument: &[u8]) -> Result<Reply, Error> {
        let path = self.path(if verb == Verb::Cdup { b".." } else { argument });
        Ok(match verb {
            Verb::Cwd | Verb::Cdup => {
                self.storage.cwd(self.user()?, path.as_path()).await?;
                self.directory = path;
                Reply::new(250, [b"You are in ".as_slice(), &self.directory.quoted()].concat())
            }
            Verb::Mkd => {
                self.storage.mkd(self.user()?, path.as_path()).await?;
                Reply::new(257, [path.quoted().as_slice(), b" was made"].concat())
            }
            Verb::Rmd => {
                self.storage.rmd(self.user()?, path.as_path()).await?;
                Reply::new(250, "Removed")
            }
            Verb::Dele => {
                self.storage.del(self.user()?, path.as_path()).await?;
                Reply::new(250, "Deleted")
            }
            Verb::Rnfr => {
                self.storage.metadata(self.user()?, path.as_path()).await?;
                self.rename_from = Some(path);
                Reply::new(350, "Now RNTO")
            }
            _ => self.working_directory(),
        })
    }

    pub(super) fn working_directory(&self) -> Reply {
        Reply::new(257, [self.directory.quoted().as_slice(), b" is where you are"].concat())
    }

    pub(super) async fn rename(&mut self, from: Option<VirtualPath>, argument: &[u8]) -> Reply {
        let Some(from) = from else { return Reply::new(503, "First RNFR, then RNTO") };
        let to = self.path(argument);
        let renamed = match self.user() {
            Ok(user) => self.storage.rename(user, from.as_path(), to.as_path()).await,
            Err(error) => Err(error),
        };
        let words = self.remarks.take_or("Renamed");
        match renamed {
            Ok(()) => Reply::new(250, words),
            Err(error) => failure::reply(&error),
        }
    }

    pub(super) async fn look(&mut self, verb: Verb, argument: &[u8]) -> Reply {
        match self.try_look(verb, argument).await {
            Ok(reply) => reply,
            Err(error) => failure::reply(&error),
        }
    }

    async fn try_look(&mut self, verb: Verb, argument: &[u8]) -> Result<Reply, Error> {
        if verb == Verb::Mfmt {
            return self.keep_time(argument).await;
        }
        let metadata = match self.metadata(argument).await {
            // MDTM with a time is an older MFMT, unless it is the name of a file.
            Err(_) if verb == Verb::Mdtm && begins_with_time(argument) => {
                return self.keep_time(argument).await;
            }
            found => found?,
        };
        Ok(match verb {
            Verb::Mlst => {
                let path = self.path(argument);
                let line =
                    [self.facts.of(&metadata).as_bytes(), path.as_path().as_os_str().as_encoded_bytes()]
                        .concat();
                Reply::list(250, "Facts:", [line], "End")
            }
            _ if metadata.is_dir() => Reply::new(550, "It is a directory"),
            Verb::Size => Reply::new(213, metadata.len().to_string()),
            _ => Reply::new(213, timestamp(metadata.modified()?)),
        })
    }

    /// MFMT: files have the time at which they came.
    async fn keep_time(&self, argument: &[u8]) -> Result<Reply, Error> {
        let Some(name) = argument.get(TIME_LEN + 1..).filter(|_| begins_with_time(argument)) else {
            return Ok(Reply::new(501, "Write: MFMT YYYYMMDDhhmmss <file>"));
        };
        let time = timestamp(self.metadata(name).await?.modified()?);
        Ok(Reply::new(213, [format!("Modify={time}; ").as_bytes(), name].concat()))
    }
}

/// Whether `argument` begins like `20261123040000 `.
fn begins_with_time(argument: &[u8]) -> bool {
    let (time, rest) = argument.split_at(argument.len().min(TIME_LEN));
    time.len() == TIME_LEN && time.iter().all(u8::is_ascii_digit) && rest.starts_with(b" ")
}
