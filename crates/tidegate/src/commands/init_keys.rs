//! `tidegate init --keys`: what an installed server needs and no package may bring along.
//!
//! Invariant: nothing that exists is overwritten. What root makes belongs to the service's user afterwards.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tidegate_ingest::config::FtpConfig;
use tidegate_ingest::sftp::HostKeys;

use super::certificate;
use super::org_files::hand_over;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::Screen;

pub(super) fn init_keys(context: &Context) -> Result<(), Failure> {
    let orgs = context.loaded.orgs_dir();
    for made in host_keys(context)?.into_iter().chain(certificate(context)?) {
        hand_over(&made, &orgs)?;
        Screen::print(&format!("Made {}", made.display()))?;
    }
    Ok(())
}

/// Only those by the usual names: who names others has them already.
fn host_keys(context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let folder = context.loaded.file.parent().unwrap_or(Path::new("."));
    let usual = HostKeys::FILES.map(|name| folder.join(name)).to_vec();
    let is_usual = context.loaded.config.sftp.as_ref().is_some_and(|sftp| sftp.host_keys == usual);
    if !is_usual || usual.iter().any(|key| is_there(key)) {
        return Ok(Vec::new());
    }
    HostKeys::make(folder).context("while making the host keys")?;
    Ok(usual)
}

fn certificate(context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let Some(files) = context.loaded.config.ftp.as_ref().and_then(FtpConfig::tls_files) else {
        return Ok(Vec::new());
    };
    if is_there(&files.certificate) || is_there(&files.key) {
        return Ok(Vec::new());
    }
    certificate::make(&files.certificate, &files.key)?;
    Ok(vec![files.certificate, files.key])
}

/// A link that leads nowhere is somebody's intention, too.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
