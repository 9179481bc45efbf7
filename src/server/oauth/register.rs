//! `POST /register` (RFC 7591 §3) and `GET`, `PUT`, `DELETE /register/CLIENT_ID` (RFC 7592 §2). While registration is
//! off there are no such addresses.

use crate::crypto::keyring::{self, KeyError};
use crate::crypto::random::{self, Fresh};
use crate::model::{Algorithm, Client, Decision, Event, EventKind, RegistrationPolicy};
use crate::oauth::clients::sector::Document;
use crate::oauth::error::BearerError;
use crate::oauth::keys;
use crate::oauth::registration::{
    self, Around, Metadata, Moment, Registered, RegistrationError, answer,
};
use crate::oauth::userinfo::{self, Scheme};
use crate::server::incoming::Incoming;
use crate::server::pages::failure;
use crate::server::respond;
use crate::server::sector_documents::{self, Missing};
use crate::store::{StoreError, View};
use crate::types::{BearerSecret, InitialTokenId, Secret, Timestamp, WireClientId};
use rouille::Response;
use std::sync::TryLockError;

type Refusal = RegistrationError;

/// `POST /register`.
pub fn register(incoming: &Incoming<'_>) -> Response {
    when_on(incoming, |policy| {
        let made = new_client(incoming, policy);
        answered(
            incoming,
            EventKind::Registration,
            made,
            |(client, secret, token)| {
                let told = answer::information(
                    &client,
                    &incoming.ctx.config.issuer,
                    secret.as_ref(),
                    &token.text(),
                );
                respond::json(201, &told)
            },
        )
    })
}

/// `GET /register/CLIENT_ID`.
pub fn read(incoming: &Incoming<'_>) -> Response {
    when_on(incoming, |_| {
        let known = manager(incoming);
        answered(
            incoming,
            EventKind::RegistrationChanged,
            known,
            |(client, token)| information(incoming, &client, None, &token),
        )
    })
}

/// `PUT /register/CLIENT_ID`.
pub fn update(incoming: &Incoming<'_>) -> Response {
    when_on(incoming, |_| {
        let changed = changed(incoming);
        answered(
            incoming,
            EventKind::RegistrationChanged,
            changed,
            |((client, secret), token)| information(incoming, &client, secret.as_ref(), &token),
        )
    })
}

/// `DELETE /register/CLIENT_ID`.
pub fn delete(incoming: &Incoming<'_>) -> Response {
    when_on(incoming, |_| {
        let deleted = deleted(incoming);
        answered(incoming, EventKind::RegistrationDeleted, deleted, |()| {
            Response::empty_204()
        })
    })
}

fn new_client(
    incoming: &Incoming<'_>,
    policy: RegistrationPolicy,
) -> Result<(Client, Option<Secret>, BearerSecret), Refusal> {
    let presented = presented(incoming)?;
    let now = incoming.now;
    // Who may not register is refused on a snapshot: strangers must not keep the writer busy.
    let snapshot = incoming.ctx.store.snapshot().map_err(busy)?;
    let token = initial_token(&snapshot.view(), presented.as_ref()).map_err(busy)?;
    let token = registration::admit(policy, presented.as_ref(), token, now)?;
    drop(snapshot);
    let wanted = registration::wanted(json_body(incoming)?)?;
    if token.is_none() {
        let counted = incoming.ctx.registrations.attempt(incoming.address(), now);
        counted.map_err(RegistrationError::TooOften)?;
    }
    let document = document(incoming, &wanted, None)?;
    let (fresh, random, moment) = (Fresh::draw(), random::bytes(), moment(incoming));
    let submitted = incoming.ctx.store.submit(move |view| {
        // Once more in the writer's turn: the setting may have changed, and the token may have been used up.
        let settings = view.settings()?;
        let policy = settings.map_or(RegistrationPolicy::Off, |s| s.registration);
        let token = initial_token(view, presented.as_ref())?;
        let token = match registration::admit(policy, presented.as_ref(), token, now) {
            Ok(token) => token,
            Err(error) => return Ok(Decision::reply(Err(error))),
        };
        let sectors = sector_documents::sectors(view, document)?;
        let around = Around::of(&view.clients(None, usize::MAX)?, None, sectors)
            .offering(&view.resources()?);
        let by_stranger = token.is_none();
        let decision = registration::register(&wanted, token, &around, fresh, random, moment);
        with_key(view, decision, by_stranger, now)
    });
    let (client, secret) = submitted.map_err(busy)??;
    let token = registration::registration_token(client.id, random);
    Ok((client, secret, token))
}

