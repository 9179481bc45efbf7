//! What must hold for every page. A small tag reader is enough: the pages are ours.

use std::collections::HashSet;

/// An opening or closing tag.
#[derive(Debug)]
pub struct Tag {
    pub name: String,
    pub closing: bool,
    pub attributes: Vec<(String, Option<String>)>,
}

impl Tag {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_deref().unwrap_or(""))
    }
}

/// All tags of a page, in order.
pub fn tags(html: &str) -> Vec<Tag> {
    let bytes: Vec<char> = html.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != '<' || bytes.get(at + 1) == Some(&'!') {
            at += 1;
            continue;
        }
        at += 1;
        let closing = bytes[at] == '/';
        at += usize::from(closing);
        let mut name = String::new();
        while bytes[at].is_ascii_alphanumeric() {
            name.push(bytes[at]);
            at += 1;
        }
        let mut attributes = Vec::new();
        loop {
            while bytes[at].is_whitespace() {
                at += 1;
            }
            if bytes[at] == '>' {
                break;
            }
            let mut key = String::new();
            while !bytes[at].is_whitespace() && !['=', '>'].contains(&bytes[at]) {
                assert!(
                    !['"', '\'', '<'].contains(&bytes[at]),
                    "stray {} in <{name}>",
                    bytes[at]
                );
                key.push(bytes[at]);
                at += 1;
            }
            let mut value = None;
            if bytes[at] == '=' {
                assert_eq!(bytes[at + 1], '"', "<{name} {key}=…> is not in quotes");
                at += 2;
                let mut text = String::new();
                while bytes[at] != '"' {
                    text.push(bytes[at]);
                    at += 1;
                }
                at += 1;
                value = Some(text);
            }
            attributes.push((key, value));
        }
        found.push(Tag {
            name,
            closing,
            attributes,
        });
    }
    found
}

/// Language, title, landmarks, one headline, the skip link.
pub fn frame(page: &str, html: &str) {
    assert!(
        html.trim_start().starts_with("<!doctype html>"),
        "{page}: doctype"
    );
    for part in [
        r#"<html lang="en">"#,
        "<title>",
        "<main id=\"main\"",
        "<header",
        r##"href="#main""##,
        "width=device-width",
    ] {
        assert!(html.contains(part), "{page}: no {part}");
    }
    let headlines = tags(html)
        .iter()
        .filter(|t| t.name == "h1" && !t.closing)
        .count();
    assert_eq!(headlines, 1, "{page}: headlines");
    let navs: Vec<_> = tags(html)
        .into_iter()
        .filter(|t| t.name == "nav" && !t.closing)
        .collect();
    assert!(
        navs.iter().all(|t| t.attribute("aria-label").is_some()),
        "{page}: a nav without a name"
    );
}

/// Nothing that `default-src 'self'` without `unsafe-inline` would block.
pub fn strict_policy(page: &str, html: &str) {
    for tag in tags(html) {
        assert_ne!(tag.name, "style", "{page}: inline style sheet");
        assert!(
            tag.name != "script" || tag.closing || tag.attribute("src").is_some(),
            "{page}: inline script"
        );
        for (key, value) in &tag.attributes {
            assert_ne!(key, "style", "{page}: style attribute on <{}>", tag.name);
            assert!(!key.starts_with("on"), "{page}: {key} on <{}>", tag.name);
            let value = value.as_deref().unwrap_or("");
            assert!(
                !value.starts_with("javascript:") && !value.starts_with("data:"),
                "{page}: {key}={value}"
            );
        }
    }
}

/// Every element is closed in order.
pub fn balanced(page: &str, html: &str) {
    const VOID: [&str; 6] = ["meta", "link", "img", "input", "br", "hr"];
    let mut open: Vec<String> = Vec::new();
    for tag in tags(html)
        .into_iter()
        .filter(|t| !VOID.contains(&t.name.as_str()))
    {
        if tag.closing {
            assert_eq!(
                open.pop().as_deref(),
                Some(tag.name.as_str()),
                "{page}: </{}> closes something else",
                tag.name
            );
        } else {
            open.push(tag.name);
        }
    }
    assert!(open.is_empty(), "{page}: never closed: {open:?}");
}

/// No id twice.
pub fn unique_ids(page: &str, html: &str) {
    let mut seen = HashSet::new();
    for tag in tags(html) {
        if let Some(id) = tag.attribute("id") {
            assert!(seen.insert(id.to_owned()), "{page}: id {id} twice");
        }
    }
}

/// Method and action on every form, the CSRF field on those that post to us, none on those that do not.
pub fn forms(page: &str, html: &str) {
    let mut open: Option<(String, bool, bool)> = None;
    for tag in tags(html) {
        match (tag.name.as_str(), tag.closing) {
            ("form", false) => {
                assert!(open.is_none(), "{page}: a form in a form");
                let action = tag.attribute("action").unwrap_or_default().to_owned();
                assert!(!action.is_empty(), "{page}: a form without action");
                let method = tag.attribute("method").unwrap_or_default();
                assert!(
                    ["post", "get"].contains(&method),
                    "{page}: form {action}: method {method:?}"
                );
                let wants = method == "post" && tag.attribute("data-relay").is_none();
                open = Some((action, wants, false));
            }
            ("form", true) => {
                let (action, wants, has) = open.take().unwrap();
                assert_eq!(wants, has, "{page}: form {action}: csrf field");
            }
            ("input", _) if tag.attribute("name") == Some("csrf") => {
                assert_eq!(
                    tag.attribute("value"),
                    Some("csrf-of-this-session"),
                    "{page}: csrf value"
                );
                open.as_mut().unwrap().2 = true;
            }
            ("input" | "select" | "textarea", false) if tag.attribute("name").is_some() => {
                assert!(
                    open.is_some(),
                    "{page}: {:?} stands outside a form",
                    tag.attribute("name")
                );
            }
            _ => {}
        }
    }
}

/// A label for every field.
pub fn labels(page: &str, html: &str) {
    let tags = tags(html);
    let labelled: HashSet<_> = tags
        .iter()
        .filter(|t| t.name == "label")
        .filter_map(|t| t.attribute("for"))
        .collect();
    for tag in tags
        .iter()
        .filter(|t| ["input", "select", "textarea"].contains(&t.name.as_str()) && !t.closing)
    {
        if tag.attribute("type") == Some("hidden") || tag.attribute("aria-label").is_some() {
            continue;
        }
        let id = tag
            .attribute("id")
            .unwrap_or_else(|| panic!("{page}: a field without id: {tag:?}"));
        assert!(labelled.contains(id), "{page}: no label for {id}");
    }
}

/// What a page points to within itself is there.
pub fn references(page: &str, html: &str) {
    let tags = tags(html);
    let ids: HashSet<_> = tags.iter().filter_map(|t| t.attribute("id")).collect();
    for tag in &tags {
        for key in ["aria-describedby", "aria-labelledby", "for", "data-copy"] {
            for id in tag.attribute(key).unwrap_or_default().split_whitespace() {
                assert!(ids.contains(id), "{page}: {key} points to {id}");
            }
        }
        if let Some(id) = tag.attribute("href").and_then(|h| h.strip_prefix('#')) {
            assert!(ids.contains(id), "{page}: a link to #{id}");
        }
    }
}
