//! A sign-out that an application is yet to be told of (OpenID Connect Back-Channel Logout 1.0).

use crate::types::{ClientId, DeliveryId, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// One that waits, or that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its key.
    pub id: DeliveryId,
    /// Who is told.
    pub client: ClientId,
    /// Whose session it was.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
    /// The `sub`, as the client knew it then; the user's id where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The `sid`, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Where it goes; the client's address at the time of each attempt.
    pub uri: String,
    /// When the session or the permission ended.
    pub created: Timestamp,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    /// When it is tried next.
    pub due: Timestamp,
    /// What became of the last attempt, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<Timestamp>,
}
