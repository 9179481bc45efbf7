//! Who is signed in, and which application holds tokens for whom.

use crate::views::{Page, When};
use askama::Template;

/// `{base}/admin/sessions`. `GET` with `person`; `POST …/sessions/{id}/revoke` and `POST {base}/admin/grants/{id}/revoke`
/// (`csrf`).
#[derive(Debug, Clone, Template)]
#[template(path = "admin/sessions.html", config = "assets/askama.toml")]
pub struct Sessions {
    /// The frame.
    pub page: Page,
    /// Sign-in name that the lists are narrowed to, or empty.
    pub person: String,
    /// Browsers that are signed in.
    pub sessions: Vec<SessionRow>,
    /// Applications that hold tokens.
    pub grants: Vec<GrantRow>,
    /// Address of the next page of sessions, with the base.
    pub more_sessions: Option<String>,
    /// Address of the next page of grants, with the base.
    pub more_grants: Option<String>,
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Id.
    pub id: String,
    /// Sign-in name of the person.
    pub person: String,
    /// For example `Firefox on Linux`.
    pub browser: String,
    /// Network address.
    pub address: String,
    /// Signed in since.
    pub since: When,
    /// Last seen.
    pub seen: When,
    /// Whether it is the one that reads this page.
    pub current: bool,
}

/// What an application holds for a person (or, without a person, for itself).
#[derive(Debug, Clone)]
pub struct GrantRow {
    /// Id.
    pub id: String,
    /// Sign-in name of the person, or empty.
    pub person: String,
    /// Name of the application.
    pub application: String,
    /// Scopes.
    pub scopes: Vec<String>,
    /// Since when.
    pub since: When,
    /// Until when, at most.
    pub expires: When,
}
