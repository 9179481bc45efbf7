//! One use of what may be used once, in the writer's turn: DPoP proofs and client assertions. What tells two uses apart
//! stands in `oauth::replay`.

use crate::model::{Change, Decision, Replay};
use crate::oauth::replay::{self, NotOnce};
use crate::store::{StoreError, View};
use crate::types::Timestamp;

/// A decision that is made only where each of `uses` is the first of its kind. Only what was granted uses them up: a
/// refusal gave nothing that could be had again.
pub fn deciding_once<T, E>(
    view: &View<'_>,
    uses: &[Replay],
    now: Timestamp,
    refuse: impl FnOnce(NotOnce) -> Decision<T, E>,
    decide: impl FnOnce() -> Result<Decision<T, E>, StoreError>,
) -> Result<Decision<T, E>, StoreError> {
    let mut remembered: Vec<Change> = Vec::with_capacity(uses.len());
    for replay in uses {
        let seen = view.is_replayed(replay, replay::LONGEST, now)?;
        match replay::once(*replay, seen, view.replay_count()?) {
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
