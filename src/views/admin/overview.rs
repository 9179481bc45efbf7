//! The overview: is all well, what happened, and the first steps while there is nothing yet.

use super::EventRow;
use crate::views::{Page, Tone, When};
use askama::Template;

/// `{base}/admin`. Warnings (wrong address, failing backups…) are the page's notices.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/overview.html", config = "assets/askama.toml")]
pub struct Overview {
    /// The frame.
    pub page: Page,
    /// How many there are of what.
    pub counts: Counts,
    /// Address of this server, as applications must know it.
    pub issuer: String,
    /// Address of the discovery document.
    pub discovery: String,
    /// The latest events, newest first.
    pub events: Vec<EventRow>,
    /// What the doctor found.
    pub checks: Checks,
    /// Version of the program.
    pub version: String,
    /// Calls to other servers since the start, in words; `None`: there were none.
    pub calls: Option<String>,
    /// When the last good backup was made.
    pub backup: Option<When>,
    /// Whether backups are made by themselves.
    pub backs_up: bool,
    /// Path of the data file.
    pub data_file: String,
}

/// What the doctor found. The button posts to `{base}/admin/check`.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// What is to be looked after, the worst first.
    pub wrong: Vec<CheckRow>,
    /// The rest.
    pub fine: Vec<CheckRow>,
    /// When that was looked at which takes a while; `None`: not since the start.
    pub looked: Option<When>,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct CheckRow {
    /// What, in a word or two.
    pub name: String,
    /// How it is.
    pub tone: Tone,
    /// What was found.
    pub found: String,
    /// The line to change.
    pub change: Option<String>,
}

/// Numbers on the overview.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Registered applications.
    pub applications: u64,
    /// People.
    pub people: u64,
    /// Browsers that are signed in.
    pub sessions: u64,
    /// Refusals in the last 24 hours.
    pub refusals: u64,
}
