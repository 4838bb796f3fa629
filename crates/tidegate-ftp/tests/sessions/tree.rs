use tidegate_ftp::Settings;

use crate::client::{Client, settings};

#[tokio::test]
async fn files_are_looked_at_renamed_and_deleted() {
    let mut client = Client::login().await;
    client.upload("STOR a b.hl7", b"MSH", 226).await;
    assert_eq!(client.expect("SIZE a b.hl7", 213).await, "213 3\r\n");
    assert_eq!(client.expect("MDTM a b.hl7", 213).await, "213 19700102000000\r\n");
    client.expect("MFMT 20200101000000 a b.hl7", 213).await;
    for time in ["2020010100000x", "20200101", ""] {
        client.expect(format!("MFMT {time} a b.hl7"), 501).await;
    }
    assert_eq!(
        client.expect("MDTM 20200101000000 a b.hl7", 213).await,
        "213 Modify=19700102000000; a b.hl7\r\n"
    );
    client.expect("MDTM 20200101000000 none", 550).await;
    client.upload("STOR 20200101000000 a", b"MSH", 226).await;
    let own = client.expect("MDTM 20200101000000 a", 213).await;
    assert_eq!(own, "213 19700102000000\r\n", "a name, not a time");
    assert!(!client.expect("FEAT", 211).await.contains("MFMT"), "files keep the time at which they came");
    client.expect("SITE CHMOD 644 a b.hl7", 200).await;
    client.expect("SITE CHMOD 644 none", 550).await;
    client.expect("SIZE sub", 550).await;
    client.expect("RNTO c", 503).await;
    client.expect("RNFR none", 550).await;
    client.expect("RNFR a b.hl7", 350).await;
    client.expect("NOOP", 200).await;
    client.expect("RNTO c", 503).await;
    client.expect("RNFR a b.hl7", 350).await;
    client.expect("RNTO sub/c", 250).await;
    client.expect("DELE a b.hl7", 550).await;
    client.expect("DELE sub/c", 250).await;
    client.expect("RMD sub", 550).await;
}

#[tokio::test]
async fn a_client_walks_and_stays_inside() {
    let mut client = Client::login().await;
    assert_eq!(client.expect("PWD", 257).await, "257 \"/\" is where you are\r\n");
    client.expect("CWD ../../sub", 250).await;
    assert_eq!(client.expect("XPWD", 257).await, "257 \"/sub\" is where you are\r\n");
    client.expect("CWD nowhere", 550).await;
    client.upload("STOR x", b"1", 226).await;
    assert_eq!(client.file("/sub/x").unwrap(), b"1");
    let facts = client.expect("MLST x", 250).await;
    assert!(facts.contains("\r\n type=file;size=1;modify=19700102000000;perm=rdf; /sub/x\r\n"), "{facts}");
    client.expect("CDUP", 250).await;
    assert_eq!(client.expect("PWD", 257).await, "257 \"/\" is where you are\r\n");
}

#[tokio::test]
async fn directories_are_listed_in_each_style() {
    let mut client = Client::login().await;
    client.upload("STOR a", b"MSH", 226).await;
    client.upload("STOR b", b"", 226).await;
    assert_eq!(client.fetch("NLST").await, "a\r\nb\r\n");
    assert_eq!(client.fetch("LIST -al").await.lines().count(), 2);
    client.expect("OPTS MLST size;", 200).await;
    assert_eq!(client.fetch("MLSD").await, "size=3; a\r\nsize=0; b\r\n");
    assert!(client.expect("FEAT", 211).await.contains("\r\n MLST type;size*;modify;perm;\r\n"));
    assert_eq!(client.expect("STAT /", 213).await.lines().count(), 4);
}

