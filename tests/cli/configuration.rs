//! `init`, `check-config`, `print-config`, usage.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Site, tidegate};

#[test]
fn three_mistakes_are_reported_together_with_key_paths_and_code_78() {
    let site = Site::new();
    site.configure(
        "data_dir = \"data\"\n[ftp]\nlisten = \"127.0.0.1\"\ntls = \"off\"\ncolour = \"red\"\n\
         [limits]\nsession_idle_max = \"5 minutes\"\n",
    );
    for command in ["check-config", "serve", "org list"] {
        let done = site.run(command);
        assert_eq!(done.code, 78, "{done:?}");
        for key in ["line 3", "ftp.listen", "line 5", "ftp.colour", "line 7", "limits.session_idle_max"] {
            assert!(done.err.contains(key), "{command}: {key} in {}", done.err);
        }
        assert_eq!(done.out, "");
    }
    let status = site.run("status");
    assert_eq!(status.code, 69, "the server may run all the same: {status:?}");
    let report = site.run("check-config --json");
    assert_eq!(report.code, 78);
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(report["problems"][0]["key"], "ftp.listen");
    assert_eq!(report["problems"].as_array().unwrap().len(), 3);
}

#[test]
fn a_missing_configuration_is_a_matter_of_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let output = tidegate().arg("status").current_dir(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("tidegate init"));
    let named = tidegate().args(["status", "--config", "absent.toml"]).current_dir(dir.path()).output();
    assert_eq!(named.unwrap().status.code(), Some(78));
}

#[test]
fn broken_organizations_are_found_by_check_config_unless_only_the_file_is_asked_about() {
    let site = Site::new();
    assert!(site.run("check-config").ok().starts_with("OK "));
    std::fs::write(site.path("orgs.d/BAD.toml"), "code = 5\n").unwrap();
    let done = site.run("check-config");
    assert_eq!(done.code, 78);
    assert!(done.err.contains("BAD.toml"), "{}", done.err);
    site.run("check-config --no-environment").ok();
    assert_eq!(site.run("serve").code, 78);
}

#[test]
fn windows_are_checked_and_shown_as_the_clocks_will_show_them() {
    let site = Site::new();
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    let window = |to: &str| {
        format!(
            "{text}[[maintenance.window]]\nname = \"spring\"\nfrom = \"2098-03-08T19:00\"\nto = \"{to}\"\n"
        )
    };
    site.configure(&window("2098-03-09T06:00"));
    let shown = site.run("check-config").ok();
    assert!(shown.contains("spring: Sat 2098-03-08 19:00 CST to Sun 2098-03-09 06:00 CDT (10 h)"), "{shown}");
    site.configure(&window("2098-03-08T18:00"));
    let refused = site.run("check-config");
    assert_eq!(refused.code, 78);
    assert!(
        refused.err.contains("line 12") && refused.err.contains("maintenance.window[0].to"),
        "{refused:?}"
    );
}

#[test]
fn windows_that_recur_are_listed_with_those_that_the_clocks_touch() {
    let site = Site::new();
    let text = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    let daily = "[[maintenance.window]]\nname = \"nightly\"\ncron = \"0 19 * * *\"\nend = \"06:00\"\n";
    site.configure(&format!("{text}{daily}"));
    let report = site.run("check-config --json").json();
    let count = |list: &str| report[list].as_array().unwrap().len();
    // A night that runs now is the thirty-first. Two changes of the clocks a year, but for the day of one.
    assert_eq!(count("occurrences") / 30, 1, "{report}");
    assert!((3..=5).contains(&count("touched_by_clock_change")), "{report}");
    assert_eq!(report["occurrences"][0]["timezone"], "America/Chicago");
    let shown = site.run("check-config").ok();
    assert!(shown.contains("nightly: ") && shown.contains("Clock changes"), "{shown}");
    assert!(shown.contains("(10 h)") && shown.contains("(12 h)"), "{shown}");
    site.configure(&format!("{text}{}", daily.replace("0 19", "0 99")));
    let refused = site.run("check-config");
    assert!(refused.code == 78 && refused.err.contains("maintenance.window[0].cron"), "{refused:?}");
}

