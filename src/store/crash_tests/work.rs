//! What a house does all day, at random: the changes and events of one decision.

use super::dice::Dice;
use super::model::Model;
use crate::crypto::keyring;
use crate::model::{
    Algorithm, Authentication, AuthorizationCode, Change, Consent, Delivery, DeviceAuthorization,
    Event, EventKind, Grant, GrantEnd, Group, Link, LinkPurpose, PushedRequest, RefreshToken,
    Replay, Revocation, Rotated, Session, Settings, User,
};
use crate::types::{
    ClientId, DeliveryId, GrantId, Id, LinkId, RefreshTokenId, Scope, Secret, SessionId, Timestamp,
    TokenHash, TokenId, UserCode, UserId,
};
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// One decision.
pub(super) type Job = (Vec<Change>, Vec<Event>);

/// What an empty file gets first.
pub(super) fn furniture(dice: &mut Dice, now: Timestamp) -> Job {
    let settings = Settings::new(dice.bytes::<32>().to_vec().into());
    let mut changes = vec![Change::PutSettings(Box::new(settings))];
    changes.extend((0..3).map(|_| client(dice, now)));
    changes.extend((0..3).map(|_| user(dice, now, &Model::default())));
    changes.push(key(now));
    (changes, vec![event(EventKind::ServerStarted, now, dice)])
}

/// What happens next.
pub(super) fn job(model: &Model, dice: &mut Dice, now: Timestamp) -> Job {
    let (kind, changes) = match dice.below(26) {
        0..4 => (EventKind::SignIn, sign_in(model, dice, now)),
        4..8 => (EventKind::CodeRedeemed, redeem(model, dice, now)),
        8..13 => (EventKind::TokenRefreshed, refresh(model, dice, now)),
        13 => (EventKind::TokenRefreshed, replay_of_token(model, dice, now)),
        14 => (EventKind::TokenRevoked, vec![revocation(dice, now)]),
        15 => (EventKind::ClientCredentials, vec![once(dice, now)]),
        16 => (EventKind::KeyAdded, keys(model, dice, now)),
        17 => (EventKind::SignOut, sign_out(model, dice, now)),
        18 => (EventKind::GroupChanged, group(model, dice, now)),
        19 => (EventKind::UserChanged, change_user(model, dice, now)),
        20 => (EventKind::UserDeleted, delete_user(model, dice)),
        21 => (EventKind::DeviceAsked, device(model, dice, now)),
        22 => (EventKind::Authorization, pushed(model, dice, now)),
        23 => (EventKind::LinkMade, link(model, dice, now)),
        24 => (EventKind::ClientChanged, change_client(model, dice, now)),
        // Refused: recorded, and nothing else.
        _ => (EventKind::SignIn, Vec::new()),
    };
    let mut events = vec![event(kind, now, dice)];
    if dice.once_in(8) {
        // Some decisions record nothing.
        events.clear();
    }
    (changes, events)
}

fn event(kind: EventKind, now: Timestamp, dice: &mut Dice) -> Event {
    Event::success(kind, now).detail(format!("{:016x}", dice.next()))
}

fn id(dice: &mut Dice, now: Timestamp) -> Id {
    Id::new(now, dice.bytes())
}

fn hash(dice: &mut Dice) -> TokenHash {
    TokenHash::of(&Secret::from_random(dice.bytes()))
}

fn authentication(now: Timestamp) -> Authentication {
    Authentication {
        time: now,
        amr: vec!["pwd".to_owned()],
    }
}

fn scope() -> Scope {
    "openid offline_access".parse().unwrap()
}

fn user(dice: &mut Dice, now: Timestamp, model: &Model) -> Change {
    let groups: Vec<_> = model.groups.keys().filter(|_| dice.once_in(2)).collect();
    let user: User = serde_json::from_value(json!({
        "id": id(dice, now),
        "username": format!("u{:012x}", dice.next() >> 16),
        "name": "x".repeat(dice.below(60)),
        "admin": dice.once_in(3),
        "disabled": dice.once_in(5),
        "groups": groups,
        "created": now,
        "updated": now,
    }))
    .unwrap();
    Change::PutUser(Box::new(user))
}

