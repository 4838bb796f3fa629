use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tidegate_ftp::{Settings, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::rustls::{ClientConfig, HandshakeKind};

use crate::client::{Client, PATIENCE, settings};
use crate::secrets::{BOTH, Secrets, finish, shake};

fn secrets() -> (Secrets, Arc<ClientConfig>) {
    let secrets = Secrets::new();
    let config = secrets.client(&BOTH);
    (secrets, config)
}

#[tokio::test]
async fn nobody_logs_in_in_the_clear_where_encryption_is_demanded() {
    let (secrets, config) = secrets();
    let tls = Tls::Required(secrets.server());
    let mut client = Client::connect_with(settings(), tls).await.greeted().await;
    for line in ["USER ann", "PASS secret", "ACCT x"] {
        assert!(client.expect(line, 530).await.contains("AUTH TLS"));
    }
    for line in ["PWD", "EPSV", "STOR a"] {
        client.expect(line, 530).await;
    }
    for line in ["PBSZ 0", "PROT P", "CCC"] {
        client.expect(line, 503).await;
    }
    for line in ["AUTH SSL", "AUTH TLS-P", "AUTH KERBEROS_V4"] {
        client.expect(line, 504).await;
    }
    client.expect("AUTH tls", 234).await;
    let mut client = client.encrypted(&config).await;
    client.expect("AUTH TLS", 503).await;
    let mut client = client.logged_in().await;
    client.expect("CCC", 534).await;
    assert_eq!(client.expect("PWD", 257).await, "257 \"/\" is where you are\r\n");
}

#[tokio::test]
async fn no_file_moves_in_the_clear_where_encryption_is_demanded_in_any_order_of_commands() {
    let (secrets, config) = secrets();
    let mut client = Client::secure(Tls::Required(secrets.server()), &config).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let active = format!("PORT 127,0,0,1,{},{}", port >> 8, port & 255);
    let extended = format!("EPRT |1|127.0.0.1|{port}|");
    for (offer, code) in [("EPSV", 229), ("PASV", 227), (active.as_str(), 200), (&extended, 200)] {
        client.expect("PROT C", 534).await;
        client.expect(offer, code).await;
        client.expect("PROT C", 534).await;
        for line in ["STOR a", "APPE a", "STOU", "RETR a", "LIST", "NLST", "MLSD"] {
            client.expect(line, 521).await;
        }
    }
    client.expect("PROT P", 200).await;
    let mut data = client.passive().await;
    client.expect("PROT C", 534).await;
    client.expect("STOR a", 150).await;
    data.write_all(b"MSH in the clear\r\n").await.unwrap();
    client.expect_reply(426).await;
    assert_eq!((client.file("/a"), client.memory.broken.lock().unwrap().len()), (None, 0));
}

#[tokio::test]
async fn where_it_is_offered_the_client_chooses() {
    let (secrets, config) = secrets();
    let tls = || Tls::Optional(secrets.server());
    let client = Client::connect_with(settings(), tls()).await.greeted().await;
    let mut client = client.logged_in().await;
    client.expect("AUTH TLS", 503).await;
    client.upload("STOR plain", b"1", 226).await;
    let mut client = Client::secure(tls(), &config).await;
    client.upload("STOR clear", b"1", 226).await;
    client.expect("PROT P", 200).await;
    let mut data = client.begin_private(&config, "STOR secret").await;
    data.write_all(b"2").await.unwrap();
    finish(data).await;
    client.expect_reply(226).await;
    client.expect("PROT C", 200).await;
    client.upload("STOR again", b"3", 226).await;
    assert_eq!((client.file("/secret").unwrap(), client.file("/again").unwrap()), (b"2".into(), b"3".into()));
}

#[tokio::test]
async fn implicit_encryption_begins_with_the_first_byte_and_holds_for_data() {
    let (secrets, config) = secrets();
    let tls = Tls::Implicit(secrets.server());
    let client = Client::connect_with(settings(), tls).await.encrypted(&config).await.greeted().await;
    let mut client = client.logged_in().await;
    let mut data = client.begin_private(&config, "STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    finish(data).await;
    client.expect_reply(226).await;
    client.expect("PBSZ 0", 200).await;
    client.expect("PROT C", 534).await;
    assert_eq!(client.file("/a").unwrap(), b"MSH");
}

#[tokio::test]
async fn commands_in_the_clear_behind_auth_are_never_obeyed() {
    let (secrets, config) = secrets();
    let tls = || Tls::Optional(secrets.server());
    let mut client = Client::connect_with(settings(), tls()).await.greeted().await;
    client.expect("USER ann", 331).await;
    client.expect("OPTS MLST type", 200).await;
    client.expect("AUTH TLS\r\nUSER ann\r\nPASS secret\r\nNOOP", 234).await;
    let mut client = client.encrypted(&config).await;
    assert!(
        client.expect("FEAT", 211).await.contains("MLST type*;size*;"),
        "somebody else may have asked for less"
    );
    client.expect("PASS secret", 503).await;
    client.expect("PWD", 530).await;
    let mut client = Client::connect_with(settings(), tls()).await.greeted().await;
    client.expect("AUTH TLS", 234).await;
    client.send("USER ann\r\nPASS secret").await;
    let Client { mut control, session, .. } = client;
    assert_eq!(
        timeout(PATIENCE, session).await.expect("an end in time").unwrap().unwrap_err().kind(),
        ErrorKind::InvalidData
    );
    let mut said = Vec::new();
    control.read_to_end(&mut said).await.ok();
    assert_eq!(said.first(), Some(&21), "an alert of TLS, no reply");
}

#[tokio::test]
async fn both_sides_say_that_the_data_end() {
    for version in BOTH {
        let secrets = Secrets::new();
        let config = secrets.client(&[version]);
        let mut client = Client::private(&secrets, &config).await;
        let bytes: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut data = client.begin_private(&config, "STOR a").await;
        data.write_all(&bytes).await.unwrap();
        finish(data).await;
        client.expect_reply(226).await;
        let mut back = client.begin_private(&config, "RETR a").await;
        let mut fetched = Vec::new();
        back.read_to_end(&mut fetched).await.unwrap();
        client.expect_reply(226).await;
        assert!(fetched == bytes);
        let mut listing = String::new();
        client.begin_private(&config, "NLST").await.read_to_string(&mut listing).await.unwrap();
        client.expect_reply(226).await;
        assert_eq!(listing, "a\r\n");
        client.expect("QUIT", 221).await;
        assert_eq!(client.closed().await, "");
    }
}

#[tokio::test]
async fn an_upload_that_just_stops_is_an_error() {
    let (secrets, config) = secrets();
    let mut client = Client::private(&secrets, &config).await;
    let mut data = client.begin_private(&config, "STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    data.flush().await.unwrap();
    let (mut below, _session) = data.into_inner();
    below.shutdown().await.unwrap();
    client.expect_reply(426).await;
    assert_eq!(
        (client.file("/a"), client.memory.broken.lock().unwrap()[..] == [ErrorKind::UnexpectedEof]),
        (None, true)
    );
    client.expect("NOOP", 200).await;
}

#[tokio::test]
async fn an_abort_counts_although_it_is_encrypted() {
    let (secrets, config) = secrets();
    for line in ["ABOR", "SIZE a\r\nABOR"] {
        let mut client = Client::private(&secrets, &config).await;
        let mut data = client.begin_private(&config, "STOR a").await;
        data.write_all(b"MSH").await.unwrap();
        client.memory.begun.notified().await;
        client.send(line).await;
        data.shutdown().await.unwrap();
        client.expect_reply(426).await;
        assert_eq!(*client.memory.broken.lock().unwrap(), [ErrorKind::ConnectionAborted]);
        if line != "ABOR" {
            client.expect_reply(550).await;
        }
        client.expect_reply(226).await;
    }
}

#[tokio::test]
async fn a_client_that_says_no_more_on_its_control_connection_has_given_up() {
    let (secrets, config) = secrets();
    let mut client = Client::private(&secrets, &config).await;
    let mut data = client.begin_private(&config, "STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    client.memory.begun.notified().await;
    let Client { mut control, memory, session, .. } = client;
    // A close_notify, and a FIN below it; the data connection stays open.
    control.shutdown().await.unwrap();
    timeout(PATIENCE, session).await.expect("an end in time").unwrap().unwrap();
    assert_eq!(*memory.broken.lock().unwrap(), [ErrorKind::ConnectionAborted]);
    drop(data);
}

#[tokio::test]
async fn a_handshake_that_fails_is_a_failed_transfer_and_nothing_more() {
    let (secrets, config) = secrets();
    let mut client = Client::private(&secrets, &config).await;
    let mut data = client.begin("LIST").await;
    data.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    client.expect_reply(426).await;
    drop(client.begin("STOR a").await);
    client.expect_reply(426).await;
    let _half_open = client.begin("STOR a").await;
    client.expect("ABOR", 426).await;
    client.expect_reply(226).await;
    let stranger = Secrets::new().client(&BOTH);
    let data = client.begin("STOR a").await;
    let name = "localhost".try_into().unwrap();
    assert!(tokio_rustls::TlsConnector::from(stranger).connect(name, data).await.is_err());
    client.expect_reply(426).await;
    let mut data = client.begin_private(&config, "STOR a").await;
    data.write_all(b"MSH").await.unwrap();
    finish(data).await;
    client.expect_reply(226).await;
}

#[tokio::test]
async fn half_a_handshake_has_its_time() {
    let (secrets, config) = secrets();
    let hasty = || Settings { handshake_max: Duration::from_secs(2), ..settings() };
    let silent = Client::connect_with(hasty(), Tls::Implicit(secrets.server())).await;
    let mut coy = Client::connect_with(hasty(), Tls::Required(secrets.server())).await.greeted().await;
    coy.expect("AUTH TLS", 234).await;
    let mut client = Client::connect_with(hasty(), Tls::Implicit(secrets.server())).await;
    client = client.encrypted(&config).await.greeted().await.logged_in().await;
    let mut data = client.begin("STOR a").await;
    data.write_all(&[22, 3, 1, 2, 0]).await.unwrap();
    client.expect_reply(426).await;
    for given_up in [silent, coy] {
        assert_eq!(
            timeout(PATIENCE, given_up.session).await.expect("an end in time").unwrap().unwrap_err().kind(),
            ErrorKind::TimedOut
        );
    }
}

#[tokio::test]
async fn a_refused_upload_is_ended_as_it_should_be() {
    let (secrets, config) = secrets();
    let mut client = Client::private(&secrets, &config).await;
    let mut data = client.begin_private(&config, "STOR forbidden").await;
    data.write_all(&vec![0; 1 << 20]).await.unwrap();
    finish(data).await;
    client.expect_reply(553).await;
}

/// Who connects and says nothing would keep the server from stopping.
#[tokio::test]
async fn a_server_that_stops_waits_for_no_handshake() {
    let (secrets, _) = secrets();
    let patient = || Settings { handshake_max: 2 * PATIENCE, ..settings() };
    let silent = Client::connect_with(patient(), Tls::Implicit(secrets.server())).await;
    let mut coy = Client::connect_with(patient(), Tls::Required(secrets.server())).await.greeted().await;
    coy.expect("AUTH TLS", 234).await;
    for client in [silent, coy] {
        client.closing.send_replace(true);
        let ended = timeout(PATIENCE, client.session).await.expect("an end in time");
        assert_eq!(ended.unwrap().unwrap_err().kind(), ErrorKind::ConnectionAborted);
    }
}

#[tokio::test]
async fn data_connections_may_resume_the_session_of_the_control_connection() {
    for version in BOTH {
        let secrets = Secrets::new();
        let config = secrets.client(&[version]);
        let mut client = Client::private(&secrets, &config).await;
        for _ in 0..2 {
            let data = client.begin("STOR a").await;
            let data = shake(&config, data).await;
            assert_eq!(data.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
            finish(data).await;
            client.expect_reply(226).await;
        }
    }
}

#[tokio::test]
async fn what_a_client_has_proven_is_told_to_the_accounts() {
    let secrets = Secrets::new();
    for (config, code) in [(secrets.certified_client(), 230), (secrets.client(&BOTH), 530)] {
        let tls = Tls::Required(secrets.server());
        let mut client = Client::connect_with(settings(), tls).await.greeted().await;
        client.expect("AUTH TLS", 234).await;
        let mut client = client.encrypted(&config).await;
        client.expect("USER certified", 331).await;
        client.expect("PASS secret", code).await;
    }
}

#[tokio::test]
async fn what_is_said_of_encryption_is_true() {
    let (secrets, config) = secrets();
    let lines = ["\r\n AUTH TLS\r\n", "\r\n PBSZ\r\n", "\r\n PROT\r\n"];
    let mut client = Client::login().await;
    let features = client.expect("FEAT", 211).await;
    assert!(lines.iter().all(|line| !features.contains(line)), "{features}");
    for line in ["AUTH TLS", "PBSZ 0", "PROT P"] {
        client.expect(line, 502).await;
    }
    let mut client = Client::secure(Tls::Optional(secrets.server()), &config).await;
    let features = client.expect("FEAT", 211).await;
    assert!(lines.iter().all(|line| features.contains(line)), "{features}");
    for (line, code) in [("PROT S", 536), ("PROT E", 536), ("PROT X", 504), ("PBSZ x", 501)] {
        client.expect(line, code).await;
    }
    let mut fresh = Client::connect_with(settings(), Tls::Optional(secrets.server())).await.greeted().await;
    fresh.expect("AUTH TLS-C", 234).await;
    fresh.encrypted(&config).await.expect("PROT P", 503).await;
}
