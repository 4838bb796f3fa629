//! `bans ...`.

use crate::support::Site;

const STRICT: &str = "\
data_dir = \"data\"
[ftp]
listen = \"127.0.0.1:0\"
tls = \"off\"
[limits]
free_bytes_min = \"1MiB\"
[auth]
refusal_delay = \"0s\"
failures_max = 3
exempt_addresses = []
";

#[test]
fn a_banned_address_is_listed_counted_and_let_in_again() {
    let site = Site::new();
    site.configure(STRICT);
    site.add_org("ACME01");
    let server = site.serve();
    assert!(site.run("bans list").ok().contains("No address is banned"));
    for _ in 0..3 {
        assert!(server.fail_login("acme01").starts_with("530"));
    }
    assert!(server.greeting().starts_with("421 Too many failed logins"));
    let listed = site.run("bans list").ok();
    assert!(listed.contains("127.0.0.1") && listed.contains("in 15 min"), "{listed}");
    assert_eq!(site.run("bans list --json").json()[0]["address"], "127.0.0.1");
    assert_eq!(site.run("status --json").json()["bans"], 1);
    let other = site.run("bans lift 192.0.2.1");
    assert!(other.code == 1 && other.out.contains("nothing was lifted"), "{other:?}");
    assert!(site.run("bans lift 127.0.0.1").ok().contains("Lifted 1 ban: 127.0.0.1"));
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    for line in ["bans lift", "bans lift 127.0.0.1 --all", "bans lift office"] {
        assert_eq!(site.run(line).code, 2, "{line}");
    }
    assert_eq!(site.run("bans lift --all").code, 0);
    let (_, log) = server.stop();
    assert!(log.contains("address banned") && log.contains("ban lifted"), "{log}");
}
