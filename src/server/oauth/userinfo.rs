//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3). Reads only.

use crate::oauth::error::BearerError;
use crate::oauth::userinfo;
use crate::server::incoming::Incoming;
use crate::server::{respond, tokens};
use rouille::Response;
use serde_json::Value;

/// Answers the bearer of an access token.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    match answer(incoming) {
        Ok(claims) => respond::json(200, &claims),
        Err(error) => refuse(error),
    }
}

fn answer(incoming: &Incoming<'_>) -> Result<Value, BearerError> {
    let form = if incoming.request.method() == "POST" {
        Some(incoming.form().map_err(|_| BearerError::BadRequest)?)
    } else {
        None
    };
    let text = userinfo::bearer(incoming.request.header("Authorization"), form.as_ref())?;
    let checked = tokens::check(incoming.ctx, text, incoming.now).map_err(|e| {
        log::warn!("{e}");
        BearerError::Unavailable
    })?;
    let checked = checked.ok_or(BearerError::InvalidToken)?;
    let person = checked
        .person
        .as_ref()
        .ok_or(BearerError::InsufficientScope)?;
    userinfo::answer(&checked.token, &person.user, &person.claims).map(Value::Object)
}

/// RFC 6750 §3: the challenge says why, except where no token was sent.
fn refuse(error: BearerError) -> Response {
    let Some(wire) = error.wire() else {
        let mut response = respond::plain(401, "an access token is required");
        respond::set(
            &mut response,
            "WWW-Authenticate",
            "Bearer realm=\"Doorlight\"",
        );
        return response;
    };
    let mut response = respond::oauth_error(wire);
    if wire.status != 503 {
        let scope = if error == BearerError::InsufficientScope {
            ", scope=\"openid\""
        } else {
            ""
        };
        let challenge = format!(
            "Bearer realm=\"Doorlight\", error=\"{}\", error_description=\"{}\"{scope}",
            wire.code, wire.description
        );
        respond::set(&mut response, "WWW-Authenticate", challenge);
    }
    response
}
