//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3). Reads only, except that the use of a DPoP proof is remembered
//! (RFC 9449 §11.1).

use crate::crypto::jws;
use crate::model::Algorithm;
use crate::oauth::error::BearerError;
use crate::oauth::userinfo;
use crate::server::bearer::{Bearer, Refused};
use crate::server::incoming::Incoming;
use crate::server::respond;
use rouille::Response;
use serde_json::{Map, Value};

/// Answers the bearer of an access token.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    answer(incoming).unwrap_or_else(|refused| refused.answer(None))
}

fn answer(incoming: &Incoming<'_>) -> Result<Response, Refused> {
    let form = if incoming.request.method() == "POST" {
        Some(incoming.form().map_err(|_| BearerError::BadRequest)?)
    } else {
        None
    };
    let bearer = Bearer::of(incoming, form.as_ref())?;
    let token = &bearer.checked.token;
    let person = bearer.checked.person.as_ref();
    let person = person.ok_or_else(|| bearer.refused(BearerError::InsufficientScope("openid")))?;
    let claims = userinfo::answer(token, &person.user, &person.claims, &person.mapped)
        .map_err(|error| bearer.refused(error))?;
    bearer.use_up(incoming)?;
    match person.signed {
        None => Ok(respond::json(200, &Value::Object(claims))),
        Some(algorithm) => {
            let claims = userinfo::addressed(claims, token, &incoming.ctx.config.issuer);
            signed(incoming, algorithm, &claims).map_err(|error| bearer.refused(error))
        }
    }
}

/// OpenID Connect Core §5.3.2.
fn signed(
    incoming: &Incoming<'_>,
    algorithm: Algorithm,
    claims: &Map<String, Value>,
) -> Result<Response, BearerError> {
    let keys = incoming.ctx.keys().map_err(|error| {
        log::warn!("{error}");
        BearerError::Unavailable
    })?;
    jws::sign_claims(&keys, algorithm, jws::RESPONSE_TYPE, claims, incoming.now)
        .map(|jwt| respond::jwt(&jwt))
        .ok_or(BearerError::Unavailable)
}
