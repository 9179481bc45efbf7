//! What a person may do to their own account.

use crate::model::{Change, Client, Decision, Event, EventKind, Grant, GrantEnd, Session, User};
use crate::types::{ClientId, Timestamp};
use std::net::IpAddr;

/// The thing is not this person's, or not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotYours;

/// Takes an application's permission back, and ends all that was granted to it. `grants` are the person's.
pub fn revoke_application(
    user: &User,
    client: ClientId,
    known: Option<&Client>,
    grants: Vec<Grant>,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Decision<(), NotYours> {
    let mut changes = vec![Change::DeleteConsent(user.id, client)];
    let live = grants
        .into_iter()
        .filter(|grant| grant.client == client && grant.ended.is_none());
    changes.extend(live.map(|grant| {
        Change::PutGrant(Box::new(Grant {
            ended: Some((now, GrantEnd::RevokedByPerson)),
            ..grant
        }))
    }));
    let event = Event::success(EventKind::ConsentRevoked, now)
        .user(user)
        .from(address);
    let event = match known {
        Some(client) => event.client(client),
        None => event,
    };
    Decision {
        changes,
        events: vec![event],
        reply: Ok(()),
    }
}

/// Ends one of the person's own sessions.
pub fn end_session(
    user: &User,
    session: Option<&Session>,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Decision<(), NotYours> {
    match session.filter(|session| session.user == user.id) {
        Some(session) => Decision {
            changes: vec![Change::DeleteSession(session.id)],
            events: vec![
                Event::success(EventKind::SessionRevoked, now)
                    .user(user)
                    .from(address),
            ],
            reply: Ok(()),
        },
        None => Decision::reply(Err(NotYours)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::{NOW, grant, user};
    use crate::model::Authentication;
    use crate::types::{Id, SessionId, TokenHash};

    #[test]
    fn revoking_an_application_ends_its_grants_and_no_others() {
        let (notes, photos) = (
            ClientId(Id::new(NOW, [1; 10])),
            ClientId(Id::new(NOW, [2; 10])),
        );
        let grants = vec![grant(1, notes), grant(2, photos)];
        let decision = revoke_application(&user("alice", 1), notes, None, grants, None, NOW);
        let [Change::DeleteConsent(_, gone), Change::PutGrant(ended)] = &decision.changes[..]
        else {
            panic!()
        };
        assert_eq!((*gone, ended.client), (notes, notes));
        assert_eq!(ended.ended, Some((NOW, GrantEnd::RevokedByPerson)));
    }

    #[test]
    fn nobody_ends_another_persons_session() {
        let session = Session {
            id: SessionId(Id::new(NOW, [1; 10])),
            hash: TokenHash::of(&crate::types::Secret::new(String::new())),
            user: user("bob", 2).id,
            authentication: Authentication {
                time: NOW,
                amr: Vec::new(),
            },
            created: NOW,
            last_seen: NOW,
            expires: NOW,
            address: None,
            user_agent: String::new(),
        };
        assert_eq!(
            end_session(&user("alice", 1), Some(&session), None, NOW).reply,
            Err(NotYours)
        );
        assert_eq!(
            end_session(&user("bob", 2), Some(&session), None, NOW).reply,
            Ok(())
        );
    }
}
