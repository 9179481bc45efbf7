//! Signing keys, as an administrator handles them. The rules stand in `oauth::keys` and `crypto::rotation`.

use super::{Actor, OperationError, submit};
use crate::crypto::keyring::{self, KeyError};
use crate::crypto::rotation::{self, KeyState};
use crate::model::{AdminError, Algorithm, SigningKey};
use crate::oauth::keys;
use crate::ops::clock;
use crate::server::context::Context;
use crate::store::{StoreError, View};
use crate::types::Timestamp;
use std::collections::BTreeSet;

/// A key and where it stands.
#[derive(Clone, Debug)]
pub struct KeyLine {
    /// The JWK thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// What it is doing.
    pub state: KeyState,
    /// When it was made.
    pub created: Timestamp,
    /// When its state changes next, as the schedule goes.
    pub until: Timestamp,
}

/// All keys by algorithm, the newest first.
pub fn list(view: &View<'_>, now: Timestamp) -> Result<Vec<KeyLine>, OperationError> {
    let mut keys = view.signing_keys()?;
    keys.sort_by_key(|key| (key.algorithm, std::cmp::Reverse(key.active_from)));
    Ok(keys
        .iter()
        .map(|key| KeyLine {
            kid: key.kid.clone(),
            algorithm: key.algorithm,
            state: rotation::state(key, &keys, now),
            created: key.created,
            until: rotation::changes_at(key, &keys, now),
        })
        .collect())
}

/// The algorithms that have a key: the standing ones, and those that applications use.
pub fn algorithms(view: &View<'_>) -> Result<BTreeSet<Algorithm>, StoreError> {
    let keys = view.signing_keys()?;
    let known = keys.iter().map(|key| key.algorithm);
    Ok(rotation::STANDING.into_iter().chain(known).collect())
}

/// Replaces the key of an algorithm now. Tokens of the old one stay good until they expire. Returns the new `kid`.
pub fn rotate(
    ctx: &Context,
    algorithm: Algorithm,
    actor: &Actor,
) -> Result<String, OperationError> {
    if !algorithms(&ctx.store.snapshot()?.view())?.contains(&algorithm) {
        return Err(
            AdminError::invalid("alg", "no application uses it, so there is no key of it").into(),
        );
    }
    let made = generate(algorithm)?;
    let key = submit(ctx, actor, move |_, by| Ok(keys::rotate(made, by)))?;
    Ok(key.kid)
}

/// Withdraws a key; its tokens end now.
pub fn withdraw(ctx: &Context, kid: &str, actor: &Actor) -> Result<(), OperationError> {
    let known = ctx.store.snapshot()?.view().signing_keys()?;
    let key = known.iter().find(|key| key.kid == kid);
    let algorithm = key.ok_or_else(|| keys::missing(kid))?.algorithm;
    // Made before the writer's turn, and thrown away where it is not needed.
    let spare = generate(algorithm)?;
    let kid = kid.to_owned();
    submit(ctx, actor, move |view, by| {
        Ok(keys::withdraw(&view.signing_keys()?, &kid, spare, by))
    })
}

/// Withdraws every key; new ones take their place.
pub fn replace_all(ctx: &Context, actor: &Actor) -> Result<(), OperationError> {
    let algorithms = algorithms(&ctx.store.snapshot()?.view())?;
    let made: Vec<SigningKey> = algorithms
        .into_iter()
        .map(generate)
        .collect::<Result<_, _>>()?;
    submit(ctx, actor, move |view, by| {
        Ok(keys::replace_all(&view.signing_keys()?, made, by))
    })
}

/// A key that would sign from now on, also when a clock that is ahead is set right.
pub fn generate(algorithm: Algorithm) -> Result<SigningKey, OperationError> {
    let (now, doubt) = clock::look();
    let now = doubt.map_or(now, |doubt| doubt.latest(now));
    keyring::generate(algorithm, now, now)
        .map_err(|KeyError(why)| StoreError::Unavailable(why).into())
}
