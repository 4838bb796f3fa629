//! `tidegate queue payload`.
//!
//! Invariant: what patients' names may be in is written to a file that nobody else can read, never over another
//! file, and to a terminal only if that was said.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use tidegate_web::api::ReadPayload;

use crate::cli::PayloadArgs;
use crate::context::{Context, actor};
use crate::failure::Failure;
use crate::render::{Screen, size};

pub(super) fn payload(context: &Context, args: PayloadArgs) -> Result<(), Failure> {
    let client = context.client()?;
    let path = format!("/v1/jobs/{}/payload", args.job);
    let request = ReadPayload { actor: actor(), reason: args.reason };
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let Some(file) = file else {
        if args.output.is_none() && io::stdout().is_terminal() {
            return Err(Failure::Usage(
                "this is a terminal, and the upload may be long and hold what nobody should see\n\
                 Write it to a file with --output FILE, pipe it, or insist with --output -"
                    .to_owned(),
            ));
        }
        return client.post_for_bytes(&path, &request, Screen::write);
    };
    let mut open = create(file)?;
    let mut written = 0;
    let copied = client.post_for_bytes(&path, &request, |block| {
        written += u64::try_from(block.len()).unwrap_or(u64::MAX);
        open.write_all(block).with_context(|| format!("while writing {}", file.display()))
    });
    if let Err(failure) = copied {
        // Half a file is worse than none.
        let _ = remove_file(file);
        return Err(failure);
    }
    Ok(Screen::print(&format!("Wrote {} to {}.", size(written), file.display()))?)
}

fn create(path: &Path) -> Result<File, Failure> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            io::ErrorKind::AlreadyExists => anyhow!("{shown} is there already; name another file").into(),
            _ => anyhow!("{shown} can't be made: {error}").into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::*;

    const ALONE: &str = "TIDEGATE_TEST_UMASK";

    /// The program's own umask hides what mode a file is made with, and a umask is the whole process's: this test asks
    /// itself, in a process with a umask that takes nothing away.
    #[test]
    fn an_upload_is_written_for_nobody_else_whatever_the_umask() {
        if env::var_os(ALONE).is_none() {
            let name = "commands::payload::tests::an_upload_is_written_for_nobody_else_whatever_the_umask";
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(env::current_exe().unwrap());
            let done = shell.args(["--exact", name]).env(ALONE, "yes").output().unwrap();
            let said = String::from_utf8_lossy(&done.stdout);
            assert!(done.status.success() && said.contains("1 passed"), "{said}");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("upload.hl7");
        let mode = create(&file).unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(create(&file).is_err(), "never over another file");
    }
}