/// Another one, or one who is somebody else in every respect.
fn change_user(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    let mut change = user(dice, now, model);
    if let Change::PutUser(user) = &mut change
        && let Some(id) = dice.one_of(model.users.keys())
        && dice.once_in(2)
    {
        user.id = *id;
    }
    vec![change]
}

fn client(dice: &mut Dice, now: Timestamp) -> Change {
    let client = serde_json::from_value(json!({
        "id": id(dice, now),
        "name": format!("Notes {:x}", dice.next()),
        "auth_method": "client_secret_basic",
        "redirect_uris": ["https://notes.example/cb"],
        "grants": ["authorization_code", "refresh_token"],
        "scope": "openid offline_access",
        "id_token_alg": "RS256",
        "access_token_alg": "ES256",
        "created": now,
    }));
    Change::PutClient(client.unwrap())
}

fn change_client(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    if model.clients.len() < 3 || dice.once_in(3) {
        return vec![client(dice, now)];
    }
    let gone = dice.one_of(model.clients.keys());
    gone.map(|id| Change::DeleteClient(*id))
        .into_iter()
        .collect()
}

fn delete_user(model: &Model, dice: &mut Dice) -> Vec<Change> {
    if model.users.len() < 3 {
        return Vec::new();
    }
    let gone = dice.one_of(model.users.keys());
    gone.map(|id| Change::DeleteUser(*id)).into_iter().collect()
}

fn group(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    if model.groups.len() > 3 {
        let gone = dice.one_of(model.groups.keys()).cloned();
        return gone.map(Change::DeleteGroup).into_iter().collect();
    }
    // Now and then a record that has pages of its own.
    let length = if dice.once_in(4) { 20_000 } else { 30 };
    let group = Group {
        name: format!("g{:08x}", dice.next() >> 32).parse().unwrap(),
        description: "x".repeat(dice.below(length)),
        created: now,
    };
    vec![Change::PutGroup(group)]
}

fn session(dice: &mut Dice, user: UserId, now: Timestamp) -> Session {
    Session {
        id: SessionId(id(dice, now)),
        hash: hash(dice),
        user,
        authentication: authentication(now),
        created: now,
        last_seen: now,
        expires: now.plus(DAY * 90),
        address: None,
        user_agent: "x".repeat(dice.below(200)),
    }
}

fn sign_in(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    let Some(user) = dice.one_of(model.users.keys()).copied() else {
        return Vec::new();
    };
    vec![Change::PutSession(Box::new(session(dice, user, now)))]
}

/// A code that was used, with all that came of it.
fn redeem(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    let client = dice.one_of(model.clients.keys()).copied();
    let session = dice.one_of(model.sessions.values());
    let (Some(client), Some(session)) = (client, session) else {
        return sign_in(model, dice, now);
    };
    let (user, session) = (session.record.user, session.record.id);
    let grant = Grant {
        id: GrantId(id(dice, now)),
        client,
        user,
        session,
        offline: true,
        scope: scope(),
        resources: Vec::new(),
        claims: Default::default(),
        authentication: authentication(now),
        created: now,
        expires: now.plus(DAY * 180),
        ended: None,
        dpop_jkt: None,
    };
    let code = AuthorizationCode {
        id: id(dice, now),
        hash: hash(dice),
        client,
        user,
        session,
        redirect_uri: "https://notes.example/cb".to_owned(),
        redirect_uri_sent: true,
        challenge: None,
        nonce: None,
        scope: scope(),
        claims: Default::default(),
        resources: Vec::new(),
        authentication: authentication(now),
        created: now,
        expires: now.plus(MINUTE),
        redeemed: Some(grant.id),
        dpop_jkt: None,
    };
    let token = token(dice, grant.id, now);
    let consent = Consent {
        user,
        client,
        scope: scope(),
        resources: Default::default(),
        given: now,
    };
    vec![
        Change::PutCode(Box::new(code)),
        Change::PutGrant(Box::new(grant)),
        Change::PutRefreshToken(Box::new(token)),
        Change::PutConsent(consent),
    ]
}

fn token(dice: &mut Dice, grant: GrantId, now: Timestamp) -> RefreshToken {
    RefreshToken {
        id: RefreshTokenId(id(dice, now)),
        hash: hash(dice),
        grant,
        created: now,
        expires: now.plus(DAY * 30),
        rotated: None,
    }
}

