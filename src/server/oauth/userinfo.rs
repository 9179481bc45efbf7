//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3). Reads only, except that the use of a DPoP proof is remembered
//! (RFC 9449 §11.1).

use crate::oauth::error::BearerError;
use crate::oauth::userinfo;
use crate::server::bearer::{Bearer, Refused};
use crate::server::incoming::Incoming;
use crate::server::respond;
use rouille::Response;
use serde_json::Value;

/// Answers the bearer of an access token.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    match answer(incoming) {
        Ok(claims) => respond::json(200, &claims),
        Err(refused) => refused.answer(None),
    }
}

fn answer(incoming: &Incoming<'_>) -> Result<Value, Refused> {
    let form = if incoming.request.method() == "POST" {
        Some(incoming.form().map_err(|_| BearerError::BadRequest)?)
    } else {
        None
    };
    let bearer = Bearer::of(incoming, form.as_ref())?;
    let token = &bearer.checked.token;
    let person = bearer.checked.person.as_ref();
    let claims = person
        .ok_or(BearerError::InsufficientScope("openid"))
        .and_then(|person| userinfo::answer(token, &person.user, &person.claims))
        .map_err(|error| bearer.refused(error))?;
    bearer.use_up(incoming)?;
    Ok(Value::Object(claims))
}
