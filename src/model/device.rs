//! A device that waits to be signed in (RFC 8628).

use super::Authentication;
use crate::types::{
    ClientId, GrantId, Id, Scope, SessionId, Timestamp, TokenHash, UserCode, UserId,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "said")]
pub enum DeviceAnswer {
    /// The device may act for them.
    Allowed {
        /// Who.
        user: UserId,
        /// In which session.
        session: SessionId,
        /// How they proved who they are.
        authentication: Authentication,
        /// When.
        at: Timestamp,
    },
    /// It may not.
    Denied,
}

/// A device's wait for an answer, kept after its end so that a second use of its code is known for what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAuthorization {
    /// The selector of the device code.
    pub id: Id,
    /// SHA-256 of the device code's verifier.
    pub hash: TokenHash,
    /// What the person types.
    pub user_code: UserCode,
    /// For whom.
    pub client: ClientId,
    /// What can be granted of what was asked.
    pub scope: Scope,
    /// Resources named in the request (RFC 8707 §2); empty: the client's.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Where the device asked from.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// When it asked.
    pub created: Timestamp,
    /// When it ends without an answer, or with one that was not fetched.
    pub expires: Timestamp,
    /// What the person said.
    #[serde(default)]
    pub answer: Option<DeviceAnswer>,
    /// What the code's use gave.
    #[serde(default)]
    pub redeemed: Option<GrantId>,
}
