//! What a directory, a file, or a name with wildcards is listed as.

use std::path::PathBuf;
use std::time::SystemTime;

use unftp_core::auth::{Authenticator, UserDetailProvider};
use unftp_core::storage::{Error, Fileinfo, Metadata, StorageBackend};

use super::Session;
use crate::failure;
use crate::listing::{Style, name_of, render};
use crate::pattern::{is_pattern, matches};
use crate::reply::Reply;
use crate::verb::Verb;

/// What there is to list.
struct Found<M: Metadata> {
    entries: Vec<Fileinfo<PathBuf, M>>,
    /// What the client wrote before the names, if it has to see it again: it will ask for them with it.
    prefix: Vec<u8>,
}

impl<S, A> Session<'_, S, A>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    /// LIST, NLST, MLSD.
    pub(super) async fn listing(&self, verb: Verb, argument: &[u8]) -> Result<Vec<u8>, Reply> {
        let style = match verb {
            Verb::List => Style::Long,
            Verb::Nlst => Style::Names,
            _ => Style::Facts(self.facts),
        };
        // RFC 3659, 7.2.1.
        if matches!(style, Style::Facts(_))
            && self.metadata(argument).await.is_ok_and(|found| found.is_file())
        {
            return Err(Reply::new(501, "It is a file; ask with MLST"));
        }
        let found = self.find(without_options(argument)).await.map_err(|error| failure::reply(&error))?;
        Ok(render(&found.entries, style, &found.prefix, SystemTime::now()))
    }

    /// STAT with a path: a listing over the control connection.
    pub(super) async fn stat_path(&self, argument: &[u8]) -> Reply {
        match self.find(without_options(argument)).await {
            Ok(found) => {
                let text = render(&found.entries, Style::Long, b"", SystemTime::now());
                let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                Reply::list(213, "Status:", lines, "End")
            }
            Err(error) => failure::reply(&error),
        }
    }

    /// A directory's entries, a file by itself, or what fits a name with wildcards.
    async fn find(&self, argument: &[u8]) -> Result<Found<S::Metadata>, Error> {
        let (user, path) = (self.user()?, self.path(argument));
        let error = match self.storage.metadata(user, path.as_path()).await {
            Ok(metadata) if metadata.is_file() => {
                let entries = vec![Fileinfo { path: path.as_path().to_owned(), metadata }];
                return Ok(Found { entries, prefix: Vec::new() });
            }
            Ok(_) => {
                let entries = self.storage.list(user, path.as_path()).await?;
                return Ok(Found { entries, prefix: Vec::new() });
            }
            Err(error) => error,
        };
        if !is_pattern(path.name()) {
            return Err(error);
        }
        let mut entries = self.storage.list(user, path.join(b"..").as_path()).await?;
        entries.retain(|entry| matches(path.name(), name_of(&entry.path)));
        let end = argument.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        Ok(Found { entries, prefix: argument.get(..end).unwrap_or_default().to_vec() })
    }
}

/// Without what clients put before a path for `ls`: `-al`.
pub(crate) fn without_options(argument: &[u8]) -> &[u8] {
    let mut rest = argument;
    while let Some(options) = rest.strip_prefix(b"-") {
        let end = options.iter().position(|byte| *byte == b' ');
        rest = end.and_then(|end| options.get(end + 1..)).unwrap_or_default();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_for_ls_are_no_paths() {
        assert_eq!(without_options(b"-al"), b"");
        assert_eq!(without_options(b"-a -l in box"), b"in box");
        assert_eq!(without_options(b"a -b"), b"a -b");
    }
}
