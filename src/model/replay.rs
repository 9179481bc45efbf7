//! That something was used which may be used once.

use crate::types::Timestamp;
use serde::{Deserialize, Serialize};

/// One use, remembered until what was used is refused for its age anyway (`oauth::replay` makes it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// SHA-256 over the purpose, who, and the `jti`. It stands in the key of the row only.
    #[serde(skip)]
    pub key: [u8; 32],
    /// Until when.
    pub expires: Timestamp,
}
