//! The audit log.

use crate::views::{Choice, Form, Hidden, Page, When};
use askama::Template;

/// `{base}/admin/audit`. `GET` with `person`, `application`, `kind`, `outcome` (`success` | `failure`), `request`, `after`;
/// `GET …/export` with the same filters gives JSON lines.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/audit.html", config = "assets/askama.toml")]
pub struct Audit {
    /// The frame.
    pub page: Page,
    /// The filters.
    pub form: Form,
    /// Kinds to choose from.
    pub kinds: Vec<Choice>,
    /// The events, newest first.
    pub rows: Vec<EventRow>,
    /// Address of older events, with the base.
    pub older: Option<String>,
    /// Address of the newest events, with the base, unless they are shown.
    pub newest: Option<String>,
    /// Address of the export with the present filters, with the base.
    pub export: String,
    /// How many days events are kept.
    pub days_kept: u32,
}

/// An event.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// When.
    pub when: When,
    /// What happened in plain words, for example `anna signed in to Grafana`.
    pub words: String,
    /// Its kind, for example `sign_in.failed`.
    pub kind: String,
    /// Why it was refused, if it was.
    pub refusal: Option<Refusal>,
    /// Sign-in name of the person, or empty.
    pub person: String,
    /// Name of the application, or empty.
    pub application: String,
    /// Network address, or empty.
    pub address: String,
    /// Further details.
    pub details: Vec<Hidden>,
}

/// Why something was refused. Stands wherever a page says that it was.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// A sentence without its full stop.
    pub why: String,
    /// What was expected, and what was received instead, where that says more.
    pub compared: Option<(String, String)>,
}
