//! Pages that several sections share: "are you sure", "here it is, once", and the head of a list.

use crate::views::{Hidden, Page};
use askama::Template;

/// Asks before something that cannot be undone. Posts `csrf` and the hidden fields to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/confirm.html", config = "assets/askama.toml")]
pub struct Confirm {
    /// The frame; its title is the question.
    pub page: Page,
    /// Section of the navigation that is lit, for example `people`.
    pub section: &'static str,
    /// What will happen, one sentence each.
    pub consequences: Vec<String>,
    /// Where the form goes, with the base.
    pub action: String,
    /// What the form carries along.
    pub fields: Vec<Hidden>,
    /// What the button says, for example `Delete Grafana`.
    pub button: String,
    /// Where "Keep it" leads, with the base.
    pub back: String,
}

/// What was just made, with a secret that is shown only now: a new application, a secret, a one-time link.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/issued.html", config = "assets/askama.toml")]
pub struct Issued {
    /// The frame; its title is the headline.
    pub page: Page,
    /// Section of the navigation that is lit.
    pub section: &'static str,
    /// What to do with it.
    pub explanation: String,
    /// The values.
    pub rows: Vec<CopyRow>,
    /// Values that few need, in a fold "Single addresses"; none: no fold.
    pub more: Vec<CopyRow>,
    /// Where the button leads and what it says.
    pub next: (String, String),
    /// A second thing to do, if there is one.
    pub also: Option<(String, String)>,
}

/// A value to take elsewhere.
#[derive(Debug, Clone)]
pub struct CopyRow {
    /// What it is, for example `Client id`.
    pub label: String,
    /// The value.
    pub value: String,
    /// A sentence about it; may be empty.
    pub hint: String,
}

/// Search and paging of a list. `GET` with `q` and `after`.
#[derive(Debug, Clone, Default)]
pub struct ListHead {
    /// What was searched for.
    pub query: String,
    /// Address of the next page, with the base, if there is one.
    pub next: Option<String>,
    /// Address of the first page, with the base, unless this is it.
    pub first: Option<String>,
}
