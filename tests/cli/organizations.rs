//! `org ...`.

use crate::support::{PASSWORD, Site};

#[test]
fn an_added_organization_can_upload_at_once() {
    let site = Site::new();
    let server = site.serve();
    let added =
        site.run_with("org add ACME01 --name 'Acme Clinic' --account acme01 --password-stdin", PASSWORD);
    let told = added.ok();
    assert!(told.contains("has taken it up") && told.contains("outbox/"), "{told}");
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    let listed = site.run("org list").ok();
    assert!(listed.contains("Acme Clinic"), "{listed}");
    let shown = site.run("org show ACME01 --json");
    assert!(!shown.out.contains("argon2id"), "{shown:?}");
    assert_eq!(shown.json()["accounts"][0]["password"], true);
}

#[test]
fn codes_and_accounts_are_taken_once_and_short_passwords_not_at_all() {
    let site = Site::new();
    site.add_org("ACME01");
    for (line, words) in [
        ("org add ACME01 --account other --password-stdin", "exists already"),
        ("org add BURL01 --account acme01 --password-stdin", "belongs to organization ACME01"),
        ("org passwd ACME01 nobody --password-stdin", "it has acme01"),
        ("org passwd BURL01 burl01 --password-stdin", "org list"),
        ("org show BURL01", "org list"),
    ] {
        let done = site.run_with(line, PASSWORD);
        assert!(done.code == 1 && done.err.contains(words), "{line}: {done:?}");
    }
    let short = site.run_with("org add BURL01 --account burl01 --password-stdin", "short\n");
    assert!(short.code == 1 && short.err.contains("fewer than 8"), "{short:?}");
    assert_eq!(site.run("org add BURL01 --account burl01").code, 2, "no terminal to ask on");
    assert!(!site.path("orgs.d/BURL01.toml").exists());
}

#[test]
fn a_new_password_counts_at_once() {
    let site = Site::new();
    let server = site.serve();
    site.run_with("org add ACME01 --account acme01 --password-stdin", "the first one").ok();
    site.run_with("org passwd ACME01 acme01 --password-stdin", PASSWORD).ok();
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
}

#[test]
fn no_organizations_is_told_with_what_to_do() {
    let site = Site::new();
    assert!(site.run("org list").ok().contains("org add"));
}

#[test]
fn an_organization_is_changed_and_what_people_wrote_stays() {
    let site = Site::new();
    site.add_org("ACME01");
    let file = site.path("orgs.d/ACME01.toml");
    let text = format!("# asked for by phone\n{}", std::fs::read_to_string(&file).unwrap());
    std::fs::write(&file, text.replace("[[account]]", "[limits]\nsessions_max = 3 # enough\n\n[[account]]"))
        .unwrap();
    let server = site.serve();
    let told = site
        .run("org set ACME01 --name 'Acme Clinic' --contact a@acme.example --timezone America/Denver --allow-from 192.0.2.0/24")
        .ok();
    assert!(told.contains("Changed ACME01") && told.contains("has taken it up"), "{told}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("# asked for by phone\n") && text.contains("sessions_max = 3 # enough"),
        "{text}"
    );
    let shown = site.run("org show ACME01 --json").json();
    assert_eq!((&shown["name"], &shown["timezone"]), (&"Acme Clinic".into(), &"America/Denver".into()));
    assert_eq!(shown["accounts"][0]["allow_from"][0], "192.0.2.0/24");
    assert_eq!(shown["limits"]["sessions_max"], 3);
    assert!(server.fail_login("acme01").starts_with("530"));
    site.run("org set ACME01 --allow-from '' --contact ''").ok();
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
    for (line, words) in [
        ("org set ACME01 --timezone Central", "IANA"),
        ("org set ACME01 --allow-from office", "is no network"),
        ("org set BURL01 --name Burl", "org list"),
        ("org set ACME01 --allow-from 10.0.0.0/8 --account other", "it has acme01"),
    ] {
        let done = site.run(line);
        assert!(done.code == 1 && done.err.contains(words), "{line}: {done:?}");
    }
    assert_eq!(site.run("org set ACME01").code, 2, "nothing to set");
}

