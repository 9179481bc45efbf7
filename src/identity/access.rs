//! What an administrator ends: a browser's session, an application's grant.

use super::author::Author;
use crate::model::{
    AdminError, Change, Client, Decision, Event, EventKind, Grant, GrantEnd, Session, User,
};

/// Ends a session. `user` is whose it is.
pub fn end_session(
    session: &Session,
    user: Option<&User>,
    by: &Author,
) -> Decision<(), AdminError> {
    let event = by.did(EventKind::SessionRevoked).user_id(session.user);
    Decision {
        changes: vec![Change::DeleteSession(session.id)],
        events: vec![whose(event, user)],
        reply: Ok(()),
    }
}

/// Ends a grant, and with it every token issued from it. One that has ended stays as it ended.
pub fn end_grant(
    grant: Grant,
    user: Option<&User>,
    client: Option<&Client>,
    by: &Author,
) -> Decision<(), AdminError> {
    if grant.ended.is_some() {
        return Decision::reply(Ok(()));
    }
    let event = by.did(EventKind::TokenRevoked).user_id(grant.user);
    let event = match client {
        Some(client) => event.client(client),
        None => event,
    };
    Decision {
        changes: vec![Change::PutGrant(Box::new(Grant {
            ended: Some((by.now, GrantEnd::RevokedByPerson)),
            ..grant
        }))],
        events: vec![whose(event, user)],
        reply: Ok(()),
    }
}

/// Ends everything that anybody is signed in with: `sessions`, and `grants` with every token issued from them. One event
/// stands for all.
pub fn end_everything(
    sessions: &[Session],
    grants: Vec<Grant>,
    by: &Author,
) -> Decision<(), AdminError> {
    let grants = grants.into_iter().filter(|grant| grant.ended.is_none());
    let ended = grants.map(|grant| {
        Change::PutGrant(Box::new(Grant {
            ended: Some((by.now, GrantEnd::RevokedByPerson)),
            ..grant
        }))
    });
    let gone = sessions
        .iter()
        .map(|session| Change::DeleteSession(session.id));
    Decision {
        changes: ended.chain(gone).collect(),
        events: vec![by.did(EventKind::SessionRevoked).detail("all of them")],
        reply: Ok(()),
    }
}

fn whose(event: Event, user: Option<&User>) -> Event {
    match user {
        Some(user) => event.user(user),
        None => event,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::{NOW, by, grant, user};
    use crate::types::{ClientId, Id};

    #[test]
    fn a_grant_ends_once_and_keeps_its_first_end() {
        let id = Id::new(NOW, [1; 10]);
        let anna = user("anna", 1);
        let grant = grant(1, ClientId(id));
        let by = by();
        let decision = end_grant(grant, Some(&anna), None, &by);
        assert_eq!(decision.events[0].username.as_deref(), Some("anna"));
        let [Change::PutGrant(ended)] = &decision.changes[..] else {
            panic!()
        };
        assert_eq!(ended.ended, Some((NOW, GrantEnd::RevokedByPerson)));
        let replayed = Grant {
            ended: Some((NOW, GrantEnd::CodeReplayed)),
            ..(**ended).clone()
        };
        let again = end_grant(replayed.clone(), None, None, &by);
        assert!(again.changes.is_empty() && again.events.is_empty());
        let open = Grant {
            ended: None,
            ..replayed.clone()
        };
        let all = end_everything(&[], vec![open, replayed], &by);
        assert_eq!(all.changes, [Change::PutGrant(ended.clone())]);
        assert_eq!(all.events.len(), 1);
    }
}
