//! Initial access tokens and who may register, as an administrator sets them. RFC 7591 §1.2 and §3.
//! Owns: how long a token may live and how often it may be used. Not here: their use (`registration`).

use crate::crypto::random::Fresh;
use crate::model::{
    AdminError, Author, Change, Decision, EventKind, InitialAccessToken, RegistrationPolicy,
    Settings,
};
use crate::types::appearance::is_plain_line;
use crate::types::{BearerSecret, Id, InitialTokenId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// More at once are a mistake.
const TOKENS_MAX: usize = 100;
const NOTE_MAX: usize = 100;
const DAYS: std::ops::RangeInclusive<u32> = 1..=365;
const USES: std::ops::RangeInclusive<u32> = 1..=1_000;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What a token is asked for with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewInitialToken {
    /// What it is for.
    pub note: String,
    /// 1 to 365.
    pub days: u32,
    /// Applications that it may register, 1 to 1,000.
    pub uses: u32,
}

impl Default for NewInitialToken {
    fn default() -> Self {
        Self {
            note: String::new(),
            days: 1,
            uses: 1,
        }
    }
}

/// Makes a token; its text is shown once.
pub fn add(
    new: &NewInitialToken,
    there: usize,
    fresh: Fresh,
    by: &Author,
) -> Decision<(InitialAccessToken, BearerSecret), AdminError> {
    let refuse = |field, why: &str| Decision::reply(Err(AdminError::invalid(field, why)));
    let note = new.note.trim();
    if note.chars().count() > NOTE_MAX || !is_plain_line(note) {
        return refuse("note", "at most 100 characters, on one line");
    }
    if !DAYS.contains(&new.days) {
        return refuse("days", "must be 1 to 365 days");
    }
    if !USES.contains(&new.uses) {
        return refuse("uses", "must be 1 to 1,000 applications");
    }
    if there >= TOKENS_MAX {
        return refuse("note", "there are 100 tokens already; remove some first");
    }
    let id = InitialTokenId(Id::new(by.now, fresh.id));
    let secret = BearerSecret::new(id.0, fresh.secret);
    let token = InitialAccessToken {
        id,
        hash: secret.hash(),
        note: if note.is_empty() {
            id.to_string()
        } else {
            note.to_owned()
        },
        created: by.now,
        expires: by.now.plus(DAY * new.days),
        uses_left: new.uses,
    };
    let event = by.did(EventKind::InitialTokenChanged);
    Decision {
        events: vec![event.detail(format!("made: {}", token.note))],
        changes: vec![Change::PutInitialToken(Box::new(token.clone()))],
        reply: Ok((token, secret)),
    }
}

/// Takes a token back. What it registered stays.
pub fn remove(token: &InitialAccessToken, by: &Author) -> Decision<(), AdminError> {
    let event = by.did(EventKind::InitialTokenChanged);
    Decision {
        events: vec![event.detail(format!("removed: {}", token.note))],
        changes: vec![Change::DeleteInitialToken(token.id)],
        reply: Ok(()),
    }
}

/// Says whether applications may be known by a document from now on. Off: nobody new signs in to those; what was issued
/// goes on.
pub fn set_documents(settings: Settings, on: bool, by: &Author) -> Decision<(), AdminError> {
    if settings.client_documents == on {
        return Decision::reply(Ok(()));
    }
    let mut after = settings.clone();
    after.client_documents = on;
    put(&settings, after, by)
}

/// Says who may register from now on. What is registered stays.
pub fn set_policy(
    settings: Settings,
    policy: RegistrationPolicy,
    by: &Author,
) -> Decision<(), AdminError> {
    if settings.registration == policy {
        return Decision::reply(Ok(()));
    }
    let mut after = settings.clone();
    after.registration = policy;
    put(&settings, after, by)
}

fn put(before: &Settings, after: Settings, by: &Author) -> Decision<(), AdminError> {
    Decision {
        events: vec![by.changed_settings(before, &after)],
        changes: vec![Change::PutSettings(Box::new(after))],
        reply: Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::by;

    #[test]
    fn how_long_and_how_often_is_bounded() {
        let fresh = Fresh {
            id: [1; 10],
            secret: [2; 32],
        };
        for (days, uses, note, there, good) in [
            (1, 1, "", 0, true),
            (365, 1_000, "Tablet", 99, true),
            (0, 1, "", 0, false),
            (366, 1, "", 0, false),
            (1, 0, "", 0, false),
            (1, 1_001, "", 0, false),
            (1, 1, "two\nlines", 0, false),
            (1, 1, &"x".repeat(101), 0, false),
            (1, 1, "", 100, false),
        ] {
            let new = NewInitialToken {
                note: note.to_owned(),
                days,
                uses,
            };
            let decision = add(&new, there, fresh, &by());
            assert_eq!(decision.reply.is_ok(), good, "{new:?} {there}");
            assert_eq!(decision.changes.len(), usize::from(good));
            assert_eq!(decision.events.len(), usize::from(good));
        }
    }

    #[test]
    fn what_is_stored_and_recorded_of_a_token_does_not_hold_it() {
        let fresh = Fresh {
            id: [1; 10],
            secret: [2; 32],
        };
        let decision = add(&NewInitialToken::default(), 0, fresh, &by());
        let (token, secret) = decision.reply.unwrap();
        let stored = serde_json::to_string(&token).unwrap();
        let recorded = serde_json::to_string(&decision.events).unwrap();
        for text in [stored, recorded] {
            assert!(!text.contains(secret.verifier.expose()));
        }
    }
}
