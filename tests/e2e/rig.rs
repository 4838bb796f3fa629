//! A directory with two organizations, and servers on it.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use suppaftp::types::{FileType, Mode};
use suppaftp::{FtpResult, FtpStream, ImplFtpStream, TlsStream};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";
/// Nothing that a test waits for takes this long unless it never comes.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);
/// What the log says when a job has reached a final state.
const ENDS: [&str; 4] = ["job completed", "job refused", "job found_duplicate", "job failed"];

/// A data directory and its configuration.
pub(crate) struct Site {
    dir: TempDir,
}

impl Site {
    /// A site with the organizations A and B and an account of the same name in small letters for each.
    pub(crate) fn new() -> Self {
        Self::with_limits("free_bytes_min = \"1MiB\"")
    }

    /// A directory where a configuration and a data directory are yet to come.
    pub(crate) fn without_server() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn with_limits(limits: &str) -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap() };
        let config = format!(
            "data_dir = \"data\"\n[ftp]\nlisten = \"127.0.0.1:0\"\npassive_ports = \"0-0\"\ntls = \"off\"\n\
             [limits]\n{limits}\n[maintenance]\ntimezone = \"America/Chicago\"\n"
        );
        std::fs::write(site.path("tidegate.toml"), config).unwrap();
        site.add_organizations();
        site
    }

    /// A and B, each with its account.
    pub(crate) fn add_organizations(&self) {
        std::fs::create_dir(self.path("orgs.d")).unwrap();
        for (code, account) in [("A", "a"), ("B", "b")] {
            let mut add = self
                .command(&["org", "add", code, "--account", account, "--password-stdin"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            writeln!(add.stdin.take().unwrap(), "{PASSWORD}").unwrap();
            assert!(add.wait().unwrap().success());
        }
    }

    /// Adds to the configuration.
    pub(crate) fn configure(&self, more: &str) {
        let mut file = std::fs::File::options().append(true).open(self.path("tidegate.toml")).unwrap();
        writeln!(file, "{more}").unwrap();
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.env_clear().env("USER", "jo").env("TIDEGATE_CONFIG", self.path("tidegate.toml")).args(args);
        command
    }

    /// The same after a command of the shell that sets a limit.
    pub(crate) fn limited(&self, limit: &str, args: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        let script = format!("{limit} && exec \"$0\" \"$@\"");
        command.env_clear().env("USER", "jo").env("TIDEGATE_CONFIG", self.path("tidegate.toml"));
        command.args(["-c", &script, env!("CARGO_BIN_EXE_tidegate")]).args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        assert!(status.success(), "{args:?}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(args)).unwrap()
    }

    /// Every job, the newest first.
    pub(crate) fn jobs(&self) -> Vec<Value> {
        self.json(&["queue", "list", "--limit", "100000", "--json"]).as_array().unwrap().clone()
    }

    /// Names in a directory below the data directory.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path("data").join(below)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(self.command(&["serve"]))
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    log: Receiver<String>,
    seen: Vec<String>,
    pub(crate) ftp: SocketAddr,
    /// Encrypted from the first byte on.
    pub(crate) ftps: Option<SocketAddr>,
    pub(crate) sftp: Option<SocketAddr>,
    pub(crate) web: Option<SocketAddr>,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (lines, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let Some(ftp) = address(&ready, "ftp") else {
            panic!("no ready line: {ready:?}, {:?}", log.iter().collect::<Vec<_>>())
        };
        Self {
            child,
            log,
            seen: Vec::new(),
            ftp,
            ftps: address(&ready, "ftps"),
            sftp: address(&ready, "sftp"),
            web: address(&ready, "web"),
        }
    }

    /// Waits until `jobs` jobs have reached a final state since the start.
    pub(crate) fn wait_for_ends(&mut self, jobs: usize) {
        let is_end = |line: &str| ENDS.iter().any(|end| line.contains(end));
        let seen = self.seen.iter().filter(|line| is_end(line)).count();
        self.wait_for(&format!("the end of {jobs} jobs"), jobs.saturating_sub(seen), is_end);
    }

    /// Waits for a line of the log that comes from now on.
    pub(crate) fn wait_for_line(&mut self, words: &str) {
        self.wait_for(words, 1, |line| line.contains(words));
    }

    /// Waits for so many more lines of a kind.
    fn wait_for(&mut self, what: &str, mut left: usize, is_one: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while left > 0 {
            let time = deadline.saturating_duration_since(Instant::now());
            let line = self.log.recv_timeout(time);
            let line =
                line.unwrap_or_else(|error| panic!("waiting for {what}: {error}; log: {:#?}", self.seen));
            left -= usize::from(is_one(&line));
            self.seen.push(line);
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.seen.extend(self.log.iter());
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Stops it in good order; everything it logged.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for its end, which must be in good order; everything it logged.
    pub(crate) fn ended(mut self) -> String {
        assert!(self.child.wait().unwrap().success());
        self.seen.extend(self.log.iter());
        self.seen.join("\n")
    }

    pub(crate) fn log_in(&self, account: &str) -> FtpStream {
        try_log_in(self.ftp, account).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Where a door listens, by the line that says "ready".
fn address(ready: &str, door: &str) -> Option<SocketAddr> {
    let mut words = ready.split_whitespace().skip_while(|word| *word != door);
    words.nth(1)?.trim_end_matches(',').parse().ok()
}

pub(crate) fn try_log_in(ftp: SocketAddr, account: &str) -> FtpResult<FtpStream> {
    logged_in(FtpStream::connect(ftp)?, account)
}

/// The session after its login.
pub(crate) fn logged_in<T: TlsStream>(
    mut session: ImplFtpStream<T>,
    account: &str,
) -> FtpResult<ImplFtpStream<T>> {
    session.set_mode(Mode::ExtendedPassive);
    session.login(account, PASSWORD)?;
    session.transfer_type(FileType::Binary)?;
    Ok(session)
}