#[test]
fn what_submits_an_upload_is_set_shown_and_taken_up() {
    let site = Site::new();
    site.add_org("ACME01");
    let file = site.path("orgs.d/ACME01.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    let server = site.serve();
    assert!(site.run("org show ACME01").ok().contains("close: an upload is submitted when it ends"));
    let told = site.run("org set ACME01 --completion sidecar").ok();
    assert!(told.contains("NAME.sha256 (its checksum)") && told.contains("has taken it up"), "{told}");
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").contains("Kept, not submitted"));
    assert!(server.upload("ACME01", "a.hl7.done", b"").starts_with("226"));
    assert_eq!(site.run("org show ACME01 --json").json()["completion"], "sidecar");
    assert_eq!(site.run("org set ACME01 --completion signal").code, 2);
    site.run("org set ACME01 --completion close").ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);

    let added =
        site.run_with("org add BURL01 --account burl01 --completion rename --password-stdin", PASSWORD);
    assert!(added.ok().contains("rename to another name"));
    assert!(site.run("org show BURL01").ok().contains("rename: an upload is kept until"));
}

#[test]
fn whether_messages_are_delivered_is_set_shown_and_taken_up() {
    let site = Site::new();
    site.add_org("ACME01");
    let file = site.path("orgs.d/ACME01.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("# ours\n{text}")).unwrap();
    let server = site.serve();
    let told = site.run("org set ACME01 --mode test").ok();
    assert!(told.contains("nothing of them is delivered") && told.contains("has taken it up"), "{told}");
    assert!(site.run("org show ACME01").ok().contains(", test (P)"));
    assert_eq!(site.run("org show ACME01 --json").json()["hl7"]["mode"], "test");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("# ours\n"));
    let told = site.run("org set ACME01 --mode production").ok();
    assert!(told.contains("begun from now on are delivered"), "{told}");
    assert!(site.run("org show ACME01").ok().contains(", production (P)"));
    assert_eq!(site.run("org set ACME01 --mode training").code, 2);
    drop(server);
}

