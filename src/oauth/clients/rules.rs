//! What may stand in a setting of an application, and which settings go together. RFC 6749 §3.1.2 and §4.4,
//! RFC 9700 §2.1, RFC 8707 §2.

use crate::crypto::jwk_set::KeySet;
use crate::crypto::public_key::JwkError;
use crate::model::{AdminError, Algorithm, Client, ClientAuthMethod, GrantType, Profile};
use crate::oauth::frontchannel_logout;
use crate::types::appearance::is_plain_line;
use crate::types::{GroupName, RedirectUri};
use serde_json::Value;
use std::collections::BTreeSet;
use url::Url;

/// Entries of one list; more are a mistake.
const LIST_MAX: usize = 50;
const TEXT_MAX: usize = 2_000;
const ACCESS_TOKEN_MINUTES: std::ops::RangeInclusive<u32> = 5..=60;
/// Ten years.
const DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;

/// Settings that are fine alone may still contradict each other.
pub(super) fn fit_together(client: &Client) -> Result<(), AdminError> {
    grants_fit(client)?;
    spans_fit(client)?;
    redirects_fit(client)?;
    keys_fit(client)?;
    signatures_fit(client)?;
    frontchannel_fits(client)?;
    profile_fits(client)
}

/// PROTOCOL: access tokens are for services that know ES256 and RS256.
fn signatures_fit(client: &Client) -> Result<(), AdminError> {
    if client.access_token_alg == Algorithm::EdDsa {
        return Err(AdminError::invalid(
            "access_token_alg",
            "access tokens are signed with ES256 or RS256",
        ));
    }
    Ok(())
}

fn keys_fit(client: &Client) -> Result<(), AdminError> {
    // RFC 7591 §2.
    if client.jwks.is_some() && client.jwks_uri.is_some() {
        return Err(AdminError::invalid(
            "jwks_uri",
            "give either the public keys or their address, not both",
        ));
    }
    if client.auth_method == ClientAuthMethod::PrivateKeyJwt
        && client.jwks.is_none()
        && client.jwks_uri.is_none()
    {
        return Err(AdminError::invalid(
            "jwks",
            "an application that signs with its own key needs its public keys here, or their address",
        ));
    }
    Ok(())
}

/// Of a key set, as text.
const JWKS_MAX: usize = 16_384;

/// RFC 7517 §5: at least one key that can be used, and none that is broken, weak or private.
pub(super) fn jwks(value: Option<&Value>) -> Result<Option<Value>, AdminError> {
    let Some(value) = value else { return Ok(None) };
    let refuse = |why: &str| Err(AdminError::invalid("jwks", why));
    if value.to_string().len() > JWKS_MAX {
        return refuse("the key set is too long");
    }
    match KeySet::vet(value) {
        Ok(keys) if !keys.is_empty() => Ok(Some(value.clone())),
        Ok(_) => {
            refuse("there is no key in it that verifies RS256, PS256, ES256 or EdDSA (Ed25519)")
        }
        Err(JwkError::Private) => refuse(
            "it holds a private key; whoever has read it can sign as the application: make new keys and give the public \
             part only",
        ),
        Err(JwkError::WeakRsa) => refuse("an RSA key must have 2,048 to 8,192 bits"),
        Err(JwkError::OffCurve) => refuse("a key is no point of its curve"),
        Err(JwkError::Malformed(member)) => refuse(&format!(
            "the member {member} of a key is missing or malformed"
        )),
        Err(JwkError::Unsupported | JwkError::NotForSignatures) => refuse("a key cannot be used"),
    }
}

fn grants_fit(client: &Client) -> Result<(), AdminError> {
    let has = |grant| client.grants.contains(&grant);
    let refuse = |why: &str| Err(AdminError::invalid("grants", why));
    if client.grants.is_empty() {
        return refuse("choose at least one way in which it gets tokens");
    }
    if has(GrantType::ClientCredentials) && client.is_public() {
        // RFC 6749 §4.4: only confidential clients.
        return refuse("an application without a secret cannot get tokens under its own name");
    }
    if has(GrantType::TokenExchange) && client.is_public() {
        // RFC 8693 §2.1: without a proof of who asks, any stolen token could be turned into another.
        return refuse("an application without a secret cannot exchange tokens");
    }
    if has(GrantType::RefreshToken)
        && !has(GrantType::AuthorizationCode)
        && !has(GrantType::DeviceCode)
    {
        return refuse(
            "tokens are renewed only where people sign in (authorization_code or device_code)",
        );
    }
    Ok(())
}

