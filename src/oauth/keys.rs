//! What an administrator may do with signing keys beside their schedule (`crypto::rotation`): replace one now, or
//! withdraw one that somebody else may have. PROTOCOL, Tokens.

use crate::crypto::rotation;
use crate::model::{AdminError, Algorithm, Author, Change, Decision, Event, EventKind, SigningKey};
use crate::types::Timestamp;

/// Adds a key that signs from now on. The old one stays published until its last token has expired.
pub fn rotate(made: SigningKey, by: &Author) -> Decision<SigningKey, AdminError> {
    Decision {
        events: vec![by.did(EventKind::KeyAdded).detail(describe(&made))],
        changes: vec![Change::PutSigningKey(Box::new(made.clone()))],
        reply: Ok(made),
    }
}

/// Removes a key at once; every token signed with it ends. `spare` takes its place where no other key of its algorithm
/// signs now.
pub fn withdraw(
    keys: &[SigningKey],
    kid: &str,
    spare: SigningKey,
    by: &Author,
) -> Decision<(), AdminError> {
    let Some(key) = keys.iter().find(|key| key.kid == kid) else {
        return Decision::reply(Err(missing(kid)));
    };
    let mut changes = vec![Change::DeleteSigningKey(kid.to_owned())];
    let mut events = vec![by.did(EventKind::KeyDeleted).detail(describe(key))];
    let mut others = keys
        .iter()
        .filter(|other| other.kid != kid && other.algorithm == key.algorithm);
    // A retired key must not come back to sign: what replaced it did so for a reason.
    let signs = |other: &SigningKey| {
        other.active_from <= by.now
            && (key.active_from > by.now || other.active_from >= key.active_from)
    };
    if !others.any(signs) && spare.algorithm == key.algorithm {
        events.push(by.did(EventKind::KeyAdded).detail(describe(&spare)));
        changes.push(Change::PutSigningKey(Box::new(spare)));
    }
    Decision {
        changes,
        events,
        reply: Ok(()),
    }
}

/// Removes every key at once, for somebody may have them all: every token signed with one ends. `made` sign from now on.
pub fn replace_all(
    keys: &[SigningKey],
    made: Vec<SigningKey>,
    by: &Author,
) -> Decision<(), AdminError> {
    let gone = keys
        .iter()
        .map(|key| by.did(EventKind::KeyDeleted).detail(describe(key)));
    let came = made
        .iter()
        .map(|key| by.did(EventKind::KeyAdded).detail(describe(key)));
    let events = gone.chain(came).collect();
    let gone = keys
        .iter()
        .map(|key| Change::DeleteSigningKey(key.kid.clone()));
    let came = made
        .into_iter()
        .map(|key| Change::PutSigningKey(Box::new(key)));
    Decision {
        changes: gone.chain(came).collect(),
        events,
        reply: Ok(()),
    }
}

/// Whether a client that is saved uses an algorithm for which there is no key (`crypto::rotation` on why).
pub fn is_missing(changes: &[Change], keys: &[SigningKey]) -> bool {
    let has_key = |used: Algorithm| {
        rotation::STANDING.contains(&used) || keys.iter().any(|key| key.algorithm == used)
    };
    changes.iter().any(|change| match change {
        Change::PutClient(client) => !client.algorithms().all(has_key),
        _ => false,
    })
}

/// The decision, with the key that its client needs in the same commit: no saved client is ever without one. `made` is
/// left alone where there is one.
pub fn provide<T, E>(
    mut decision: Decision<T, E>,
    keys: &[SigningKey],
    made: SigningKey,
    now: Timestamp,
) -> Decision<T, E> {
    if is_missing(&decision.changes, keys) {
        let event = Event::success(EventKind::KeyAdded, now);
        decision.events.push(event.detail(describe(&made)));
        decision.changes.push(Change::PutSigningKey(Box::new(made)));
    }
    decision
}

/// There is no such key.
pub fn missing(kid: &str) -> AdminError {
    AdminError::NotFound {
        what: "key",
        name: kid.to_owned(),
    }
}

/// From the name of an algorithm.
pub fn algorithm(text: &str) -> Result<Algorithm, AdminError> {
    Algorithm::parse(text)
        .ok_or_else(|| AdminError::invalid("alg", "must be RS256, ES256 or EdDSA"))
}

fn describe(key: &SigningKey) -> String {
    format!("{} {}", key.algorithm.as_str(), key.kid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{NOW, by};
    use std::time::Duration;

    const DAY: Duration = Duration::from_secs(86_400);

    fn key(kid: &str, algorithm: Algorithm, active_from: Timestamp) -> SigningKey {
        SigningKey {
            kid: kid.to_owned(),
            algorithm,
            private: Vec::new().into(),
            created: active_from,
            active_from,
        }
    }

    fn withdrawn(keys: &[SigningKey], kid: &str) -> Vec<String> {
        let spare = key("spare", Algorithm::Es256, NOW);
        let decision = withdraw(keys, kid, spare, &by());
        assert_eq!(decision.changes.len(), decision.events.len());
        decision
            .changes
            .iter()
            .map(|change| match change {
                Change::DeleteSigningKey(kid) => format!("-{kid}"),
                Change::PutSigningKey(key) => format!("+{}", key.kid),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn the_key_that_signs_is_replaced_when_it_is_withdrawn() {
        let (old, now, next, rs) = (
            key("old", Algorithm::Es256, NOW.minus(DAY * 90)),
            key("now", Algorithm::Es256, NOW.minus(DAY)),
            key("next", Algorithm::Es256, NOW.plus(DAY)),
            key("rs", Algorithm::Rs256, NOW.minus(DAY)),
        );
        let keys = [old, now, next, rs];
        assert_eq!(withdrawn(&keys, "now"), ["-now", "+spare"]);
        assert_eq!(withdrawn(&keys, "old"), ["-old"]);
        assert_eq!(withdrawn(&keys, "next"), ["-next"]);
        assert!(withdrawn(&keys, "other").is_empty());
    }

    #[test]
    fn the_first_client_of_an_algorithm_brings_its_key_in_the_same_commit() {
        let made = || key("ed", Algorithm::EdDsa, NOW);
        let saved = |alg| {
            let mut client = crate::oauth::testing::client();
            client.userinfo_signed_response_alg = alg;
            Decision::<(), ()> {
                changes: vec![Change::PutClient(Box::new(client))],
                events: Vec::new(),
                reply: Ok(()),
            }
        };
        let count = |alg, keys: &[SigningKey]| {
            let decision = provide(saved(alg), keys, made(), NOW);
            (decision.changes.len(), decision.events.len())
        };
        assert_eq!(count(Some(Algorithm::EdDsa), &[]), (2, 1));
        assert_eq!(count(Some(Algorithm::EdDsa), &[made()]), (1, 0));
        assert_eq!(count(Some(Algorithm::Rs256), &[]), (1, 0));
        assert_eq!(count(None, &[]), (1, 0));
    }

    #[test]
    fn a_rotation_adds_and_takes_nothing_away() {
        let decision = rotate(key("new", Algorithm::Rs256, NOW), &by());
        assert_eq!(decision.changes.len(), 1);
        assert_eq!(decision.events[0].detail, "RS256 new");
    }
}
