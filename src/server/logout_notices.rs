//! The deliveries that a decision owes, in the same commit: whoever is signed out is signed out of their applications too,
//! also when the server is killed right after. Asked for every decision that the store is handed, whoever made it
//! (`called_back`). The rules stand in `oauth::backchannel_logout`.

use crate::model::{Change, Client, Grant, Session};
use crate::oauth::backchannel_logout::{Person, Touched, is_restricted, owed};
use crate::ops::clock;
use crate::store::{StoreError, View};
use crate::types::{ClientId, SessionId, Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How much older than its session a grant's id may seem: clocks are set back.
const SLACK: Duration = Duration::from_secs(3_600);

/// What these changes owe. Called inside the writer's turn, with the view that the decision saw.
pub fn owed_by(view: &View<'_>, changes: &[Change]) -> Result<Vec<Change>, StoreError> {
    let touched = Touched::by(changes);
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    let clients = listeners(view)?;
    if clients.is_empty() {
        return Ok(Vec::new());
    }
    let mut held = BTreeMap::new();
    for (user, since) in reach(view, &touched, &clients, changes)? {
        held.insert(user, view.grants_since(user, since)?);
    }
    // An application is closed to somebody: rare, and worth a look at everything.
    for client in touched.clients.iter().filter_map(|id| clients.get(id)) {
        if is_restricted(client, changes) {
            held.extend(view.grants_of_client(client.id)?);
        }
    }
    let now = clock::now();
    let mut deliveries = Vec::new();
    for (user, grants) in held {
        if let Some(person) = person(view, user, grants)? {
            deliveries.extend(owed(changes, &person, &clients, now));
        }
    }
    Ok(deliveries)
}

fn person(view: &View<'_>, user: UserId, grants: Vec<Grant>) -> Result<Option<Person>, StoreError> {
    let Some(user) = view.user(user)? else {
        return Ok(None);
    };
    let ids: BTreeSet<SessionId> = grants.iter().map(|grant| grant.session).collect();
    let mut sessions = Vec::with_capacity(ids.len());
    for id in ids {
        sessions.extend(view.session(id)?);
    }
    Ok(Some(Person {
        user,
        grants,
        sessions,
    }))
}

/// What a session was used for, the latest first.
pub fn grants_of_session(view: &View<'_>, session: &Session) -> Result<Vec<Grant>, StoreError> {
    let mut grants = view.grants_since(session.user, session.created.minus(SLACK))?;
    grants.retain(|grant| grant.session == session.id);
    Ok(grants)
}

/// The applications of these grants.
pub fn clients_of(
    view: &View<'_>,
    grants: &[Grant],
) -> Result<BTreeMap<ClientId, Client>, StoreError> {
    let ids: BTreeSet<ClientId> = grants.iter().map(|grant| grant.client).collect();
    let mut clients = BTreeMap::new();
    for id in ids {
        clients.extend(view.client(id)?.map(|client| (id, client)));
    }
    Ok(clients)
}

/// The applications that want to be told.
fn listeners(view: &View<'_>) -> Result<BTreeMap<ClientId, Client>, StoreError> {
    let clients = view.clients(None, usize::MAX)?;
    let listening = clients
        .into_iter()
        .filter(|client| client.backchannel_logout_uri.is_some());
    Ok(listening.map(|client| (client.id, client)).collect())
}

/// Whose grants, from when on, the decision may end. Grants are in order of time, so those of a session are not looked
/// for among older ones.
fn reach(
    view: &View<'_>,
    touched: &Touched,
    clients: &BTreeMap<ClientId, Client>,
    changes: &[Change],
) -> Result<BTreeMap<UserId, Timestamp>, StoreError> {
    let mut reach = BTreeMap::new();
    let mut add = |user: UserId, since: Timestamp| {
        let earliest = reach.entry(user).or_insert(since);
        *earliest = since.min(*earliest);
    };
    for id in &touched.sessions {
        if let Some(session) = view.session(*id)? {
            add(session.user, session.created.minus(SLACK));
        }
    }
    for id in &touched.grants {
        if let Some(grant) = view.grant(*id)? {
            add(grant.user, id.0.time());
        }
    }
    for id in &touched.users {
        if let Some(user) = view.user(*id)?
            && Person::is_restricted(&user, changes)
        {
            add(user.id, Timestamp::default());
        }
    }
    let asked_for = |name| clients.values().any(|c| c.allowed_groups.contains(name));
    for name in touched.groups.iter().filter(|name| asked_for(*name)) {
        for member in view.members(name, usize::MAX)? {
            add(member, Timestamp::default());
        }
    }
    Ok(reach)
}

#[cfg(test)]
#[path = "logout_notices_tests.rs"]
mod tests;
