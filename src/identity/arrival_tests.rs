//! What becomes of a person who comes with a document.

use super::*;
use crate::identity::testing::{NOW, user};
use crate::model::{Authentication, Session};
use crate::types::{Phc, Secret, SessionId, TokenHash};
use std::time::Duration;

const HASH: &str = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$jyiOrsVpJLX0XR3mUYCWGwBGIfdLNqE3pSyjAX+Wj+A";

fn by() -> Author {
    Author {
        name: "command line".to_owned(),
        address: None,
        now: NOW.plus(Duration::from_secs(60)),
    }
}

fn given(user: &User) -> Given {
    Given {
        id: user.id,
        subject: user.subject.clone(),
        created: Some(user.created),
        updated: Some(user.updated),
        tokens_not_before: None,
        password: None,
    }
}

fn session(user: &User) -> Session {
    Session {
        id: SessionId(user.id.0),
        hash: TokenHash::of(&Secret::new(String::new())),
        user: user.id,
        authentication: Authentication {
            time: NOW,
            amr: Vec::new(),
        },
        created: NOW,
        last_seen: NOW,
        expires: NOW,
        address: None,
        user_agent: String::new(),
    }
}

#[test]
fn a_person_comes_as_they_are_and_once() {
    let there = User {
        password: Some(Phc::new(HASH.to_owned())),
        tokens_not_before: NOW.minus(Duration::from_secs(9)),
        ..user("anna", 1)
    };
    let given = Given {
        tokens_not_before: Some(there.tokens_not_before),
        password: there.password.clone(),
        ..given(&there)
    };
    let details = PersonEdit::of(&there);
    let around = Around::default();
    let taken = take_in(None, details.clone(), given.clone(), &around, &by());
    let taken = taken.unwrap().unwrap();
    assert_eq!(taken.user, there);
    assert_eq!(taken.changes, [Change::PutUser(Box::new(there.clone()))]);
    let kinds: Vec<_> = taken.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::UserAdded, EventKind::PasswordSet]);
    let again = take_in(Some(there), details, given, &around, &by()).unwrap();
    assert!(again.is_none());
}

#[test]
fn whoever_gets_another_password_or_is_switched_off_is_signed_out_everywhere() {
    let old = user("anna", 1);
    let around = Around {
        sessions: vec![session(&old)],
        ..Around::default()
    };
    let password = Given {
        password: Some(Phc::new(HASH.to_owned())),
        ..given(&old)
    };
    let off = PersonEdit {
        disabled: true,
        ..PersonEdit::of(&old)
    };
    for (details, given) in [(PersonEdit::of(&old), password), (off, given(&old))] {
        let taken = take_in(Some(old.clone()), details, given, &around, &by());
        let taken = taken.unwrap().unwrap();
        assert_eq!(taken.user.tokens_not_before, by().now.just_after());
        let ended = Change::DeleteSession(SessionId(old.id.0));
        assert_eq!(taken.changes.first(), Some(&ended));
        assert_eq!(
            taken.changes.last(),
            Some(&Change::PutUser(Box::new(taken.user)))
        );
    }
}

/// Who was shut out here since the document was written must not come back with it.
#[test]
fn tokens_that_ended_do_not_begin_again() {
    let old = User {
        tokens_not_before: NOW,
        ..user("anna", 1)
    };
    let given = Given {
        tokens_not_before: Some(NOW.minus(Duration::from_secs(9))),
        ..given(&old)
    };
    let details = PersonEdit::of(&old);
    let taken = take_in(Some(old), details, given, &Around::default(), &by());
    assert!(taken.unwrap().is_none());
}

#[test]
fn what_breaks_a_rule_is_refused() {
    let anna = user("anna", 1);
    let details = PersonEdit::of(&anna);
    let other = Around {
        namesake: Some(user("anna", 2).id),
        ..Around::default()
    };
    let taken = take_in(None, details.clone(), given(&anna), &other, &by());
    assert_eq!(taken.unwrap_err(), AdminError::NameTaken("anna".to_owned()));
    for hash in [
        "secret",
        "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$jyiOrsVpJLX0XR3mUYCWGwBGIfdLNqE3pSyjAX+Wj+A",
    ] {
        let given = Given {
            password: Some(Phc::new(hash.to_owned())),
            ..given(&anna)
        };
        let taken = take_in(None, details.clone(), given, &Around::default(), &by());
        let why = taken.unwrap_err().to_string();
        assert!(
            why.contains("password_hash") && !why.contains(hash),
            "{why}"
        );
    }
    let bad = PersonEdit {
        email: Some("nowhere".to_owned()),
        ..details
    };
    assert!(take_in(None, bad, given(&anna), &Around::default(), &by()).is_err());
}