fn spans_fit(client: &Client) -> Result<(), AdminError> {
    if !ACCESS_TOKEN_MINUTES.contains(&client.access_token_minutes) {
        return Err(AdminError::invalid(
            "access_token_minutes",
            "must be 5 to 60 minutes",
        ));
    }
    for (field, days) in [
        ("refresh_idle_days", client.refresh_idle_days),
        ("refresh_absolute_days", client.refresh_absolute_days),
    ] {
        if !DAYS.contains(&days) {
            return Err(AdminError::invalid(field, "must be 1 to 3,650 days"));
        }
    }
    Ok(())
}

fn redirects_fit(client: &Client) -> Result<(), AdminError> {
    let refuse = |why: String| Err(AdminError::invalid("redirect_uris", why));
    if client.grants.contains(&GrantType::AuthorizationCode) && client.redirect_uris.is_empty() {
        return refuse("people sign in to it, so it needs an address to return them to".to_owned());
    }
    match client.redirect_uris.iter().find(|uri| uri.is_remote_http()) {
        // RFC 9700 §2.1: others on the way could read the code.
        Some(uri) if !client.allow_http => Err(AdminError::invalid(
            "allow_http",
            format!(
                "“{uri}” is not encrypted: use https, or tick “Allow addresses with http:// on my network” (on the \
                 command line: --allow-http)"
            ),
        )),
        _ => Ok(()),
    }
}

/// PROTOCOL, "strict per client".
fn profile_fits(client: &Client) -> Result<(), AdminError> {
    if client.profile != Profile::Strict {
        return Ok(());
    }
    if client.id_token_alg != Algorithm::Es256 {
        return Err(AdminError::invalid(
            "id_token_alg",
            "the strict profile signs with ES256",
        ));
    }
    if client.access_token_alg != Algorithm::Es256 {
        return Err(AdminError::invalid(
            "access_token_alg",
            "the strict profile signs with ES256",
        ));
    }
    if client
        .authorization_signed_response_alg
        .is_some_and(|alg| alg != Algorithm::Es256)
    {
        return Err(AdminError::invalid(
            "authorization_signed_response_alg",
            "the strict profile signs with ES256",
        ));
    }
    // FAPI 2.0 §5.3.2.2: https, but for loopback addresses.
    if client.allow_http {
        return Err(AdminError::invalid(
            "allow_http",
            "the strict profile returns people to https addresses only",
        ));
    }
    if client
        .userinfo_signed_response_alg
        .is_some_and(|alg| alg != Algorithm::Es256)
    {
        return Err(AdminError::invalid(
            "userinfo_signed_response_alg",
            "the strict profile signs with ES256",
        ));
    }
    if client.claims_in_id_token {
        return Err(AdminError::invalid(
            "claims_in_id_token",
            "the strict profile keeps these out of the ID token",
        ));
    }
    if client.allow_plain_pkce {
        return Err(AdminError::invalid(
            "allow_plain_pkce",
            "the strict profile takes S256 only",
        ));
    }
    Ok(())
}

pub(super) fn name(text: &str) -> Result<String, AdminError> {
    let text = text.trim();
    if !(1..=100).contains(&text.chars().count()) || !is_plain_line(text) {
        return Err(AdminError::invalid(
            "name",
            "give it a name of 1 to 100 characters",
        ));
    }
    Ok(text.to_owned())
}

/// In the order they were given; empty lines and repetitions are left out.
pub(super) fn addresses(
    field: &'static str,
    texts: &[String],
) -> Result<Vec<RedirectUri>, AdminError> {
    let mut uris: Vec<RedirectUri> = Vec::new();
    for text in texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        let uri = text.parse().map_err(|why| {
            let shown: String = text.chars().take(200).collect();
            AdminError::invalid(field, format!("“{shown}”: {why}"))
        })?;
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    few(field, uris)
}

/// Every access token carries them.
const AUDIENCE_MAX: usize = 200;

/// RFC 8707 §2 wants an absolute URI without fragment; names such as `grafana` are common as `aud`, so any word will do.
pub(super) fn audiences(texts: &[String]) -> Result<Vec<String>, AdminError> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        if text.len() > AUDIENCE_MAX
            || text
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || c == '#')
        {
            return Err(AdminError::invalid(
                "audiences",
                "one address or word a line, without spaces",
            ));
        }
        if !kept.iter().any(|other| other == text) {
            kept.push(text.to_owned());
        }
    }
    few("audiences", kept)
}

