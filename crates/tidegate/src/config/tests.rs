use super::document::Document;
use super::load::{KEYS, Parsed, parse};
use super::*;

/// What a text says that has nothing wrong in it.
fn right(text: &str) -> Config {
    let parsed = parse(text);
    assert_eq!(parsed.problems, []);
    parsed.config
}

#[test]
fn the_commented_default_is_the_default() {
    let mut document = Document::parse(DEFAULT);
    let ftp: Option<FtpConfig> = document.take("ftp");
    assert_eq!(ftp, Some(FtpConfig::default()));
    assert_eq!(document.take("sftp"), Some(SftpConfig::default()));
    assert_eq!(document.take::<PathBuf>("data_dir"), Some(PathBuf::from("/var/lib/tidegate")));
    assert_eq!(document.section::<LimitsConfig>("limits"), LimitsConfig::default());
    assert_eq!(document.section::<UploadsConfig>("uploads"), UploadsConfig::default());
    assert_eq!(document.section::<AuthConfig>("auth"), AuthConfig::default());
    assert_eq!(document.section::<AuditConfig>("audit"), AuditConfig::default());
    assert_eq!(document.section::<Hl7Config>("hl7"), Hl7Config::default());
    assert_eq!(document.section::<WorkerConfig>("worker"), WorkerConfig::default());
    assert_eq!(document.section::<DeliveryConfig>("delivery"), DeliveryConfig::default());
    assert_eq!(document.section::<RetentionConfig>("retention"), RetentionConfig::default());
    assert_eq!(document.section::<MaintenanceConfig>("maintenance"), MaintenanceConfig::default());
    assert_eq!(document.section::<NoticesConfig>("notices"), NoticesConfig::default());
    assert_eq!(document.finish(&KEYS), []);
}

/// Its section is commented out: a command must be somebody's own.
#[test]
fn the_commented_alerts_are_the_default() {
    let (_, section) = DEFAULT.split_once("# [alerts]\n").unwrap();
    let section = section.split("\n\n").next().unwrap();
    let keys = section.lines().map(|line| &line[2..]).filter(|line| line.contains(" = "));
    let keys = keys.collect::<Vec<_>>().join("\n");
    let config: AlertsConfig = toml::from_str(&keys).unwrap();
    assert!(!config.command.is_empty() && config.webhook.is_some());
    assert_eq!(AlertsConfig { command: Vec::new(), webhook: None, ..config }, AlertsConfig::default());
}

#[test]
fn the_commented_default_names_every_key() {
    let loopback = "[ftp]\nlisten = '127.0.0.1:2121'\ntls = 'optional'\npassive_host = '192.0.2.1'\n\
                    certificate = 'c.pem'\nkey = 'k.pem'\nclient_ca = 'a.pem'\n\
                    [ftps_implicit]\npassive_host = '192.0.2.1'\n[sftp]\n\
                    [[folder]]\npath = '/srv/drop'\norg = 'A'\nresponses = '/srv/responses'\n\
                    [hl7]\ntables = 'tables'\n\
                    [delivery]\nkind = 'mllp'\npath = 'delivered'\naddress = 'registry:2575'\ntls = 'required'\n\
                    server_name = 'r'\nca = 'ca.pem'\nurl = 'https://r/'\nusername = 'u'\npassword_file = 'p'\n\
                    facility_id = 'f'\nallow_plaintext = true\n\
                    [maintenance]\ntimezone = 'America/Chicago'\n\
                    [notices]\ntemplates = 'templates'\nstaff = ['a@b.example']\nweb = true\n\
                    [alerts]\ncommand = ['/bin/true']\nwebhook = 'https://h.example/'\n\
                    [notices.smtp]\nhost = 'localhost'\nport = 25\ntls = 'off'\nallow_plaintext = true\nca = 'c'\n\
                    from = 'a@b.example'\nreply_to = 'a@b.example'\nusername = 'u'\npassword_file = 'p'\n";
    let config = parse(loopback).config;
    let toml::Value::Table(sections) = toml::Value::try_from(&config).unwrap() else {
        panic!("a table");
    };
    for (section, value) in sections {
        let tables = match value {
            toml::Value::Table(keys) => vec![keys],
            toml::Value::Array(tables) => tables.into_iter().map(|one| one.try_into().unwrap()).collect(),
            _ => continue,
        };
        let inner = tables.iter().flat_map(|table| table.values()).filter_map(toml::Value::as_table);
        for key in tables.iter().chain(inner).flat_map(toml::Table::keys) {
            let written = DEFAULT.lines().any(|line| {
                let line = line.trim_start_matches("# ");
                let table = format!("[{section}.{key}]");
                line.starts_with(&format!("{key} =")) || line.trim_start_matches('[').starts_with(&table[1..])
            });
            assert!(written, "{section}.{key} is not documented");
        }
    }
}

