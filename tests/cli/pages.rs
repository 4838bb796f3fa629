//! `staff ...`, and the web pages of a real server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::{PASSWORD, Server, Site};

const WEB: &str = "\
data_dir = \"data\"
[ftp]
listen = \"127.0.0.1:0\"
tls = \"off\"
[web]
listen = \"127.0.0.1:0\"
tls = \"off\"
[limits]
free_bytes_min = \"1MiB\"
[auth]
refusal_delay = \"0s\"
";

/// The answer to one request, head and body.
fn ask(server: &Server, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(server.web()).unwrap();
    let length = body.len();
    let request = format!("{head}\r\nhost: t\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn log_in(server: &Server) -> String {
    let form = format!("name=jo&password={}", PASSWORD.replace(' ', "+"));
    let head = "POST /staff/login HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded";
    ask(server, head, &form)
}

#[test]
fn staff_are_added_listed_and_shut_out_while_the_server_runs() {
    let site = Site::new();
    site.configure(WEB);
    let server = site.serve();
    assert!(site.run("staff list").ok().contains("There is nobody"));
    assert!(log_in(&server).starts_with("HTTP/1.1 401"));
    site.run_with("staff add jo --role operator --password-stdin", PASSWORD).ok();
    assert_eq!(site.run_with("staff add jo --password-stdin", PASSWORD).code, 1);
    assert_eq!(site.run_with("staff add Jo/.. --password-stdin", PASSWORD).code, 1);
    assert_eq!(site.run("staff role jo king").code, 2);
    let listed = site.run("staff list --json").json();
    assert_eq!(
        listed,
        serde_json::json!([{"name": "jo", "role": "operator", "totp": false, "disabled": false}])
    );
    let answer = log_in(&server);
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("__Host-tidegate-staff="), "{answer}");
    assert!(site.run("staff totp jo").ok().contains("otpauth://totp/"));
    assert!(log_in(&server).starts_with("HTTP/1.1 401"));
    site.run("staff totp jo --off").ok();
    site.run("staff disable jo").ok();
    assert!(log_in(&server).starts_with("HTTP/1.1 401"));
    site.run("staff enable jo").ok();
    assert!(log_in(&server).starts_with("HTTP/1.1 303"));
    assert_eq!(site.run("staff disable kim").code, 1);
}

#[test]
fn the_status_page_is_served_and_follows_the_gate() {
    let site = Site::new();
    site.configure(WEB);
    let server = site.serve();
    assert!(ask(&server, "GET /status.json HTTP/1.1", "").contains("\"state\":\"open\""));
    site.run("maintenance start --for 30m --reason restart").ok();
    let answer = ask(&server, "GET /status.json HTTP/1.1", "");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"state\":\"closed\""), "{answer}");
    assert!(ask(&server, "GET / HTTP/1.1", "").contains("Log in"));
    assert!(server.stop().0.success());
}
