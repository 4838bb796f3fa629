//! What all pages have around what they say.

use maud::{DOCTYPE, Markup, html};

use super::assets::{LIVE, MARK, STYLE};

/// A whole page. `head` and `tail` are what only some pages want, such as a script; `nav` what stands at the top.
pub(super) fn page(title: &str, head: &Markup, nav: &Markup, content: &Markup, tail: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href=(MARK.path) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE.path);
                (head)
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top { div.wide { (nav) } }
                main #content { (content) }
                (tail)
            }
        }
    }
}

/// The name of the service with its mark.
pub(super) fn brand(registry: &str, where_to: &str) -> Markup {
    html! { a.brand href=(where_to) { img src=(MARK.path) alt="" width="28" height="28"; span { (registry) } } }
}

/// What brings the page's live parts up to date, every so many seconds.
pub(super) fn live(every_s: u32) -> Markup {
    html! { script src=(LIVE.path) data-every=(every_s) {} }
}
