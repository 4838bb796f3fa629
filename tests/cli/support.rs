//! A directory with a configuration, and a server on it.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) const CONFIGURATION: &str = "\
data_dir = \"data\"
[ftp]
listen = \"127.0.0.1:0\"
tls = \"off\"
[limits]
free_bytes_min = \"1MiB\"
[maintenance]
timezone = \"America/Chicago\"
";

/// A directory of its own with `tidegate.toml` and `orgs.d/`.
pub(crate) struct Site {
    dir: TempDir,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output of a command that must have done what it was asked.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

/// The binary, in an environment that has nothing of this machine's.
pub(crate) fn tidegate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.env_clear().env("USER", "jo").stdin(Stdio::null());
    command
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(site.path("orgs.d")).unwrap();
        site.configure(CONFIGURATION);
        site
    }

    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.path("tidegate.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = tidegate();
        command.args(words(line)).arg("--config").arg(self.path("tidegate.toml"));
        command
    }

    /// Runs a command line; single quotes keep blanks together.
    pub(crate) fn run(&self, line: &str) -> Done {
        Done::of(self.command(line).output().unwrap())
    }

    /// The same with something on standard input.
    pub(crate) fn run_with(&self, line: &str, input: &str) -> Done {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let written = child.stdin.take().unwrap().write_all(input.as_bytes());
        // A command that refuses at once may have ended before it could read.
        assert!(written.is_ok() || written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe));
        Done::of(child.wait_with_output().unwrap())
    }

    /// Has the running server take up its files.
    pub(crate) fn reload(&self) {
        let mut socket = UnixStream::connect(self.path("data/control.sock")).unwrap();
        let request = "POST /v1/reload HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Adds an organization with an account named after it in small letters.
    pub(crate) fn add_org(&self, code: &str) {
        let line = format!("org add {code} --account {} --password-stdin", code.to_lowercase());
        self.run_with(&line, PASSWORD).ok();
    }

    /// Starts a server and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with("serve")
    }

    pub(crate) fn serve_with(&self, line: &str) -> Server {
        Self::start(self.command(line))
    }

    /// Starts a server by a command of one's own.
    pub(crate) fn start(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        let mut server = Server { child: Some(child), out, ready };
        if !server.ready.contains(" ready: ") {
            let mut err = String::new();
            server.child.as_mut().unwrap().stderr.take().unwrap().read_to_string(&mut err).unwrap();
            panic!("the server did not start: {err}");
        }
        server
    }
}

fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(number, part)| {
            let is_quoted = number % 2 == 1;
            if is_quoted {
                return vec![part.to_owned()];
            }
            part.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// A running server; told to stop when dropped.
pub(crate) struct Server {
    child: Option<Child>,
    out: BufReader<ChildStdout>,
    pub(crate) ready: String,
}

impl Server {
    pub(crate) fn ftp(&self) -> SocketAddr {
        let after = self.ready.split_once("ftp ").unwrap().1;
        after.split(',').next().unwrap().parse().unwrap()
    }

    pub(crate) fn web(&self) -> SocketAddr {
        let after = self.ready.split_once("web ").unwrap().1;
        after.split(',').next().unwrap().parse().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Tells it to stop; how it ended and what it logged.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing but the ready line goes to standard output");
        (output.status, String::from_utf8(output.stderr).unwrap())
    }

    /// The reply to a login with a wrong password.
    pub(crate) fn fail_login(&self, account: &str) -> String {
        self.try_login(account, "wrong horse")
    }

    /// The reply to a login with the right password.
    pub(crate) fn login(&self, account: &str) -> String {
        self.try_login(account, PASSWORD)
    }

    fn try_login(&self, account: &str, password: &str) -> String {
        let mut control = Control::open(self.ftp());
        control.ask(&format!("USER {account}"));
        control.ask(&format!("PASS {password}"))
    }

    /// What a new connection hears first.
    pub(crate) fn greeting(&self) -> String {
        Control(BufReader::new(TcpStream::connect(self.ftp()).unwrap())).reply()
    }

    /// Logs in and uploads; the last reply.
    pub(crate) fn upload(&self, org: &str, name: &str, bytes: &[u8]) -> String {
        let mut control = Control::open(self.ftp());
        control.ask(&format!("USER {}", org.to_lowercase()));
        assert!(control.ask(&format!("PASS {PASSWORD}")).starts_with("230"));
        control.ask("TYPE I");
        let passive = control.ask("PASV");
        let mut data = TcpStream::connect(data_address(&passive)).unwrap();
        assert!(control.ask(&format!("STOR {name}")).starts_with("150"));
        data.write_all(bytes).unwrap();
        drop(data);
        control.reply()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The address in a reply to PASV (RFC 959, 4.1.2).
fn data_address(reply: &str) -> SocketAddr {
    let inside = reply.split(['(', ')']).nth(1).unwrap();
    let numbers: Vec<u16> = inside.split(',').map(|number| number.parse().unwrap()).collect();
    SocketAddr::from(([127, 0, 0, 1], numbers[4] * 256 + numbers[5]))
}

/// An FTP control connection.
struct Control(BufReader<TcpStream>);

impl Control {
    fn open(address: SocketAddr) -> Self {
        let mut control = Self(BufReader::new(TcpStream::connect(address).unwrap()));
        assert!(control.reply().starts_with("220"));
        control
    }

    fn ask(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.reply()
    }

    /// The last line of a reply.
    fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            if line.as_bytes().get(3) == Some(&b' ') || line.is_empty() {
                return line;
            }
        }
    }
}
