//! The demo's directory, its server and the commands that are run against it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tidegate_ingest::sftp::HostKeys;

use super::sender::{Doors, PASSWORD};
use crate::commands::certificate;
use crate::failure::Failure;
use crate::render::Screen;

const CONFIGURATION: &str = r#"data_dir = "data"
[ftp]
listen = "127.0.0.1:0"
tls = "optional"
certificate = "tls/certificate.pem"
key = "tls/key.pem"
[sftp]
listen = "127.0.0.1:0"
host_keys = ["ssh_host_ed25519_key"]
[limits]
free_bytes_min = "64MiB"
[maintenance]
timezone = "America/Chicago"
"#;

/// Everything that is there for the demo only.
pub(super) struct Stage {
    directory: TempDir,
    program: PathBuf,
    server: Option<Child>,
    doors: Option<Doors>,
}

impl Stage {
    /// A fresh directory with a configuration; nothing runs yet.
    pub(super) fn set() -> Result<Self> {
        let program = std::env::current_exe().context("while looking for this program")?;
        let directory = tempfile::Builder::new().prefix("tidegate-demo-").tempdir();
        let directory = directory.context("while making the demo's directory")?;
        fs::write(directory.path().join("tidegate.toml"), CONFIGURATION)
            .and_then(|()| fs::create_dir(directory.path().join("orgs.d")))
            .and_then(|()| fs::create_dir(directory.path().join("tls")))
            .context("while writing the demo's configuration")?;
        let tls = directory.path().join("tls");
        certificate::make(&tls.join("certificate.pem"), &tls.join("key.pem"))
            .map_err(|failure| anyhow!("{failure}"))?;
        HostKeys::make(directory.path()).context("while making the demo's host keys")?;
        Ok(Self { directory, program, server: None, doors: None })
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// Where the server is.
    pub(super) fn doors(&self) -> Result<&Doors> {
        self.doors.as_ref().context("the server does not run")
    }

    /// Starts the server and waits until it says that it is ready.
    pub(super) fn start_server(&mut self) -> Result<()> {
        let log = fs::File::create(self.path("server.log")).context("while making the server's log")?;
        let server = self.command(&["serve"]).stdout(Stdio::piped()).stderr(log).spawn();
        let server = self.server.insert(server.context("while starting the server")?);
        let output = server.stdout.take().context("while listening to the server")?;
        let mut ready = String::new();
        BufReader::new(output).read_line(&mut ready).context("while waiting for the server")?;
        let (Some(ftp), Some(sftp)) = (address(&ready, "ftp"), address(&ready, "sftp")) else {
            let log = fs::read_to_string(self.path("server.log")).unwrap_or_default();
            bail!("the server did not start:\n{log}");
        };
        self.doors = Some(Doors { ftp, sftp, certificate: self.path("tls/certificate.pem") });
        Ok(())
    }

    /// Runs a command that the reader of the demo sees, with its output.
    pub(super) fn show(&self, args: &[&str]) -> Result<()> {
        let words: Vec<String> = args.iter().map(|word| quoted(word)).collect();
        Screen::print(&format!("   $ tidegate {}", words.join(" ")))?;
        let output = self.run(args)?;
        for line in output.lines() {
            Screen::print(&format!("   {line}"))?;
        }
        Screen::print("")
    }

    /// Runs a command behind the scenes.
    pub(super) fn run(&self, args: &[&str]) -> Result<String> {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("while running tidegate {}", args.join(" ")))?;
        if let Some(mut input) = child.stdin.take() {
            // Most commands do not read it.
            drop(writeln!(input, "{PASSWORD}"));
        }
        let output = child.wait_with_output().context("while waiting for a command")?;
        if !output.status.success() {
            bail!("tidegate {} failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).env("TIDEGATE_CONFIG", self.path("tidegate.toml")).stdin(Stdio::null());
        command
    }

    /// Leaves the server running until it is interrupted, and says how to use it.
    pub(super) fn keep(mut self) -> Result<(), Failure> {
        let Doors { ftp, sftp, .. } = self.doors()?;
        let (ftp, sftp_port) = (*ftp, sftp.port());
        Screen::print(&format!(
            "The server goes on until you press Ctrl-C. In another terminal:\n\n  \
             export TIDEGATE_CONFIG={}\n  \
             tidegate status\n  \
             tidegate maintenance start --for 2m --reason \"trying it out\"\n  \
             curl -T FILE ftp://acme:{PASSWORD}@{ftp}/\n  \
             curl --ssl-reqd --cacert {} -T FILE ftp://acme:{PASSWORD}@localhost:{}/\n  \
             sftp -P {sftp_port} acme@127.0.0.1\n  \
             tidegate queue list\n  \
             curl ftp://acme:{PASSWORD}@{ftp}/outbox/\n\n\
             Accounts: acme and lakeside, password {PASSWORD}. Files: {}",
            self.path("tidegate.toml").display(),
            self.path("tls/certificate.pem").display(),
            ftp.port(),
            self.path("data").display(),
        ))?;
        if let Some(mut server) = self.server.take() {
            server.wait().context("while the server ran")?;
        }
        Ok(())
    }

    /// Stops the server and removes everything.
    pub(super) fn clear(mut self) -> Result<(), Failure> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        stop(&server);
        let status = server.wait().context("while waiting for the server to stop")?;
        if !status.success() {
            return Err(anyhow!("the server ended with {status}").into());
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            stop(&server);
            drop(server.wait());
        }
    }
}

/// The address behind the name of a door in the line that the server prints when it is ready.
fn address(ready: &str, door: &str) -> Option<SocketAddr> {
    let mut words = ready.split_whitespace().skip_while(|word| *word != door);
    words.nth(1)?.trim_end_matches(',').parse().ok()
}

fn stop(server: &Child) {
    if let Some(pid) = i32::try_from(server.id()).ok().and_then(Pid::from_raw) {
        _ = kill_process(pid, Signal::TERM);
    }
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}
