//! A small world for table tests: one client, one person, one session.

use crate::model::{
    Algorithm, Authentication, Author, Client, ClientAuthMethod, ClientKind, ClientSecret, Consent,
    DeviceAuthorization, Grant, GrantType, Resource, Sector, SelfRegistered, Session, User,
};
use crate::oauth::clients;
use crate::types::{
    ClientId, GrantId, Id, Secret, SecretHash, SessionId, Timestamp, TokenHash, UserCode, UserId,
};
use std::time::Duration;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

/// An administrator who does something.
pub(crate) fn by() -> Author {
    Author {
        name: "root".to_owned(),
        address: None,
        now: NOW,
    }
}

pub(crate) fn secret() -> Secret {
    Secret::from_random([7; 32])
}

pub(crate) fn client() -> Client {
    Client {
        name: "Notes".to_owned(),
        secrets: vec![ClientSecret {
            key: None,
            hash: SecretHash::of(&secret()),
            created: NOW,
        }],
        redirect_uris: vec!["https://notes.example/cb".parse().unwrap()],
        post_logout_redirect_uris: vec!["https://notes.example/bye".parse().unwrap()],
        grants: [
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
        ]
        .into(),
        scope: "openid profile email groups offline_access"
            .parse()
            .unwrap(),
        ..clients::blank(ClientId(Id::new(NOW, [1; 10])), NOW)
    }
}

/// A resource that nobody may ask for.
pub(crate) fn resource(identifier: &str) -> Resource {
    Resource {
        identifier: identifier.to_owned(),
        name: "API".to_owned(),
        scope: Default::default(),
        token_seconds: 900,
        alg: Algorithm::Es256,
        clients: [].into(),
        servers: [].into(),
        registered_clients: false,
        created: NOW,
    }
}

/// What an application has that a stranger registered.
pub(crate) fn self_registered() -> SelfRegistered {
    SelfRegistered {
        hash: TokenHash::of(&secret()),
        token: None,
        native: false,
        contacts: Vec::new(),
        default_max_age: None,
        require_auth_time: false,
        last_used: None,
        consents_not_before: Timestamp::default(),
        resource_scope: Default::default(),
        document: None,
    }
}

pub(crate) fn public_client() -> Client {
    Client {
        auth_method: ClientAuthMethod::None,
        secrets: Vec::new(),
        kind: ClientKind::SinglePage,
        ..client()
    }
}

pub(crate) fn user() -> User {
    User {
        name: Some("Alice".to_owned()),
        email: Some("alice@example.org".to_owned()),
        email_verified: true,
        groups: ["family".parse().unwrap()].into(),
        ..User::blank(UserId(Id::new(NOW, [2; 10])), "alice".parse().unwrap(), NOW)
    }
}

pub(crate) fn authentication() -> Authentication {
    Authentication {
        time: NOW,
        amr: vec!["pwd".to_owned()],
    }
}

pub(crate) fn session() -> Session {
    Session {
        id: SessionId(Id::new(NOW, [3; 10])),
        hash: TokenHash::of(&secret()),
        user: user().id,
        authentication: authentication(),
        created: NOW,
        last_seen: NOW,
        expires: NOW.plus(Duration::from_secs(86_400)),
        address: None,
        user_agent: String::new(),
    }
}

pub(crate) fn grant(client: &Client) -> Grant {
    Grant {
        id: GrantId(Id::new(NOW, [4; 10])),
        client: client.id,
        user: user().id,
        session: session().id,
        offline: false,
        scope: "openid email".parse().unwrap(),
        resources: Vec::new(),
        claims: crate::model::ClaimsRequest::default(),
        authentication: authentication(),
        created: NOW,
        expires: NOW.plus(Duration::from_secs(365 * 86_400)),
        ended: None,
        dpop_jkt: None,
    }
}

/// A device that asked just now; the verifier is `secret()`.
pub(crate) fn device(client: &Client) -> DeviceAuthorization {
    DeviceAuthorization {
        id: Id::new(NOW, [5; 10]),
        hash: TokenHash::of(&secret()),
        user_code: UserCode::from_random(7),
        client: client.id,
        scope: "openid offline_access".parse().unwrap(),
        resources: Vec::new(),
        address: None,
        created: NOW,
        expires: NOW.plus(Duration::from_secs(600)),
        answer: None,
        redeemed: None,
    }
}

/// What the person agreed to: all that the client may ask for.
pub(crate) fn agreed(client: &Client) -> Consent {
    Consent {
        user: user().id,
        client: client.id,
        scope: client.scope.clone(),
        resources: [].into(),
        given: NOW,
    }
}

/// The client, with names of its sector's own.
pub(crate) fn of_sector(host: &str, key: u8) -> Client {
    Client {
        sector: Some(Box::new(Sector {
            host: host.parse().unwrap(),
            uri: None,
            key: vec![key; 32].into(),
        })),
        ..client()
    }
}
