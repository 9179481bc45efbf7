//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3). Reads only, except that the use of a DPoP proof is remembered
//! (RFC 9449 §11.1).

use crate::model::{Decision, Event, EventKind};
use crate::oauth::dpop::{Proof, algorithms};
use crate::oauth::error::BearerError;
use crate::oauth::introspect::AccessToken;
use crate::oauth::userinfo::{self, Scheme};
use crate::server::incoming::Incoming;
use crate::server::{dpop, replays, respond, tokens};
use crate::store::StoreError;
use crate::types::WireClientId;
use rouille::Response;
use serde_json::Value;

/// Answers the bearer of an access token.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    let form = if incoming.request.method() == "POST" {
        match incoming.form() {
            Ok(form) => Some(form),
            Err(_) => return refuse(Scheme::Bearer, BearerError::BadRequest),
        }
    } else {
        None
    };
    let authorization = incoming.request.header("Authorization");
    let (scheme, text) = match userinfo::presented(authorization, form.as_ref()) {
        Ok(presented) => presented,
        Err(error) => return refuse(Scheme::Bearer, error),
    };
    match answer(incoming, scheme, text) {
        Ok(claims) => respond::json(200, &claims),
        Err(error) => refuse(scheme, error),
    }
}

fn answer(incoming: &Incoming<'_>, scheme: Scheme, text: &str) -> Result<Value, BearerError> {
    let checked = tokens::check(incoming.ctx, text, incoming.now).map_err(unavailable)?;
    let checked = checked.ok_or(BearerError::InvalidToken)?;
    let proof = userinfo::sender(&checked.token, scheme, || dpop::proof(incoming, Some(text)))
        .inspect_err(|error| record(incoming, &checked.token, *error))?;
    let person = checked
        .person
        .as_ref()
        .ok_or(BearerError::InsufficientScope)?;
    let claims = userinfo::answer(&checked.token, &person.user, &person.claims)?;
    if let Some(proof) = proof {
        use_up(incoming, proof).inspect_err(|error| record(incoming, &checked.token, *error))?;
    }
    Ok(Value::Object(claims))
}

/// In the writer's turn: of two requests with one proof, one is answered.
fn use_up(incoming: &Incoming<'_>, proof: Proof) -> Result<(), BearerError> {
    let now = incoming.now;
    let used = incoming.ctx.store.submit(move |view| {
        let refuse = |error| Decision::reply(Err(BearerError::from(error)));
        replays::deciding_once(view, &[proof.replay], now, refuse, || {
            Ok(Decision::reply(Ok(())))
        })
    });
    used.map_err(unavailable)?
}

fn unavailable(error: StoreError) -> BearerError {
    log::warn!("{error}");
    BearerError::Unavailable
}

/// A token that holds, in the hands of somebody who does not prove its key, may have been stolen.
fn record(incoming: &Incoming<'_>, token: &AccessToken, error: BearerError) {
    let Some(wire) = error.wire().filter(|wire| wire.status != 503) else {
        return;
    };
    let mut event = Event::refused(EventKind::TokenCheck, incoming.now, wire.description)
        .from(Some(incoming.address()));
    let client: Option<WireClientId> = token.text("client_id").and_then(|id| id.parse().ok());
    if let Some(client) = client.and_then(|id| incoming.ctx.client_on_wire(&id).ok().flatten()) {
        event = event.client(&client);
    }
    incoming.ctx.record_refusal(event);
}

/// RFC 6750 §3, RFC 9449 §7.1: both schemes are offered, the one that was tried first; that one says why, except where
/// no token was sent.
fn refuse(scheme: Scheme, error: BearerError) -> Response {
    let wire = error.wire();
    let mut response = match wire {
        Some(wire) => respond::oauth_error(wire),
        None => respond::plain(401, "an access token is required"),
    };
    let mut why = String::new();
    match wire {
        Some(wire) if wire.status == 503 => return response,
        Some(wire) => {
            why = format!(
                ", error=\"{}\", error_description=\"{}\"",
                wire.code, wire.description
            );
            if error == BearerError::InsufficientScope {
                why.push_str(", scope=\"openid\"");
            }
        }
        None => {}
    }
    let bearer = |why: &str| format!("Bearer realm=\"Doorlight\"{why}");
    let dpop = |why: &str| format!("DPoP algs=\"{}\"{why}", algorithms().join(" "));
    let challenges = match scheme {
        Scheme::Bearer => [bearer(&why), dpop("")],
        Scheme::Dpop => [dpop(&why), bearer("")],
    };
    for challenge in challenges {
        respond::set(&mut response, "WWW-Authenticate", challenge);
    }
    response
}
