//! Every page, drawn with real-looking and with hostile data.
//! Set `DOORLIGHT_PREVIEW_DIR` to get the pages and their assets as files to look at.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a page that breaks its promise ends the test"
)]

mod checks;
mod samples;

use std::path::Path;

/// Text that breaks out of text, of attributes and of scripts if any template forgets to escape it.
const HOSTILE: &str = r#""><script>alert('x')</script><img src=x onerror=alert(1)>' & {{ 7 }}"#;

#[test]
fn every_page_is_well_formed_html_without_inline_style_or_script() {
    for (name, html) in samples::all(None) {
        checks::frame(&name, &html);
        checks::strict_policy(&name, &html);
        checks::balanced(&name, &html);
        checks::unique_ids(&name, &html);
    }
}

#[test]
fn every_posting_form_has_an_action_and_a_csrf_token() {
    for (name, html) in samples::all(None) {
        checks::forms(&name, &html);
    }
}

#[test]
fn every_input_has_a_label_and_every_reference_a_target() {
    for (name, html) in samples::all(None) {
        checks::labels(&name, &html);
        checks::references(&name, &html);
    }
}

#[test]
fn hostile_text_is_escaped_on_every_page() {
    for (name, html) in samples::all(Some(HOSTILE)) {
        assert!(!html.contains("<script>"), "{name}: a script came through");
        assert!(
            !html.contains("<img src=x"),
            "{name}: an element came through"
        );
        assert!(
            html.contains("&#60;script&#62;"),
            "{name}: the hostile text is not on the page at all"
        );
        checks::strict_policy(&name, &html);
        checks::balanced(&name, &html);
    }
}

/// A field that is added to a fold and not to the names that open it would hide what is wrong with it.
#[test]
fn what_is_wrong_with_an_application_is_never_behind_a_closed_fold() {
    let page = samples::application_refused(&[]);
    let fields: std::collections::BTreeSet<String> = checks::tags(&page)
        .iter()
        .filter(|t| ["input", "textarea", "select"].contains(&t.name.as_str()))
        .filter_map(|t| t.attribute("name").map(str::to_owned))
        .filter(|name| name != "csrf")
        .collect();
    assert!(fields.len() > 30, "{fields:?}");
    for name in fields {
        // What is wrong with one scope or another is said beside the boxes.
        let name = if name == "more_scopes" {
            "scope".to_owned()
        } else {
            name
        };
        let html = samples::application_refused(std::slice::from_ref(&name));
        let mut folds = Vec::new();
        let mut said = false;
        for tag in checks::tags(&html) {
            match (tag.name.as_str(), tag.closing) {
                ("details", false) => folds.push(tag.attribute("open").is_some()),
                ("details", true) => drop(folds.pop()),
                _ if tag.attribute("id") == Some(&format!("f-{name}-error")) => {
                    said = true;
                    assert!(
                        folds.iter().all(|open| *open),
                        "{name} is behind a closed fold"
                    );
                }
                _ => {}
            }
        }
        assert!(said, "nobody says what is wrong with {name}");
    }
}

#[test]
fn copy_fields_hold_the_value_and_not_their_own_name() {
    let pages = samples::all(None);
    let (_, html) = pages
        .iter()
        .find(|(name, _)| name == "admin-application")
        .unwrap();
    let tags = checks::tags(html);
    let value = |id| {
        tags.iter()
            .find(|t| t.attribute("id") == Some(id))
            .and_then(|t| t.attribute("value"))
    };
    assert_eq!(
        value("client-id"),
        Some("https://grafana.home.example/client.json")
    );
    assert_eq!(value("issuer"), Some("https://id.home.example"));
    assert_eq!(
        value("discovery"),
        Some("https://id.home.example/.well-known/openid-configuration")
    );
}

/// But for the one page whose purpose it is (Front-Channel Logout §3): in frames that are unseen and may not take the
/// person elsewhere.
#[test]
fn no_page_asks_a_third_party_for_anything() {
    for (name, html) in samples::all(None) {
        for tag in checks::tags(&html) {
            if tag.name == "iframe" && !tag.closing {
                assert_eq!(name, "signed-out-onward");
                let out = "https://notes.home.example/out?iss=i&#38;sid=s";
                assert_eq!(tag.attribute("src"), Some(out));
                assert!(tag.attribute("hidden").is_some());
                let leave = "allow-scripts allow-same-origin allow-forms";
                assert_eq!(tag.attribute("sandbox"), Some(leave));
                continue;
            }
            for attribute in ["src", "srcset", "poster", "data"] {
                if let Some(value) = tag.attribute(attribute) {
                    assert!(value.starts_with("/id/"), "{name}: {attribute}={value}");
                }
            }
            if tag.name == "link" {
                let href = tag.attribute("href").unwrap();
                assert!(href.starts_with("/id/assets/"), "{name}: link to {href}");
            }
        }
    }
    let css = include_str!("../../assets/css/doorlight.css");
    assert!(
        !css.contains("url(") && !css.contains("@import"),
        "the style sheet loads something"
    );
}

#[test]
fn every_asset_that_a_page_names_exists() {
    for (name, html) in samples::all(None) {
        for tag in checks::tags(&html) {
            for attribute in ["src", "href"] {
                if let Some(asset) = tag
                    .attribute(attribute)
                    .and_then(|v| v.strip_prefix("/id/assets/"))
                {
                    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
                        .join("assets")
                        .join(asset);
                    assert!(
                        file.is_file() || asset.starts_with("logo/"),
                        "{name}: no {}",
                        file.display()
                    );
                }
            }
        }
    }
}

#[test]
fn passwords_are_never_drawn_again() {
    for (name, html) in samples::all(None) {
        for tag in checks::tags(&html)
            .into_iter()
            .filter(|t| t.attribute("type") == Some("password"))
        {
            assert!(
                tag.attribute("value").is_none(),
                "{name}: a password field has a value"
            );
        }
    }
}

#[test]
fn previews_are_written_on_request() {
    let Some(dir) = std::env::var_os("DOORLIGHT_PREVIEW_DIR") else {
        return;
    };
    let dir = Path::new(&dir).join("id");
    std::fs::create_dir_all(&dir).unwrap();
    for (name, html) in samples::all(None) {
        std::fs::write(dir.join(format!("{name}.html")), html).unwrap();
    }
    for folder in ["css", "js", "icons"] {
        let to = dir.join("assets").join(folder);
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("assets")
                .join(folder),
        )
        .unwrap()
        {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
