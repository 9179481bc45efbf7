//! `POST /revoke` (RFC 7009).

use super::{Refused, bounded, refuse, refuse_and_record, unavailable};
use crate::crypto::jws;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::TokenError;
use crate::oauth::introspect::AccessToken;
use crate::oauth::revoke::{Presented, decide};
use crate::server::incoming::Incoming;
use crate::server::respond;
use crate::store::StoreError;
use crate::types::{BearerSecret, Form, RefreshTokenId};
use rouille::Response;

/// Answers an authenticated client.
pub fn handle(incoming: &Incoming<'_>, form: &Form, client: &AuthenticatedClient) -> Response {
    let text = match form.one("token") {
        Ok(Some(text)) => text,
        Ok(None) => return refuse_and_record(incoming, &TokenError::MissingParameter("token")),
        Err(repeated) => {
            return refuse_and_record(incoming, &TokenError::RepeatedParameter(repeated.0));
        }
    };
    match submit(incoming, client, text) {
        Ok(Ok(())) => respond::json(200, &serde_json::json!({})),
        Ok(Err(refused)) => refused.answer(incoming),
        Err(error) => refuse(&unavailable(error)),
    }
}

fn submit(
    incoming: &Incoming<'_>,
    client: &AuthenticatedClient,
    text: &str,
) -> Result<Result<(), Refused>, StoreError> {
    let (ctx, now, address) = (incoming.ctx, incoming.now, incoming.address());
    let secret = BearerSecret::parse(text);
    let access = match secret {
        Some(_) => None,
        None => jws::verify(&*ctx.keys()?, text).ok().and_then(|verified| {
            AccessToken::from_claims(&verified.typ, verified.claims, &ctx.config.issuer)
        }),
    };
    let client = client.client().clone();
    ctx.store.submit(move |view| {
        let presented = match (secret, access) {
            (Some(secret), _) => match view.refresh_token(RefreshTokenId(secret.selector))? {
                Some(token) => match view.grant(token.grant)? {
                    Some(grant) => Presented::Refresh(secret, token, Box::new(grant)),
                    None => Presented::Unknown,
                },
                None => Presented::Unknown,
            },
            (None, Some(token)) => Presented::Access {
                revoked: view.is_revoked(token.token)?,
                token,
            },
            (None, None) => Presented::Unknown,
        };
        Ok(bounded(decide(&client, presented, now), address))
    })
}
