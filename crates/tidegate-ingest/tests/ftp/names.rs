use crate::client::Client;
use crate::rig::Rig;

#[tokio::test]
async fn no_path_leads_out() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    for path in ["../../etc/cron.d/x", "/etc/passwd", "inbox/sub/x", "../BETA02/inbox/x", "outbox/x"] {
        assert_eq!(client.store(path, b"MSH").await.code, 550, "{path}");
        assert_eq!(client.fetch(&format!("RETR {path}")).await.1.code, 550, "{path}");
        assert_eq!(client.command(&format!("DELE {path}")).await.code, 550, "{path}");
        assert_eq!(client.command(&format!("SIZE {path}")).await.code, 550, "{path}");
    }
    for path in ["..", "/../..", "inbox/.."] {
        assert_eq!(client.names(path).await, ["inbox", "outbox"], "{path}");
    }
    for path in ["/etc", "inbox/a", "/../etc", "INBOX"] {
        assert_eq!(client.command(&format!("CWD {path}")).await.code, 550, "{path}");
    }
    assert!(rig.jobs().is_empty());
}

#[tokio::test]
async fn names_that_no_file_may_have_are_refused_with_553() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    let long = "x".repeat(300);
    for name in [long.as_str(), "a\u{1}b", "a\tb", "inbox", "/outbox", "."] {
        assert_eq!(client.store(name, b"MSH").await.code, 553, "{name:?}");
    }
    assert!(rig.jobs().is_empty());
    assert_eq!(client.store(&"x".repeat(200), b"MSH").await.code, 226);
}

#[tokio::test]
async fn a_line_end_in_a_name_is_refused_and_the_door_stays_open() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.command("STOR a\rb").await.code, 501);
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.command("STOR a\nSTOR b").await.code, 425, "without a data connection");
    assert_eq!(client.reply().await.code, 425, "a line feed ends a command, not a name");
    Client::login(rig.address, "acme").await;
    assert!(rig.jobs().is_empty());
}

#[tokio::test]
async fn odd_names_that_are_allowed_come_through_unchanged() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    let names = ["a b  c.hl7", "-rf", "ä€.hl7", "a\\b", "*", "%2e%2e", "$(id)", "a;b"];
    for name in names {
        assert_eq!(client.store(&format!("inbox/{name}"), b"MSH").await.code, 226, "{name:?}");
        assert_eq!(client.command(&format!("SIZE {name}")).await.text, "213 3\r\n", "{name:?}");
    }
    let stored: Vec<_> = rig.jobs().iter().map(|job| job.submission.name.to_text()).collect();
    assert_eq!(stored, names);
}

#[tokio::test]
async fn the_tree_has_two_directories_which_stay() {
    let rig = Rig::start().await;
    let mut client = Client::login(rig.address, "acme").await;
    assert_eq!(client.command("CWD inbox").await.code, 250);
    assert_eq!(client.store("a.hl7", b"MSH").await.code, 226);
    assert_eq!(client.names("").await, ["a.hl7"]);
    assert_eq!(client.command("CDUP").await.code, 250);
    assert_eq!(client.names("").await, ["inbox", "outbox"]);
    for command in ["MKD inbox", "MKD new", "RMD inbox", "RMD new", "DELE outbox", "RNFR new"] {
        assert_eq!(client.command(command).await.code, 550, "{command}");
    }
    assert_eq!(client.command("RNFR inbox").await.code, 350);
    assert_eq!(client.command("RNTO new").await.code, 550);
}
