//! Signing keys, as an administrator sees and changes them. The schedule stands in `crypto::rotation`.

use super::{Actor, OperationError};
use crate::crypto::keyring;
use crate::crypto::rotation::{self, KeyState};
use crate::model::{AdminError, Algorithm, Change, Decision, Event, EventKind, SigningKey};
use crate::ops::clock;
use crate::server::context::Context;
use crate::store::{StoreError, View};
use crate::types::Timestamp;

/// A key and where it stands.
#[derive(Clone, Debug)]
pub struct KeyLine {
    /// The record.
    pub key: SigningKey,
    /// Where it stands.
    pub state: KeyState,
}

/// All keys, newest first.
pub fn list(view: &View<'_>, now: Timestamp) -> Result<Vec<KeyLine>, OperationError> {
    let keys = view.signing_keys()?;
    let mut lines: Vec<KeyLine> = keys
        .iter()
        .map(|key| KeyLine {
            key: key.clone(),
            state: rotation::state(key, &keys, now),
        })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse((line.key.active_from, line.key.algorithm)));
    Ok(lines)
}

/// Makes new keys that sign at once: of one algorithm, or of each. Returns their ids.
pub fn rotate(
    ctx: &Context,
    only: Option<Algorithm>,
    actor: &Actor,
) -> Result<Vec<String>, OperationError> {
    let now = clock::now();
    let wanted = rotation::ALGORITHMS
        .into_iter()
        .filter(|algorithm| only.is_none_or(|only| only == *algorithm));
    let made = wanted
        .map(|algorithm| generate(algorithm, now))
        .collect::<Result<Vec<_>, _>>()?;
    let by = actor.clone();
    let kids = made.iter().map(|key| key.kid.clone()).collect();
    let submitted = ctx.store.submit(move |_| {
        let events = made
            .iter()
            .map(|key| event(EventKind::KeyAdded, &key.kid, &by, now))
            .collect();
        let changes = made
            .into_iter()
            .map(|key| Change::PutSigningKey(Box::new(key)))
            .collect();
        Ok(Decision {
            changes,
            events,
            reply: Ok::<(), AdminError>(()),
        })
    })?;
    submitted?;
    Ok(kids)
}

/// Withdraws a key at once: it is no longer published, and every token it signed is dead. A fresh one takes its place
/// where it was the one that signs.
pub fn withdraw(ctx: &Context, kid: &str, actor: &Actor) -> Result<(), OperationError> {
    let now = clock::now();
    let missing = || AdminError::NotFound {
        what: "key",
        name: kid.to_owned(),
    };
    let algorithm = {
        let snapshot = ctx.store.snapshot()?;
        let keys = snapshot.view().signing_keys()?;
        keys.iter()
            .find(|key| key.kid == kid)
            .ok_or_else(missing)?
            .algorithm
    };
    let successor = generate(algorithm, now)?;
    let (kid, by) = (kid.to_owned(), actor.clone());
    let submitted = ctx.store.submit(move |view| {
        let keys = view.signing_keys()?;
        let Some(key) = keys.iter().find(|key| key.kid == kid) else {
            return Ok(Decision::reply(Err(AdminError::NotFound {
                what: "key",
                name: kid,
            })));
        };
        let mut changes = vec![Change::DeleteSigningKey(kid.clone())];
        let mut events = vec![event(EventKind::KeyDeleted, &kid, &by, now)];
        if rotation::state(key, &keys, now) == KeyState::Signing {
            events.push(event(EventKind::KeyAdded, &successor.kid, &by, now));
            changes.push(Change::PutSigningKey(Box::new(successor)));
        }
        Ok(Decision {
            changes,
            events,
            reply: Ok(()),
        })
    })?;
    Ok(submitted?)
}

fn generate(algorithm: Algorithm, now: Timestamp) -> Result<SigningKey, OperationError> {
    keyring::generate(algorithm, now, now).map_err(|e| StoreError::BadRecord(e.to_string()).into())
}

fn event(kind: EventKind, kid: &str, by: &Actor, now: Timestamp) -> Event {
    Event::success(kind, now)
        .actor(by.name.clone())
        .from(by.address)
        .detail(kid)
}
