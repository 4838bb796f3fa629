//! Configuration, organizations and commands of the installation that lives on a machine's disk.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::output_of;

/// Codes of the organizations; their accounts are the same in small letters.
pub(crate) const ORGS: [&str; 4] = ["A", "B", "C", "D"];
/// Password of every account.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A configuration and where it stands: outside of the disk, which holds `data_dir` only.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    binary: PathBuf,
    home: PathBuf,
    data_dir: PathBuf,
    settings: Settings,
}

/// What differs between sites.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Uploads are refused while there is less free space.
    pub(crate) free_bytes_min: &'static str,
    /// Files that are processed at once.
    pub(crate) jobs_concurrent_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { free_bytes_min: "1MiB", jobs_concurrent_max: 4 }
    }
}

impl Site {
    /// The site that others are copied from: its passwords are hashed once.
    pub(crate) fn first(binary: &Path, home: &Path) -> Result<Self> {
        std::fs::create_dir_all(home.join("orgs.d"))?;
        let site = Self {
            binary: binary.to_owned(),
            home: home.to_owned(),
            data_dir: home.join("data"),
            settings: Settings::default(),
        };
        site.write_configuration()?;
        for org in ORGS {
            let account = org.to_lowercase();
            let arguments = ["org", "add", org, "--account", &account, "--password-stdin"];
            let mut add = site.command(&arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
            writeln!(add.stdin.take().context("no standard input")?, "{PASSWORD}")?;
            ensure!(add.wait()?.success(), "organization {org} could not be added");
        }
        Ok(site)
    }

    /// The same site with its data elsewhere.
    pub(crate) fn moved(&self, home: &Path, data_dir: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(home.join("orgs.d"))?;
        for file in std::fs::read_dir(self.home.join("orgs.d"))? {
            let file = file?;
            std::fs::copy(file.path(), home.join("orgs.d").join(file.file_name()))?;
        }
        let site = Self { home: home.to_owned(), data_dir, ..self.clone() };
        site.write_configuration()?;
        Ok(site)
    }

    /// The same site with other settings.
    pub(crate) fn with(self, settings: Settings) -> Result<Self> {
        let site = Self { settings, ..self };
        site.write_configuration()?;
        Ok(site)
    }

    /// Any free port is good for data connections: servers that run at once must not share a range.
    fn write_configuration(&self) -> Result<()> {
        let Settings { free_bytes_min, jobs_concurrent_max } = self.settings;
        let text = format!(
            "data_dir = \"{}\"\n\
             [ftp]\nlisten = \"127.0.0.1:0\"\npassive_ports = \"0-0\"\ntls = \"off\"\n\
             [limits]\nfree_bytes_min = \"{free_bytes_min}\"\n\
             [worker]\njobs_concurrent_max = {jobs_concurrent_max}\n\
             [maintenance]\ntimezone = \"America/Chicago\"\nresume_ramp = \"0s\"\n",
            self.data_dir.display()
        );
        Ok(std::fs::write(self.home.join("tidegate.toml"), text)?)
    }

    /// A command of the product. It ends with the thread that started it, however that ends.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(&self.binary).args(arguments);
        command.env("USER", "power").env("TIDEGATE_CONFIG", self.home.join("tidegate.toml"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        output_of(&mut self.command(arguments))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Result<Value> {
        Ok(serde_json::from_str(&self.run(arguments)?)?)
    }

    /// A part of what `status --json` says, by its JSON pointer.
    pub(crate) fn status(&self, pointer: &str) -> Result<Value> {
        let status = self.json(&["status", "--json"])?;
        status.pointer(pointer).cloned().with_context(|| format!("no {pointer} in {status}"))
    }

    /// A path below the data directory.
    pub(crate) fn data(&self, below: &str) -> PathBuf {
        self.data_dir.join(below)
    }

    /// What the server's log has besides the ordinary.
    pub(crate) fn log_of_trouble(&self) -> Result<String> {
        let log = std::fs::read_to_string(self.log())?;
        let trouble: Vec<&str> = log.lines().filter(|line| !line.contains(" INFO ")).collect();
        Ok(trouble.join("\n"))
    }

    /// Where the server's log is written.
    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("log")
    }
}
