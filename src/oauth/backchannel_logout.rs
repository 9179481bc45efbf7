//! Back-channel logout. OpenID Connect Back-Channel Logout 1.0.
//! Owns: who is to be told when a session or a permission ends, what the logout token says, and what becomes of a
//! delivery. Not here: posting it (`ops::logout_delivery`), loading what a decision touches (`server::logout_notices`).
//!
//! `server::logout_notices` asks of every decision that the writer is handed, and the sweep ends sessions by decisions
//! too. So each of these is told, whoever decides it:
//! - a session ends: signing out, another person's sign-in in the same browser, an administrator, its idle or last day.
//!   The approving browser's session is that of a device (RFC 8628), too;
//! - a person is disabled, deleted, reset, or leaves the groups of an application (also when the group is deleted);
//! - a person or an administrator takes back what was granted;
//! - an application is disabled, reset, or closed to some: it is told of those who may not use it any more.
//!
//! Not told, and why:
//! - a replayed code or refresh token ends its tokens (RFC 9700 §4.14.2), but nobody's sign-in. The application meets the
//!   refusal itself; and a page that is loaded twice replays its code, which must not sign anybody out;
//! - an application that revokes its own tokens (RFC 7009) did it itself;
//! - a deleted application, also one that registered itself and is forgotten: there is no `aud` and no address any more;
//! - a grant whose time is over: the person stays signed in until the session ends.
//!
//! `backchannel_logout_session_required` (§2.2) needs no rule: `sid` is always sent.

use super::standing::{self, Ground};
use super::subject;
use crate::model::{
    Change, Client, Decision, Delivery, Event, EventKind, Grant, GrantEnd, Session, User,
};
use crate::types::{
    ClientId, DeliveryId, GrantId, GroupName, Id, Issuer, SessionId, Timestamp, UserId,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

/// The one member of `events` (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// §4 recommends two minutes at most.
const TOKEN_LIFE: Duration = Duration::from_secs(120);
/// No delivery is given up before.
const PATIENCE: Duration = Duration::from_secs(86_400);
/// Attempts that are made at least, which is half an hour: the day may have passed while the machine was off, or by a clock
/// that jumped.
const ATTEMPTS: u32 = 12;
/// Between two attempts, at most.
pub const LONGEST_GAP: Duration = Duration::from_secs(600);
/// Characters of what an attempt ran into.
const PROBLEM_MAX: usize = 300;

/// What a decision touches that somebody may have to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// They end.
    pub sessions: BTreeSet<SessionId>,
    /// They end by somebody's will.
    pub grants: BTreeSet<GrantId>,
    /// They are changed or removed.
    pub users: BTreeSet<UserId>,
    /// Their members lose them.
    pub groups: BTreeSet<GroupName>,
    /// They are changed.
    pub clients: BTreeSet<ClientId>,
}

impl Touched {
    /// By these changes.
    pub fn by(changes: &[Change]) -> Self {
        let mut touched = Self::default();
        for change in changes {
            match change {
                Change::DeleteSession(id) => drop(touched.sessions.insert(*id)),
                Change::PutGrant(grant) if revoked(grant) => drop(touched.grants.insert(grant.id)),
                Change::PutUser(user) => drop(touched.users.insert(user.id)),
                Change::DeleteUser(id) => drop(touched.users.insert(*id)),
                Change::DeleteGroup(name) => drop(touched.groups.insert(name.clone())),
                Change::PutClient(client) => drop(touched.clients.insert(client.id)),
                _ => {}
            }
        }
        touched
    }

    /// Nobody has to be told of anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A person before the decision, with what may end by it.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who.
    pub user: User,
    /// Their grants, as far as the decision can reach them.
    pub grants: Vec<Grant>,
    /// The sessions of these grants that live.
    pub sessions: Vec<Session>,
}

impl Person {
    /// Whether the changes take something from all their grants, not only from a session's.
    pub fn is_restricted(user: &User, changes: &[Change]) -> bool {
        match after(user, changes) {
            None => true,
            Some(after) => {
                (after.disabled && !user.disabled)
                    || after.tokens_not_before > user.tokens_not_before
                    || !after.groups.is_superset(&user.groups)
            }
        }
    }
}