/// A key of a further kind in the key set can break other applications: that is not for strangers to decide.
fn with_key<T>(
    view: &View<'_>,
    decision: Decision<T, Refusal>,
    by_stranger: bool,
    now: Timestamp,
) -> Result<Decision<T, Refusal>, StoreError> {
    let known = view.signing_keys()?;
    if !keys::is_missing(&decision.changes, &known) {
        return Ok(decision);
    }
    if by_stranger {
        let error = RegistrationError::metadata("EdDSA is not in use here: choose RS256 or ES256");
        return Ok(Decision::reply(Err(error)));
    }
    // Some 50 µs.
    let made = keyring::generate(Algorithm::EdDsa, now, now)
        .map_err(|KeyError(why)| StoreError::Unavailable(why))?;
    Ok(keys::provide(decision, &known, made, now))
}

/// The client at the address, by its registration access token, on a snapshot.
fn manager(incoming: &Incoming<'_>) -> Result<(Client, BearerSecret), Refusal> {
    let presented = presented(incoming)?;
    let snapshot = incoming.ctx.store.snapshot().map_err(busy)?;
    let client = managed(&snapshot.view(), incoming.path, presented.as_ref()).map_err(busy)??;
    // Without a token nobody is a manager.
    Ok((client, presented.ok_or(RegistrationError::NoToken)?))
}

fn changed(incoming: &Incoming<'_>) -> Result<(Registered, BearerSecret), Refusal> {
    let (client, presented) = manager(incoming)?;
    let body = json_body(incoming)?.to_vec();
    let wanted = registration::replacement(&client, &body)?;
    if client
        .registered
        .as_ref()
        .is_some_and(|r| r.token.is_none())
    {
        let counted = incoming
            .ctx
            .registrations
            .attempt(incoming.address(), incoming.now);
        counted.map_err(RegistrationError::TooOften)?;
    }
    let document = document(incoming, &wanted, Some(&client))?;
    let (fresh, moment, now) = (Fresh::draw(), moment(incoming), incoming.now);
    let (path, token) = (incoming.path.to_owned(), presented.clone());
    let submitted = incoming.ctx.store.submit(move |view| {
        let client = match managed(view, &path, Some(&token))? {
            Ok(client) => client,
            Err(error) => return Ok(Decision::reply(Err(error))),
        };
        let sectors = sector_documents::sectors(view, document)?;
        let around = Around::of(&view.clients(None, usize::MAX)?, Some(client.id), sectors)
            .offering(&view.resources()?);
        let by_stranger = client
            .registered
            .as_ref()
            .is_some_and(|r| r.token.is_none());
        let decision = registration::update(client, &body, &around, fresh, moment);
        with_key(view, decision, by_stranger, now)
    });
    Ok((submitted.map_err(busy)??, presented))
}

/// The document of its sector, where one must be fetched: for those who were admitted and counted only, and before the
/// writer's turn.
fn document(
    incoming: &Incoming<'_>,
    wanted: &Metadata,
    old: Option<&Client>,
) -> Result<Option<Document>, Refusal> {
    let Some(uri) = registration::document_to_fetch(wanted, old) else {
        return Ok(None);
    };
    let of = |event: Event| {
        let event = event.from(Some(incoming.address()));
        match old {
            Some(client) => event.client(client),
            None => event,
        }
    };
    // One at a time: slow servers of applications must not keep all of our threads waiting.
    let gate = incoming.ctx.sector_call.try_lock();
    if matches!(gate, Err(TryLockError::WouldBlock)) {
        return Err(RegistrationError::Unavailable);
    }
    match sector_documents::fetch(incoming.ctx, &uri, of) {
        Ok(document) => Ok(Some(document)),
        Err(Missing::Invalid(error)) => Err(RegistrationError::of_rule(&error)),
        Err(Missing::Store(error)) => Err(busy(error)),
    }
}

fn deleted(incoming: &Incoming<'_>) -> Result<(), Refusal> {
    let (_, presented) = manager(incoming)?;
    let (path, moment) = (incoming.path.to_owned(), moment(incoming));
    let submitted = incoming.ctx.store.submit(move |view| {
        Ok(match managed(view, &path, Some(&presented))? {
            Ok(client) => registration::delete(&client, moment),
            Err(error) => Decision::reply(Err(error)),
        })
    });
    submitted.map_err(busy)?
}

