//! Sign-in and what comes of it: the session of a browser. OpenID Connect Core §2 (`auth_time`, `amr`).
//! Owns: when a session begins, is renewed, and holds. Not here: checking a password (`crypto::password`), cookies.

use crate::crypto::random::Fresh;
use crate::model::{Authentication, Change, Decision, Event, EventKind, Session, Settings, User};
use crate::types::appearance::is_unseen;
use crate::types::{BearerSecret, Id, Phc, SessionId, Timestamp};
use std::net::IpAddr;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Why a sign-in failed. The person is told one sentence for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInError {
    /// No such name, or no password set.
    Unknown,
    /// Not the password.
    WrongPassword,
    /// The person is disabled.
    Disabled,
    /// The password was changed while it was being checked.
    Changed,
}

impl SignInError {
    fn words(self) -> &'static str {
        match self {
            Self::Unknown => "no such name, or no password set",
            Self::WrongPassword => "wrong password",
            Self::Disabled => "the person is disabled",
            Self::Changed => "the password changed meanwhile",
        }
    }
}

/// What the browser shows with its sign-in.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// Where it is.
    pub address: Option<IpAddr>,
    /// What it calls itself; cut to 200 characters.
    pub user_agent: String,
}

/// What was found when the password was checked, before the writer's turn.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The stored hash it was checked against.
    pub against: Option<Phc>,
    /// Whether it fitted.
    pub right: bool,
    /// A new hash to store, where the old one is outdated.
    pub rehashed: Option<Phc>,
}

/// A session and the secret that its cookie carries.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The record.
    pub session: Session,
    /// For the cookie.
    pub secret: BearerSecret,
}

/// Decides over a sign-in with a password. `current` is the browser's session, if it has one that holds: the same
/// person's is renewed under its id, with a new secret; another's ends.
pub fn sign_in(
    user: Option<User>,
    checked: &Checked,
    current: Option<Session>,
    browser: &Browser,
    settings: &Settings,
    fresh: Fresh,
    now: Timestamp,
) -> Decision<SignedIn, SignInError> {
    let kind = match (&user, &current) {
        (Some(user), Some(session)) if session.user == user.id => EventKind::Reauthentication,
        _ => EventKind::SignIn,
    };
    let refuse = |error: SignInError, user: Option<&User>| {
        let event = Event::refused(kind, now, error.words()).from(browser.address);
        Decision::refuse(error, user.map_or(event.clone(), |user| event.user(user)))
    };
    let Some(mut user) = user.filter(|user| user.password.is_some()) else {
        return refuse(SignInError::Unknown, None);
    };
    if user.password != checked.against {
        return refuse(SignInError::Changed, Some(&user));
    }
    if !checked.right {
        return refuse(SignInError::WrongPassword, Some(&user));
    }
    if user.disabled {
        return refuse(SignInError::Disabled, Some(&user));
    }
    let mut changes = Vec::new();
    if let Some(hash) = &checked.rehashed {
        user.password = Some(hash.clone());
        changes.push(Change::PutUser(Box::new(user.clone())));
    }
    let authentication = Authentication {
        time: now,
        amr: vec!["pwd".to_owned()],
    };
    let (signed_in, ended) = begin(
        &user,
        authentication,
        current,
        browser,
        settings,
        fresh,
        now,
    );
    changes.extend(ended.map(Change::DeleteSession));
    changes.push(Change::PutSession(Box::new(signed_in.session.clone())));
    let event = Event::success(kind, now).user(&user).from(browser.address);
    Decision {
        changes,
        events: vec![event],
        reply: Ok(signed_in),
    }
}

/// A session for a person who has proved who they are, and the other person's session that ends with it.
pub fn begin(
    user: &User,
    authentication: Authentication,
    current: Option<Session>,
    browser: &Browser,
    settings: &Settings,
    fresh: Fresh,
    now: Timestamp,
) -> (SignedIn, Option<SessionId>) {
    let (kept, ended) = match current {
        Some(session) if session.user == user.id && holds(&session, user, settings, now) => {
            (Some(session), None)
        }
        Some(session) => (None, Some(session.id)),
        None => (None, None),
    };
    let id = kept
        .as_ref()
        .map_or(Id::new(now, fresh.id), |session| session.id.0);
    let secret = BearerSecret::new(id, fresh.secret);
    let session = Session {
        id: SessionId(id),
        hash: secret.hash(),
        user: user.id,
        authentication,
        created: kept.as_ref().map_or(now, |session| session.created),
        last_seen: now,
        expires: now.plus(DAY * settings.session_absolute_days),
        address: browser.address,
        user_agent: browser
            .user_agent
            .chars()
            .filter(|c| !is_unseen(*c))
            .take(200)
            .collect(),
    };
    (SignedIn { session, secret }, ended)
}

