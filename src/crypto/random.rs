//! The one place that draws random bytes.

use crate::types::{Id, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};

/// `N` bytes from the operating system. Ends the process when the system has none to give: no safe answer exists then.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Fills `bytes` as [`bytes`] does.
pub fn fill(bytes: &mut [u8]) {
    if system().fill(bytes).is_err() {
        log::error!("the operating system gives no random bytes; stopping");
        std::process::abort();
    }
}

/// A fresh id of this moment.
pub fn id(now: Timestamp) -> Id {
    Id::new(now, bytes())
}

/// ring's handle on the system's generator, for signing.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the room that draws random values"
)]
pub(super) fn system() -> SystemRandom {
    SystemRandom::new()
}

/// What a decision needs to make one bearer secret: the selector's random part and the verifier's bytes.
#[derive(Clone, Copy)]
pub struct Fresh {
    /// For the id.
    pub id: [u8; 10],
    /// For the verifier.
    pub secret: [u8; 32],
}

impl Fresh {
    /// Draws both.
    pub fn draw() -> Self {
        Self {
            id: bytes(),
            secret: bytes(),
        }
    }
}
