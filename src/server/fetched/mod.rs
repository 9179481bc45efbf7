//! Documents that belong to an application and stand at an address of its own: its keys (`jwks_uri`, RFC 7591 §2), and
//! requests by reference (RFC 9101 §5.2).
//! Owns: what is kept of them and for how long, and the event of each call that came to nothing. Not here: what they
//! say (`oauth`), how a call is bounded (`ops::outbound`).
//!
//! A fetch happens on the thread of its request: never on the writer, and before that request opens a snapshot.

mod cache;

pub use cache::Unfetched;

use super::context::Context;
use super::incoming::Incoming;
use crate::crypto::compact::Compact;
use crate::crypto::jwk_set::KeySet;
use crate::model::{Client, Event, EventKind};
use crate::ops::outbound::{self, OutboundError, Purpose};
use crate::types::strict_json;
use cache::Cache;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// OpenID Connect Core §10.1.1: keys may be remembered, and are asked for again when none of them made a signature.
/// `Cache-Control` is not read: an hour bounds how long a withdrawn key still counts.
const KEYS: Duration = Duration::from_secs(3_600);
/// Somebody reloads a page, or signs in: long enough for that.
const REQUESTS: Duration = Duration::from_secs(60);

/// What was fetched, by purpose and address.
pub struct Fetched {
    keys: Cache<Value>,
    requests: Cache<String>,
}

impl Default for Fetched {
    fn default() -> Self {
        Self {
            keys: Cache::new(KEYS),
            requests: Cache::new(REQUESTS),
        }
    }
}

/// The client with the keys that count for a JWT of it: where they stand at an address of its own, what is there now is
/// put in their place. For the checks of this request; never stored.
pub fn with_keys(
    incoming: &Incoming<'_>,
    client: Arc<Client>,
    jwt: &str,
) -> Result<Arc<Client>, Unfetched> {
    if client.disabled || client.jwks.is_some() {
        return Ok(client);
    }
    let Some(url) = client.jwks_uri.clone() else {
        return Ok(client);
    };
    let ctx = incoming.ctx;
    let keys = |no_use: Option<&Arc<Value>>| {
        ctx.fetched.keys.get(
            &url,
            ctx.store.settings_changes(),
            client.registered.is_some(),
            incoming.now,
            no_use,
            || {
                call(incoming, &client, Purpose::Keys, &url, |body, _| {
                    key_set(body)
                })
            },
        )
    };
    let mut jwks = keys(None)?;
    // OpenID Connect Core §10.1.1 has a `kid` tell of new keys. Many applications send none, or keep theirs.
    if !is_signed_by_one_of(&jwks, jwt) {
        jwks = keys(Some(&jwks))?;
    }
    let mut client = (*client).clone();
    client.jwks = Some((*jwks).clone());
    Ok(Arc::new(client))
}

/// What is no JWT, or of no algorithm of public keys, is refused whatever the keys: nothing is fetched for it.
fn is_signed_by_one_of(jwks: &Value, jwt: &str) -> bool {
    let Some(jwt) = Compact::parse(jwt)
        .ok()
        .filter(|jwt| jwt.algorithm().is_some())
    else {
        return true;
    };
    KeySet::parse(jwks).is_ok_and(|keys| jwt.verified_by(&keys).is_ok())
}

/// The request object at a registered address (OpenID Connect Core §6.2).
pub fn request_object(
    incoming: &Incoming<'_>,
    client: &Client,
    url: &str,
) -> Result<Arc<String>, Unfetched> {
    let ctx: &Context = incoming.ctx;
    ctx.fetched.requests.get(
        url,
        ctx.store.settings_changes(),
        client.registered.is_some(),
        incoming.now,
        None,
        || call(incoming, client, Purpose::RequestObject, url, jwt),
    )
}

/// One call, and an event where nothing comes of it: the administrator learns why an application cannot be served.
fn call<T>(
    incoming: &Incoming<'_>,
    client: &Client,
    purpose: Purpose,
    url: &str,
    read: impl FnOnce(&[u8], Option<&str>) -> Result<T, &'static str>,
) -> Option<T> {
    let settings = incoming.ctx.settings();
    let got = match &settings {
        Ok(settings) => outbound::get(purpose, url, &settings.outbound_hosts),
        Err(error) => Err(OutboundError::Failed(error.to_string())),
    };
    let read = got
        .map_err(|error| error.to_string())
        .and_then(|got| read(&got.body, got.content_type.as_deref()).map_err(str::to_owned));
    read.inspect_err(|why| {
        let event = Event::refused(
            EventKind::OutboundCall,
            incoming.now,
            format!("{why}: {url}"),
        );
        let event = event.client(client).from(Some(incoming.address()));
        incoming.ctx.record_refusal(event);
    })
    .ok()
}

/// Keys are looked at as those that are registered are. The media type is not: many servers send another than
/// RFC 7517 §8.5.1 names.
fn key_set(body: &[u8]) -> Result<Value, &'static str> {
    let set = strict_json::parse_object(body)
        .map_err(|_| "it answered something that is no JSON object")?;
    let set = Value::Object(set);
    match KeySet::vet(&set) {
        Ok(keys) if keys.is_empty() => Err("there is no key in it that can be used"),
        Ok(_) => Ok(set),
        Err(_) => Err("a key in it is broken, weak or private"),
    }
}

/// RFC 9101 §5.2.3 and §10.8 name a media type; plain files on a web server have other ones that say no more.
fn jwt(body: &[u8], content_type: Option<&str>) -> Result<String, &'static str> {
    let media = content_type.map(|text| text.split(';').next().unwrap_or_default().trim());
    let fits = media.is_none_or(|media| {
        [
            "application/oauth-authz-req+jwt",
            "application/jwt",
            "text/plain",
            "application/octet-stream",
        ]
        .iter()
        .any(|known| media.eq_ignore_ascii_case(known))
    });
    if !fits {
        return Err("it answered another content type than a request object has");
    }
    String::from_utf8(body.to_vec()).map_err(|_| "it answered something that is no JWT")
}

#[cfg(test)]
#[path = "fetched_tests.rs"]
mod tests;