#[test]
fn announcements_tell_of_the_channels_that_there_are() {
    let channels = |text: &str| {
        let Parsed { config, calendar, .. } = parse(&format!("[sftp]\n{text}"));
        Loaded { file: "t".into(), modified: None, config, calendar, tables: Arc::default() }.channels()
    };
    let told = |text: &str| {
        let Channels { doors, web_service, web_pages, status_page } = channels(text);
        (doors, web_service, web_pages, status_page.unwrap_or_default())
    };
    let of = |doors: &str, web_service, web_pages, status_page: &str| {
        (doors.to_owned(), web_service, web_pages, status_page.to_owned())
    };
    assert_eq!(told(""), of("SFTP", false, false, ""));
    assert_eq!(told("[notices]\nweb = true"), of("SFTP", true, true, ""), "those of the registry behind");
    assert_eq!(told("[web]"), of("SFTP and the web portal", true, false, ""));
    let shut = "[web]\npublic_url = 'https://r.example/'\nportal = 'unavailable_in_maintenance'";
    assert_eq!(told(shut), of("SFTP", true, true, "https://r.example/status"));
    assert_eq!(told("[web]\n[notices]\nweb = false"), of("SFTP and the web portal", false, false, ""));
}

#[test]
fn what_is_printed_as_effective_is_read_back_the_same() {
    let text = "data_dir = 'data'\n[ftp]\nlisten = '127.0.0.1:0'\ntls = 'off'\n[limits]\nsessions_max = 7\n\
                sessions_per_org_max = 7\n";
    let config = right(text);
    let printed = toml::to_string(&config).unwrap();
    assert_eq!(right(&printed), config);
}

#[test]
fn a_watched_folder_is_door_enough_and_what_is_wrong_with_one_is_named() {
    let config = right("[[folder]]\npath = 'drop'\norg = 'A'\n");
    assert_eq!(config.folder.len(), 1);
    let text = "[[folder]]\npath = 'drop'\norg = 'A'\n[[folder]]\npath = 'drop'\norg = 'B'\nsettle = '2h'\n";
    let problems = parse(text).problems;
    let found: Vec<(Option<usize>, &str)> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
    assert_eq!(found, [(Some(5), "folder[1].path"), (Some(7), "folder[1].settle")]);
    let problems = parse("[limits]\nsessions_max = 9\nsessions_per_org_max = 9\n").problems;
    assert!(problems[0].message.contains("no door is open"), "{problems:?}");
}

#[test]
fn terms_that_can_not_be_kept_are_named() {
    let text =
        "[ftp]\nlisten = '127.0.0.1:0'\ntls = 'off'\n[retention]\ncomplete = '59m'\nerror = '20000d'\n";
    let problems = parse(text).problems;
    let found: Vec<(Option<usize>, &str)> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
    assert_eq!(found, [(Some(6), "retention.error")]);
    let problems = parse(&text.replace("20000d", "0s")).problems;
    let found: Vec<(Option<usize>, &str)> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
    assert_eq!(found, [(Some(5), "retention.complete"), (Some(6), "retention.error")]);
}

#[test]
fn mistakes_of_all_kinds_come_together() {
    let text = "\
data_dir = 3
[ftp]
listen = \"127.0.0.1:2121\"
tls = \"off\"
pasive_ports = \"1-2\"
[limits]
sessions_max = 0
[maintenance]
timezone = \"Central\"
[soap]
listen = \"0.0.0.0:22\"
";
    let problems = parse(text).problems;
    let found: Vec<(Option<usize>, &str)> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
    assert_eq!(
        found,
        [
            (Some(1), "data_dir"),
            (Some(5), "ftp.pasive_ports"),
            (Some(6), "limits.sessions_per_org_max"),
            (Some(7), "limits.sessions_max"),
            (Some(9), "maintenance.timezone"),
            (Some(10), "soap"),
        ]
    );
}

#[test]
fn a_section_that_was_misread_is_not_blamed_for_defaults() {
    let problems = parse("[ftp]\nlisten = \"127.0.0.1\"\ntls = \"off\"\n").problems;
    assert_eq!(problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), ["ftp.listen"]);
}

#[test]
fn a_configuration_without_a_door_is_refused() {
    let problems = parse("").problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].key, "ftp");
}
