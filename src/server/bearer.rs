//! The access token of a request: presented in one way (RFC 6750 §2), holding, in the hands of its owner (RFC 9449 §7),
//! and what is answered where it is not (RFC 6750 §3). Not here: what a token opens.

use super::incoming::Incoming;
use super::tokens::{self, Checked};
use super::{dpop, replays, respond};
use crate::model::{Decision, Event, EventKind};
use crate::oauth::dpop::{Proof, algorithms};
use crate::oauth::error::BearerError;
use crate::oauth::introspect::AccessToken;
use crate::oauth::token::sender;
use crate::oauth::userinfo::{self, Scheme};
use crate::store::StoreError;
use crate::types::Form;
use rouille::Response;
use serde_json::json;
use std::sync::Arc;

/// A token that holds, presented by whoever it belongs to.
pub struct Bearer {
    /// The token and its person.
    pub checked: Arc<Checked>,
    scheme: Scheme,
    proof: Option<Proof>,
}

/// What is refused, and how the token came.
pub struct Refused {
    scheme: Scheme,
    error: BearerError,
}

impl Bearer {
    /// The bearer of a request. `form` is that of a POST which may carry the token.
    pub fn of(incoming: &Incoming<'_>, form: Option<&Form>) -> Result<Self, Refused> {
        let authorization = incoming.request.header("Authorization");
        let (scheme, text) = userinfo::presented(authorization, form).map_err(Refused::from)?;
        let refused = |error| Refused { scheme, error };
        let checked = tokens::check(incoming.ctx, text, incoming.now)
            .map_err(|error| refused(unavailable(error)))?
            .ok_or(refused(BearerError::InvalidToken))?;
        let proof = userinfo::sender(&checked.token, scheme, || dpop::proof(incoming, Some(text)))
            .and_then(|proof| may_sign(incoming, &checked.token, proof))
            .inspect_err(|error| record(incoming, &checked, *error))
            .map_err(refused)?;
        Ok(Self {
            checked,
            scheme,
            proof,
        })
    }

    /// Takes its proof as used, in the writer's turn: of two requests with one proof, one is answered. Last of all checks:
    /// only what is granted uses a proof up.
    pub fn use_up(&self, incoming: &Incoming<'_>) -> Result<(), Refused> {
        let Some(proof) = self.proof else {
            return Ok(());
        };
        let now = incoming.now;
        let used = incoming.ctx.store.submit(move |view| {
            let refuse = |error| Decision::reply(Err(BearerError::from(error)));
            replays::deciding_once(view, &[proof.used], now, refuse, || {
                Ok(Decision::reply(Ok(())))
            })
        });
        used.unwrap_or_else(|error| Err(unavailable(error)))
            .inspect_err(|error| self.record(incoming, *error))
            .map_err(|error| self.refused(error))
    }

    /// Notes for the administrator that it was refused something.
    pub fn record(&self, incoming: &Incoming<'_>, error: BearerError) {
        record(incoming, &self.checked, error);
    }

    /// A refusal of what it asks for.
    pub fn refused(&self, error: BearerError) -> Refused {
        Refused {
            scheme: self.scheme,
            error,
        }
    }
}

impl From<BearerError> for Refused {
    fn from(error: BearerError) -> Self {
        Self {
            scheme: Scheme::Bearer,
            error,
        }
    }
}

impl Refused {
    /// RFC 6750 §3, RFC 9449 §7.1: both schemes are offered, the one that was tried first; that one says why, except
    /// where no token was sent. `metadata` is where the resource describes itself (RFC 9728 §5.1).
    pub fn answer(&self, metadata: Option<&str>) -> Response {
        let wire = self.error.wire();
        let mut response = match wire {
            Some(wire) => respond::oauth_error(wire),
            // RFC 6750 §3.1: the challenge of a request without a token names no error. The body, which that would leave out
            // as well, says to scripts what is missing, in JSON as of every refusal.
            None => respond::json(
                401,
                &json!({ "error": "unauthorized", "error_description": "an access token is required" }),
            ),
        };
        let mut why = String::new();
        match wire {
            Some(wire) if wire.status == 503 => return response,
            Some(wire) => {
                why = format!(
                    ", error=\"{}\", error_description=\"{}\"",
                    wire.code, wire.description
                );
                if let BearerError::InsufficientScope(scope) = self.error {
                    why.push_str(&format!(", scope=\"{scope}\""));
                }
            }
            None => {}
        }
        let described = metadata
            .map(|address| format!(", resource_metadata=\"{address}\""))
            .unwrap_or_default();
        let bearer = |why: &str| format!("Bearer realm=\"Doorlight\"{why}{described}");
        let dpop = |why: &str| format!("DPoP algs=\"{}\"{why}{described}", algorithms().join(" "));
        let challenges = match self.scheme {
            Scheme::Bearer => [bearer(&why), dpop("")],
            Scheme::Dpop => [dpop(&why), bearer("")],
        };
        for challenge in challenges {
            respond::set(&mut response, "WWW-Authenticate", challenge);
        }
        response
    }
}

/// FAPI 2.0 §5.4.1: the proof must be one that the token's client may make, as at the token endpoint.
fn may_sign(
    incoming: &Incoming<'_>,
    token: &AccessToken,
    proof: Option<Proof>,
) -> Result<Option<Proof>, BearerError> {
    if let (Some(proof), Some(id)) = (&proof, token.client()) {
        let client = incoming.ctx.client_on_wire(&id).map_err(unavailable)?;
        let client = client.ok_or(BearerError::InvalidToken)?;
        sender::fits(&client, Some(proof)).map_err(BearerError::Proof)?;
    }
    Ok(proof)
}

pub(super) fn unavailable(error: StoreError) -> BearerError {
    log::warn!("{error}");
    BearerError::Unavailable
}

/// A token that holds, in the hands of somebody who does not prove its key or where it opens nothing, may have been stolen.
fn record(incoming: &Incoming<'_>, checked: &Checked, error: BearerError) {
    let Some(wire) = error.wire().filter(|wire| wire.status != 503) else {
        return;
    };
    let mut event = Event::refused(EventKind::TokenCheck, incoming.now, wire.description)
        .from(Some(incoming.address()));
    if let Some(person) = &checked.person {
        event = event.user(&person.user);
    }
    let client = checked.token.client();
    if let Some(client) = client.and_then(|id| incoming.ctx.client_on_wire(&id).ok().flatten()) {
        event = event.client(&client);
    }
    incoming.ctx.record_refusal(event);
}
