use super::*;
use crate::notice::tests::event;

fn notice(state: State) -> Notice {
    Notice { uid: "u".to_owned(), sequence: 0, state, event: event(), before: None, why: String::new() }
}

fn config() -> NoticesConfig {
    NoticesConfig {
        registry: "ImmTrac2".to_owned(),
        contacts: vec!["Files: <help@registry.example>".to_owned()],
        ..NoticesConfig::default()
    }
}

fn render(config: &NoticesConfig, page: Page, notice: &Notice) -> String {
    render_for(&everything(), config, page, notice)
}

fn render_for(channels: &Channels, config: &NoticesConfig, page: Page, notice: &Notice) -> String {
    Templates::load(config, channels.clone()).unwrap().render(page, notice, &[]).unwrap()
}

/// All channels there are.
fn everything() -> Channels {
    let status_page = Some("https://registry.example/status".to_owned());
    Channels { doors: "FTP and SFTP".to_owned(), web_service: true, web_pages: true, status_page }
}

/// The notice that the product is modelled on says when, what becomes of each channel, and whom to ask.
#[test]
fn an_announcement_says_when_what_happens_on_each_channel_and_what_to_do() {
    let text = render(&config(), Page::Text, &notice(State::Announced));
    for part in [
        "ImmTrac2",
        "DSHS IT system maintenance",
        "Fri 2024-03-08 19:00 CST (America/Chicago, UTC-06:00)",
        "Sat 2024-03-09 00:00 CST (America/Chicago, UTC-06:00)",
        "2024-03-09 01:00 UTC to 2024-03-09 06:00 UTC",
        "5 h",
        "Files (FTP and SFTP)",
        "No need to resubmit",
        "HTTP 503",
        UNAVAILABLE,
        "Please forward this to your IT staff and your EHR vendor.",
        "Files: <help@registry.example>",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    assert!(!text.contains("Before") && !text.contains("Why"), "{text}");
    let html = render(&config(), Page::Html, &notice(State::Announced));
    assert!(html.contains(UNAVAILABLE) && html.contains("Files: &lt;help@registry.example&gt;"), "{html}");
    let subject = render(&config(), Page::Subject, &notice(State::Announced));
    assert_eq!(subject, "ImmTrac2: maintenance on Fri 2024-03-08 19:00 CST (America/Chicago, UTC-06:00)");
}

#[test]
fn what_does_not_take_place_asks_nobody_for_anything() {
    for (state, word) in [(State::EndedEarly, "ENDED EARLY"), (State::Cancelled, "CANCELLED")] {
        let text = render(&config(), Page::Text, &notice(state));
        assert!(text.contains(word) && !text.contains("HTTP 503 ("), "{text}");
    }
}

#[test]
fn a_registry_without_web_service_does_not_speak_of_one() {
    let channels = Channels { doors: "FTP".to_owned(), ..Channels::default() };
    for state in State::ALL {
        let text = render_for(&channels, &config(), Page::Text, &notice(state));
        assert!(!text.contains("503") && !text.to_lowercase().contains("web"), "{text}");
    }
}

#[test]
fn each_channel_is_told_of_only_where_it_is() {
    let (service, pages, status) = ("Web service", "Web pages", "Status page");
    for web_service in [false, true] {
        for web_pages in [false, true] {
            for has_status in [false, true] {
                let status_page = everything().status_page.filter(|_| has_status);
                let channels = Channels { web_service, web_pages, status_page, ..everything() };
                for page in [Page::Text, Page::Html] {
                    let text = render_for(&channels, &config(), page, &notice(State::Announced));
                    let told = [service, pages, status].map(|channel| text.contains(channel));
                    assert_eq!(told, [web_service, web_pages, has_status], "{text}");
                    assert_eq!(text.contains(UNAVAILABLE), web_service || web_pages, "{text}");
                }
            }
        }
    }
}

/// A reason is staff's, but it goes into a page.
#[test]
fn nothing_that_staff_write_becomes_markup() {
    let event = Event { reason: "<script>alert(1)</script>".to_owned(), ..event() };
    let html = render(&config(), Page::Html, &Notice { event, ..notice(State::Announced) });
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
}

#[test]
fn the_built_in_templates_fit_every_state() {
    let templates = Templates::load(&config(), everything()).unwrap();
    assert_eq!(templates.check(), []);
}

#[test]
fn a_template_of_staff_replaces_one_and_what_is_wrong_with_it_is_named_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let config = NoticesConfig { templates: Some(dir.path().to_owned()), ..config() };
    let file = dir.path().join("notice.txt");
    std::fs::write(&file, "Hear ye: {{ window }}").unwrap();
    assert_eq!(render(&config, Page::Text, &notice(State::Announced)), "Hear ye: dshs-2024-03-08");
    assert!(render(&config, Page::Html, &notice(State::Announced)).starts_with("<!DOCTYPE html>"));

    std::fs::write(&file, "fine\n{% if state == 'cancelled' %}\n{{ windwo }}\n{% endif %}").unwrap();
    let found = Templates::load(&config, everything()).unwrap().check();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0].file, found[0].line), (&file, Some(3)), "{found:?}");

    std::fs::write(&file, "fine\n{% if %}").unwrap();
    let found = Templates::load(&config, everything()).unwrap_err();
    assert_eq!((&found[0].file, found[0].line), (&file, Some(2)), "{found:?}");

    std::fs::write(
        &file,
        "{% for a in range(100000) %}{% for b in range(100000) %}{{ b }}{% endfor %}{% endfor %}",
    )
    .unwrap();
    assert!(!Templates::load(&config, everything()).unwrap().check().is_empty());
    let config = NoticesConfig { templates: Some(dir.path().join("absent")), ..config };
    assert!(Templates::load(&config, everything()).unwrap_err()[0].what.contains("can't be read"));
}