/// Clients tell of a data connection that broke, if it comes about and ends at once, instead of the reply; encrypted
/// ones above all.
#[tokio::test]
async fn what_can_not_be_sent_is_refused_before_a_transfer_begins() {
    let mut client = Client::login().await;
    client.upload("STOR a", b"MSH", 226).await;
    for (start, line, code) in [
        (0, "NLST nowhere", 550),
        (0, "LIST nowhere", 550),
        (0, "RETR nowhere", 550),
        (0, "RETR sub", 550),
        (0, "MLSD a", 501),
        (4, "RETR a", 554),
    ] {
        let data = client.passive().await;
        client.expect(format!("REST {start}"), 350).await;
        client.expect(line, code).await;
        drop(data);
        client.expect(line, 425).await;
    }
    let data = client.passive().await;
    client.expect("REST 3", 350).await;
    client.expect("RETR a", 150).await;
    client.expect_reply(226).await;
    drop(data);
}

#[tokio::test]
async fn a_single_file_is_listed_over_storage_that_lists_directories_only() {
    let mut client = Client::login().await;
    client.upload("STOR a", b"MSH", 226).await;
    assert_eq!(client.fetch("NLST a").await, "a\r\n");
    assert!(client.fetch("LIST a").await.ends_with(" a\r\n"));
    assert!(client.expect("STAT a", 213).await.contains(" a\r\n"));
    assert!(client.expect("STAT -la a", 213).await.contains(" a\r\n"));
}

/// `mget outbox/*.response` in ncftp, tnftp and Windows' ftp: they ask for the names and then for each as it came.
#[tokio::test]
async fn names_with_wildcards_are_expanded() {
    let mut client = Client::login().await;
    for name in ["a.response", "a.txt", "b.response", "sub/c.response", "sub/d"] {
        client.upload(format!("STOR {name}"), b"MSH", 226).await;
    }
    assert_eq!(client.fetch("NLST *.response").await, "a.response\r\nb.response\r\n");
    assert_eq!(client.fetch("NLST sub/?.response").await, "sub/c.response\r\n");
    assert_eq!(client.fetch("NLST /sub/../a*").await, "/sub/../a.response\r\n/sub/../a.txt\r\n");
    assert_eq!(client.fetch("NLST *.none").await, "");
    assert_eq!(client.fetch("LIST -l a*").await.lines().count(), 2);
    assert_eq!(client.expect("STAT b*", 213).await.lines().count(), 3);
    client.upload("STOR b*", b"MSH", 226).await;
    assert_eq!(client.fetch("NLST b*").await, "b*\r\n", "a file of that name is meant first");
    let _data = client.passive().await;
    client.expect("NLST nowhere/*", 550).await;
}

#[tokio::test]
async fn help_names_what_is_offered_and_nothing_else() {
    let mut client = Client::login().await;
    let help = client.expect("HELP", 214).await;
    assert!([" PORT ", " EPRT ", " REST ", " STOR "].iter().all(|name| help.contains(name)), "{help}");
    assert!(!help.contains("AUTH"), "{help}");
    client.expect("HELP PROT", 502).await;
    let passive = Settings { active_mode: false, ..settings() };
    let mut client = Client::connect(passive).await.logged_in().await;
    let help = client.expect("HELP", 214).await;
    assert!(!help.contains(" PORT ") && !help.contains(" EPRT "), "{help}");
    client.expect("HELP PORT", 502).await;
    client.expect("PORT 127,0,0,1,200,1", 502).await;
}

#[tokio::test]
async fn what_has_one_value_only_says_so() {
    let mut client = Client::login().await;
    for (line, code) in [
        ("TYPE I", 200),
        ("TYPE A N", 200),
        ("TYPE L 8", 200),
        ("TYPE l8", 200),
        ("TYPE L 7", 504),
        ("TYPE L", 504),
        ("TYPE E", 504),
        ("MODE S", 200),
        ("MODE Z", 504),
        ("STRU F", 200),
        ("STRU R", 504),
        ("OPTS UTF8 ON", 200),
        ("OPTS UTF8", 200),
        ("OPTS NONSENSE", 501),
        ("ALLO 100", 202),
        ("CLNT test", 200),
        ("HELP", 214),
        ("HELP SIZE", 214),
        ("SITE HELP", 504),
        ("MODE", 501),
        ("STAT", 211),
        ("ABOR", 226),
        ("QUIT", 221),
    ] {
        client.expect(line, code).await;
    }
    assert_eq!(client.closed().await, "");
}
