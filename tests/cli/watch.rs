//! `status --watch`, on a terminal and piped.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::support::Site;

const DEADLINE: Duration = Duration::from_mins(1);

/// A watch on a terminal of its own.
struct Watch {
    child: Child,
    terminal: File,
    blocks: Receiver<Vec<u8>>,
    seen: String,
}

impl Watch {
    fn on(site: &Site) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || File::options().read(true).write(true).open(&name).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let mut command = site.command("status --watch");
        command.env("TERM", "xterm").stdin(slave()).stdout(slave()).stderr(slave());
        let child = command.spawn().unwrap();
        let terminal = File::from(master);
        let mut reader = terminal.try_clone().unwrap();
        let (sender, blocks) = channel();
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            // The last of the slave's ends being closed is an error here.
            while let Ok(count) = reader.read(&mut block) {
                if count == 0 || sender.send(block[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, terminal, blocks, seen: String::new() }
    }

    /// Waits for `text` behind what was waited for before.
    fn until(&mut self, text: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.seen.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            let block = self.blocks.recv_timeout(left);
            let block = block.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&block));
        }
        let end = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..end);
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    /// Ends by itself, and leaves the terminal as it was.
    fn ends(mut self) -> Option<i32> {
        self.until("\u{1b}[?1049l");
        let code = self.child.wait().unwrap().code();
        assert!(!self.is_raw(), "lines can be typed again");
        code
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_terminal_shows_what_changes_and_is_given_back_after_q() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    let mut watch = Watch::on(&site);
    watch.until("open");
    assert!(watch.is_raw());
    site.run("maintenance start --for 2h --reason 'router change'").ok();
    watch.until("router change");
    watch.until("Opens in");
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    watch.until("1 queued");
    watch.until("ACME01");
    tcsetwinsize(&watch.terminal, Winsize { ws_row: 2, ws_col: 12, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    // The last of two rows, clipped.
    watch.until("Gate       \u{1b}[33m\u{1b}[0m\u{1b}[K\u{1b}[J");
    watch.terminal.write_all(b"q").unwrap();
    assert_eq!(watch.ends(), Some(0));
}

#[test]
fn a_server_that_goes_and_comes_is_told_of_and_ctrl_c_ends_the_watch() {
    let site = Site::new();
    let server = site.serve();
    let mut watch = Watch::on(&site);
    watch.until("open");
    server.stop();
    watch.until("NO ANSWER for");
    watch.until("the server does not run");
    let _server = site.serve();
    // The line on the silence gives way to the gate.
    watch.until("q ends\u{1b}[K\u{1b}[1EGate");
    watch.terminal.write_all(b"\x03").unwrap();
    assert_eq!(watch.ends(), Some(0));
}

#[test]
fn piped_it_tells_each_change_once_and_ends_with_its_reader() {
    let site = Site::new();
    let _server = site.serve();
    let mut child =
        site.command("status --watch --json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    };
    assert_eq!(next()["gate"]["state"], "open");
    site.run("maintenance start --until-released --reason 'one'").ok();
    let second = next();
    assert_eq!(second["gate"]["causes"].as_array().unwrap().len(), 1, "{second}");
    site.run("maintenance release").ok();
    assert_eq!(next()["gate"]["state"], "open");
    drop(lines);
    assert!(child.wait().unwrap().success());
}
