//! DPoP proofs of requests (RFC 9449): fetching and checking one, and its one use in the writer's turn.

use super::incoming::Incoming;
use crate::model::{Change, Decision};
use crate::oauth::dpop::{self, Proof, ProofError, Target};
use crate::oauth::replay::{self, NotOnce};
use crate::store::{StoreError, View};
use crate::types::Timestamp;

/// The proof that a request carries, checked against its endpoint and the access token that it goes with.
pub fn proof(
    incoming: &Incoming<'_>,
    access_token: Option<&str>,
) -> Result<Option<Proof>, ProofError> {
    let headers = incoming.request.headers();
    let proofs = headers.filter(|(name, _)| name.eq_ignore_ascii_case("DPoP"));
    let endpoint = incoming.ctx.config.issuer.endpoint(incoming.path);
    let target = Target {
        method: incoming.request.method(),
        endpoint: &endpoint,
        access_token,
    };
    dpop::check(proofs.map(|(_, text)| text), target, incoming.now)
}

/// The change that remembers the use of a proof, or why it may not be used.
pub fn once(
    view: &View<'_>,
    proof: &Proof,
    now: Timestamp,
) -> Result<Result<Change, NotOnce>, StoreError> {
    let seen = view.is_replayed(&proof.replay, replay::LONGEST, now)?;
    Ok(replay::once(proof.replay, seen, view.replay_count()?))
}

/// A decision that is made only where its proof, if there is one, is used for the first time. Only what was granted uses
/// a proof up: a refusal gave nothing that could be had again.
pub fn deciding_once<T, E>(
    view: &View<'_>,
    proof: Option<&Proof>,
    now: Timestamp,
    refuse: impl FnOnce(NotOnce) -> Decision<T, E>,
    decide: impl FnOnce() -> Result<Decision<T, E>, StoreError>,
) -> Result<Decision<T, E>, StoreError> {
    let used = match proof {
        Some(proof) => match once(view, proof, now)? {
            Ok(change) => Some(change),
            Err(error) => return Ok(refuse(error)),
        },
        None => None,
    };
    let mut decision = decide()?;
    if decision.reply.is_ok() {
        decision.changes.extend(used);
    }
    Ok(decision)
}
