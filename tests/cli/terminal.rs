//! A command on a terminal of its own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) struct Terminal {
    child: Child,
    master: File,
    blocks: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Runs a command on 24 lines of 80 characters.
    pub(crate) fn run(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || File::options().read(true).write(true).open(&name).unwrap();
        let master = File::from(master);
        resize(&master, 24, 80);
        command.env("TERM", "xterm").stdin(slave()).stdout(slave()).stderr(slave());
        let child = command.spawn().unwrap();
        let mut reader = master.try_clone().unwrap();
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
        Self { child, master, blocks, seen: String::new() }
    }

    /// Waits for `text` behind what was waited for before.
    pub(crate) fn until(&mut self, text: &str) {
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

    pub(crate) fn type_in(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        resize(&self.master, rows, columns);
    }

    pub(crate) fn is_raw(&self) -> bool {
        !tcgetattr(&self.master).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    /// Waits for the command's end; its exit code.
    pub(crate) fn ends(mut self) -> Option<i32> {
        let code = self.child.wait().unwrap().code();
        assert!(!self.is_raw(), "lines can be typed again");
        code
    }
}

fn resize(terminal: &File, rows: u16, columns: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
