//! What should not be sent, and that the server goes on.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use suppaftp::FtpError;
use tidegate_hl7::sample;

use crate::rig::{PASSWORD, Server, Site};

/// The code of a refusal.
fn code(refused: Result<impl Sized, FtpError>) -> u32 {
    match refused {
        Ok(_) => panic!("this should be refused"),
        Err(FtpError::UnexpectedResponse(response)) => response.status.code(),
        Err(other) => panic!("not a reply: {other}"),
    }
}

fn still_serves(site: &Site, server: &mut Server, finished_before: usize) {
    server.log_in("a").put_file("fine.hl7", &mut &sample::message(99)[..]).unwrap();
    server.wait_for_ends(finished_before + 1);
    let fine = site.jobs().into_iter().find(|job| job["name"] == "fine.hl7").unwrap();
    assert_eq!(fine["outcome"], "accepted");
}

#[test]
fn files_that_are_no_hl7_are_answered_and_named() {
    let site = Site::new();
    let mut server = site.serve();
    let long_line = [b"MSH|^~\\&|".to_vec(), vec![b'x'; 100 << 20]].concat();
    let mut cut = sample::file("F1", &[sample::message(1), sample::message(2)]);
    cut.truncate(cut.len() - 20);
    let files: [(&str, Vec<u8>, &str); 5] = [
        ("empty.hl7", Vec::new(), "error"),
        (
            "junk.hl7",
            (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
            "error",
        ),
        ("zip.hl7", b"PK\x03\x04rest".to_vec(), "error"),
        ("cut.hl7", cut, "error"),
        ("long.hl7", long_line, "complete"),
    ];
    for (name, bytes, _) in &files {
        server.log_in("a").put_file(name, &mut &bytes[..]).unwrap();
    }
    server.wait_for_ends(files.len());
    let jobs = site.jobs();
    for (name, _, state) in &files {
        let job = jobs.iter().find(|job| job["name"] == *name).unwrap();
        assert_eq!(job["state"], *state, "{job}");
        assert!(job["state"] == "complete" || !job["reason"].as_str().unwrap().is_empty());
        if job["state"] == "complete" {
            assert_eq!(job["outcome"], "rejected", "{job}");
        }
    }
    assert!(site.files("delivered/A").is_empty(), "nothing of them is delivered");
    assert_eq!(site.files("orgs/A/outbox").len(), 2 * files.len(), "each has a response and a report");
    still_serves(&site, &mut server, files.len());
}

#[test]
fn wrong_credentials_and_names_are_refused_with_a_reply() {
    let site = Site::new();
    let mut server = site.serve();
    let mut stranger = suppaftp::FtpStream::connect(server.ftp).unwrap();
    assert_eq!(code(stranger.login("a", "wrong")), 530);
    let mut unknown = suppaftp::FtpStream::connect(server.ftp).unwrap();
    assert_eq!(code(unknown.login("nobody", PASSWORD)), 530);

    let mut sender = server.log_in("a");
    assert_eq!(code(sender.put_file("x".repeat(300), &mut &b"x"[..])), 553);
    let mut sender = server.log_in("a");
    assert_eq!(code(sender.put_file("a\u{1}b", &mut &b"x"[..])), 553);
    for path in ["../../B/inbox/x.hl7", "/etc/passwd", "../x"] {
        let mut sender = server.log_in("a");
        drop(sender.put_file(path, &mut &sample::message(1)[..]));
        drop(sender.retr_as_buffer(path));
        drop(sender.cwd("../../.."));
        let names = sender.nlst(None).unwrap();
        assert!(names.iter().all(|name| !name.contains("orgs.d")), "{names:?}");
    }
    assert!(site.jobs().iter().all(|job| job["org"] == "A"), "whatever path was given, it is A's own");
    let finished = site.jobs().len();
    still_serves(&site, &mut server, finished);
}

#[test]
fn a_nearly_full_disk_refuses_uploads_with_452_and_loses_nothing() {
    let site = Site::with_limits("free_bytes_min = \"1000TiB\"");
    let server = site.serve();
    assert_eq!(code(server.log_in("a").put_file("x.hl7", &mut &b"x"[..])), 452);
    assert!(site.jobs().is_empty());
}

#[test]
fn an_upload_over_the_limit_is_refused_with_552() {
    let site = Site::with_limits("free_bytes_min = \"1MiB\"\nupload_bytes_max = \"10KiB\"");
    let mut server = site.serve();
    assert_eq!(code(server.log_in("a").put_file("x.hl7", &mut &vec![b'x'; 200_000][..])), 552);
    assert!(site.jobs().is_empty());
    still_serves(&site, &mut server, 0);
}

/// The name ends at the line end, as RFC 959 has it; what follows is another command, not a second line
/// of the name.
#[test]
fn a_line_end_in_a_name_is_no_part_of_it() {
    let site = Site::new();
    let server = site.serve();
    let mut control = BufReader::new(TcpStream::connect(server.ftp).unwrap());
    let mut ask = |line: &str| {
        control.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let mut reply = String::new();
        control.read_line(&mut reply).unwrap();
        reply
    };
    ask("USER a");
    ask(&format!("PASS {PASSWORD}"));
    ask("SIZE x\ny");
    ask("NOOP");
    assert!(site.jobs().is_empty());
}

#[test]
fn a_configuration_with_three_mistakes_has_all_three_reported() {
    let site = Site::new();
    std::fs::write(
        site.path("tidegate.toml"),
        "data_dir = \"data\"\n[ftp]\nlisten = 5\ntls = \"off\"\n[limits]\nsessions_maximum = 3\n\
         [maintenance]\ntimezone = \"America/Chikago\"\n",
    )
    .unwrap();
    for command in [&["check-config"][..], &["serve"]] {
        let output = site.command(command).output().unwrap();
        assert_eq!(output.status.code(), Some(78));
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        for key in ["ftp.listen", "limits.sessions_maximum", "maintenance.timezone"] {
            assert!(text.contains(key), "{key} is missing in: {text}");
        }
    }
}
