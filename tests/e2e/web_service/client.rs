//! A sender of single messages, by SOAP and without: one that waits for its answer, and one that does not.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::rig::{DEADLINE, PASSWORD};

pub(crate) const SENTENCE: &str = "The server is temporarily unable to service your request due to maintenance downtime \
    or capacity problems. Please try again later.";

/// How a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Hl7,
    Soap,
}

/// What a server said.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Told {
    /// The acknowledgment, as text of HL7 whatever way it came.
    pub(crate) fn acknowledgment(&self) -> String {
        let body = self.body.split_once("<return>").map_or(self.body.as_str(), |(_, rest)| rest);
        let body = body.split_once("</return>").map_or(body, |(text, _)| text);
        body.replace("&#13;", "\r").replace("&#xD;", "\r").replace("&lt;", "<").replace("&amp;", "&")
    }
}

/// The bytes of a request in the name of account `a` or `b`.
pub(crate) fn request(way: Way, account: &str, message: &[u8]) -> Vec<u8> {
    match way {
        Way::Hl7 => {
            let credentials = match account {
                "a" => "YTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=",
                _ => "Yjpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=",
            };
            let about = format!("authorization: Basic {credentials}\r\ncontent-type: application/hl7-v2");
            with_body("/hl7", &about, message)
        }
        Way::Soap => {
            let message = String::from_utf8_lossy(message);
            let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('\r', "&#13;");
            let body = format!(
                "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><submitSingleMessage \
                 xmlns='urn:cdc:iisb:2011'><username>{account}</username><password>{PASSWORD}</password>\
                 <hl7Message>{message}</hl7Message></submitSingleMessage></s:Body></s:Envelope>"
            );
            with_body("/soap", "content-type: application/soap+xml", body.as_bytes())
        }
    }
}

fn with_body(path: &str, about: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{about}\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Sends bytes; `None` if the connection did not come about or broke off.
pub(crate) fn send(web: SocketAddr, bytes: &[u8]) -> Option<TcpStream> {
    let mut connection = TcpStream::connect(web).ok()?;
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    connection.write_all(bytes).ok()?;
    Some(connection)
}

/// Sends a request; `None` if the connection broke off before its answer was whole.
pub(crate) fn ask(web: SocketAddr, request: &[u8]) -> Option<Told> {
    let mut answer = String::new();
    send(web, request)?.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length: usize =
        head.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
    (body.len() == length).then(|| Told { status, body: body.to_owned(), head })
}

/// Sends a message of account `a` by `POST /hl7`.
pub(crate) fn post(web: SocketAddr, message: &[u8]) -> Option<Told> {
    ask(web, &request(Way::Hl7, "a", message))
}
