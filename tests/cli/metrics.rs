//! What monitoring sees of the real server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::{CONFIGURATION, Site};

fn get(address: &str, path: &str) -> (String, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn an_upload_shows_in_the_numbers_without_its_name() {
    let site = Site::new();
    site.configure(&format!("{CONFIGURATION}[metrics]\nlisten = \"127.0.0.1:0\"\n"));
    site.add_org("ACME01");
    let server = site.serve();
    let status = site.run("status --json").json();
    let mut listeners = status["listeners"].as_array().unwrap().iter();
    let address = listeners.find(|one| one["protocol"] == "metrics").unwrap()["address"].as_str().unwrap();
    assert!(server.ready.contains(&format!("metrics {address}")), "{}", server.ready);
    site.run("maintenance start --reason 'keep it waiting'").ok();
    assert!(server.upload("ACME01", "SMITH_JOHN.hl7", b"MSH|^~\\&|TESTPATIENT\r").starts_with("226"));
    assert!(server.fail_login("acme01").starts_with("530"));

    let (head, told) = get(address, "/metrics");
    assert_eq!(head, "HTTP/1.1 200 OK");
    for line in [
        r#"tidegate_events_total{protocol="ftp",event="accepted"} 1"#,
        r#"tidegate_events_total{protocol="ftp",event="login"} 1"#,
        r#"tidegate_events_total{protocol="ftp",event="login_refused"} 1"#,
        r#"tidegate_jobs{state="queued"} 1"#,
        "tidegate_gate_open 0",
    ] {
        assert!(told.lines().any(|found| found == line), "{line} is not in\n{told}");
    }
    for secret in ["SMITH", "TESTPATIENT", "acme01"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    assert_eq!(get(address, "/readyz"), ("HTTP/1.1 200 OK".to_owned(), "ok\n".to_owned()));
    assert!(get(address, "/v1/status").0.contains("404"), "staff's commands are not for monitoring");
}

#[test]
fn the_dashboard_asks_only_for_numbers_that_there_are() {
    let documents = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations");
    let dashboard = std::fs::read_to_string(documents.join("grafana.json")).unwrap();
    let page = std::fs::read_to_string(documents.join("monitoring.md")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&dashboard).is_ok());
    let named = dashboard.match_indices("tidegate_").map(|(at, _)| {
        let rest = &dashboard[at..];
        &rest[..rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap()]
    });
    for number in named {
        assert!(page.contains(&format!("`{number}")), "{number} is not explained");
    }
}
