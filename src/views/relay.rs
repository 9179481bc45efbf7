//! The page that carries an answer to an application in a form (OAuth 2.0 Form Post Response Mode).

use super::{Hidden, Page};
use askama::Template;

/// Posts itself by script, or by its button. The answer's policy must let forms go to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/form_post.html", config = "assets/askama.toml")]
pub struct FormPost {
    /// The frame, without a person.
    pub page: Page,
    /// The application's registered redirect address.
    pub action: String,
    /// Name of the application.
    pub client_name: String,
    /// The parameters of the answer.
    pub fields: Vec<Hidden>,
}
