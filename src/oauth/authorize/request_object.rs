//! Request objects by value. RFC 9101, OpenID Connect Core §6.1, FAPI 2.0 Message Signing §5.3.1.
//! Owns: which signed object counts, and what becomes of the parameters beside it. Not here: what the parameters mean
//! (`request`). Objects by reference do not exist here; what was pushed is no reference (`par`).

use super::request;
use crate::crypto::compact::Compact;
use crate::crypto::jwk_set::KeySet;
use crate::model::{Client, Profile};
use crate::oauth::algorithm;
use crate::oauth::error::AuthorizeError;
use crate::types::{Form, Issuer, Timestamp};
use serde_json::{Map, Value};
use std::time::Duration;

/// In bytes: what would fit into the head of a request.
const LONGEST: usize = 16 * 1_024;
/// How far ahead `nbf` may be: clocks differ.
const AHEAD: Duration = Duration::from_secs(10);
/// In the strict profile, how old an object may be and how long it may live (FAPI 2.0 Message Signing §5.3.1).
const HOUR: Duration = Duration::from_secs(3_600);

/// What becomes of parameters that stand beside the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// They count where the object says nothing (OpenID Connect Core §6.1).
    Count,
    /// Only the object's count (RFC 9101 §6.3, RFC 9126 §3).
    AreIgnored,
}

/// The parameters of a request, those of its object first; `None` where it has no object. `at`: when it was first seen.
/// The checks, in this order:
/// 1. nothing stands twice, and no `request_uri` beside it;
/// 2. the client has keys, and one of them signed the object, which is no JWT of another kind;
/// 3. it is from the client, for us, and now;
/// 4. it does not contradict what stands outside, and holds only parameters.
pub fn open(
    client: &Client,
    form: &Form,
    beside: Beside,
    issuer: &Issuer,
    at: Timestamp,
) -> Result<Option<Form>, AuthorizeError> {
    let Some(text) = request::once(form, "request")? else {
        return Ok(None);
    };
    request::nothing_twice(form)?;
    request::once(form, "redirect_uri")?;
    // RFC 9101 §5: one or the other.
    if request::once(form, "request_uri")?.is_some() {
        return Err(AuthorizeError::BadParameter("request_uri"));
    }
    let Some(jwks) = &client.jwks else {
        return Err(AuthorizeError::RequestObject);
    };
    let claims = signed(text, client, jwks)?;
    addressed(&claims, client, issuer)?;
    timely(&claims, client.profile, at)?;
    consistent(&claims, client, form, beside)?;
    parameters(&claims, client, form, beside).map(Some)
}

const fn refused(why: &'static str) -> AuthorizeError {
    AuthorizeError::BadRequestObject(why)
}

/// RFC 9101 §6.2: with a registered key. `none` and shared secrets are no algorithms of public keys.
fn signed(text: &str, client: &Client, jwks: &Value) -> Result<Map<String, Value>, AuthorizeError> {
    if text.len() > LONGEST {
        return Err(refused("the request object is too long"));
    }
    let object = Compact::parse(text).map_err(|_| refused("the request object is not a JWT"))?;
    // RFC 8725 §3.11: what names another type is no request object (RFC 9101 §10.8). Most name none.
    if let Some(typ) = object.header("typ") {
        let typ = typ.to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        if !matches!(typ, "jwt" | "oauth-authz-req+jwt") {
            return Err(refused("typ of the request object is not its own"));
        }
    }
    // FAPI 2.0 §5.4.1. What is no algorithm of public keys is refused with the signature.
    let alg = object.algorithm();
    if alg.is_some_and(|alg| !algorithm::is_taken_from(client, alg)) {
        return Err(refused("the strict profile takes no RS256"));
    }
    let keys = KeySet::parse(jwks).map_err(|_| refused("the keys of the client are not usable"))?;
    object
        .verified_by(&keys)
        .map_err(|_| refused("the request object is not signed with a key of the client"))
}

