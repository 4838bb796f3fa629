//! What systemd is told, and what the journal gets; see `sd_notify(3)` and `sd-daemon(3)`.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::support::Site;

/// What a service manager hears.
struct Manager(UnixDatagram);

impl Manager {
    fn listen(site: &Site) -> Self {
        let socket = UnixDatagram::bind(site.path("notify")).unwrap();
        // The server tells twice a second: silence is a failure.
        socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Self(socket)
    }

    /// Everything up to a line that begins so.
    fn hears(&self, beginning: &str) -> Vec<String> {
        let mut heard = Vec::new();
        let mut told = [0; 4096];
        while !heard.iter().any(|line: &String| line.starts_with(beginning)) {
            let length =
                self.0.recv(&mut told).unwrap_or_else(|error| panic!("{beginning}: {error}, {heard:?}"));
            let told = String::from_utf8_lossy(&told[..length]).into_owned();
            heard.extend(told.lines().map(str::to_owned));
        }
        heard
    }
}

#[test]
fn the_service_manager_hears_of_doors_signs_of_life_the_gate_reloads_and_the_stop() {
    let site = Site::new();
    site.add_org("ACME01");
    let manager = Manager::listen(&site);
    let mut command = site.command("serve --log-format journal");
    command.env("NOTIFY_SOCKET", site.path("notify")).env("WATCHDOG_USEC", "1000000");
    let server = Site::start(command);
    manager.hears("READY=1");
    manager.hears("STATUS=gate open, 0 files to process");
    site.run("maintenance start --for 1h --reason tests").ok();
    assert!(server.upload("ACME01", "jane doe.hl7", b"MSH|^~\\&|").starts_with("226"));
    let heard = manager.hears("STATUS=gate CLOSED until ");
    assert!(!heard.iter().any(|line| line.contains("jane") || line.contains("ACME01")), "{heard:?}");
    // A closed gate is no illness.
    manager.hears("WATCHDOG=1");
    manager.hears("WATCHDOG=1");
    server.signal("HUP");
    manager.hears("RELOADING=1");
    manager.hears("READY=1");
    let (status, log) = server.stop();
    manager.hears("STOPPING=1");
    assert!(status.success());
    let lines: Vec<&str> = log.lines().collect();
    assert!(
        lines.iter().all(|line| ["<3>", "<4>", "<6>"].iter().any(|priority| line.starts_with(priority))),
        "{log}"
    );
    assert!(lines.iter().any(|line| line.ends_with(": ready")), "{log}");
}

#[test]
fn keys_are_made_once_for_a_configuration_that_names_them() {
    let site = Site::new();
    site.configure(
        "data_dir = \"data\"\n\
         [ftp]\nlisten = \"127.0.0.1:0\"\ncertificate = \"tls/certificate.pem\"\nkey = \"tls/key.pem\"\n\
         [sftp]\nlisten = \"127.0.0.1:0\"\n\
         [limits]\nfree_bytes_min = \"1MiB\"\n",
    );
    std::fs::create_dir(site.path("tls")).unwrap();
    let made = site.run("init --keys").ok();
    assert_eq!(made.lines().count(), 4, "{made}");
    let files = ["ssh_host_ed25519_key", "ssh_host_rsa_key", "tls/certificate.pem", "tls/key.pem"];
    let read = || files.map(|name| std::fs::read(site.path(name)).unwrap());
    let before = read();
    assert_eq!(site.run("init --keys").ok(), "");
    assert_eq!(read(), before);
    let server = site.serve();
    assert!(server.greeting().starts_with("220"));
}