/// Whether the changes close the application to somebody, or call its tokens back.
pub fn is_restricted(client: &Client, changes: &[Change]) -> bool {
    let after = as_changed(client, changes);
    let narrowed = !after.allowed_groups.is_empty()
        && (client.allowed_groups.is_empty()
            || !after.allowed_groups.is_superset(&client.allowed_groups));
    (after.disabled && !client.disabled)
        || after.tokens_not_before > client.tokens_not_before
        || narrowed
}

/// The application as the changes leave it.
fn as_changed<'a>(client: &'a Client, changes: &'a [Change]) -> &'a Client {
    let put = changes.iter().rev().find_map(|change| match change {
        Change::PutClient(new) if new.id == client.id => Some(&**new),
        _ => None,
    });
    put.unwrap_or(client)
}

/// The deliveries that a decision owes: one for each application and session where a grant of a person falls by it.
/// `clients` are those that want to be told.
pub fn owed(
    changes: &[Change],
    person: &Person,
    clients: &BTreeMap<ClientId, Client>,
    now: Timestamp,
) -> Vec<Change> {
    let touched = Touched::by(changes);
    let after = after(&person.user, changes);
    let mut told = BTreeSet::new();
    let mut owed = Vec::new();
    for grant in &person.grants {
        let Some((client, uri)) = clients
            .get(&grant.client)
            .and_then(|client| Some((client, client.backchannel_logout_uri.as_ref()?)))
        else {
            continue;
        };
        // Without an ID token there is no `sid`, and nobody is signed in there.
        if !grant.scope.contains("openid")
            || !falls(
                grant,
                [client, as_changed(client, changes)],
                person,
                &touched,
                after.as_ref(),
                now,
            )
            || !told.insert((grant.client, grant.session))
        {
            continue;
        }
        owed.push(Change::PutDelivery(Box::new(Delivery {
            id: id(grant, now),
            client: grant.client,
            user: grant.user,
            session: grant.session,
            // Kept: the decision may be the one that gives the client other names.
            sub: (client.sector.is_some() || person.user.subject.is_some())
                .then(|| subject::of(&person.user, client)),
            sid: client
                .sector
                .as_ref()
                .map(|_| subject::session(grant.session, client)),
            uri: uri.clone(),
            created: now,
            attempts: 0,
            due: now,
            problem: None,
            given_up: None,
        })));
    }
    owed
}

/// Whether the grant ends by the decision, for its application: with the session (whether the tokens outlive it or not:
/// §2.7), by somebody's will, or with what it stood on. `clients` is the application before and after.
fn falls(
    grant: &Grant,
    [before, changed]: [&Client; 2],
    person: &Person,
    touched: &Touched,
    after: Option<&User>,
    now: Timestamp,
) -> bool {
    if touched.sessions.contains(&grant.session) {
        // Who withdrew the permission had it told then.
        return !revoked(grant);
    }
    let session = person.sessions.iter().find(|s| s.id == grant.session);
    // The tokens of a sign-in may be over long before its session is.
    let expires = session.map_or(grant.expires, |session| grant.expires.max(session.expires));
    let lasting = Grant {
        expires,
        ..grant.clone()
    };
    let stands = |client, user| {
        let ground = Ground {
            client: Some(client),
            user,
            session,
        };
        standing::of_grant(&lasting, ground, now).is_ok()
    };
    stands(before, Some(&person.user))
        && (touched.grants.contains(&grant.id) || !stands(changed, after))
}

fn revoked(grant: &Grant) -> bool {
    matches!(grant.ended, Some((_, GrantEnd::RevokedByPerson)))
}

/// The person as the changes leave them.
fn after(user: &User, changes: &[Change]) -> Option<User> {
    let mut current = Some(user.clone());
    for change in changes {
        match change {
            Change::PutUser(new) if new.id == user.id => current = Some((**new).clone()),
            Change::DeleteUser(id) if *id == user.id => current = None,
            Change::DeleteGroup(name) => {
                if let Some(user) = &mut current {
                    user.groups.remove(name);
                }
            }
            _ => {}
        }
    }
    current
}

