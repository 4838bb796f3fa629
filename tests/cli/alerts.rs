//! `alerts test`, and an alert of a running server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::support::{CONFIGURATION, Site};

/// Longest time for what takes milliseconds.
const DEADLINE: Duration = Duration::from_mins(1);

/// Where alerts are posted to, and what came.
fn webhook() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, came) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let (mut reader, mut length) = (BufReader::new(&stream), 0);
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_ascii_lowercase();
                length =
                    lower.strip_prefix("content-length: ").map_or(length, |it| it.trim().parse().unwrap());
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            (&stream)
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            let _ = sender.send(serde_json::from_slice(&body).unwrap());
        }
    });
    (url, came)
}

#[test]
fn a_test_alert_comes_and_a_command_that_fails_is_named() {
    let (url, came) = webhook();
    let site = Site::new();
    let none = site.run("alerts test");
    assert!(none.code == 78 && none.err.contains("[alerts]"), "{none:?}");
    site.configure(&format!("{CONFIGURATION}[alerts]\nwebhook = '{url}'\n"));
    site.run("alerts test").ok();
    assert_eq!(came.recv_timeout(DEADLINE).unwrap()["alert"], "test");
    site.configure(&format!("{CONFIGURATION}[alerts]\ncommand = ['/bin/false']\n"));
    let failed = site.run("alerts test");
    assert!(failed.code == 1 && failed.err.contains("/bin/false"), "{failed:?}");
}

/// The first look is at the start; no disk has as much room as is asked for here.
#[test]
fn a_server_tells_what_is_wrong_without_the_name_of_anything_uploaded() {
    let (url, came) = webhook();
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    // It must not be processed before the second server looks, or after.
    site.run("maintenance start --until-released --reason x").ok();
    server.upload("ACME01", "jane-doe.hl7", b"no HL7");
    drop(server);
    let limits = "free_bytes_min = '900000TiB'\n";
    site.configure(&format!("{CONFIGURATION}[alerts]\nwebhook = '{url}'\n{limits}"));
    let server = site.serve();
    let alert = came.recv_timeout(DEADLINE).unwrap();
    assert_eq!((&alert["alert"], &alert["state"]), (&"disk".into(), &"raised".into()), "{alert}");
    assert!(!alert.to_string().contains("jane"), "{alert}");
    assert!(server.stop().0.success());
}
