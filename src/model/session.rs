//! A signed-in browser, and links that are good once.

use crate::types::{LinkId, SessionId, Timestamp, TokenHash, UserId};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

/// How long after proving who they are an administrator may change things.
const RECENT: Duration = Duration::from_secs(15 * 60);

/// How and when a person proved who they are: what `auth_time`, `acr` and `amr` tell (OpenID Connect Core §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// When.
    pub time: Timestamp,
    /// Authentication methods (RFC 8176 §2).
    pub amr: Vec<String>,
}

impl Authentication {
    /// The `acr` value: "1" for a password, "0" where nothing but a one-time link was shown (ISO/IEC 29115 level 1
    /// cannot be claimed for it).
    pub fn acr(&self) -> &'static str {
        if self.amr.iter().any(|method| method == "pwd") {
            "1"
        } else {
            "0"
        }
    }

    /// Whether it was recently enough to change things, or to hand out the right to.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        now.is_within(RECENT, self.time)
    }
}

/// A signed-in browser. Its id is the selector of its cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The selector, and the `sid` of its ID tokens.
    pub id: SessionId,
    /// SHA-256 of the cookie's verifier.
    pub hash: TokenHash,
    /// Whose.
    pub user: UserId,
    /// The last time the person proved who they are.
    pub authentication: Authentication,
    /// When they signed in.
    pub created: Timestamp,
    /// When it was last used; written with some later commit.
    pub last_seen: Timestamp,
    /// When it ends however much it is used.
    pub expires: Timestamp,
    /// Where they signed in from.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    #[serde(default)]
    pub user_agent: String,
}

/// What a one-time link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "for", content = "user")]
pub enum LinkPurpose {
    /// Making the first administrator.
    Setup,
    /// Choosing a password and signing in.
    SignIn(UserId),
}

/// A link that is good once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The selector.
    pub id: LinkId,
    /// SHA-256 of the verifier.
    pub hash: TokenHash,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends unused.
    pub expires: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise a browser that was left open changed things, without a password, until that time came.
    #[test]
    fn a_sign_in_of_a_time_to_come_is_not_recent() {
        let now = Timestamp::from_secs(1_795_000_000);
        let signed_in = |time| Authentication {
            time,
            amr: Vec::new(),
        };
        let moment = Duration::from_millis(1);
        for (time, recent) in [
            (now, true),
            (now.minus(RECENT), true),
            (now.minus(RECENT + moment), false),
            (now.plus(moment), true),
            (now.plus(RECENT + moment), false),
        ] {
            assert_eq!(signed_in(time).is_recent(now), recent, "{time:?}");
        }
    }
}
