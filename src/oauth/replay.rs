//! What may be used once: DPoP proofs (RFC 9449 §11.1) and client assertions (RFC 7523 §3 item 7).
//! Owns: what tells two uses apart, how long a use is remembered, how many are. Not here: the rows (`store::replays`).

use crate::crypto::digest::sha256;
use crate::model::{Change, Replay};
use crate::types::Timestamp;
use std::time::Duration;

/// The longest that a use may have to be remembered: the store looks no further ahead.
pub const LONGEST: Duration = Duration::from_secs(10 * 60);

/// Uses that are remembered at once. Behind each stood a signature of somebody who holds a token or a client's
/// credentials: about 2,700 a second, each remembered for three minutes. Past it nothing is taken unchecked.
pub const MOST: u64 = 500_000;

/// What was used. The same `jti` in another role is another use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// RFC 9449 §4.2.
    DpopProof,
    /// RFC 7523 §3.
    ClientAssertion,
}

/// A use of what may be used once, to be spent in the commit of what is granted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// What is used.
    pub purpose: Purpose,
    /// What is remembered of it.
    pub record: Replay,
}

/// Why a use is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOnce {
    /// It was used before.
    Replayed(Purpose),
    /// Too many are remembered to remember one more.
    TooMany,
    /// The clock shows a time that was lived through: what was used then may be forgotten.
    Unknowable,
}

/// The use of `jti` by `who` (a key's thumbprint, a client's id), which would be refused for its age from `expires` on.
/// `None` where that is further ahead than is remembered.
pub fn of(
    purpose: Purpose,
    who: &str,
    jti: &str,
    expires: Timestamp,
    now: Timestamp,
) -> Option<Use> {
    if expires > now.plus(LONGEST) {
        return None;
    }
    let role = match purpose {
        Purpose::DpopProof => "dpop+jwt",
        Purpose::ClientAssertion => "client_assertion",
    };
    // Digests have one length: no two triples make the same bytes.
    let parts = [role, who, jti].map(|part| sha256(part.as_bytes()));
    let key = sha256(parts.as_flattened());
    Some(Use {
        purpose,
        record: Replay { key, expires },
    })
}

/// Decides in the writer's turn, so that of two uses at once the second sees the first. `kept` are remembered already.
pub fn once(used: Use, seen: bool, kept: u64) -> Result<Change, NotOnce> {
    if seen {
        Err(NotOnce::Replayed(used.purpose))
    } else if kept >= MOST {
        Err(NotOnce::TooMany)
    } else {
        Ok(Change::PutReplay(used.record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::NOW;

    fn key(purpose: Purpose, who: &str, jti: &str) -> [u8; 32] {
        of(purpose, who, jti, NOW, NOW).unwrap().record.key
    }

    #[test]
    fn rfc9449_section_11_1_a_use_is_of_one_purpose_one_key_and_one_jti() {
        let one = key(Purpose::DpopProof, "key", "jti");
        assert_eq!(one, key(Purpose::DpopProof, "key", "jti"));
        for other in [
            key(Purpose::ClientAssertion, "key", "jti"),
            key(Purpose::DpopProof, "other", "jti"),
            key(Purpose::DpopProof, "key", "other"),
            key(Purpose::DpopProof, "keyj", "ti"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn what_cannot_be_remembered_for_long_enough_is_not_taken() {
        let until = |expires| of(Purpose::ClientAssertion, "client", "jti", expires, NOW);
        assert!(until(NOW.plus(LONGEST)).is_some());
        assert!(until(NOW.plus(LONGEST).just_after()).is_none());
    }

    #[test]
    fn a_use_is_taken_once_and_none_when_there_are_too_many() {
        let used = of(Purpose::DpopProof, "key", "jti", NOW, NOW).unwrap();
        let replayed = NotOnce::Replayed(Purpose::DpopProof);
        assert_eq!(once(used, false, 0), Ok(Change::PutReplay(used.record)));
        assert_eq!(once(used, true, 1), Err(replayed));
        assert_eq!(once(used, false, MOST), Err(NotOnce::TooMany));
        assert!(once(used, false, MOST - 1).is_ok());
    }
}
