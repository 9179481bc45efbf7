//! Proofs that may be used once, also across a restart: looked up and noted in one turn of the writer, so that of two at
//! once one is refused.

use super::context::Context;
use crate::crypto::digest::sha256;
use crate::model::{Change, Decision, Replay, ReplayKey};
use crate::store::StoreError;
use crate::types::Timestamp;

/// What sort of proof; a `jti` of one says nothing about another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A client assertion (RFC 7523 §3, 7).
    ClientAssertion,
}

impl Proof {
    const fn name(self) -> &'static str {
        match self {
            Self::ClientAssertion => "client assertion",
        }
    }
}

/// Whether it was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedBefore;

/// Notes the use of a proof of `owner`, good until `expires`.
pub fn use_once(
    ctx: &Context,
    proof: Proof,
    owner: &str,
    jti: &str,
    expires: Timestamp,
) -> Result<Result<(), UsedBefore>, StoreError> {
    let key = key(proof, owner, jti);
    ctx.store.submit(move |view| {
        if view.was_used(&key)? {
            return Ok(Decision::reply(Err(UsedBefore)));
        }
        Ok(Decision {
            changes: vec![Change::PutReplay(key, Replay { expires })],
            events: Vec::new(),
            reply: Ok(()),
        })
    })
}

/// Lengths before the parts: no two lists of parts make one key.
fn key(proof: Proof, owner: &str, jti: &str) -> ReplayKey {
    let mut bytes = Vec::new();
    for part in [proof.name(), owner, jti] {
        bytes.extend_from_slice(&part.len().to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    ReplayKey(sha256(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_its_kind_owner_and_name() {
        let of = |owner: &str, jti: &str| key(Proof::ClientAssertion, owner, jti);
        assert_eq!(of("a", "b"), of("a", "b"));
        assert_ne!(of("a", "b"), of("ab", ""));
        assert_ne!(of("a", "b"), of("b", "a"));
    }
}