/// Whether a session holds: not past its end, not idle for too long, its person enabled and not reset since.
pub fn holds(session: &Session, user: &User, settings: &Settings, now: Timestamp) -> bool {
    session.user == user.id
        && !user.disabled
        && session.created >= user.tokens_not_before
        && now < session.expires
        && now < session.last_seen.plus(DAY * settings.session_idle_days)
}

/// Whether the person proved who they are recently enough to change things.
pub fn is_fresh(session: &Session, now: Timestamp) -> bool {
    session.authentication.is_recent(now)
}

/// Ends the browser's own session.
pub fn sign_out(
    session: &Session,
    user: &User,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Decision<(), ()> {
    Decision {
        changes: vec![Change::DeleteSession(session.id)],
        events: vec![
            Event::success(EventKind::SignOut, now)
                .user(user)
                .from(address),
        ],
        reply: Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::{NOW, user};
    use crate::model::Outcome;

    fn settings() -> Settings {
        Settings::new(vec![0; 32].into())
    }

    fn fresh(n: u8) -> Fresh {
        Fresh {
            id: [n; 10],
            secret: [n; 32],
        }
    }

    fn alice() -> User {
        User {
            password: Some(Phc::new("phc".to_owned())),
            ..user("alice", 1)
        }
    }

    fn checked(right: bool) -> Checked {
        Checked {
            against: Some(Phc::new("phc".to_owned())),
            right,
            rehashed: None,
        }
    }

    fn run(
        user: Option<User>,
        checked: &Checked,
        current: Option<Session>,
    ) -> Decision<SignedIn, SignInError> {
        sign_in(
            user,
            checked,
            current,
            &Browser::default(),
            &settings(),
            fresh(2),
            NOW,
        )
    }

    #[test]
    fn a_right_password_begins_a_session_and_a_wrong_one_leaves_an_event() {
        let decision = run(Some(alice()), &checked(true), None);
        assert!(matches!(&decision.changes[..], [Change::PutSession(_)]));
        let signed_in = decision.reply.unwrap();
        assert_eq!(signed_in.session.hash, signed_in.secret.hash());
        for (user, checked, error) in [
            (None, checked(false), SignInError::Unknown),
            (Some(alice()), checked(false), SignInError::WrongPassword),
            (
                Some(User {
                    disabled: true,
                    ..alice()
                }),
                checked(true),
                SignInError::Disabled,
            ),
            (
                Some(User {
                    password: Some(Phc::new("new".to_owned())),
                    ..alice()
                }),
                checked(true),
                SignInError::Changed,
            ),
            (
                Some(User {
                    password: None,
                    ..alice()
                }),
                checked(true),
                SignInError::Unknown,
            ),
        ] {
            let decision = run(user, &checked, None);
            assert_eq!(decision.reply.unwrap_err(), error);
            assert!(decision.changes.is_empty());
            assert_eq!(decision.events[0].outcome, Outcome::Refused);
        }
    }

    #[test]
    fn signing_in_again_renews_the_secret_and_another_person_ends_the_session() {
        let first = run(Some(alice()), &checked(true), None).reply.unwrap();
        let again = sign_in(
            Some(alice()),
            &checked(true),
            Some(first.session.clone()),
            &Browser::default(),
            &settings(),
            fresh(3),
            NOW,
        );
        let again = again.reply.unwrap();
        assert_eq!(again.session.id, first.session.id);
        assert_ne!(again.session.hash, first.session.hash);

        let bob = User {
            password: Some(Phc::new("phc".to_owned())),
            ..user("bob", 9)
        };
        let current = Some(first.session.clone());
        let decision = sign_in(
            Some(bob),
            &checked(true),
            current,
            &Browser::default(),
            &settings(),
            fresh(4),
            NOW,
        );
        assert_eq!(decision.changes[0], Change::DeleteSession(first.session.id));
        assert_ne!(decision.reply.unwrap().session.id, first.session.id);
    }

    #[test]
    fn a_session_holds_until_its_end_its_idle_time_or_its_persons_reset() {
        let (alice, settings) = (alice(), settings());
        let session = run(Some(alice.clone()), &checked(true), None)
            .reply
            .unwrap()
            .session;
        assert!(holds(&session, &alice, &settings, NOW.plus(DAY * 13)));
        assert!(!holds(&session, &alice, &settings, NOW.plus(DAY * 14)));
        let seen = Session {
            last_seen: NOW.plus(DAY * 89),
            ..session.clone()
        };
        assert!(holds(&seen, &alice, &settings, NOW.plus(DAY * 89)));
        assert!(!holds(&seen, &alice, &settings, NOW.plus(DAY * 90)));
        let reset = User {
            tokens_not_before: NOW.plus(Duration::from_millis(1)),
            ..alice.clone()
        };
        assert!(!holds(&session, &reset, &settings, NOW));
        assert!(!holds(
            &session,
            &User {
                disabled: true,
                ..alice
            },
            &settings,
            NOW
        ));
    }
}
