//! What works without a server: `doctor`, `store ...`, `hl7 check`.

use crate::support::{Done, Site};

const ACCEPTED: &str = "\
MSH|^~\\&|EHR|CLINIC|IIS|REGISTRY|20240308190000-0600||VXU^V04^VXU_V04|MSG1|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS\r\
PID|1||123^^^CLINIC^MR||TESTPATIENT^ONE^^^^^L||20200101|F\r";

#[test]
fn the_doctor_says_what_to_do() {
    let site = Site::new();
    let ill = site.run("doctor");
    assert_eq!(ill.code, 1, "{ill:?}");
    assert!(ill.out.contains("WRONG") && ill.out.contains("tidegate serve"), "{}", ill.out);
    assert!(ill.out.contains("IANA tzdb"), "{}", ill.out);
    assert!(!site.path("data").exists(), "looking changes nothing");

    site.add_org("ACME01");
    let server = site.serve();
    // Whether something keeps the clock right is this machine's affair.
    let well = Done::of(site.command("doctor").env("PATH", "/nonexistent").output().unwrap()).ok();
    assert!(well.contains("Everything is in order"), "{well}");
    assert!(well.contains("answers"), "the door was knocked at: {well}");
    let report = site.run("doctor --json").json();
    assert_eq!(report["ok"], true);
    let org = site.path("orgs.d/ACME01.toml");
    let unbound = std::fs::read_to_string(&org).unwrap();
    let bound = format!("client_certificates = [\"{}\"]\n", ["AB"; 32].join(":"));
    std::fs::write(&org, format!("{unbound}{bound}")).unwrap();
    let ill = site.run("doctor");
    assert!(ill.code == 1 && ill.out.contains("ftp.client_ca"), "{ill:?}");
    std::fs::write(&org, unbound).unwrap();
    server.stop();

    std::fs::write(site.path("orgs.d/BAD.toml"), "code = 5\n").unwrap();
    let ill = site.run("doctor --json");
    assert!(ill.code == 1 && ill.out.contains("BAD.toml"), "{ill:?}");
    site.configure("colour = 1\n");
    let ill = site.run("doctor");
    assert!(ill.code == 1 && ill.out.contains("colour"), "{ill:?}");
}

#[test]
fn the_store_is_verified_and_rebuilt() {
    let site = Site::new();
    site.add_org("ACME01");
    assert_eq!(site.run("store verify").code, 1, "nothing there yet");
    let server = site.serve();
    site.run("maintenance start --until-released --reason 'keep it waiting'").ok();
    server.upload("ACME01", "a.hl7", b"MSH|");
    let online = site.run("store verify --json").json();
    assert_eq!((&online["jobs_waiting"], &online["findings"]), (&1.into(), &serde_json::json!([])));
    server.stop();

    let offline = site.run("store verify").ok();
    assert!(offline.starts_with("The store is sound"), "{offline}");
    std::fs::remove_dir_all(site.path("data/queue")).unwrap();
    let rebuilt = site.run("store rebuild").ok();
    assert!(rebuilt.contains("made anew"), "{rebuilt}");
    let _server = site.serve();
    let status = site.run("status --json").json();
    assert_eq!((&status["jobs"]["queued"], &status["gate"]["state"]), (&1.into(), &"closed".into()));
}

#[test]
fn a_file_is_checked_as_the_server_would() {
    let site = Site::new();
    site.add_org("ACME01");
    let good = site.run_with("hl7 check - --org ACME01", ACCEPTED);
    assert!(good.out.contains("MSA|A"), "{good:?}");
    let summary = site.run_with("hl7 check - --org ACME01 --json", ACCEPTED);
    let summary: serde_json::Value = serde_json::from_str(&summary.out).unwrap();
    assert_eq!((&summary["state"], &summary["messages"]["total"]), (&"complete".into(), &1.into()));

    let path = site.path("cut.hl7");
    std::fs::write(&path, format!("FHS|^~\\&\rBHS|^~\\&\r{ACCEPTED}")).unwrap();
    let cut = site.run(&format!("hl7 check {} --json", path.display()));
    assert_eq!(cut.code, 1, "{cut:?}");
    let cut: serde_json::Value = serde_json::from_str(&cut.out).unwrap();
    assert_eq!((&cut["state"], &cut["outcome"]), (&"error".into(), &serde_json::Value::Null));
    assert!(cut["reason"].as_str().unwrap().contains("truncated"), "{cut}");
    let absent = site.run("hl7 check absent.hl7");
    assert!(absent.code == 1 && absent.err.contains("absent.hl7"), "{absent:?}");

    let good = site.path("good.hl7");
    std::fs::write(&good, ACCEPTED).unwrap();
    let all = site.run_with(&format!("hl7 check {} - {}", good.display(), good.display()), ACCEPTED);
    assert!(all.code == 0 && all.out.matches("MSA|A").count() == 3, "{all:?}");
    assert!(all.out.contains("good.hl7\nREPORT ON YOUR FILE\n"), "{all:?}");
    let mixed = site.run(&format!("hl7 check --json absent.hl7 {} {}", path.display(), good.display()));
    assert!(mixed.code == 1 && mixed.err.contains("absent.hl7"), "{mixed:?}");
    let mixed: serde_json::Value = serde_json::from_str(&mixed.out).unwrap();
    let found: Vec<_> = mixed.as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(found, ["error", "complete"], "those that can be read are told all the same");
}

#[test]
fn code_tables_can_be_replaced_and_a_broken_one_is_an_error_of_the_configuration() {
    let site = Site::new();
    site.add_org("ACME01");
    let add = |name: &str, text: &str| {
        let path = site.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let message = format!(
        "{ACCEPTED}ORC|RE||1^CLINIC\rRXA|0|1|20240301||08^HepB^CVX|999|||01^^NIP001|||||||||||CP|A\r"
    );
    let before = site.run_with("hl7 check - --org ACME01", &message);
    assert!(!before.out.contains("RXA^1^5^1^1|103"), "{before:?}");
    let configuration = std::fs::read_to_string(site.path("tidegate.toml")).unwrap();
    add("tidegate.toml", &format!("{configuration}[hl7]\ntables = \"tables\"\n"));
    add("tables/cvx.txt", "date 2026-03-01\n141\n");
    let after = site.run_with("hl7 check - --org ACME01", &message);
    assert!(after.out.contains("RXA^1^5^1^1|103") && after.out.contains("Vaccine code"), "{after:?}");
    add("tables/cvx.txt", "141\n");
    for command in ["check-config --no-environment", "serve"] {
        let broken = site.run(command);
        assert!(broken.code == 78 && broken.err.contains("hl7.tables"), "{broken:?}");
        assert!(broken.err.contains("cvx.txt") && broken.err.contains("date"), "{broken:?}");
    }
}