/// The moment, and the random part of the grant's own id: no randomness is needed inside the writer's turn.
fn id(grant: &Grant, now: Timestamp) -> DeliveryId {
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(grant.id.as_bytes().iter().skip(6)) {
        *to = *from;
    }
    DeliveryId(Id::new(now, random))
}

/// What a logout token says (§2.4): `sub` and `sid` both, and never a `nonce`.
pub fn claims(
    issuer: &Issuer,
    delivery: &Delivery,
    client: &Client,
    jti: Id,
    now: Timestamp,
) -> Value {
    let sub = delivery.sub.clone();
    let sid = delivery.sid.clone();
    json!({
        "iss": issuer.as_str(),
        "sub": sub.unwrap_or_else(|| delivery.user.to_string()),
        "aud": client.wire_id(),
        "iat": now.secs(),
        "exp": now.plus(TOKEN_LIFE).secs(),
        "jti": jti,
        "sid": sid.unwrap_or_else(|| delivery.session.to_string()),
        "events": { EVENT: {} },
    })
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// This status.
    Status(u16),
    /// No answer, and why.
    Nothing(String),
    /// Nothing was sent: the application is gone, or wants no more to be told.
    Unwanted,
}

/// Whether a delivery is to be tried. One that is due later than any gap was put off by a clock that was wrong.
pub fn is_due(delivery: &Delivery, now: Timestamp) -> bool {
    delivery.given_up.is_none() && (now >= delivery.due || delivery.due > now.plus(LONGEST_GAP))
}

/// What becomes of a delivery after an attempt (§2.8), and when it is tried again. `client` and `user` are named in the
/// event, where they still are.
pub fn after_attempt(
    delivery: Delivery,
    heard: Heard,
    client: Option<&Client>,
    user: Option<&User>,
    now: Timestamp,
) -> Decision<Option<Timestamp>, Infallible> {
    let named = |event: Event| {
        let event = match client {
            Some(client) => event.client(client),
            None => event,
        };
        match user {
            Some(user) => event.user(user),
            None => event.user_id(delivery.user),
        }
    };
    let kind = EventKind::LogoutDelivery;
    let gone = Change::DeleteDelivery(delivery.id);
    let (problem, last) = match heard {
        Heard::Status(200 | 204) => {
            return done(gone, Some(named(Event::success(kind, now))), None);
        }
        Heard::Unwanted => return done(gone, None, None),
        // The application says that the request is wrong: the same one will not be right later.
        Heard::Status(400) => (
            "it answered 400: it takes the logout token for invalid".to_owned(),
            true,
        ),
        Heard::Status(status) => (format!("it answered {status}"), false),
        Heard::Nothing(why) => (why, false),
    };
    let problem: String = problem.chars().take(PROBLEM_MAX).collect();
    let attempts = delivery.attempts.saturating_add(1);
    let last = last || (now.since(delivery.created) >= PATIENCE && attempts >= ATTEMPTS);
    // One event when it begins to fail and one when it is given up; what lies between stands in the record.
    let event = match (last, attempts) {
        (true, _) => Some(format!("given up after {attempts} attempts: {problem}")),
        (false, 1) => Some(format!("{problem}; it is tried again")),
        _ => None,
    };
    let event = event.map(|detail| named(Event::refused(kind, now, detail)));
    let due = now.plus(gap(attempts));
    let kept = Delivery {
        attempts,
        due,
        problem: Some(problem),
        given_up: last.then_some(now),
        ..delivery
    };
    let again = (!last).then_some(due);
    done(Change::PutDelivery(Box::new(kept)), event, again)
}

fn done(
    change: Change,
    event: Option<Event>,
    again: Option<Timestamp>,
) -> Decision<Option<Timestamp>, Infallible> {
    Decision {
        changes: vec![change],
        events: event.into_iter().collect(),
        reply: Ok(again),
    }
}

/// A second after the first attempt, then twice as long each time.
fn gap(attempts: u32) -> Duration {
    let doubled = 1u64
        .checked_shl(attempts.saturating_sub(1))
        .unwrap_or(u64::MAX);
    Duration::from_secs(doubled).min(LONGEST_GAP)
}

#[cfg(test)]
#[path = "backchannel_logout_tests.rs"]
mod tests;
