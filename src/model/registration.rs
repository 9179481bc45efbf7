//! Applications that register themselves (RFC 7591, RFC 7592): who may, and what is kept of it.
//! Not here: what may be registered (`oauth::registration`).

use super::{Client, ClientKind, Consent};
use crate::types::{DocumentUrl, InitialTokenId, Scope, Timestamp, TokenHash, WireClientId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

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
    /// Seconds since the sign-in that it takes where a request names none.
    #[serde(default)]
    pub default_max_age: Option<u32>,
    /// Whether it counts on `auth_time`; every ID token has it.
    #[serde(default)]
    pub require_auth_time: bool,
    /// When it last asked for tokens with something that a person had agreed to, to the day; written with some later
    /// commit.
    #[serde(default)]
    pub last_used: Option<Timestamp>,
    /// What people agreed to before it changed where it returns them to counts no more.
    #[serde(default)]
    pub consents_not_before: Timestamp,
    /// What it named of the scopes that come with a resource. It is told so; what it may do follows from the resource.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub resource_scope: Scope,
    /// The document that describes it (draft-ietf-oauth-client-id-metadata-document §3): its `client_id` to everybody,
    /// and what its id here is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentUrl>,
}

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Days without use after which it is forgotten (packaging/manual/applications.md).
const UNUSED_DAYS: u32 = 90;
/// The same where a stranger registered it and it never was used: those keep others out.
const NEVER_USED_DAYS: u32 = 7;

impl Client {
    /// Its `client_id` in requests, answers and tokens. Nothing else of it may stand there.
    pub fn wire_id(&self) -> WireClientId {
        match (self.document(), &self.named) {
            (Some(url), _) => WireClientId::Document(url.clone()),
            (None, Some(name)) => WireClientId::Given(name.clone()),
            (None, None) => WireClientId::Ours(self.id),
        }
    }

    /// Where its description is fetched from, if it is one of those.
    pub fn document(&self) -> Option<&DocumentUrl> {
        self.registered.as_ref()?.document.as_ref()
    }

    /// Whether a stranger registered it and nobody used it.
    pub fn is_strangers_unused(&self) -> bool {
        let registered = self.registered.as_ref();
        registered.is_some_and(|r| r.token.is_none() && r.last_used.is_none())
    }

    /// When it is forgotten if it is not used before. `None`: never, for an administrator added it.
    pub fn forgotten_at(&self) -> Option<Timestamp> {
        let used = self.registered.as_ref()?.last_used;
        let days = if self.is_strangers_unused() {
            NEVER_USED_DAYS
        } else {
            UNUSED_DAYS
        };
        Some(used.unwrap_or(self.created).plus(DAY * days))
    }

    /// Whether its use is worth a mark: once a day is enough.
    pub fn is_use_worth_a_mark(&self, now: Timestamp) -> bool {
        let registered = self.registered.as_ref();
        registered.is_some_and(|r| r.last_used.is_none_or(|used| now.since(used) >= DAY))
    }

    /// Marks its use. Whether that changed anything.
    pub fn mark_used(&mut self, now: Timestamp) -> bool {
        let worth = self.is_use_worth_a_mark(now);
        if let Some(registered) = self.registered.as_mut().filter(|_| worth) {
            registered.last_used = Some(now);
        }
        worth
    }

    /// Whether it runs on a person's own device (RFC 8252 §1): by its kind, or as it registered itself with a secret of
    /// its own (§8.4).
    pub fn is_native(&self) -> bool {
        self.kind == ClientKind::Native || self.registered.as_ref().is_some_and(|r| r.native)
    }

    /// What a person agreed to, unless it has changed since where it returns people to.
    pub fn standing<'c>(&self, consent: Option<&'c Consent>) -> Option<&'c Consent> {
        let registered = self.registered.as_ref();
        let from = registered.map_or_else(Timestamp::default, |r| r.consents_not_before);
        consent.filter(|consent| consent.given >= from)
    }
}
