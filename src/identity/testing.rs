//! People for table tests.

use crate::model::{Authentication, Author, ClaimsRequest, Grant, User};
use crate::types::{ClientId, GrantId, Id, SessionId, Timestamp, UserId};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

pub(crate) fn user(name: &str, n: u8) -> User {
    let id = UserId(Id::new(NOW, [n; 10]));
    User::blank(id, name.parse().unwrap(), NOW)
}

/// Of alice, in her first session.
pub(crate) fn grant(n: u8, client: ClientId) -> Grant {
    Grant {
        id: GrantId(Id::new(NOW, [n; 10])),
        client,
        user: user("alice", 1).id,
        session: SessionId(Id::new(NOW, [1; 10])),
        offline: true,
        scope: "openid".parse().unwrap(),
        resources: Vec::new(),
        claims: ClaimsRequest::default(),
        authentication: Authentication {
            time: NOW,
            amr: Vec::new(),
        },
        created: NOW,
        expires: NOW,
        ended: None,
        dpop_jkt: None,
    }
}

/// An administrator who does something.
pub(crate) fn by() -> Author {
    Author {
        name: "root".to_owned(),
        address: None,
        now: NOW,
    }
}
