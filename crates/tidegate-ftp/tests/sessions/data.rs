use std::time::Duration;

use tidegate_ftp::{Settings, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::client::{Client, OUTSIDE, pair, settings};

#[tokio::test]
async fn bytes_and_names_come_through_unchanged() {
    let mut client = Client::login().await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    client.upload(b"STOR \xe9\xff.hl7", &bytes, 226).await;
    client.expect(b"SIZE \xe9\xff.hl7", 213).await;
    client.expect(b"SIZE \xe8\xff.hl7", 550).await;
    assert_eq!(client.memory.files.lock().unwrap().values().next().unwrap(), &bytes);
    client.upload("STOR t", b"one\r\ntwo\n", 226).await;
    assert_eq!(client.fetch("RETR t").await, "one\r\ntwo\n");
}

#[tokio::test]
async fn a_backends_words_are_in_the_reply_to_what_it_did_and_in_no_other() {
    let mut client = Client::login().await;
    client.memory.remarks.leave("Kept\r\n550 for you");
    drop(client.begin("STOR a").await);
    assert_eq!(client.reply().await, "226 Kept550 for you\r\n");
    drop(client.begin("STOR a").await);
    assert_eq!(client.reply().await, "226 Transfer complete\r\n");
    client.memory.remarks.leave("Submitted");
    client.expect("RNFR a", 350).await;
    assert_eq!(client.expect("RNTO b", 250).await, "250 Submitted\r\n");
    client.memory.remarks.leave("Submitted");
    let data = client.begin("STOR broken").await;
    data.set_zero_linger().unwrap();
    drop(data);
    client.expect_reply(426).await;
    client.expect("RNFR b", 350).await;
    assert_eq!(client.expect("RNTO c", 250).await, "250 Renamed\r\n", "what failed takes its words along");
}

#[tokio::test]
async fn transfers_go_on_where_rest_says_and_only_the_next_one() {
    let mut client = Client::login().await;
    client.upload("STOR a", b"12345", 226).await;
    client.expect("REST 3", 350).await;
    client.expect("REST 2", 350).await;
    let data = client.passive().await;
    drop(data);
    client.upload("STOR a", b"abc", 226).await;
    assert_eq!(client.file("/a").unwrap(), b"12abc", "EPSV came between");
    client.expect("REST 2", 350).await;
    client.expect("NOOP", 200).await;
    client.upload("STOR a", b"abc", 226).await;
    assert_eq!(client.file("/a").unwrap(), b"abc", "something else came between");
    let mut data = client.passive().await;
    client.expect("REST 2", 350).await;
    client.expect("STOR a", 150).await;
    data.write_all(b"XY").await.unwrap();
    drop(data);
    client.expect_reply(226).await;
    assert_eq!(client.file("/a").unwrap(), b"abXY");
    client.upload("APPE a", b"!", 226).await;
    client.upload("APPE new", b"n", 226).await;
    assert_eq!(
        (client.file("/a").unwrap(), client.file("/new").unwrap()),
        (b"abXY!".to_vec(), b"n".to_vec())
    );
    client.expect("REST x", 501).await;
}

#[tokio::test]
async fn a_backends_refusal_is_told_in_its_words() {
    let mut client = Client::login().await;
    let mut data = client.begin("STOR forbidden").await;
    assert_eq!(client.reply().await, "553 that name is taken\r\n");
    // Clients that first send all of a file and read replies then are not told that the connection broke.
    data.write_all(&vec![0; 20 << 20]).await.unwrap();
    data.shutdown().await.unwrap();
    assert_eq!(data.read(&mut [0]).await.unwrap(), 0, "an end, no reset");
    // Who goes on meanwhile is answered.
    let _data = client.begin("STOR forbidden").await;
    client.expect_reply(553).await;
    client.expect("NOOP", 200).await;
    client.upload("STOR a", b"MSH", 226).await;
}

#[tokio::test]
async fn a_data_connection_that_does_not_come_about_is_given_up() {
    let hasty = Settings { connect_max: Duration::from_millis(20), ..settings() };
    let mut client = Client::connect(hasty).await.logged_in().await;
    client.expect("EPSV", 229).await;
    client.expect("STOR a", 425).await;
    client.expect("NOOP", 200).await;
}

/// Where it would begin is not known, and the beginning of the file is the wrong place.
#[tokio::test]
async fn nothing_is_appended_to_what_the_backend_can_not_look_at() {
    let mut client = Client::login().await;
    let _data = client.begin("APPE unwell").await;
    client.expect_reply(451).await;
    assert_eq!(client.file("/unwell"), None);
}

#[tokio::test]
async fn a_transfer_needs_a_data_connection() {
    let mut client = Client::login().await;
    client.expect("STOR a", 425).await;
    client.expect("EPSV 2", 522).await;
    client.expect("EPSV 1", 229).await;
    client.expect("PASV", 227).await;
    client.expect("EPSV ALL", 200).await;
    client.expect("PASV", 503).await;
    client.expect("PORT 127,0,0,1,200,1", 503).await;
    client.upload("STOR a", b"1", 226).await;
}

#[tokio::test]
async fn active_mode_leads_to_the_client_only() {
    let mut client = Client::login().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    client.expect(format!("PORT 192,0,2,1,{},{}", port >> 8, port & 255), 504).await;
    client.expect("EPRT |1|192.0.2.1|5000|", 504).await;
    client.expect(format!("EPRT |1|127.0.0.1|{port}|"), 200).await;
    client.expect("STOR a", 150).await;
    let (mut data, _) = listener.accept().await.unwrap();
    data.write_all(b"MSH").await.unwrap();
    drop(data);
    client.expect_reply(226).await;
    assert_eq!(client.file("/a").unwrap(), b"MSH");
}

#[tokio::test]
async fn passive_mode_announces_the_outside_address_but_not_to_who_came_by_ipv6() {
    let mut client = Client::login().await;
    let announced = client.expect("PASV", 227).await;
    let [a, b, c, d] = OUTSIDE.octets();
    assert!(announced.starts_with(&format!("227 Entering Passive Mode ({a},{b},{c},{d},")), "{announced}");
    let (stream, served) = pair("::1").await;
    let mut client = Client::over(stream, served, settings(), Tls::Off).greeted().await.logged_in().await;
    client.expect("PASV", 425).await;
    client.expect("EPSV 1", 522).await;
    client.upload("STOR a", b"MSH", 226).await;
}

/// A host with several addresses would take its first one, which no client's firewall expects.
#[tokio::test]
async fn active_mode_comes_from_the_address_that_the_client_knows() {
    let (stream, served) = pair("127.0.0.7").await;
    let mut client = Client::over(stream, served, settings(), Tls::Off).greeted().await.logged_in().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    client.expect(format!("EPRT |1|127.0.0.1|{port}|"), 200).await;
    client.expect("STOR a", 150).await;
    let (data, from) = listener.accept().await.unwrap();
    assert_eq!(from.ip().to_string(), "127.0.0.7");
    drop(data);
    client.expect_reply(226).await;
}

#[tokio::test]
async fn a_name_of_the_servers_choice_is_told() {
    let mut client = Client::login().await;
    let mut data = client.passive().await;
    let reply = client.expect("STOU", 150).await;
    let name = reply.trim_end().strip_prefix("150 FILE: ").unwrap().to_owned();
    data.write_all(b"MSH").await.unwrap();
    drop(data);
    client.expect_reply(226).await;
    let mut back = client.begin(format!("RETR {name}")).await;
    let mut bytes = Vec::new();
    back.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes, b"MSH");
    client.expect_reply(226).await;
    let _other = client.passive().await;
    assert_ne!(client.expect("STOU", 150).await, reply);
}
