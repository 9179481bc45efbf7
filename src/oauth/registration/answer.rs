//! Client information (RFC 7591 §3.2.1, RFC 7592 §3): all that is registered, as it is.

use super::metadata::grant_name;
use crate::model::Client;
use crate::oauth::clients;
use crate::types::{Issuer, Secret};
use serde_json::{Map, Value, json};

/// What a client is told of itself. `secret` is there only when it was just made: only a hash of it is kept. `token` is
/// the registration access token, as it was made or presented.
pub fn information(
    client: &Client,
    issuer: &Issuer,
    secret: Option<&Secret>,
    token: &Secret,
) -> Value {
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| {
        told.insert(name.to_owned(), value);
    };
    tell("client_id", json!(client.wire_id()));
    tell("client_id_issued_at", json!(client.created.secs()));
    if let Some(secret) = secret {
        tell("client_secret", json!(secret.expose()));
    }
    if clients::has_secret(client) {
        // It does not expire.
        tell("client_secret_expires_at", json!(0));
    }
    tell("registration_access_token", json!(token.expose()));
    tell("registration_client_uri", json!(address(client, issuer)));
    tell("client_name", json!(client.name));
    tell("redirect_uris", json!(client.redirect_uris));
    tell("token_endpoint_auth_method", json!(client.auth_method));
    let grants = client.grants.iter().map(|grant| grant_name(*grant));
    tell("grant_types", grants.collect());
    tell("response_types", json!(["code"]));
    tell("scope", json!(client.scope));
    tell("subject_type", json!("public"));
    tell(
        "id_token_signed_response_alg",
        json!(client.id_token_alg.as_str()),
    );
    if let Some(algorithm) = client.userinfo_signed_response_alg {
        tell("userinfo_signed_response_alg", json!(algorithm.as_str()));
    }
    if let Some(algorithm) = client.authorization_signed_response_alg {
        tell(
            "authorization_signed_response_alg",
            json!(algorithm.as_str()),
        );
    }
    if !client.post_logout_redirect_uris.is_empty() {
        tell(
            "post_logout_redirect_uris",
            json!(client.post_logout_redirect_uris),
        );
    }
    if let Some(jwks) = &client.jwks {
        tell("jwks", jwks.clone());
    }
    for (name, on) in [
        ("dpop_bound_access_tokens", client.dpop_bound_access_tokens),
        ("require_pushed_authorization_requests", client.require_par),
        (
            "frontchannel_logout_session_required",
            client.frontchannel_logout_session_required,
        ),
    ] {
        if on {
            tell(name, json!(true));
        }
    }
    for (name, uri) in [
        ("client_uri", &client.home_uri),
        ("logo_uri", &client.logo_uri),
        ("policy_uri", &client.policy_uri),
        ("tos_uri", &client.tos_uri),
        ("frontchannel_logout_uri", &client.frontchannel_logout_uri),
    ] {
        if let Some(uri) = uri {
            tell(name, json!(uri));
        }
    }
    if let Some(own) = &client.registered {
        tell(
            "application_type",
            json!(if own.native { "native" } else { "web" }),
        );
        if !own.contacts.is_empty() {
            tell("contacts", json!(own.contacts));
        }
        if let Some(age) = own.default_max_age {
            tell("default_max_age", json!(age));
        }
        if own.require_auth_time {
            tell("require_auth_time", json!(true));
        }
    }
    Value::Object(told)
}

fn address(client: &Client, issuer: &Issuer) -> String {
    issuer.endpoint(&format!("/register/{}", client.id))
}
