//! The real server and real sessions with it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use suppaftp::types::{FileType, Mode};
use suppaftp::{FtpResult, FtpStream};

use crate::site::{PASSWORD, Site};

/// How often a server is looked at whose end is waited for.
const POLL: Duration = Duration::from_millis(20);

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) ftp: SocketAddr,
}

impl Server {
    /// Starts it and waits for its ready line.
    pub(crate) fn start(site: &Site) -> Result<Self> {
        let mut command = site.command(&["serve"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(site.log())?);
        let mut child = command.spawn().context("starting the server")?;
        let ready = child.stdout.take().and_then(ready_address);
        let Some(ftp) = ready else {
            child.kill()?;
            let status = child.wait()?;
            let log = std::fs::read_to_string(site.log())?;
            anyhow::bail!("the server does not start: {status}: {log}");
        };
        Ok(Self { child, ftp })
    }

    /// Waits until it ends by itself; `None` if it does not within this time.
    pub(crate) fn wait_for_end(&mut self, time: Duration) -> Result<Option<ExitStatus>> {
        let deadline = Instant::now() + time;
        loop {
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                return Ok(ended);
            }
            std::thread::sleep(POLL);
        }
    }

    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// The most memory that it had so far, in MiB (`VmHWM`).
    pub(crate) fn memory_peak_mib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn ready_address(stdout: std::process::ChildStdout) -> Option<SocketAddr> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).ok()?;
    line.split_whitespace().find_map(|word| word.trim_end_matches(',').parse().ok())
}

/// A session of an organization's account.
pub(crate) fn log_in(ftp: SocketAddr, org: &str) -> FtpResult<FtpStream> {
    let mut session = FtpStream::connect(ftp)?;
    session.set_mode(Mode::ExtendedPassive);
    session.login(org.to_lowercase().as_str(), PASSWORD)?;
    session.transfer_type(FileType::Binary)?;
    Ok(session)
}
