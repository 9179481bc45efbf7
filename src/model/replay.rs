//! Proofs that may be used once: client assertions (RFC 7523 §3, 7) and DPoP proofs (RFC 9449 §11.1).

use crate::types::Timestamp;
use serde::{Deserialize, Serialize};

/// One that was used. Its key is what it was (`ReplayKey`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// From then on the proof is worthless by itself, and need not be remembered.
    pub expires: Timestamp,
}

/// SHA-256 of what kind of proof it was, whose, and its `jti`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayKey(pub [u8; 32]);
