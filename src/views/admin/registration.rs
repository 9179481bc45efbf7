//! Applications that register themselves. Fields: `policy` = `off` | `token` | `open`; for a token `note`, `days`
//! (1 to 365), `uses` (1 to 1,000).

use crate::views::{Form, Page, When};
use askama::Template;

/// `{base}/admin/registration`. `POST` to the same address with `policy`; `POST …/documents` with `documents` (`on` or `off`); `POST …/tokens` with `note`, `days`, `uses`;
/// `POST …/tokens/{id}/remove`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/registration.html", config = "assets/askama.toml")]
pub struct Registration {
    /// The frame.
    pub page: Page,
    /// Who may register as stored, and what was typed for a token.
    pub form: Form,
    /// The tokens that there are, oldest first.
    pub tokens: Vec<InitialTokenRow>,
    /// Address of the registration endpoint.
    pub endpoint: String,
    /// How many applications registered themselves.
    pub registered: usize,
    /// How many applications of strangers were never used.
    pub never_used: usize,
    /// How many of those there may be.
    pub never_used_most: usize,
    /// How many applications a document describes.
    pub described: usize,
    /// How many of those there may be.
    pub described_most: usize,
}

/// An initial access token. Its text is not known any more.
#[derive(Debug, Clone)]
pub struct InitialTokenRow {
    /// Part of the address of its button.
    pub id: String,
    /// What it is for.
    pub note: String,
    /// Applications that it may still register.
    pub uses_left: u32,
    /// When it was made.
    pub created: When,
    /// When it ends.
    pub expires: When,
}
