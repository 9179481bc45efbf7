//! Public documents: discovery (both), JWKS. Built once a key set or settings, with `ETag` and `Cache-Control`.

use crate::crypto::digest::{base64url, sha256};
use crate::oauth::discovery;
use crate::oauth::error::TokenError;
use crate::server::context::Context;
use crate::server::cors;
use crate::server::incoming::Incoming;
use crate::server::respond::{oauth_error, set};
use crate::store::StoreError;
use rouille::{Response, ResponseBody};
use std::io::Cursor;
use std::sync::{Arc, PoisonError, RwLock};

/// Clients see a new key a day before it signs (`crypto::rotation`): an hour's cache is safe.
const CACHE: &str = "public, max-age=3600";

/// A document ready to send. Its bytes are there once, however many are sent at the same time.
pub struct Document<B = Arc<[u8]>> {
    body: B,
    etag: String,
}

impl<B: AsRef<[u8]>> Document<B> {
    /// Of these bytes.
    pub fn new(body: B) -> Self {
        let etag = format!("\"{}\"", base64url(&sha256(body.as_ref())));
        Self { body, etag }
    }
}

/// A document as of some version of what it is made from: the keys, the settings.
#[derive(Default)]
pub struct Documents(RwLock<Option<(u64, Arc<Document>)>>);

/// `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`.
pub fn discovery(incoming: &Incoming<'_>) -> Response {
    incoming.ctx.rounds.probes.note(incoming);
    match current_discovery(incoming.ctx) {
        Ok(document) => send(incoming, &document, "application/json"),
        Err(e) => unavailable(&e),
    }
}

fn current_discovery(ctx: &Context) -> Result<Arc<Document>, StoreError> {
    ctx.discovery.at(ctx.store.settings_changes(), || {
        let document = discovery::document(&ctx.config.issuer, &*ctx.settings()?);
        Ok(document.to_string().into_bytes())
    })
}

/// `/jwks.json`.
pub fn jwks(incoming: &Incoming<'_>) -> Response {
    match current_jwks(incoming.ctx) {
        Ok(document) => send(incoming, &document, "application/jwk-set+json"),
        Err(e) => unavailable(&e),
    }
}

fn unavailable(error: &StoreError) -> Response {
    log::warn!("{error}");
    oauth_error(TokenError::Unavailable.wire())
}

fn current_jwks(ctx: &Context) -> Result<Arc<Document>, StoreError> {
    ctx.jwks.at(ctx.store.key_changes(), || {
        Ok(ctx.keys()?.jwks().to_string().into_bytes())
    })
}

impl Documents {
    /// The document of that version, made when it is first asked for.
    fn at(
        &self,
        version: u64,
        make: impl FnOnce() -> Result<Vec<u8>, StoreError>,
    ) -> Result<Arc<Document>, StoreError> {
        {
            let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, document)) = held.as_ref()
                && *at == version
            {
                return Ok(document.clone());
            }
        }
        let document = Arc::new(Document::new(make()?.into()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((version, document.clone()));
        Ok(document)
    }
}

/// With the validators of RFC 9110 §8.8; 304 where the client has it (§13.1.2).
pub fn send<B: AsRef<[u8]> + Clone + Send + 'static>(
    incoming: &Incoming<'_>,
    document: &Document<B>,
    media: &'static str,
) -> Response {
    let known = incoming
        .request
        .header("If-None-Match")
        .is_some_and(|tags| {
            tags.split(',')
                .map(str::trim)
                .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == document.etag)
        });
    let mut response = if known {
        Response::empty_204().with_status_code(304)
    } else {
        let length = document.body.as_ref().len();
        let body = Cursor::new(document.body.clone());
        let mut response = Response::from_data(media, Vec::new());
        response.data = ResponseBody::from_reader_and_size(body, length);
        response
    };
    set(&mut response, "Cache-Control", CACHE);
    set(&mut response, "ETag", document.etag.clone());
    cors::open(&mut response);
    response
}