#[test]
fn facilities_and_what_the_web_service_does_meanwhile_are_set_and_shown() {
    let site = Site::new();
    site.add_org("ACME01");
    let file = site.path("orgs.d/ACME01.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    let shown = site.run("org show ACME01").ok();
    assert!(shown.contains("refuse: while the gate is closed") && !shown.contains("Facilities"), "{shown}");
    let told = site.run("org set ACME01 --facility SUB-1 --facility SUB-2 --when-closed defer").ok();
    assert!(told.contains("messages to the web service are queued"), "{told}");
    let shown = site.run("org show ACME01").ok();
    assert!(shown.contains("SUB-1, SUB-2") && shown.contains("defer: while the gate is closed"), "{shown}");
    let shown = site.run("org show ACME01 --json").json();
    assert_eq!((&shown["facilities"][1], &shown["when_closed"]), (&"SUB-2".into(), &"defer".into()));
    assert_eq!(site.run("org set ACME01 --when-closed later").code, 2);
    site.run("org set ACME01 --facility '' --when-closed refuse").ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn a_watched_folder_and_an_organization_that_asks_for_a_sidecar_do_not_go_together() {
    let site = Site::new();
    site.add_org("ACME01");
    std::fs::create_dir(site.path("drop")).unwrap();
    let config = site.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[[folder]]\npath = 'drop'\norg = 'ACME01'\n")).unwrap();
    let refused = site.run("org set ACME01 --completion sidecar");
    assert!(refused.code == 1 && refused.err.contains("is watched for ACME01"), "{refused:?}");

    let file = site.path("orgs.d/ACME01.toml");
    let organization = std::fs::read_to_string(&file).unwrap();
    assert!(!organization.contains("completion"), "{organization}");
    std::fs::write(&file, format!("completion = 'sidecar'\n{organization}")).unwrap();
    let checked = site.run("check-config");
    assert!(checked.code == 78 && checked.err.contains("ACME01 asks for a sidecar"), "{checked:?}");
    assert!(checked.err.contains("org set ACME01 --completion close"), "{checked:?}");
    site.run("org set ACME01 --completion close").ok();
    assert!(!site.run("check-config").err.contains("asks for"));
}

#[test]
fn a_watched_folder_has_an_organization_and_a_directory_of_its_own() {
    let site = Site::new();
    site.add_org("ACME01");
    for name in ["drop", "data"] {
        std::fs::create_dir(site.path(name)).unwrap();
    }
    std::os::unix::fs::symlink("drop", site.path("link")).unwrap();
    let config = site.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let folder =
        |path: &str, org: &str, more: &str| format!("\n[[folder]]\npath = '{path}'\norg = '{org}'\n{more}");
    let drop = folder("drop", "ACME01", "");
    for (folders, words) in [
        (folder("drop", "NOSUCH", ""), "there is no organization NOSUCH"),
        (drop.clone() + &folder("link", "ACME01", ""), "is the same directory as another"),
        (folder("drop", "ACME01", "responses = 'link'"), "(folder.responses) is watched"),
        (folder("data", "ACME01", ""), "lies in data_dir"),
    ] {
        std::fs::write(&config, format!("{text}{folders}")).unwrap();
        let checked = site.run("check-config");
        assert!(checked.code == 78 && checked.err.contains(words), "{words}: {checked:?}");
    }
    std::fs::remove_dir(site.path("data")).unwrap();
    std::fs::write(&config, text + &drop).unwrap();
    site.run("check-config").ok();
}

#[test]
fn an_organization_whose_file_is_broken_is_not_just_called_unknown() {
    let site = Site::new();
    site.add_org("ACME01");
    std::fs::write(site.path("orgs.d/ACME01.toml"), "code = 'ACME01'\nnonsense = 1\n").unwrap();
    let refused = site.run("org disable ACME01");
    assert!(refused.code == 1 && refused.err.contains("nonsense"), "{refused:?}");
}

#[test]
fn accounts_are_added_shut_out_and_taken_away() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    let logs_in = |account: &str| server.login(account).starts_with("230");
    site.run_with("org account add ACME01 acme-lab --password-stdin", PASSWORD).ok();
    assert!(logs_in("acme-lab") && logs_in("acme01"));
    site.run("org disable ACME01 acme-lab").ok();
    assert!(!logs_in("acme-lab") && logs_in("acme01"));
    site.run("org enable ACME01 acme-lab").ok();
    site.run("org disable ACME01").ok();
    assert!(!logs_in("acme-lab") && !logs_in("acme01"));
    assert!(site.run("org list").ok().contains("disabled"));
    site.run("org enable ACME01").ok();
    site.run("org account remove ACME01 acme-lab").ok();
    assert!(!logs_in("acme-lab") && logs_in("acme01"));
    for (line, words) in [
        ("org account add ACME01 acme01 --password-stdin", "belongs to organization ACME01"),
        ("org account remove ACME01 acme-lab", "it has acme01"),
        ("org disable ACME01 acme-lab", "it has acme01"),
        ("org account add ACME01 '' --no-password", "1 to 64 bytes"),
    ] {
        let done = site.run_with(line, PASSWORD);
        assert!(done.code == 1 && done.err.contains(words), "{line}: {done:?}");
    }
    site.run("org account add ACME01 acme-key --no-password").ok();
    let last = site.run("org account remove ACME01 acme-key").ok();
    assert!(!last.contains("none any more"), "{last}");
    assert!(site.run("org account remove ACME01 acme01").ok().contains("none any more"));
}

#[test]
fn limits_that_let_nothing_in_are_refused_and_the_old_ones_stay() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    let file = site.path("orgs.d/ACME01.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[limits]\nfiles_waiting_max = 0\n")).unwrap();
    site.reload();
    let status = site.run("status").ok();
    assert!(status.contains("limits.files_waiting_max"), "{status}");
    assert!(server.upload("ACME01", "a.hl7", b"MSH|").starts_with("226"));
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILUZIsSdjc2N8B0MhoWzf6m8N7hxxR/SWaW5H4ArEMtI of acme";

#[test]
fn a_public_key_is_given_shown_and_taken_away() {
    let site = Site::new();
    site.add_org("ACME01");
    std::fs::write(site.path("acme.pub"), format!("# made today\n{KEY}\n")).unwrap();
    let file = site.path("acme.pub").display().to_string();
    let added = site.run(&format!("org key add ACME01 acme01 {file}")).ok();
    assert!(added.contains("ssh-ed25519 SHA256:") && added.contains("1 key now"), "{added}");
    let shown = site.run("org show ACME01").ok();
    assert!(shown.contains("password, 1 key") && shown.contains(" of acme"), "{shown}");
    let written = std::fs::read_to_string(site.path("orgs.d/ACME01.toml")).unwrap();
    assert!(written.contains(KEY), "{written}");

    let twice = site.run(&format!("org key add ACME01 acme01 {file}"));
    assert!(twice.code == 1 && twice.err.contains("already"), "{twice:?}");
    let removed = site.run_with("org key remove ACME01 acme01 -", KEY).ok();
    assert!(removed.contains("0 keys now"), "{removed}");
    let again = site.run_with("org key remove ACME01 acme01 -", KEY);
    assert!(again.code == 1 && again.err.contains("does not have the key SHA256:"), "{again:?}");
}

