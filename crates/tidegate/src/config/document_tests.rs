use serde::Deserialize;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Door {
    listen: Option<std::net::SocketAddr>,
    sessions_max: u32,
    tls: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    name: String,
    #[serde(default)]
    minutes: u32,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Calendar {
    window: Vec<Window>,
}

fn summary(problems: &[Problem]) -> Vec<(Option<usize>, &str, &str)> {
    problems.iter().map(|p| (p.line, p.key.as_str(), p.message.as_str())).collect()
}

#[test]
fn three_mistakes_are_three_problems_and_the_rest_is_read() {
    let text = "\
[door]
listen = \"nowhere\"
session_max = 4
tls = true
sessions_max = \"many\"
";
    let mut document = Document::parse(text);
    let door: Door = document.section("door");
    assert_eq!(door, Door { tls: true, ..Door::default() });
    let problems = document.finish(&["door"]);
    assert_eq!(
        summary(&problems),
        [
            (Some(2), "door.listen", "write an address and a port, such as \"127.0.0.1:2121\""),
            (Some(3), "door.session_max", "unknown key; known here: `listen`, `sessions_max`, `tls`"),
            (Some(5), "door.sessions_max", "found string \"many\", expected a whole number"),
        ]
    );
}

#[test]
fn elements_of_lists_keep_their_numbers_although_earlier_ones_are_broken() {
    let text = "\
[[calendar.window]]
minutes = 5
[[calendar.window]]
name = \"b\"
[[calendar.window]]
name = \"c\"
minutes = -1
";
    let mut document = Document::parse(text);
    let calendar: Calendar = document.section("calendar");
    let names: Vec<&str> = calendar.window.iter().map(|window| window.name.as_str()).collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(
        summary(&document.finish(&[])),
        [
            (Some(1), "calendar.window[0]", "name is missing"),
            (Some(7), "calendar.window[2].minutes", "invalid value: integer `-1`, expected a whole number"),
        ]
    );
}

#[test]
fn unknown_sections_and_broken_syntax_are_reported_together_with_the_rest() {
    let text = "[dor]\nlisten = 1\n[door]\ntls = maybe\nsessions_max = 3\n";
    let mut document = Document::parse(text);
    let door: Door = document.section("door");
    assert_eq!(door.sessions_max, 3);
    let problems = document.finish(&["door"]);
    let found: Vec<(Option<usize>, &str)> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
    assert!(found.contains(&(Some(1), "dor")), "{problems:?}");
    assert!(found.contains(&(Some(4), "")), "{problems:?}");
}

#[test]
fn a_section_that_is_no_table_is_one_problem() {
    let mut document = Document::parse("door = 3\n");
    assert_eq!(document.section::<Door>("door"), Door::default());
    assert_eq!(summary(&document.finish(&[])), [(Some(1), "door", "found integer `3`, expected a table")]);
}

#[test]
fn what_shows_only_later_is_placed_at_its_key_or_at_the_table_around_it() {
    let text = "[door]\nsessions_max = \"many\"\ntls = false\n[[calendar.window]]\nname = \"a\"\n";
    let mut document = Document::parse(text);
    document.section::<Door>("door");
    document.section::<Calendar>("calendar");
    assert!(document.is_broken("door") && !document.is_broken("calendar") && !document.is_broken("do"));
    document.add("door.tls", "is needed".to_owned());
    document.add("door.listen", "is missing".to_owned());
    document.add("calendar.window[0].name", "is odd".to_owned());
    let problems = document.finish(&[]);
    let found: Vec<_> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
    let expected = [
        (Some(1), "door.listen"),
        (Some(2), "door.sessions_max"),
        (Some(3), "door.tls"),
        (Some(5), "calendar.window[0].name"),
    ];
    assert_eq!(found, expected);
}
