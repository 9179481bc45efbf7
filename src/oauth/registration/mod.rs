//! Applications that register themselves. RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0.
//! Owns: who may register, what of an application is its own to set. The checks, in order:
//!
//! 1. Registration is not off; the initial access token holds, or registration is open (`admit`).
//! 2. The body is one JSON object (`members::object`).
//! 3. Its members can be registered (`metadata`, `addresses`).
//! 4. Strangers have not left too many that nobody used.
//! 5. The outcome fits the rules for every application (`oauth::clients`), with the document of its sector, which was
//!    fetched before (`document_to_fetch`).
//!
//! Management (RFC 7592): the registration access token of that very client, then the same from 2 on.
//! Not here: the answer (`answer`), applications that a document describes (`document`), initial access tokens as an
//! administrator handles them (`initial_token`).

mod addresses;
pub mod answer;
pub mod document;
mod error;
pub mod initial_token;
mod members;
mod metadata;

pub use document::DocumentError;
pub use error::RegistrationError;
pub use metadata::{DEFAULT_SCOPE, Metadata};

use crate::crypto::random::Fresh;
use crate::model::{
    Change, Client, ClientAuthMethod, Decision, Event, EventKind, InitialAccessToken,
    RegistrationPolicy, Resource, SelfRegistered,
};
use crate::oauth::clients::sector::{self, Sectors};
use crate::oauth::clients::{self, ClientEdit};
use crate::oauth::target;
use crate::types::appearance::skeleton;
use crate::types::{
    BearerSecret, ClientId, Id, RedirectUri, Scope, Secret, SecretHash, Timestamp, TokenHash,
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Applications that strangers registered and nobody used, at most: past that, no stranger registers
/// (packaging/manual/applications.md).
pub const NEVER_USED_MAX: usize = 100;

/// Where the request came from and when.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// Of the client, for the audit log.
    pub address: std::net::IpAddr,
}

impl Moment {
    fn event(&self, kind: EventKind) -> Event {
        Event::success(kind, self.now).from(Some(self.address))
    }

    /// A refusal, for the audit log.
    pub fn refused(&self, kind: EventKind, error: &RegistrationError) -> Event {
        Event::refused(kind, self.now, error.detail()).from(Some(self.address))
    }
}

/// What a registration looks at beside itself.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// What the names of all other applications look like (`types::appearance`).
    pub names: BTreeSet<String>,
    /// How many applications of strangers were never used.
    pub never_used: usize,
    /// The scopes of the resources that are open to such applications (`oauth::target`).
    pub offered: Scope,
    /// How many applications a document describes.
    pub documents: usize,
    /// What a sector is made with.
    pub sectors: Sectors,
}

impl Around {
    /// Of these; `but` is the one that is changed.
    pub fn of(clients: &[Client], but: Option<ClientId>, sectors: Sectors) -> Self {
        let others = clients.iter().filter(|client| Some(client.id) != but);
        Self {
            names: others.map(|client| skeleton(&client.name)).collect(),
            never_used: clients.iter().filter(|c| c.is_strangers_unused()).count(),
            documents: clients.iter().filter(|c| c.document().is_some()).count(),
            sectors,
            offered: Scope::default(),
        }
    }

    /// With these resources.
    pub fn offering(self, resources: &[Resource]) -> Self {
        Self {
            offered: target::offered(resources),
            ..self
        }
    }
}

/// A client, and what is shown once: its secret, where one was made.
pub type Registered = (Client, Option<Secret>);

/// Whether this request may register: with which token, or as a stranger.
pub fn admit(
    policy: RegistrationPolicy,
    presented: Option<&BearerSecret>,
    token: Option<InitialAccessToken>,
    now: Timestamp,
) -> Result<Option<InitialAccessToken>, RegistrationError> {
    let Some(presented) = presented else {
        return match policy {
            RegistrationPolicy::Open => Ok(None),
            RegistrationPolicy::Off | RegistrationPolicy::Token => Err(RegistrationError::NoToken),
        };
    };
    let invalid = |why| Err(RegistrationError::InvalidToken(why));
    match token {
        _ if policy == RegistrationPolicy::Off => invalid("of no use while registration is off"),
        Some(token) if token.id.0 != presented.selector || token.hash != presented.hash() => {
            invalid("unknown")
        }
        Some(token) if !now.is_in_life(token.created, token.expires) => invalid("expired"),
        Some(token) if token.uses_left == 0 => invalid("used up"),
        Some(token) => Ok(Some(token)),
        None => invalid("unknown"),
    }
}

/// Reads what a new client wants to be.
pub fn wanted(body: &[u8]) -> Result<Metadata, RegistrationError> {
    Metadata::parse(&members::object(body)?, None)
}

