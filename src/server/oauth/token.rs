//! `POST /token`: the walk of DESIGN §2.

use super::device_authorization::poll;
use super::{Refused, bounded, refuse, refuse_and_record, unavailable};
use crate::crypto::jws::{self, ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE};
use crate::crypto::keyring::KeyRing;
use crate::crypto::random::{self, Fresh};
use crate::model::{Client, Decision, DeviceAnswer, Event, EventKind};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::TokenError;
use crate::oauth::introspect::AccessToken;
use crate::oauth::replay::{NotOnce, Use};
use crate::oauth::token::issue::Issued;
use crate::oauth::token::{Request, client_credentials, code, device, exchange, refresh, sender};
use crate::server::incoming::Incoming;
use crate::server::standing::Records;
use crate::server::{dpop, replays, respond, tokens};
use crate::store::{StoreError, View};
use crate::types::{BearerSecret, ClientId, Form, Issuer, RefreshTokenId, Timestamp};
use rouille::Response;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Answers an authenticated client.
pub fn handle(incoming: &Incoming<'_>, form: &Form, client: &AuthenticatedClient) -> Response {
    let request = match Request::parse(form)
        .and_then(|request| request.permitted(client).map(|()| request))
    {
        Ok(request) => request,
        Err(error) => return refuse_and_record(incoming, Some(client.client()), &error),
    };
    let proof = match dpop::proof(incoming, None)
        .map_err(TokenError::Proof)
        .and_then(|proof| sender::required(client.client(), proof.as_ref()).map(|()| proof))
    {
        Ok(proof) => proof,
        Err(error) => return refuse_and_record(incoming, Some(client.client()), &error),
    };
    let uses = replays::of(client, proof.as_ref());
    let request = request.with_key(proof.map(|proof| proof.key));
    // What nobody was ever given is refused on a snapshot: strangers must not keep the writer busy.
    match is_known(incoming, &request, client) {
        Ok(None) => {}
        Ok(Some(error)) => return refuse_and_record(incoming, Some(client.client()), &error),
        Err(error) => return refuse(&unavailable(error)),
    }
    // Before the commit that issues, which takes the mark along.
    if client.client().is_use_worth_a_mark(incoming.now) {
        let id = client.client().id;
        incoming.ctx.store.mark_used(id, incoming.now);
    }
    let issued = match submit(incoming, request, client, uses) {
        Ok(Ok(issued)) => issued,
        Ok(Err(refused)) => return refused.answer(incoming),
        Err(error) => return refuse(&unavailable(error)),
    };
    match incoming.ctx.keys() {
        Ok(keys) => match signed(&issued, &incoming.ctx.config.issuer, &keys) {
            Some(answer) => answer,
            None => refuse(&TokenError::Unavailable),
        },
        Err(error) => refuse(&unavailable(error)),
    }
}

/// The answer with its tokens signed; `None` where there is no key.
fn signed(issued: &Issued, issuer: &Issuer, keys: &KeyRing) -> Option<Response> {
    let sign = |algorithm, typ, claims: Map<String, Value>| {
        jws::sign_claims(keys, algorithm, typ, &claims, issued.time())
    };
    let access = sign(
        issued.access_token_alg(),
        ACCESS_TOKEN_TYPE,
        issued.access_claims(issuer),
    )?;
    let id = match issued.id_claims(issuer, &access) {
        Some(claims) => Some(sign(issued.id_token_alg(), ID_TOKEN_TYPE, claims)?),
        None => None,
    };
    Some(respond::json(200, &issued.answer(&access, id.as_deref())))
}

/// Whether the code or refresh token exists with that verifier. One that was handed out is in every later snapshot.
/// A device that nobody has answered for learns that here too.
fn is_known(
    incoming: &Incoming<'_>,
    request: &Request,
    client: &AuthenticatedClient,
) -> Result<Option<TokenError>, StoreError> {
    let (hash, secret, error) = match request {
        Request::ClientCredentials(_) => return Ok(None),
        Request::Device(device) => return poll(incoming, device, client),
        // Its tokens are checked in `submit`, before the writer.
        Request::Exchange(_) => return Ok(None),
        Request::Code(code) => {
            let snapshot = incoming.ctx.store.snapshot()?;
            let record = code.code.as_ref().map(|s| snapshot.view().code(s.selector));
            let hash = record.transpose()?.flatten().map(|record| record.hash);
            (hash, &code.code, TokenError::InvalidCode("unknown"))
        }
        Request::Refresh(refresh) => {
            let snapshot = incoming.ctx.store.snapshot()?;
            let id = refresh.token.as_ref().map(|s| RefreshTokenId(s.selector));
            let record = id.map(|id| snapshot.view().refresh_token(id));
            let hash = record.transpose()?.flatten().map(|record| record.hash);
            (
                hash,
                &refresh.token,
                TokenError::InvalidRefreshToken("unknown"),
            )
        }
    };
    let presented = secret.as_ref().map(BearerSecret::hash);
    Ok((hash.is_none() || hash != presented).then_some(error))
}

