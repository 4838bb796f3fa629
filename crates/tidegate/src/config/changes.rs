//! What a changed file says otherwise than the one that the server was started with.

use serde_json::Value;
use tidegate_domain::maintenance::MaintenanceConfig;
use tidegate_notices::config::NoticesConfig;

use super::{Config, Loaded};

/// Keys whose new values take effect when the server is restarted, such as `limits.sessions_max`, in the order of
/// their names.
pub(crate) fn needs_restart(started_with: &Loaded, now: &Loaded) -> Vec<String> {
    let (before, after) = (read_at_start(&started_with.config), read_at_start(&now.config));
    let mut changed = Vec::new();
    compare("", &before, &after, &mut changed);
    // Other tables in files of the same name.
    if started_with.tables != now.tables && !changed.iter().any(|key| key == "hl7.tables") {
        changed.push("hl7.tables".to_owned());
    }
    changed.sort();
    changed
}

/// Without what a reload takes up, and what only commands read, each time anew.
fn read_at_start(config: &Config) -> Value {
    let mut config = config.clone();
    config.maintenance = MaintenanceConfig::default();
    // The console mails notices, too.
    let has_console = config.web.is_some();
    if !has_console {
        config.notices.contacts.clear();
        config.notices.templates = None;
    }
    if !config.notices.report {
        config.notices.staff.clear();
        if !has_console {
            config.notices = NoticesConfig::default();
        }
    }
    serde_json::to_value(config).unwrap_or_default()
}

fn compare(path: &str, before: &Value, after: &Value, changed: &mut Vec<String>) {
    let (Value::Object(one), Value::Object(other)) = (before, after) else {
        if before != after {
            changed.push(path.to_owned());
        }
        return;
    };
    let added = other.keys().filter(|key| !one.contains_key(*key));
    for key in one.keys().chain(added) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let side = |values: &serde_json::Map<String, Value>| values.get(key).cloned().unwrap_or_default();
        compare(&path, &side(one), &side(other), changed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_hl7::Tables;

    use super::super::load::parse;
    use super::*;

    fn loaded(text: &str) -> Loaded {
        let parsed = parse(&format!("[sftp]\nhost_keys = [\"key\"]\n{text}"));
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let (config, calendar) = (parsed.config, parsed.calendar);
        Loaded { file: "tidegate.toml".into(), modified: None, config, calendar, tables: Arc::default() }
    }

    fn changed(before: &str, after: &str) -> Vec<String> {
        needs_restart(&loaded(before), &loaded(after))
    }

    #[test]
    fn each_key_that_only_a_start_reads_is_named() {
        assert_eq!(
            changed("[worker]\njobs_concurrent_max = 2", "[worker]\njobs_concurrent_max = 3"),
            ["worker.jobs_concurrent_max"]
        );
        let two = "[limits]\nsessions_max = 700\n[retention]\ncomplete = \"9d\"";
        assert_eq!(changed("", two), ["limits.sessions_max", "retention.complete"]);
        assert_eq!(changed("", "[metrics]\nlisten = \"127.0.0.1:0\""), ["metrics"]);
        assert_eq!(changed("[alerts]\ncommand = [\"/bin/page\"]", ""), ["alerts"]);
        let quiet = |time: &str| format!("[alerts]\ncommand = [\"/bin/page\"]\nquiet = \"{time}\"");
        assert_eq!(changed(&quiet("1m"), &quiet("2m")), ["alerts.quiet"]);
        assert_eq!(
            changed("", "[[folder]]\npath = \"/srv/drop\"\norg = \"ACME01\""),
            ["folder"],
            "of lists the whole is named"
        );
    }

    #[test]
    fn what_a_reload_takes_up_and_what_only_commands_read_needs_no_restart() {
        let window = "[[maintenance.window]]\nname = \"w\"\nfrom = \"2099-04-01T19:00\"\nduration = \"1h\"";
        assert_eq!(changed("", &format!("[maintenance]\ntimezone = \"UTC\"\n{window}")), [""; 0]);
        assert_eq!(changed("", "[notices]\ncontacts = [\"x\"]\ntemplates = \"t\""), [""; 0]);
        let smtp = "[notices.smtp]\nhost = \"localhost\"\ntls = \"off\"\nfrom = \"a@registry.example\"";
        assert_eq!(changed("", &format!("[notices]\nregistry = \"Other\"\n{smtp}")), [""; 0]);
        let report = "[notices]\nstaff = [\"a@registry.example\"]\nreport = true\n";
        let told = ["notices.report", "notices.smtp", "notices.staff"];
        assert_eq!(changed("", &format!("{report}{smtp}")), told, "the server mails reports");
        let web = "[web]\ntls = \"off\"\n";
        let told = ["notices.contacts", "notices.smtp"];
        let mails = format!("{web}[notices]\ncontacts = [\"x\"]\n{smtp}");
        assert_eq!(changed(web, &mails), told, "the console mails notices");
    }

    #[test]
    fn other_code_tables_need_a_restart() {
        let (before, mut after) = (loaded(""), loaded(""));
        let mut tables = Tables::default();
        tables.replace("cvx", "date 2026-01-01\n998\n").unwrap();
        after.tables = Arc::new(tables);
        assert_eq!(needs_restart(&before, &after), ["hl7.tables"]);
    }
}