#[test]
fn what_is_no_public_key_changes_nothing() {
    let site = Site::new();
    site.add_org("ACME01");
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n";
    for (line, text, words) in [
        ("org key add ACME01 acme01 -", private, "private key"),
        ("org key add ACME01 acme01 -", "# nothing\n", "there is no key"),
        ("org key add ACME01 acme01 -", "hello\n", "not a public key"),
        ("org key add ACME01 nobody -", KEY, "it has acme01"),
        ("org key add ACME01 acme01 nowhere.pub", "", "nowhere.pub"),
    ] {
        let done = site.run_with(line, text);
        assert!(
            done.code == 1 && done.err.contains(words) && !done.err.contains("secret"),
            "{line}: {done:?}"
        );
    }
    assert!(!std::fs::read_to_string(site.path("orgs.d/ACME01.toml")).unwrap().contains("ssh-"));
}

#[test]
fn limits_are_set_and_taken_away_one_by_one() {
    let site = Site::new();
    site.add_org("ACME01");
    let server = site.serve();
    site.run("org set ACME01 --sessions-max 5 --upload-bytes-max 4B --files-waiting-max 1000 --uploads-per-minute-max 60")
        .ok();
    let shown = site.run("org show ACME01").ok();
    for words in ["5 sessions", "1,000 files waiting", "60 uploads a minute"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(server.upload("ACME01", "a.hl7", b"MSH|^").starts_with("552"));
    site.run("org set ACME01 --upload-bytes-max '' --sessions-max ''").ok();
    assert!(server.upload("ACME01", "a.hl7", b"MSH|^").starts_with("226"));
    let limits = site.run("org show ACME01 --json").json()["limits"].clone();
    assert_eq!(limits, serde_json::json!({"files_waiting_max": 1000, "uploads_per_minute_max": 60}));
    for line in ["--sessions-max many", "--upload-bytes-max large", "--files-waiting-max -1"] {
        assert_eq!(site.run(&format!("org set ACME01 {line}")).code, 2, "{line}");
    }
    let zero = site.run("org set ACME01 --sessions-max 0");
    assert!(zero.code == 1 && zero.err.contains("limits.sessions_max"), "{zero:?}");
}

#[test]
fn an_account_is_bound_to_a_certificate_by_its_file_or_its_fingerprint() {
    let site = Site::new();
    site.add_org("ACME01");
    let certificate = rcgen::generate_simple_self_signed(["acme".to_owned()]).unwrap().cert;
    std::fs::write(site.path("acme.pem"), certificate.pem()).unwrap();
    let file = site.path("acme.pem").display().to_string();
    let added = site.run(&format!("org certificate add ACME01 acme01 {file}")).ok();
    assert!(added.contains("1 certificate now") && added.contains("ftp.client_ca"), "{added}");
    let shown = site.run("org show ACME01 --json").json();
    let fingerprint = shown["accounts"][0]["certificates"][0].as_str().unwrap().to_owned();
    assert!(site.run("org show ACME01").ok().contains(&fingerprint));
    let twice = site.run(&format!("org certificate add ACME01 acme01 {fingerprint}"));
    assert!(twice.code == 1 && twice.err.contains("already"), "{twice:?}");

    let server = site.serve();
    assert!(server.login("acme01").starts_with("530"), "not without it");
    let bare = fingerprint.replace(':', "").to_lowercase();
    let removed = site.run(&format!("org certificate remove ACME01 acme01 {bare}")).ok();
    assert!(removed.contains("any certificate, or none"), "{removed}");
    assert!(server.login("acme01").starts_with("230"));
    for (what, words) in [("nowhere.pem", "nowhere.pem"), (&*bare, "is not bound to")] {
        let done = site.run(&format!("org certificate remove ACME01 acme01 {what}"));
        assert!(done.code == 1 && done.err.contains(words), "{what}: {done:?}");
    }
}
