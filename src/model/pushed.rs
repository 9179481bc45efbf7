//! An authorization request that a client pushed (RFC 9126 §2.2), kept until it is answered.

use crate::types::{ClientId, Id, Timestamp, TokenHash};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A pushed request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// The selector of its `request_uri`.
    pub id: Id,
    /// SHA-256 of the verifier.
    pub hash: TokenHash,
    /// Who pushed it.
    pub client: ClientId,
    /// Its parameters, form-encoded: those that have a meaning, and no credentials.
    pub parameters: String,
    /// When it was pushed.
    pub created: Timestamp,
    /// Until when a browser may begin with it.
    pub expires: Timestamp,
}

impl PushedRequest {
    /// How long a person who began in time may take to sign in and agree.
    pub const SIGN_IN_LIFE: Duration = Duration::from_secs(600);

    /// When nobody can go on with it any more.
    pub fn end(&self) -> Timestamp {
        self.expires.plus(Self::SIGN_IN_LIFE)
    }
}
