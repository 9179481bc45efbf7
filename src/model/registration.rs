//! Applications that register themselves (RFC 7591, RFC 7592): who may, and what is kept of it.
//! Not here: what may be registered (`oauth::registration`).

use crate::types::{InitialTokenId, Timestamp, TokenHash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who may register an application at the registration endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationPolicy {
    /// Nobody: the endpoint does not exist.
    #[default]
    Off,
    /// Whoever has an initial access token (RFC 7591 §3).
    Token,
    /// Anyone, within limits; with an initial access token, beyond them.
    Open,
}

impl RegistrationPolicy {
    /// All, for forms and flags.
    pub const ALL: [Self; 3] = [Self::Off, Self::Token, Self::Open];

    /// As stored, typed and printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Token => "token",
            Self::Open => "open",
        }
    }

    /// From that.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

/// An initial access token (RFC 7591 §1.2): leave to register so many applications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialAccessToken {
    /// The selector.
    pub id: InitialTokenId,
    /// SHA-256 of the verifier.
    pub hash: TokenHash,
    /// What it is for, in the words of whoever made it.
    pub note: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends unused.
    pub expires: Timestamp,
    /// Applications that it may still register.
    pub uses_left: u32,
}

/// What an application has that registered itself, beside its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfRegistered {
    /// SHA-256 of the verifier of its registration access token; the selector is the client id.
    pub hash: TokenHash,
    /// The initial access token that it came with; `None` where registration was open to anyone.
    #[serde(default)]
    pub token: Option<InitialTokenId>,
    /// `application_type` is `native` (OpenID Connect Dynamic Client Registration §2).
    #[serde(default)]
    pub native: bool,
    /// How to reach whoever answers for it.
    #[serde(default)]
    pub contacts: Vec<String>,
    /// Its public keys, as it sent them (RFC 7517 §5).
    #[serde(default)]
    pub jwks: Option<Value>,
    /// Seconds since the sign-in that it takes where a request names none.
    #[serde(default)]
    pub default_max_age: Option<u32>,
    /// Whether it counts on `auth_time`; every ID token has it.
    #[serde(default)]
    pub require_auth_time: bool,
    /// When it last got a token for somebody, to the day; written with some later commit.
    #[serde(default)]
    pub last_used: Option<Timestamp>,
}