/// RFC 9101 §4: from the client (`iss`) and for us (`aud`).
fn addressed(
    claims: &Map<String, Value>,
    client: &Client,
    issuer: &Issuer,
) -> Result<(), AuthorizeError> {
    let id = client.wire_id().to_string();
    let is_id = |name: &str| claims.get(name).and_then(Value::as_str) == Some(id.as_str());
    if !is_id("iss") {
        return Err(refused("iss of the request object is not the client id"));
    }
    // RFC 9101 §10.8: an assertion that authenticates the client has it as `sub`, and is no request.
    if is_id("sub") {
        return Err(refused("sub of the request object is the client id"));
    }
    let ours = |value: &Value| value.as_str() == Some(issuer.as_str());
    let for_us = match claims.get("aud") {
        Some(Value::Array(many)) => many.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    };
    if for_us {
        Ok(())
    } else {
        Err(refused("aud of the request object is not the issuer"))
    }
}

/// RFC 7519 §4.1.4 and §4.1.5. The strict profile wants both, within an hour.
fn timely(
    claims: &Map<String, Value>,
    profile: Profile,
    at: Timestamp,
) -> Result<(), AuthorizeError> {
    let moment = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => Timestamp::from_numeric_date(value)
            .map(Some)
            .ok_or(refused("a time of the request object is not a number")),
    };
    let (expires, begins) = (moment("exp")?, moment("nbf")?);
    if expires.is_some_and(|expires| at >= expires) {
        return Err(refused("the request object has expired"));
    }
    if begins.is_some_and(|begins| begins > at.plus(AHEAD)) {
        return Err(refused("the request object is from the future"));
    }
    if profile == Profile::Strict {
        let (Some(expires), Some(begins)) = (expires, begins) else {
            return Err(refused("the request object has no exp or no nbf"));
        };
        if at.since(begins) > HOUR || expires.since(begins) > HOUR {
            return Err(refused("the request object is good for more than an hour"));
        }
    }
    Ok(())
}

/// RFC 9101 §5 and §6.3, OpenID Connect Core §6.1: `client_id` and `response_type` are the same inside and outside.
fn consistent(
    claims: &Map<String, Value>,
    client: &Client,
    form: &Form,
    beside: Beside,
) -> Result<(), AuthorizeError> {
    // RFC 9101 §4.
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(refused("a request object cannot hold another"));
    }
    let id = client.wire_id().to_string();
    match claims.get("client_id") {
        Some(inside) if inside.as_str() != Some(id.as_str()) => {
            return Err(refused("client_id of the request object is another"));
        }
        // RFC 9101 §4: the object holds all that counts.
        None if beside == Beside::AreIgnored => {
            return Err(refused("client_id of the request object is missing"));
        }
        _ => {}
    }
    let outside = request::once(form, "response_type")?;
    let inside = claims.get("response_type");
    match (inside, outside) {
        (Some(inside), Some(outside)) if inside.as_str() != Some(outside) => {
            Err(refused("response_type of the request object is another"))
        }
        _ => Ok(()),
    }
}

/// Those inside win.
fn parameters(
    claims: &Map<String, Value>,
    client: &Client,
    form: &Form,
    beside: Beside,
) -> Result<Form, AuthorizeError> {
    let mut merged = match beside {
        Beside::Count => form.without("request"),
        Beside::AreIgnored => Form::default().with("client_id", &client.wire_id().to_string()),
    };
    let inside = claims
        .iter()
        .filter(|(name, _)| request::is_parameter(name) && *name != "client_id");
    for (name, value) in inside {
        merged = merged.without(name);
        for text in texts(name, value)? {
            merged = merged.with(name, &text);
        }
    }
    Ok(merged)
}

/// A claim as parameters (RFC 9101 §4): texts, but for the few that have another shape in JSON.
fn texts(name: &str, value: &Value) -> Result<Vec<String>, AuthorizeError> {
    let mistyped = || refused("a parameter of the request object has the wrong type");
    match (name, value) {
        (_, Value::String(text)) => Ok(vec![text.clone()]),
        ("max_age", Value::Number(_)) | ("claims" | "registration", Value::Object(_)) => {
            Ok(vec![value.to_string()])
        }
        ("resource", Value::Array(many)) => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned).ok_or_else(mistyped))
            .collect(),
        _ => Err(mistyped()),
    }
}

#[cfg(test)]
#[path = "request_object_tests.rs"]
mod tests;
