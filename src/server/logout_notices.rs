//! Adds to a decision the deliveries that it owes, in the same commit: whoever is signed out is signed out of their
//! applications too, also when the server is killed right after. The rules stand in `oauth::backchannel_logout`.

use crate::model::{Change, Client, Decision};
use crate::oauth::backchannel_logout::{Person, Touched, owed};
use crate::store::{StoreError, View};
use crate::types::{ClientId, SessionId, Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How much older than its session a grant's id may seem: clocks are set back.
const SLACK: Duration = Duration::from_secs(3_600);

/// The decision with its deliveries. Called inside the writer's job, with the view that the decision saw.
pub fn with_logouts<T, E>(
    view: &View<'_>,
    mut decision: Decision<T, E>,
    now: Timestamp,
) -> Result<Decision<T, E>, StoreError> {
    let touched = Touched::by(&decision.changes);
    if touched.is_empty() {
        return Ok(decision);
    }
    let clients = listeners(view)?;
    if clients.is_empty() {
        return Ok(decision);
    }
    let mut deliveries = Vec::new();
    for (user, since) in reach(view, &touched, &clients, &decision.changes)? {
        let Some(user) = view.user(user)? else {
            continue;
        };
        let grants = view.grants_since(user.id, since)?;
        let ids: BTreeSet<SessionId> = grants.iter().map(|grant| grant.session).collect();
        let mut sessions = Vec::with_capacity(ids.len());
        for id in ids {
            sessions.extend(view.session(id)?);
        }
        let person = Person {
            user,
            grants,
            sessions,
        };
        deliveries.extend(owed(&decision.changes, &person, &clients, now));
    }
    decision.changes.extend(deliveries);
    Ok(decision)
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
