//! Sign-out: asking first, and saying that it is done while the applications are told.

use super::{Hidden, Page};
use askama::Template;

/// Asks before signing out. `POST {base}/logout` with `csrf` and the hidden fields.
#[derive(Debug, Clone, Template)]
#[template(path = "public/sign_out.html", config = "assets/askama.toml")]
pub struct SignOut {
    /// The frame.
    pub page: Page,
    /// The application that asked for it, if one did.
    pub client_name: Option<String>,
    /// What the request carried along.
    pub fields: Vec<Hidden>,
}

/// Signed out.
#[derive(Debug, Clone, Template)]
#[template(path = "public/signed_out.html", config = "assets/askama.toml")]
pub struct SignedOut {
    /// The frame, without a person.
    pub page: Page,
    /// Address and name of the application to return to.
    pub back: Option<(String, String)>,
    /// Whether the page goes there by itself.
    pub onward: bool,
    /// Pages of applications, opened unseen (Front-Channel Logout §3). The answer's policy must let them be framed.
    pub frames: Vec<String>,
}