/// Loads what the decision depends on inside the writer's job: two requests with one token come one after the other.
fn submit(
    incoming: &Incoming<'_>,
    request: Request,
    client: &AuthenticatedClient,
    uses: Vec<Use>,
) -> Result<Result<Issued, Refused>, StoreError> {
    let (now, id) = (incoming.now, client.client().id);
    let who = client.client().clone();
    match request {
        Request::ClientCredentials(request) => {
            let access = random::bytes();
            run(incoming, who, uses, move |view| {
                let Some(client) = view.shared_client(id)?.filter(|client| !client.disabled) else {
                    return Ok(gone());
                };
                Ok(client_credentials::decide(&client, &request, access, now))
            })
        }
        Request::Code(request) => {
            let fresh = fresh();
            run(incoming, who, uses, move |view| {
                let Some(client) = view.shared_client(id)? else {
                    return Ok(gone());
                };
                let code = match &request.code {
                    Some(secret) => view.code(secret.selector)?,
                    None => None,
                };
                let earlier = match code.as_ref().and_then(|code| code.redeemed) {
                    Some(grant) => view.grant(grant)?,
                    None => None,
                };
                let (records, consent) = match &code {
                    Some(code) => (
                        Records::load(view, code.user, Some(code.session), now)?,
                        view.consent(code.user, id)?,
                    ),
                    None => (Records::default(), None),
                };
                let ground = records.ground(Some(&client));
                let found = code::Found {
                    code,
                    earlier,
                    consent,
                };
                Ok(code::decide(found, ground, &client, &request, fresh, now))
            })
        }
        Request::Refresh(request) => {
            let fresh = refresh::FreshTokens {
                access: random::bytes(),
                refresh: Fresh::draw(),
            };
            run(incoming, who, uses, move |view| {
                let Some(client) = view.shared_client(id)? else {
                    return Ok(gone());
                };
                let family = match &request.token {
                    Some(secret) => family(view, RefreshTokenId(secret.selector))?,
                    None => None,
                };
                let records = match &family {
                    Some(family) => Records::of_grant(view, &family.grant, now)?,
                    None => Records::default(),
                };
                let ground = records.ground(Some(&client));
                Ok(refresh::decide(
                    family, ground, &client, &request, fresh, now,
                ))
            })
        }
        Request::Exchange(request) => exchanged(incoming, *request, id, who, uses),
        Request::Device(request) => {
            let fresh = fresh();
            run(incoming, who, uses, move |view| {
                let Some(client) = view.shared_client(id)? else {
                    return Ok(gone());
                };
                let record = match &request.device_code {
                    Some(secret) => view.device_authorization(secret.selector)?,
                    None => None,
                };
                let earlier = match record.as_ref().and_then(|record| record.redeemed) {
                    Some(grant) => view.grant(grant)?,
                    None => None,
                };
                let answer = record.as_ref().and_then(|record| record.answer.as_ref());
                let (records, consent) = match answer {
                    Some(DeviceAnswer::Allowed { user, session, .. }) => (
                        Records::load(view, *user, Some(*session), now)?,
                        view.consent(*user, id)?,
                    ),
                    _ => (Records::default(), None),
                };
                let ground = records.ground(Some(&client));
                let found = device::Known {
                    device: record,
                    earlier,
                    consent,
                };
                Ok(device::decide(found, ground, &client, &request, fresh, now))
            })
        }
    }
}

/// Signatures before the writer, standing in its turn.
fn exchanged(
    incoming: &Incoming<'_>,
    request: exchange::Request,
    id: ClientId,
    who: Arc<Client>,
    uses: Vec<Use>,
) -> Result<Result<Issued, Refused>, StoreError> {
    let (now, access) = (incoming.now, random::bytes());
    let subject = tokens::signed(incoming.ctx, request.subject_token.expose())?;
    let actor = match &request.actor_token {
        Some(text) => tokens::signed(incoming.ctx, text.expose())?,
        None => None,
    };
    run(incoming, who, uses, move |view| {
        let Some(client) = view.shared_client(id)? else {
            return Ok(gone());
        };
        let subject = subject
            .map(|token| standing(view, token, now))
            .transpose()?;
        let actor = actor.map(|token| standing(view, token, now)).transpose()?;
        Ok(exchange::decide(
            subject, actor, &client, &request, access, now,
        ))
    })
}

fn standing(
    view: &View<'_>,
    token: AccessToken,
    now: Timestamp,
) -> Result<exchange::Standing, StoreError> {
    let standing = tokens::standing(view, &token, now)?;
    Ok(exchange::Standing {
        token,
        stands: standing.is_some(),
        user: standing.flatten().map(|person| person.user),
    })
}

fn fresh() -> code::FreshTokens {
    code::FreshTokens {
        grant: random::bytes(),
        access: random::bytes(),
        refresh: Fresh::draw(),
    }
}

/// Runs a decision on the writer, where what it rests on was not used before (RFC 9449 §11.1, RFC 7523 §3, 7).
fn run(
    incoming: &Incoming<'_>,
    client: Arc<Client>,
    uses: Vec<Use>,
    decide: impl FnOnce(&View<'_>) -> Result<Decision<Issued, TokenError>, StoreError> + Send + 'static,
) -> Result<Result<Issued, Refused>, StoreError> {
    let (now, address) = (incoming.now, incoming.address());
    incoming.ctx.store.submit(move |view| {
        let refuse = |error: NotOnce| {
            let error = TokenError::from(error);
            let why = error.wire().description;
            let event = Event::refused(EventKind::TokenRequest, now, why);
            Decision::refuse(error, event.client(&client))
        };
        let decided = replays::deciding_once(view, &uses, now, refuse, || decide(view))?;
        Ok(bounded(decided, address))
    })
}

fn family(view: &View<'_>, id: RefreshTokenId) -> Result<Option<refresh::Family>, StoreError> {
    let Some(token) = view.refresh_token(id)? else {
        return Ok(None);
    };
    let Some(grant) = view.grant(token.grant)? else {
        return Ok(None);
    };
    let successor = match token.rotated {
        Some(rotated) => view.refresh_token(rotated.successor)?,
        None => None,
    };
    Ok(Some(refresh::Family {
        token,
        successor,
        grant,
    }))
}

/// The client was deleted between its authentication and the writer's turn.
fn gone() -> Decision<Issued, TokenError> {
    Decision::reply(Err(TokenError::InvalidClient {
        basic: false,
        why: "the client is gone",
    }))
}
