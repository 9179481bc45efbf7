//! One use of what may be used once, in the writer's turn: DPoP proofs and client assertions. What tells two uses apart
//! stands in `oauth::replay`.

use crate::model::{Change, Decision};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::dpop::Proof;
use crate::oauth::replay::{self, NotOnce, Use};
use crate::ops::clock::{self, Way};
use crate::store::{StoreError, View};
use crate::types::Timestamp;

/// What a request of that client uses up where it is granted something.
pub fn of(client: &AuthenticatedClient, proof: Option<&Proof>) -> Vec<Use> {
    let proof = proof.map(|proof| proof.used);
    client.assertion().into_iter().chain(proof).collect()
}

/// A decision that is made only where each of `uses` is the first of its kind. Only what was granted uses them up: a
/// refusal gave nothing that could be had again.
pub fn deciding_once<T, E>(
    view: &View<'_>,
    uses: &[Use],
    now: Timestamp,
    refuse: impl FnOnce(NotOnce) -> Decision<T, E>,
    decide: impl FnOnce() -> Result<Decision<T, E>, StoreError>,
) -> Result<Decision<T, E>, StoreError> {
    if !uses.is_empty() && clock::doubt().is_some_and(|doubt| doubt.way == Way::Behind) {
        return Ok(refuse(NotOnce::Unknowable));
    }
    let mut remembered: Vec<Change> = Vec::with_capacity(uses.len());
    for used in uses {
        let seen = view.is_replayed(&used.record, replay::LONGEST, now)?;
        match replay::once(*used, seen, view.replay_count()?) {
            Ok(change) => remembered.push(change),
            Err(error) => return Ok(refuse(error)),
        }
    }
    let mut decision = decide()?;
    if decision.reply.is_ok() {
        decision.changes.extend(remembered);
    }
    Ok(decision)
}
