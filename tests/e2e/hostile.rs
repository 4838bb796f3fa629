//! Connections that talk nonsense, fall silent or guess, while senders upload at every door.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::doors::{self, Book, Door, Load};
use crate::ledger;
use crate::rig::{DEADLINE, Server, Site};

/// Bytes of a line that never ends, and of a piece of garbage.
const LONG_BYTES: usize = 64 << 10;
/// Connections that are kept open in the middle of each kind of handshake.
const HALF_OPEN: usize = 20;
/// Connections that say nothing.
const SILENT: usize = 10_000;
/// File descriptors that this process needs besides.
const SPARE_DESCRIPTORS: usize = 500;
/// Clients that guess passwords at once.
const GUESSERS: usize = 16;

const NO_FAILURES: [&str; 0] = [];

/// A server with all its doors and senders at each of them.
struct Scene {
    site: Site,
    server: Server,
    book: Arc<Book>,
    /// Senders that were there before anybody hostile came.
    regulars: Load,
}

impl Scene {
    fn start() -> Self {
        let site = doors::site();
        // What the server may have open, as many systems set it.
        let server = Server::start(site.limited("ulimit -n 4096", &["serve"]));
        let book = Arc::new(Book::default());
        let regulars = Load::start(&site, &server, &book);
        let scene = Self { site, server, book, regulars };
        scene.wait_for_uploads();
        scene
    }

    /// Waits for uploads at each door.
    fn wait_for_uploads(&self) {
        for door in Door::ALL {
            self.book.wait_for_more(door, 2);
        }
    }

    /// Senders that come now get in and upload, and so do those that were there.
    fn admits_senders(&self) {
        let newcomers = Load::of(2, &self.site, &self.server, &self.book);
        assert_eq!(newcomers.ended(), NO_FAILURES);
        self.wait_for_uploads();
    }

    /// No upload failed, and all of them are there once.
    fn end(mut self) {
        assert_eq!(self.regulars.end(), NO_FAILURES);
        doors::wait_until_taken(&self.site, &mut self.server);
        crate::crash::wait_until_drained(&self.site);
        ledger::check(&self.site, &self.server, &self.book.close().0);
    }

    /// Where a connection can be made to: FTP, FTPS from the first byte on, SFTP.
    fn addresses(&self) -> [SocketAddr; 3] {
        [self.server.ftp, self.server.ftps.unwrap(), self.server.sftp.unwrap()]
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Says something and no more; what the server says until it closes.
fn say(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // The server may close before it has heard everything, which resets the connection.
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    assert!(!ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "it stays open");
    answer
}

/// Begins to speak and leaves it there.
fn begin(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn nonsense_at_a_door_keeps_no_sender_from_its_uploads() {
    let scene = Scene::start();
    let every_byte: Vec<u8> = (0..=255).cycle().take(LONG_BYTES).collect();
    let endless = vec![b'A'; LONG_BYTES];
    for address in scene.addresses() {
        for bytes in [&every_byte, &endless, &[endless.as_slice(), b"\r\n"].concat()] {
            say(address, bytes);
        }
    }
    assert!(say(scene.server.ftp, &endless).starts_with(b"220 "), "it was greeted and no more");

    let [ftp, ftps, sftp] = scene.addresses();
    // A TLS record that promises 512 bytes (RFC 8446, 5.1), and an SSH packet that promises 1,024 (RFC 4253, 6).
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let beginnings: [(SocketAddr, Vec<u8>); 5] = [
        (ftp, [b"AUTH TLS\r\n".as_slice(), hello].concat()),
        (ftps, hello.to_vec()),
        (sftp, b"SSH-2.0-".to_vec()),
        (sftp, b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        (sftp, b"SSH-2.0-OpenSSH_9.2\r\n\x00\x00\x04\x00\x08\x14".to_vec()),
    ];
    let all = beginnings.iter().flat_map(|beginning| std::iter::repeat_n(beginning, HALF_OPEN));
    let _half_open: Vec<TcpStream> = all.map(|(address, bytes)| begin(*address, bytes)).collect();
    scene.admits_senders();
    scene.end();
}

/// As many connections as this process may have open, and [`SILENT`] at most.
fn raise_open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let most = limit.maximum.map_or(usize::MAX, |most| usize::try_from(most).unwrap());
    SILENT.min(most.saturating_sub(SPARE_DESCRIPTORS))
}

#[test]
fn connections_that_say_nothing_make_room_for_senders() {
    let count = raise_open_files();
    let scene = Scene::start();
    let addresses = scene.addresses();
    let silent: Vec<TcpStream> = (0..count).map(|number| connect(addresses[number % 3])).collect();
    println!("{} connections say nothing", silent.len());
    scene.admits_senders();
    scene.end();
}

/// Guesses until it is over; whatever the server answers.
fn guess(ftp: SocketAddr, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        if let Ok(mut session) = suppaftp::FtpStream::connect(ftp) {
            assert!(session.login("a", "wrong horse").is_err());
        }
    }
}

#[test]
fn a_flood_of_logins_keeps_no_sender_out() {
    let scene = Scene::start();
    let (over, ftp) = (Arc::new(AtomicBool::new(false)), scene.server.ftp);
    let guessers: Vec<_> = (0..GUESSERS)
        .map(|_| {
            let over = Arc::clone(&over);
            std::thread::spawn(move || guess(ftp, &over))
        })
        .collect();
    scene.admits_senders();
    over.store(true, Ordering::Relaxed);
    for guesser in guessers {
        guesser.join().unwrap();
    }
    scene.end();
}
