//! What all pages have around what they say.

use maud::{DOCTYPE, Markup, html};

use super::assets::{MARK, STYLE};

/// A whole page. `head` is what only some pages want, such as a script; `nav` what stands beside the name.
pub(super) fn page(title: &str, head: &Markup, nav: &Markup, content: &Markup) -> Markup {
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
            }
        }
    }
}

/// The name of the service with its mark.
pub(super) fn brand(registry: &str, where_to: &str) -> Markup {
    html! { a.brand href=(where_to) { img src=(MARK.path) alt="" width="28" height="28"; span { (registry) } } }
}
