//! When signing keys come and go (PROTOCOL, Tokens): published a day before use, signing for 90 days, kept until the
//! last token signed with them has expired. Pure: `now` is an argument, the keys are made elsewhere.
//!
//! Some applications cannot read a key set with a kind of key that they do not know. So a key for EdDSA exists only while
//! a client uses it: the job that saves such a client adds the first one (`oauth::keys::provide`), and it signs at once,
//! because nothing was signed with EdDSA before, and whoever meets a `kid` that it does not know fetches the set again
//! (OpenID Connect Core §10.1.1). Its successors are published a day ahead like all others. When no client uses it any
//! more the last one gets no successor and goes after its time.

use crate::model::{Algorithm, SigningKey};
use crate::types::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
/// How long a key signs.
pub const SIGNING_SPAN: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How long before it signs a key is published, so that every cache of the JWKS has seen it.
pub const PUBLISHED_BEFORE: Duration = Duration::from_secs(24 * 3_600);
/// How long after its last signature a key stays published: the longest token life is 60 minutes, and clocks differ.
pub const KEPT_AFTER: Duration = Duration::from_secs(2 * 3_600);

const _: () = assert!(KEPT_AFTER.as_secs() > HOUR.as_secs());

/// These have a key at all times.
pub const STANDING: [Algorithm; 2] = [Algorithm::Es256, Algorithm::Rs256];

/// What is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Keys to make, and from when they sign.
    pub create: Vec<(Algorithm, Timestamp)>,
    /// Keys whose last token has expired.
    pub delete: Vec<String>,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, not signing yet.
    Published,
    /// Signing.
    Signing,
    /// No longer signing, still published so that its tokens can be checked.
    Retired,
}

/// What has to be made and deleted at `now`. `used`: what clients want beside the standing ones.
pub fn plan(keys: &[SigningKey], used: &BTreeSet<Algorithm>, now: Timestamp) -> Plan {
    let mut plan = missing(keys, used, now);
    let wanted = wanted(used);
    let foreseeable = now.plus(PUBLISHED_BEFORE * 2);
    for algorithm in wanted.iter().copied() {
        let ours = keys.iter().filter(|k| k.algorithm == algorithm);
        // One that is to sign much later was made by a clock that was ahead: it must not hold up all others until then.
        let newest = ours
            .map(|k| k.active_from)
            .filter(|from| *from <= foreseeable)
            .max();
        match newest {
            // There is none yet, which is told already; or the clock is behind all of them.
            None => {}
            Some(newest) => {
                let ends = newest.plus(SIGNING_SPAN);
                if now >= ends.minus(PUBLISHED_BEFORE) {
                    plan.create
                        .push((algorithm, ends.max(now.plus(PUBLISHED_BEFORE))));
                }
            }
        }
    }
    plan.delete = keys
        .iter()
        .filter(|key| {
            let replaced = superseded_at(key, keys);
            let unwanted = !wanted.contains(&key.algorithm);
            let over = replaced.or(unwanted.then(|| key.active_from.plus(SIGNING_SPAN)));
            over.is_some_and(|at| now >= at.plus(KEPT_AFTER))
        })
        .map(|key| key.kid.clone())
        .collect();
    plan
}

/// What has to be made while the clock is in doubt (`ops::clock`): only what nothing can be signed without.
pub fn missing(keys: &[SigningKey], used: &BTreeSet<Algorithm>, now: Timestamp) -> Plan {
    let is_missing = |algorithm: &Algorithm| !keys.iter().any(|key| key.algorithm == *algorithm);
    let missing = wanted(used).into_iter().filter(is_missing);
    Plan {
        create: missing.map(|algorithm| (algorithm, now)).collect(),
        delete: Vec::new(),
    }
}

fn wanted(used: &BTreeSet<Algorithm>) -> BTreeSet<Algorithm> {
    STANDING.into_iter().chain(used.iter().copied()).collect()
}

/// The state of one key among all.
pub fn state(key: &SigningKey, keys: &[SigningKey], now: Timestamp) -> KeyState {
    if key.active_from > now {
        KeyState::Published
    } else if superseded_at(key, keys).is_some_and(|at| at <= now) {
        KeyState::Retired
    } else {
        KeyState::Signing
    }
}

/// When the state of a key changes next, as the schedule goes: it begins to sign, is replaced, or is removed.
pub fn changes_at(key: &SigningKey, keys: &[SigningKey], now: Timestamp) -> Timestamp {
    let replaced = superseded_at(key, keys).unwrap_or(key.active_from.plus(SIGNING_SPAN));
    match state(key, keys, now) {
        KeyState::Published => key.active_from,
        KeyState::Signing => replaced,
        KeyState::Retired => replaced.plus(KEPT_AFTER),
    }
}