/// The sector document that must be fetched before `wanted` is registered, in place of `old` (OpenID Connect Dynamic
/// Client Registration §5).
pub fn document_to_fetch(wanted: &Metadata, old: Option<&Client>) -> Option<String> {
    let before = match old {
        Some(old) => ClientEdit::of(old),
        None => ClientEdit::of(&clients::blank(
            ClientId(Id::default()),
            Timestamp::default(),
        )),
    };
    let edit = wanted.on(before, String::new());
    sector::to_fetch(old, &edit).map(str::to_owned)
}

/// Registers a client (RFC 7591 §3). `token` was admitted; none is a stranger. `registration` makes the registration
/// access token.
pub fn register(
    wanted: &Metadata,
    token: Option<InitialAccessToken>,
    around: &Around,
    fresh: Fresh,
    registration: [u8; 32],
    moment: Moment,
) -> Decision<Registered, RegistrationError> {
    if token.is_none() && around.never_used >= NEVER_USED_MAX {
        return Decision::reply(Err(RegistrationError::TooMany));
    }
    let now = moment.now;
    let id = ClientId(Id::new(now, fresh.id));
    let blank = clients::blank(id, now);
    let mut client = match settings(wanted, blank, around) {
        Ok(client) => client,
        Err(error) => return Decision::reply(Err(error)),
    };
    let access = registration_token(id, registration);
    client.registered = Some(Box::new(SelfRegistered {
        hash: access.hash(),
        token: token.as_ref().map(|token| token.id),
        ..own(wanted, around)
    }));
    let secret = first_secret(&mut client, fresh, now);
    let how = match &token {
        Some(token) => format!("with the token {}", token.note),
        None => "without a token".to_owned(),
    };
    let event = moment.event(EventKind::Registration).client(&client);
    let mut changes = vec![Change::PutClient(Box::new(client.clone()))];
    changes.extend(token.map(used_once));
    Decision {
        events: vec![event.detail(how)],
        changes,
        reply: Ok((client, secret)),
    }
}

/// The registration access token of a client from its random part.
pub fn registration_token(id: ClientId, random: [u8; 32]) -> BearerSecret {
    BearerSecret::new(id.0, random)
}

/// The client whose registration access token this is (RFC 7592 §2). One that does not exist is answered no differently,
/// and neither is one that is switched off.
pub fn manager(
    id: Option<ClientId>,
    presented: Option<&BearerSecret>,
    client: Option<Client>,
) -> Result<Client, RegistrationError> {
    let presented = presented.ok_or(RegistrationError::NoToken)?;
    let invalid = |why| Err(RegistrationError::InvalidToken(why));
    let (Some(id), Some(client)) = (id, client) else {
        return invalid("for no client that there is");
    };
    // Who describes itself in a document changes that, and has no such token.
    let own = client.registered.as_ref().filter(|r| r.document.is_none());
    let hash = own.map(|registered| registered.hash);
    if presented.selector != id.0 || client.id != id || hash != Some(presented.hash()) {
        return invalid("not that of the client");
    }
    if client.disabled {
        return invalid("that of a client that is switched off");
    }
    Ok(client)
}

/// Reads what a client wants to be instead.
pub fn replacement(old: &Client, body: &[u8]) -> Result<Metadata, RegistrationError> {
    let members = members::object(body)?;
    same(old, &members)?;
    Metadata::parse(&members, Some(old))
}

/// Replaces what the application may set (RFC 7592 §2.2).
pub fn update(
    old: Client,
    body: &[u8],
    around: &Around,
    fresh: Fresh,
    moment: Moment,
) -> Decision<Registered, RegistrationError> {
    let wanted = match replacement(&old, body) {
        Ok(wanted) => wanted,
        Err(error) => return Decision::reply(Err(error)),
    };
    let mut client = match settings(&wanted, old.clone(), around) {
        Ok(client) => client,
        Err(error) => return Decision::reply(Err(error)),
    };
    if let (Some(new), Some(kept)) = (&mut client.registered, &old.registered) {
        **new = SelfRegistered {
            hash: kept.hash,
            token: kept.token,
            last_used: kept.last_used,
            consents_not_before: kept.consents_not_before,
            document: kept.document.clone(),
            ..own(&wanted, around)
        };
        let known = |uri| old.redirect_uris.contains(uri);
        if !client.redirect_uris.iter().all(known) {
            new.consents_not_before = moment.now.just_after();
        }
    }
    if sector::renames(&old, &client) {
        client.tokens_not_before = moment.now.just_after();
    }
    // A secret that signs is kept itself, another as a hash: neither can become the other.
    let signs = |client: &Client| client.auth_method == ClientAuthMethod::ClientSecretJwt;
    if !clients::has_secret(&client) || signs(&client) != signs(&old) {
        client.secrets.clear();
    }
    let secret = first_secret(&mut client, fresh, moment.now);
    if client == old {
        return Decision::reply(Ok((old, None)));
    }
    let changed = ClientEdit::of(&old).differences(&ClientEdit::of(&client));
    let event = moment.event(EventKind::RegistrationChanged).client(&client);
    Decision {
        events: vec![event.detail(changed.join(", "))],
        changes: vec![Change::PutClient(Box::new(client.clone()))],
        reply: Ok((client, secret)),
    }
}