fn refresh(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    let leaves: Vec<_> = model.tokens.values().map(|kept| &kept.record).collect();
    let leaves: Vec<_> = leaves.into_iter().filter(|t| t.rotated.is_none()).collect();
    let Some(leaf) = dice.one_of(leaves.iter()) else {
        return Vec::new();
    };
    let next = token(dice, leaf.grant, now);
    let used = RefreshToken {
        rotated: Some(Rotated {
            at: now,
            successor: next.id,
        }),
        ..(*leaf).clone()
    };
    vec![
        Change::PutRefreshToken(Box::new(used)),
        Change::PutRefreshToken(Box::new(next)),
    ]
}

/// Its family ends.
fn replay_of_token(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    let grant = dice.one_of(model.grants.values());
    let ended = grant.map(|kept| Grant {
        ended: Some((now, GrantEnd::RefreshTokenReplayed)),
        ..kept.record.clone()
    });
    ended
        .map(|grant| Change::PutGrant(Box::new(grant)))
        .into_iter()
        .collect()
}

fn revocation(dice: &mut Dice, now: Timestamp) -> Change {
    Change::PutRevocation(Revocation {
        token: TokenId(id(dice, now)),
        expires: now.plus(MINUTE * 15),
    })
}

fn once(dice: &mut Dice, now: Timestamp) -> Change {
    Change::PutReplay(Replay {
        key: dice.bytes(),
        expires: now.plus(MINUTE * 2),
    })
}

fn key(now: Timestamp) -> Change {
    let key = keyring::generate(Algorithm::Es256, now, now).unwrap();
    Change::PutSigningKey(Box::new(key))
}

/// One comes, and one goes when there are some.
fn keys(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    let mut changes = vec![key(now)];
    if model.keys.len() > 2 {
        let gone = dice.one_of(model.keys.keys()).cloned();
        changes.extend(gone.map(Change::DeleteSigningKey));
    }
    changes
}

/// An application is to be told of it, and others were.
fn sign_out(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    let Some(session) = dice.one_of(model.sessions.values()) else {
        return Vec::new();
    };
    let session = &session.record;
    let mut changes = vec![Change::DeleteSession(session.id)];
    if let Some(client) = dice.one_of(model.clients.keys()).copied() {
        changes.push(Change::PutDelivery(Box::new(Delivery {
            id: DeliveryId(id(dice, now)),
            client,
            user: session.user,
            session: session.id,
            sub: None,
            sid: None,
            uri: "https://notes.example/logout".to_owned(),
            created: now,
            attempts: 0,
            due: now,
            problem: None,
            given_up: dice.once_in(3).then_some(now),
        })));
    }
    if dice.once_in(2) {
        let arrived = dice.one_of(model.deliveries.keys());
        changes.extend(arrived.map(|id| Change::DeleteDelivery(*id)));
    }
    changes
}

fn device(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    let Some(client) = dice.one_of(model.clients.keys()).copied() else {
        return Vec::new();
    };
    vec![Change::PutDeviceAuthorization(Box::new(
        DeviceAuthorization {
            id: id(dice, now),
            hash: hash(dice),
            user_code: UserCode::from_random(dice.next()),
            client,
            scope: scope(),
            resources: Vec::new(),
            address: None,
            created: now,
            expires: now.plus(MINUTE * 10),
            answer: None,
            redeemed: None,
        },
    ))]
}

fn pushed(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    if let Some(answered) = dice.one_of(model.pushed.keys())
        && dice.once_in(2)
    {
        return vec![Change::DeletePushedRequest(*answered)];
    }
    vec![Change::PutPushedRequest(Box::new(PushedRequest {
        id: id(dice, now),
        hash: hash(dice),
        client: ClientId(Id::new(now, [1; 10])),
        parameters: "x".repeat(dice.below(2_000)),
        created: now,
        expires: now.plus(MINUTE),
    }))]
}

fn link(model: &Model, dice: &mut Dice, now: Timestamp) -> Vec<Change> {
    if let Some(used) = dice.one_of(model.links.keys())
        && dice.once_in(2)
    {
        return vec![Change::DeleteLink(*used)];
    }
    vec![Change::PutLink(Link {
        id: LinkId(id(dice, now)),
        hash: hash(dice),
        purpose: LinkPurpose::Setup,
        created: now,
        expires: now.plus(DAY),
    })]
}