/// When the next key of its algorithm begins to sign.
fn superseded_at(key: &SigningKey, keys: &[SigningKey]) -> Option<Timestamp> {
    keys.iter()
        .filter(|other| other.algorithm == key.algorithm && other.active_from > key.active_from)
        .map(|other| other.active_from)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str, active_from: Timestamp) -> SigningKey {
        SigningKey {
            kid: kid.to_owned(),
            algorithm: Algorithm::Es256,
            private: Vec::new().into(),
            created: active_from,
            active_from,
        }
    }

    fn none() -> BTreeSet<Algorithm> {
        BTreeSet::new()
    }

    fn es256(plan: &Plan) -> Vec<Timestamp> {
        plan.create
            .iter()
            .filter(|(a, _)| *a == Algorithm::Es256)
            .map(|(_, t)| *t)
            .collect()
    }

    const DAY: Duration = Duration::from_secs(86_400);
    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    #[test]
    fn a_first_start_makes_one_key_of_each_algorithm() {
        let first = plan(&[], &none(), START);
        assert_eq!(
            first.create,
            [(Algorithm::Es256, START), (Algorithm::Rs256, START)]
        );
    }

    #[test]
    fn a_successor_is_published_a_day_before_it_signs() {
        let keys = [key("a", START)];
        assert_eq!(es256(&plan(&keys, &none(), START.plus(88 * DAY))), []);
        let due = START.plus(89 * DAY);
        assert_eq!(es256(&plan(&keys, &none(), due)), [START.plus(90 * DAY)]);
        // A server that was off for a year still publishes first.
        let late = START.plus(400 * DAY);
        assert_eq!(es256(&plan(&keys, &none(), late)), [late.plus(DAY)]);
    }

    #[test]
    fn a_key_that_clients_asked_for_is_renewed_while_they_do_and_goes_afterwards() {
        let used = BTreeSet::from([Algorithm::EdDsa]);
        let due = |keys: &[SigningKey], used: &BTreeSet<Algorithm>, now| {
            let plan = plan(keys, used, now);
            let made = plan.create.iter().filter(|(a, _)| *a == Algorithm::EdDsa);
            (made.count(), plan.delete)
        };
        assert_eq!(due(&[], &none(), START).0, 0);
        assert_eq!(due(&[], &used, START).0, 1);
        let keys = [SigningKey {
            algorithm: Algorithm::EdDsa,
            ..key("ed", START)
        }];
        let ends = START.plus(SIGNING_SPAN);
        assert_eq!(due(&keys, &used, START), (0, vec![]));
        assert_eq!(due(&keys, &used, ends.minus(DAY)), (1, vec![]));
        assert_eq!(due(&keys, &used, ends.plus(DAY)), (1, vec![]));
        assert_eq!(due(&keys, &none(), ends.plus(HOUR)), (0, vec![]));
        let gone = (0, vec!["ed".to_owned()]);
        assert_eq!(due(&keys, &none(), ends.plus(KEPT_AFTER)), gone);
    }

    /// What a clock does that is a year ahead, believed, and set right again.
    #[test]
    fn a_clock_that_was_ahead_makes_one_key_and_holds_up_none() {
        const YEAR: Duration = Duration::from_secs(365 * 86_400);
        let mut keys = vec![key("a", START)];
        let there = START.plus(YEAR);
        for hour in 0..20 {
            let now = there.plus(HOUR * hour);
            let due = plan(&keys, &none(), now);
            let made = es256(&due);
            assert_eq!(made.len(), usize::from(hour == 0));
            assert_eq!(due.delete, Vec::<String>::new());
            keys.extend(made.into_iter().map(|from| key("far", from)));
        }
        // Back again: the key signs on, nothing is made, and its successor comes when it is due.
        for day in 0..89 {
            let now = START.plus(DAY * day);
            let due = plan(&keys, &none(), now);
            assert_eq!((es256(&due), due.delete), (vec![], vec![]), "{day}");
            assert_eq!(state(&keys[0], &keys, now), KeyState::Signing);
        }
        let due = START.plus(89 * DAY);
        assert_eq!(es256(&plan(&keys, &none(), due)), [START.plus(90 * DAY)]);
        // A year back from all of them: none is made, and none withdrawn.
        let back = plan(&keys, &none(), START.minus(YEAR));
        assert_eq!((es256(&back), back.delete), (vec![], vec![]));
    }

    #[test]
    fn in_doubt_only_a_key_that_is_missing_is_made() {
        let rs = SigningKey {
            algorithm: Algorithm::Rs256,
            ..key("rs", START)
        };
        let old = START.plus(400 * DAY);
        assert_eq!(
            missing(&[key("a", START), rs.clone()], &none(), old),
            Plan::default()
        );
        let made = missing(&[rs], &none(), old);
        assert_eq!(made.create, [(Algorithm::Es256, old)]);
    }

    #[test]
    fn the_old_key_outlives_its_last_token() {
        let next = START.plus(90 * DAY);
        let keys = [key("a", START), key("b", next)];
        assert_eq!(state(&keys[0], &keys, next.minus(DAY)), KeyState::Signing);
        assert_eq!(state(&keys[1], &keys, next.minus(DAY)), KeyState::Published);
        assert_eq!(state(&keys[0], &keys, next), KeyState::Retired);
        let changes = |key: usize, now| changes_at(&keys[key], &keys, now);
        assert_eq!(changes(0, START), next);
        assert_eq!(changes(1, START), next);
        assert_eq!(changes(0, next), next.plus(KEPT_AFTER));
        assert_eq!(changes(1, next), next.plus(SIGNING_SPAN));
        assert_eq!(
            plan(&keys, &none(), next.plus(HOUR)).delete,
            Vec::<String>::new()
        );
        assert_eq!(plan(&keys, &none(), next.plus(KEPT_AFTER)).delete, ["a"]);
    }
}