/// Deletes the client (RFC 7592 §2.3). Its tokens and grants stand on it and fall with it (`standing`).
pub fn delete(client: &Client, moment: Moment) -> Decision<(), RegistrationError> {
    Decision {
        changes: vec![Change::DeleteClient(client.id)],
        events: vec![moment.event(EventKind::RegistrationDeleted).client(client)],
        reply: Ok(()),
    }
}

/// `client` with what it may set, held against the rules for every application.
fn settings(
    wanted: &Metadata,
    client: Client,
    around: &Around,
) -> Result<Client, RegistrationError> {
    let name = free_name(wanted, around);
    let rules = clients::Around {
        groups: client.allowed_groups.clone(),
        sectors: around.sectors.clone(),
        ..clients::Around::default()
    };
    let edit = wanted.on(ClientEdit::of(&client), name);
    let client = edit
        .on(client, &rules)
        .map_err(|error| RegistrationError::of_rule(&error))?;
    // What comes with a resource is enough to register for: MCP clients ask for nothing else.
    if client.scope.is_empty() && wanted.scope_of_resources(around).is_empty() {
        return Err(RegistrationError::metadata(
            "scope has none of the scopes that a registered client may ask for",
        ));
    }
    Ok(client)
}

/// No two applications have one name: a stranger's must not be taken for another. RFC 7591 §2 lets a server choose.
fn free_name(wanted: &Metadata, around: &Around) -> String {
    let place = || {
        let first = wanted.redirect_uris.first();
        first.and_then(|uri| uri.trim().parse::<RedirectUri>().ok())
    };
    let name = match &wanted.name {
        Some(name) => name.clone(),
        None => place().map_or_else(|| "Application".to_owned(), |uri| uri.place()),
    };
    let is_free = |name: &String| !around.names.contains(&skeleton(name));
    if is_free(&name) {
        return name;
    }
    // There are fewer names than numbers here, so one is free.
    (2..=around.names.len().saturating_add(2))
        .map(|number| format!("{name} ({number})"))
        .find(is_free)
        .unwrap_or(name)
}

fn own(wanted: &Metadata, around: &Around) -> SelfRegistered {
    SelfRegistered {
        hash: TokenHash::of(&Secret::new(String::new())),
        token: None,
        native: wanted.native,
        contacts: wanted.contacts.clone(),
        default_max_age: wanted.default_max_age,
        require_auth_time: wanted.require_auth_time,
        last_used: None,
        consents_not_before: Timestamp::default(),
        resource_scope: wanted.scope_of_resources(around),
        document: None,
    }
}

/// A client that proves who it is with a secret and has none gets one.
fn first_secret(client: &mut Client, fresh: Fresh, now: Timestamp) -> Option<Secret> {
    if !clients::has_secret(client) || !client.secrets.is_empty() {
        return None;
    }
    let secret = Secret::from_random(fresh.secret);
    client.secrets = vec![clients::kept(client, &secret, now)];
    Some(secret)
}

fn used_once(token: InitialAccessToken) -> Change {
    match token.uses_left.checked_sub(1) {
        Some(uses_left) if uses_left > 0 => {
            Change::PutInitialToken(Box::new(InitialAccessToken { uses_left, ..token }))
        }
        _ => Change::DeleteInitialToken(token.id),
    }
}

/// RFC 7592 §2.2: a request names its client, does not name what the server alone decides, and brings no other secret
/// than the client has.
fn same(client: &Client, members: &Map<String, Value>) -> Result<(), RegistrationError> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if text("client_id") != Some(client.wire_id().to_string().as_str()) {
        return Err(RegistrationError::metadata(
            "client_id must be that of the client",
        ));
    }
    const SERVERS: [&str; 4] = [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ];
    if SERVERS.iter().any(|name| members.contains_key(*name)) {
        return Err(RegistrationError::metadata(
            "leave out registration_access_token, registration_client_uri, client_secret_expires_at and client_id_issued_at",
        ));
    }
    if members.contains_key("client_secret") {
        let hash = text("client_secret").map(|text| SecretHash::of(&Secret::new(text.to_owned())));
        let known = client
            .secrets
            .iter()
            .any(|kept| Some(&kept.hash) == hash.as_ref());
        if !known {
            return Err(RegistrationError::metadata(
                "client_secret must be that of the client",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "registration_tests.rs"]
mod tests;