/// A group that is gone may stay: dropping it silently could open the application to everybody.
pub(super) fn groups_of(
    texts: &[String],
    known: &BTreeSet<GroupName>,
    before: &BTreeSet<GroupName>,
) -> Result<BTreeSet<GroupName>, AdminError> {
    let mut groups = BTreeSet::new();
    for text in texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        let group: GroupName = text
            .parse()
            .map_err(|why| AdminError::invalid("allowed_groups", why))?;
        if !known.contains(&group) && !before.contains(&group) {
            return Err(AdminError::invalid(
                "allowed_groups",
                format!("there is no group {group}"),
            ));
        }
        groups.insert(group);
    }
    Ok(groups)
}

pub(super) fn web_address(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<String>, AdminError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let is_web = |url: &Url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| !h.is_empty())
    };
    let fits = text.len() <= TEXT_MAX && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if !fits || !Url::parse(text).is_ok_and(|url| is_web(&url)) {
        return Err(AdminError::invalid(
            field,
            "must be a web address, such as https://app.example.org",
        ));
    }
    Ok(Some(text.to_owned()))
}

/// Front-Channel Logout §2: scheme, host and port of a redirect address of its own. Browsers load it with their cookies,
/// so it must not be somebody else's; and what holds for returning by plain http holds for it.
fn frontchannel_fits(client: &Client) -> Result<(), AdminError> {
    let Some(uri) = &client.frontchannel_logout_uri else {
        return Ok(());
    };
    let refuse = |why| Err(AdminError::invalid("frontchannel_logout_uri", why));
    let Ok(uri) = uri.parse::<RedirectUri>() else {
        return refuse("must be a whole address, such as https://app.example.org/out");
    };
    if uri.is_remote_http() && !client.allow_http {
        return refuse("must be https, unless addresses with http:// are allowed");
    }
    let origin = frontchannel_logout::origin(uri.as_str());
    if origin.is_none() {
        return refuse("must have a plain host name");
    }
    if client
        .redirect_uris
        .iter()
        .all(|own| own.origin() != origin)
    {
        return refuse("must begin like one of the addresses that a sign-in returns to");
    }
    Ok(())
}

/// What Doorlight or a browser calls by itself: an absolute address without a fragment; plain http for confidential
/// clients only (Back-Channel Logout §2.2, Front-Channel Logout §2).
pub(super) fn address_to_call(
    field: &'static str,
    text: Option<&str>,
    public: bool,
) -> Result<Option<String>, AdminError> {
    let Some(text) = web_address(field, text)? else {
        return Ok(None);
    };
    let refuse = |why: &str| Err(AdminError::invalid(field, why));
    match Url::parse(&text) {
        Ok(url) if url.fragment().is_some() => refuse("must not have a # in it"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            refuse("must not carry a name or password")
        }
        Ok(url) if public && url.scheme() != "https" => {
            refuse("must be https for an application without a secret")
        }
        _ => Ok(Some(text)),
    }
}

/// OpenID Connect Core §6.2: "must not exceed 512 ASCII characters".
const REQUEST_URI_MAX: usize = 512;

/// Addresses of request objects. Their fragment tells one content from another (OpenID Connect Core §6.2).
pub(super) fn request_uris(texts: &[String]) -> Result<Vec<String>, AdminError> {
    const FIELD: &str = "request_uris";
    let mut kept: Vec<String> = Vec::new();
    for text in texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        if text.len() > REQUEST_URI_MAX || !text.is_ascii() {
            return Err(AdminError::invalid(
                FIELD,
                "one web address a line, of at most 512 characters",
            ));
        }
        let address = text.split_once('#').map_or(text, |(address, _)| address);
        address_to_call(FIELD, Some(address), false)?;
        if !kept.iter().any(|other| other == text) {
            kept.push(text.to_owned());
        }
    }
    few(FIELD, kept)
}

fn few<T>(field: &'static str, list: Vec<T>) -> Result<Vec<T>, AdminError> {
    if list.len() > LIST_MAX {
        return Err(AdminError::invalid(field, format!("at most {LIST_MAX}")));
    }
    Ok(list)
}
