//! `POST /introspect` (RFC 7662). Reads only.

use super::{refuse, refuse_and_record, token_of, unavailable};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::TokenError;
use crate::oauth::introspect::{active, active_refresh, inactive, may_know, username};
use crate::oauth::standing;
use crate::server::incoming::Incoming;
use crate::server::standing::Records;
use crate::server::{respond, tokens};
use crate::store::StoreError;
use crate::types::{BearerSecret, Form, RefreshTokenId};
use rouille::Response;
use serde_json::Value;

/// Answers an authenticated client.
pub fn handle(incoming: &Incoming<'_>, form: &Form, client: &AuthenticatedClient) -> Response {
    // RFC 7662 §2.1: the endpoint is for those who prove who they are; anyone can name a public client.
    if client.client().is_public() {
        let error = TokenError::InvalidClient {
            basic: false,
            why: "a public client may not introspect",
        };
        return refuse_and_record(incoming, Some(client.client()), &error);
    }
    let text = match token_of(form) {
        Ok(text) => text,
        Err(error) => return refuse_and_record(incoming, Some(client.client()), &error),
    };
    match answer(incoming, client, text) {
        Ok(answer) => respond::json(200, &answer),
        Err(error) => refuse(&unavailable(error)),
    }
}

fn answer(
    incoming: &Incoming<'_>,
    client: &AuthenticatedClient,
    text: &str,
) -> Result<Value, StoreError> {
    let (ctx, asking) = (incoming.ctx, client.client());
    if let Some(secret) = BearerSecret::parse(text) {
        return refresh_token(incoming, client, &secret);
    }
    let Some(checked) = tokens::check(ctx, text, incoming.now)? else {
        return Ok(inactive());
    };
    if !may_know(asking, &checked.token, &ctx.config.issuer) {
        return Ok(inactive());
    }
    Ok(active(
        &checked.token,
        checked
            .person
            .as_ref()
            .and_then(|person| username(&person.user, &checked.token, person.pairwise)),
    ))
}

// Inlined, its records would take 2 KB of the stack of every connection that asks of an access token.
#[inline(never)]
fn refresh_token(
    incoming: &Incoming<'_>,
    client: &AuthenticatedClient,
    secret: &BearerSecret,
) -> Result<Value, StoreError> {
    let (ctx, asking) = (incoming.ctx, client.client());
    let snapshot = ctx.store.snapshot()?;
    let view = snapshot.view();
    let Some(token) = view.refresh_token(RefreshTokenId(secret.selector))? else {
        return Ok(inactive());
    };
    let Some(grant) = view.grant(token.grant)? else {
        return Ok(inactive());
    };
    let records = Records::of_grant(&view, &grant, incoming.now)?;
    let ground = records.ground(Some(asking));
    let holds = token.hash == secret.hash()
        && token.rotated.is_none()
        && incoming.now < token.expires
        && standing::of_grant(&grant, ground, incoming.now).is_ok();
    Ok(match &records.user {
        Some(user) if holds => active_refresh(&token, (&grant, user), asking, &ctx.config.issuer),
        _ => inactive(),
    })
}