/// The client that a path names, if the token is its own.
fn managed(
    view: &View<'_>,
    path: &str,
    presented: Option<&BearerSecret>,
) -> Result<Result<Client, Refusal>, StoreError> {
    let id = path
        .rsplit('/')
        .next()
        .and_then(|id| id.parse::<WireClientId>().ok());
    let client = match &id {
        Some(id) => view.client_on_wire(id)?.map(|client| *client),
        None => None,
    };
    let key = id.map(|id| id.key());
    Ok(registration::manager(key, presented, client))
}

fn initial_token(
    view: &View<'_>,
    presented: Option<&BearerSecret>,
) -> Result<Option<crate::model::InitialAccessToken>, StoreError> {
    match presented {
        Some(secret) => view.initial_token(InitialTokenId(secret.selector)),
        None => Ok(None),
    }
}

/// The bearer token of the header; one that is none of ours is refused here (RFC 6750 §2.1).
fn presented(incoming: &Incoming<'_>) -> Result<Option<BearerSecret>, Refusal> {
    match userinfo::presented(incoming.request.header("Authorization"), None) {
        Err(BearerError::Missing) => Ok(None),
        Ok((Scheme::Dpop, _)) => Err(RegistrationError::InvalidToken("malformed")),
        Ok((Scheme::Bearer, text)) => BearerSecret::parse(text)
            .map(Some)
            .ok_or(RegistrationError::InvalidToken("malformed")),
        Err(_) => Err(RegistrationError::InvalidToken("malformed")),
    }
}

/// RFC 7591 §3.1: `application/json`. Another page's form cannot send that unasked.
fn json_body<'i>(incoming: &'i Incoming<'_>) -> Result<&'i [u8], Refusal> {
    if incoming.has_media_type("application/json") {
        Ok(incoming.body)
    } else {
        Err(RegistrationError::MalformedBody)
    }
}

fn moment(incoming: &Incoming<'_>) -> Moment {
    Moment {
        now: incoming.now,
        address: incoming.address(),
    }
}

fn busy(error: StoreError) -> Refusal {
    log::warn!("{error}");
    RegistrationError::Unavailable
}

fn when_on(
    incoming: &Incoming<'_>,
    answer: impl FnOnce(RegistrationPolicy) -> Response,
) -> Response {
    match incoming.ctx.settings() {
        Ok(settings) if settings.registration == RegistrationPolicy::Off => {
            failure::not_found(incoming)
        }
        Ok(settings) => answer(settings.registration),
        Err(error) => refuse(&busy(error)),
    }
}

fn information(
    incoming: &Incoming<'_>,
    client: &Client,
    secret: Option<&Secret>,
    token: &BearerSecret,
) -> Response {
    let issuer = &incoming.ctx.config.issuer;
    respond::json(
        200,
        &answer::information(client, issuer, secret, &token.text()),
    )
}

/// Records a refusal, within bounds: none of them has changed anything.
fn answered<T>(
    incoming: &Incoming<'_>,
    kind: EventKind,
    result: Result<T, Refusal>,
    answer: impl FnOnce(T) -> Response,
) -> Response {
    match result {
        Ok(done) => answer(done),
        Err(error) => {
            if error != RegistrationError::Unavailable {
                incoming
                    .ctx
                    .record_refusal(moment(incoming).refused(kind, &error));
            }
            refuse(&error)
        }
    }
}

/// RFC 7591 §3.2.2, and RFC 6750 §3 where it is about a token.
fn refuse(error: &Refusal) -> Response {
    const REALM: &str = "Bearer realm=\"Doorlight\"";
    let Some(wire) = error.wire() else {
        let mut response = respond::plain(401, "a token is required\n");
        respond::set(&mut response, "WWW-Authenticate", REALM);
        return response;
    };
    let mut response = respond::oauth_error(wire);
    if wire.status == 401 {
        let challenge = format!(
            "{REALM}, error=\"{}\", error_description=\"{}\"",
            wire.code, wire.description
        );
        respond::set(&mut response, "WWW-Authenticate", challenge);
    }
    if let RegistrationError::TooOften(wait) = error {
        let seconds = wait.as_secs().saturating_add(1).to_string();
        respond::set(&mut response, "Retry-After", seconds);
    }
    response
}
