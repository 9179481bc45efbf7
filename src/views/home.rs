//! The start page: who you are, what you use, where you are signed in.

use super::page::initial;
use super::{Page, When};
use askama::Template;

/// `{base}/`. Signed out, it offers to sign in. Forms: `POST {base}/logout` (`csrf`),
/// `POST {base}/account/applications/revoke` (`id`, `csrf`), `POST {base}/account/sessions/revoke` (`id`, `csrf`).
#[derive(Debug, Clone, Template)]
#[template(path = "public/home.html", config = "assets/askama.toml")]
pub struct Home {
    /// The frame. Without a person it is the signed-out page.
    pub page: Page,
    /// Name that the person signs in with.
    pub username: String,
    /// Their email address, if known.
    pub email: Option<String>,
    /// Groups they belong to.
    pub groups: Vec<String>,
    /// Applications that they let in.
    pub applications: Vec<HomeApplication>,
    /// Browsers in which they are signed in.
    pub sessions: Vec<HomeSession>,
}

/// An application that a person let in.
#[derive(Debug, Clone)]
pub struct HomeApplication {
    /// Id of the permission, for the form.
    pub id: String,
    /// Name.
    pub name: String,
    /// Where it lives (an http or https address; the caller has checked that).
    pub home_url: Option<String>,
    /// What it may see, in plain words.
    pub words: Vec<String>,
    /// Since when.
    pub since: When,
}

impl HomeApplication {
    /// First letter of the name.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// A browser in which a person is signed in.
#[derive(Debug, Clone)]
pub struct HomeSession {
    /// Id of the session, for the form.
    pub id: String,
    /// For example `Firefox on Linux`.
    pub browser: String,
    /// Network address.
    pub address: String,
    /// Last seen.
    pub seen: When,
    /// Whether it is the one that reads this page.
    pub current: bool,
}
