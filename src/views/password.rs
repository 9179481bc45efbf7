//! Pages on which a person chooses a password: first setup, and one-time links; and the other way to set up, a backup.

use super::{Form, Page};
use askama::Template;

/// First start: the administrator's account. `POST {base}/setup` with `token`, `username`, `full_name`, `email`,
/// `password`, `password_again`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/setup.html", config = "assets/askama.toml")]
pub struct Setup {
    /// The frame.
    pub page: Page,
    /// What was typed. Errors: any field, and the empty name for the whole form.
    pub form: Form,
    /// The token of the setup link.
    pub token: String,
    /// The server's judgement of the password that was refused, for example `Too easy to guess: a common word`.
    pub strength: Option<String>,
}

/// First start of a house that was there before. `POST {base}/setup/restore?token=…` (multipart/form-data) with `backup`,
/// `passphrase`, `identity`, `end_sessions`, `replace_keys`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/restore.html", config = "assets/askama.toml")]
pub struct Restore {
    /// The frame.
    pub page: Page,
    /// What was ticked. Errors: any field.
    pub form: Form,
    /// The token of the setup link.
    pub token: String,
    /// The largest file that is taken, in GiB.
    pub most_gib: u64,
}

/// The backup was taken, and the server starts anew with it.
#[derive(Debug, Clone, Template)]
#[template(path = "public/restored.html", config = "assets/askama.toml")]
pub struct Restored {
    /// The frame.
    pub page: Page,
}

/// A one-time link, or a person's own wish: choose a new password. `POST {base}/link` with `token`, `password`,
/// `password_again`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/new_password.html", config = "assets/askama.toml")]
pub struct NewPassword {
    /// The frame.
    pub page: Page,
    /// Errors: `password`, `password_again`, and the empty name for the whole form.
    pub form: Form,
    /// The token of the link.
    pub token: String,
    /// Name that the person signs in with.
    pub username: String,
    /// The server's judgement of the password that was refused.
    pub strength: Option<String>,
}
