//! The keys that sign tokens.

use crate::views::{Page, When};
use askama::Template;

/// `{base}/admin/keys`. `POST …/rotate` (`alg` = one of `algorithms`, `csrf`); `GET …/{kid}/withdraw` asks,
/// `POST …/{kid}/withdraw` does it.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/keys.html", config = "assets/askama.toml")]
pub struct Keys {
    /// The frame.
    pub page: Page,
    /// The keys, by algorithm, the newest first.
    pub rows: Vec<KeyRow>,
    /// Algorithms that can be rotated.
    pub algorithms: Vec<String>,
    /// Address at which the public keys are published.
    pub published_at: String,
}

/// A key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// Key id.
    pub kid: String,
    /// Algorithm.
    pub alg: String,
    /// What it is doing.
    pub state: KeyState,
    /// When it was made.
    pub created: When,
    /// When its state changes next: it starts to sign, is replaced, or is removed.
    pub until: Option<When>,
}

/// What a key is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published ahead of its use.
    Published,
    /// Signs new tokens.
    Signing,
    /// Signs no more, but its tokens are still valid.
    Retired,
}

impl KeyState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            KeyState::Published => "Waiting",
            KeyState::Signing => "Signing",
            KeyState::Retired => "Retired",
        }
    }

    /// CSS class of its mark.
    pub fn class(self) -> &'static str {
        match self {
            KeyState::Published => "warm",
            KeyState::Signing => "good",
            KeyState::Retired => "",
        }
    }

    /// What comes next.
    pub fn next(self) -> &'static str {
        match self {
            KeyState::Published => "starts to sign",
            KeyState::Signing => "is replaced",
            KeyState::Retired => "is removed",
        }
    }
}