#[test]
fn the_default_is_printed_with_comments_and_the_effective_one_can_be_used_again() {
    let site = Site::new();
    let default = tidegate().args(["print-config", "--default"]).output().unwrap();
    assert!(default.status.success());
    assert!(String::from_utf8(default.stdout).unwrap().contains("# "));

    let effective = site.run("print-config").ok();
    assert!(effective.contains("free_bytes_min = \"1MiB\""), "{effective}");
    site.configure(&effective);
    assert_eq!(site.run("print-config").ok(), effective);
}

#[test]
fn init_makes_what_can_be_served_at_once_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let init = |name: &str| tidegate().args(["init", name]).current_dir(dir.path()).output().unwrap();
    let made = init("try");
    let told = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success() && told.contains("tidegate serve"), "{told}");
    let config = dir.path().join("try/tidegate.toml");
    let before = std::fs::read(&config).unwrap();
    let check = tidegate().args(["check-config", "--config"]).arg(&config).output().unwrap();
    assert!(check.status.success(), "{check:?}");
    let org = std::fs::read_to_string(dir.path().join("try/orgs.d/EXAMPLE.toml")).unwrap();
    let password = told.split_once("has the password ").unwrap().1.split_whitespace().next().unwrap();
    assert!(org.contains("$argon2id$") && !org.contains(password));

    for name in ["ssh_host_ed25519_key", "ssh_host_rsa_key"] {
        let permissions = dir.path().join("try").join(name).metadata().unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600, "{name}");
    }
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("\"127.0.0.1:2222\"") && !text.contains("\nlisten = \"0.0.0.0"), "{text}");

    let folder = dir.path().join("try/tls");
    assert!(init("other").status.success());
    std::fs::copy(dir.path().join("other/tls/key.pem"), folder.join("key.pem")).unwrap();
    for command in ["serve", "check-config"] {
        let refused = tidegate().args([command, "--config"]).arg(&config).output().unwrap();
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(78), "{told}");
        assert!(told.contains("ftp.key") && told.contains("is not the key of the certificate"), "{told}");
    }
    std::fs::remove_file(folder.join("key.pem")).unwrap();
    let refused = tidegate().args(["serve", "--config"]).arg(&config).output().unwrap();
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");

    assert_eq!(init("try").status.code(), Some(1));
    assert_eq!(std::fs::read(&config).unwrap(), before);
}

#[test]
fn what_is_not_understood_is_a_matter_of_usage() {
    let site = Site::new();
    for line in [
        "",
        "queue list --state lost",
        "queue requeue --reason x",
        "queue requeue 06H0AM9VH04GF06Y --org ACME01 --state error --reason x",
        "queue requeue --org ACME01 --reason x",
        "queue hold 06H0AM9VH04GF06Y",
        "queue show nonsense",
        "maintenance start",
        "maintenance start --for 1h --until-released --reason x",
        "maintenance add a --from 19:00 --reason x",
        "maintenance explain --at noon",
        "org add 'A B' --account a",
    ] {
        let done = site.run(line);
        assert_eq!(done.code, 2, "{line}: {done:?}");
    }
}

#[test]
fn packagers_get_completions_and_a_manual_page() {
    for arguments in [&["completions", "bash"][..], &["completions", "zsh"], &["man"]] {
        let output = tidegate().args(arguments).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains("maintenance"), "{arguments:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    let output = tidegate().args(["man", "--dir"]).arg(dir.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let pages: Vec<String> =
        dir.path().read_dir().unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    assert!(said.starts_with(&format!("Wrote {} pages", pages.len())), "{said}");
    for name in ["tidegate.1", "tidegate-queue.1", "tidegate-queue-list.1"] {
        assert!(pages.contains(&name.to_owned()), "{pages:?}");
    }
    let page = std::fs::read_to_string(dir.path().join("tidegate-queue-list.1")).unwrap();
    assert!(page.contains("List jobs, newest first") && page.contains("\\-\\-after"), "{page}");
}
