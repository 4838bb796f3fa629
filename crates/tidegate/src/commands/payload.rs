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
