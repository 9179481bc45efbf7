//! Token exchange: a service that was sent a token asks for another, to call the next service with. RFC 8693 §2, §4.1,
//! §5; RFC 9700 §2.3, §4.10.
//! Owns: whose tokens a client may exchange, and that what it gets is never more and never longer.
//! Not here: what a token may be for (`oauth::target`), whether a token still stands (`server::tokens`).
//!
//! The rule that keeps this from turning any stolen token into another (RFC 8693 §5): a client exchanges a token that was
//! issued to it, or that was sent to it as the service that it is for; it proves who it is; and it gets tokens for the
//! resources that name it, and for no others. A token that is bound to a key is exchanged only by who proves that key
//! (RFC 9449 §7.2: to anybody else it is worth nothing), so a service that was merely shown one cannot.
//!
//! What comes out carries the same grant in its `jti`, and `origins`, the tokens it came from: it falls with each of them,
//! with their clients, the person and the session. It opens neither userinfo nor another refresh token.

use super::issue::{Exchanged, Issued};
use super::one;
use crate::model::{Client, Decision, Event, EventKind, User};
use crate::oauth::error::TokenError;
use crate::oauth::introspect::{AccessToken, Origin};
use crate::oauth::{protected_resource, standing, target};
use crate::types::{Form, Scope, Secret, Thumbprint, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// RFC 8693 §2.1.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// RFC 8693 §3. Our access tokens are both.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Tokens that one may have come from, directly or not: a chain of services is short, and each adds to the token.
const ORIGINS_MAX: usize = 8;

/// The form's parameters.
#[derive(Clone, Debug)]
pub struct Request {
    /// The token to exchange, as it was sent.
    pub subject_token: Secret,
    /// Who acts, where it is not the client itself.
    pub actor_token: Option<Secret>,
    targets: Vec<String>,
    scope: Option<Scope>,
    token_type: &'static str,
    /// What its sender proved.
    pub(super) key: Option<Thumbprint>,
}

impl Request {
    pub(super) fn parse(form: &Form) -> Result<Self, TokenError> {
        let needed =
            |name: &'static str| one(form, name)?.ok_or(TokenError::MissingParameter(name));
        let subject_token = Secret::new(needed("subject_token")?.to_owned());
        known_type(needed("subject_token_type")?)?;
        let actor_token = one(form, "actor_token")?.map(|text| Secret::new(text.to_owned()));
        match (&actor_token, one(form, "actor_token_type")?) {
            (Some(_), Some(given)) => drop(known_type(given)?),
            (None, None) => {}
            (Some(_), None) => return Err(TokenError::TokenType("actor_token_type is missing")),
            // RFC 8693 §2.1.
            (None, Some(_)) => {
                return Err(TokenError::TokenType(
                    "actor_token_type without an actor_token",
                ));
            }
        }
        let token_type = match one(form, "requested_token_type")? {
            Some(wanted) => known_type(wanted)?,
            None => ACCESS_TOKEN,
        };
        let scope = one(form, "scope")?
            .map(str::parse)
            .transpose()
            .map_err(|_| TokenError::InvalidScope)?;
        // RFC 8693 §2.1: both may stand often, and together name where the token is to be used.
        let targets = form.all("resource").chain(form.all("audience"));
        Ok(Self {
            subject_token,
            actor_token,
            targets: targets.map(str::to_owned).collect(),
            scope,
            token_type,
            key: None,
        })
    }
}

fn known_type(name: &str) -> Result<&'static str, TokenError> {
    match name {
        ACCESS_TOKEN => Ok(ACCESS_TOKEN),
        JWT => Ok(JWT),
        _ => Err(TokenError::TokenType(
            "only access tokens and JWT are exchanged here",
        )),
    }
}

/// A token whose signature, kind and issuer were checked, as it stands in the writer's turn.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The token.
    pub token: AccessToken,
    /// Whether it and all that it hangs on stand: what introspection asks.
    pub stands: bool,
    /// Its person; `None` for a service's own.
    pub user: Option<Arc<User>>,
}

/// Decides over an exchange; the client is authenticated and may use the grant. `None`: no token of ours.
pub fn decide(
    subject: Option<Standing>,
    actor: Option<Standing>,
    client: &Client,
    request: &Request,
    access: [u8; 10],
    now: Timestamp,
) -> Decision<Issued, TokenError> {
    match exchange(
        subject.as_ref(),
        actor.as_ref(),
        client,
        request,
        access,
        now,
    ) {
        Ok(issued) => {
            let came_from = subject.as_ref().map(|s| s.token.token.to_string());
            let detail = format!(
                "{}, for {}; in exchange for {}",
                issued.summary(),
                issued.audience.join(" "),
                came_from.unwrap_or_default()
            );
            let event = Event::success(EventKind::TokenExchanged, now).client(client);
            let event = match subject.as_ref().and_then(|s| s.user.as_ref()) {
                Some(user) => event.user(user),
                None => event,
            };
            Decision {
                changes: Vec::new(),
                events: vec![event.detail(detail)],
                reply: Ok(issued),
            }
        }
        Err(error) => {
            let why = match &error {
                TokenError::InvalidExchange(why) => why,
                other => other.wire().description,
            };
            let event = Event::refused(EventKind::TokenExchanged, now, why).client(client);
            Decision::refuse(error, event)
        }
    }
}

fn exchange(
    subject: Option<&Standing>,
    actor: Option<&Standing>,
    client: &Client,
    request: &Request,
    access: [u8; 10],
    now: Timestamp,
) -> Result<Issued, TokenError> {
    // RFC 8693 §2.1: whoever does not prove who it is would let a thief in.
    if client.disabled || client.is_public() {
        return Err(TokenError::UnauthorizedClient);
    }
    let refuse = |why| Err(TokenError::InvalidExchange(why));
    let Some(subject) = subject else {
        return refuse("the subject token is no access token of this server");
    };
    acceptable(subject, client, request.key, now)?;
    let actor = match (&request.actor_token, actor) {
        (None, _) => None,
        (Some(_), Some(actor)) => {
            acceptable(actor, client, request.key, now)?;
            Some(actor)
        }
        (Some(_), None) => return refuse("the actor token is no access token of this server"),
    };
    if subject
        .user
        .as_ref()
        .is_some_and(|user| !standing::may_use(user, client))
    {
        return refuse("the person is in no group that may use the application");
    }
    let origins = origins(subject, actor)?;
    // RFC 8693 §2.1 and RFC 8707 §2.2: for what it asks for, else for its own list; never for Doorlight itself.
    let resources = target::first(&request.targets, client)?;
    if resources.is_empty() {
        return Err(TokenError::InvalidTarget);
    }
    let scope = scope(subject, client, request.scope.as_ref())?;
    let Some(who) = subject.token.text("sub") else {
        return refuse("the subject token has no subject");
    };
    let kept = ["auth_time", "acr"];
    let sign_in = kept
        .into_iter()
        .filter_map(|name| Some((name, subject.token.claims.get(name)?.clone())))
        .collect();
    let expires = [Some(subject), actor]
        .into_iter()
        .flatten()
        .map(|token| token.token.expires)
        .min()
        .unwrap_or(now);
    let exchanged = Exchanged {
        subject: who.to_owned(),
        grant: subject.token.grant,
        act: act(subject, actor, client),
        origins,
        sign_in,
        expires,
        token_type: request.token_type,
    };
    Ok(Issued::for_client(client, scope, resources, access, now)
        .bound_to(request.key)
        .exchanged(exchanged))
}

/// That a token stands, that this client may exchange it, and that its key was proved.
fn acceptable(
    token: &Standing,
    client: &Client,
    key: Option<Thumbprint>,
    now: Timestamp,
) -> Result<(), TokenError> {
    let refuse = |why| Err(TokenError::InvalidExchange(why));
    if !token.stands || now >= token.token.expires {
        return refuse("the token has expired, was revoked, or what it hung on has ended");
    }
    let id = client.wire_id().to_string();
    let sent_to_it = token
        .token
        .audience()
        .iter()
        .any(|audience| *audience == id || target::is_server(client, audience));
    if !token.token.is_of(client) && !sent_to_it {
        return refuse("the token was neither issued to this application nor sent to it");
    }
    if token.token.key().is_some() && token.token.key() != key {
        return refuse("the token is bound to a key that was not proved");
    }
    Ok(())
}

fn origins(subject: &Standing, actor: Option<&Standing>) -> Result<Vec<Origin>, TokenError> {
    let refuse = |why| Err(TokenError::InvalidExchange(why));
    let mut origins: Vec<Origin> = Vec::new();
    for token in [Some(subject), actor].into_iter().flatten() {
        let token = &token.token;
        let Some(client) = token.client() else {
            return refuse("the token names no application");
        };
        let own = Origin {
            token: token.token,
            grant: token.grant,
            client,
        };
        for origin in [own].iter().chain(&token.origins) {
            if !origins.contains(origin) {
                origins.push(origin.clone());
            }
        }
    }
    if origins.len() > ORIGINS_MAX {
        return refuse("the token was exchanged too many times");
    }
    Ok(origins)
}

/// RFC 8693 §1.1, §2.1: never more than the subject token has, nor than the client may ask for. What opens Doorlight's
/// own doors stays behind.
fn scope(subject: &Standing, client: &Client, asked: Option<&Scope>) -> Result<Scope, TokenError> {
    let held: Scope = subject
        .token
        .text("scope")
        .unwrap_or_default()
        .parse()
        .map_err(|_| TokenError::InvalidScope)?;
    let mut most = held
        .common_with(&client.scope)
        .without("openid")
        .without("offline_access");
    for access in protected_resource::Access::ALL {
        most = most.without(access.scope());
    }
    match asked {
        Some(asked) if !asked.is_within(&most) => Err(TokenError::InvalidScope),
        Some(asked) if !asked.is_empty() => Ok(asked.clone()),
        _ => Ok(most),
    }
}

/// RFC 8693 §4.1: who acts now, and inside, who acted before.
fn act(subject: &Standing, actor: Option<&Standing>, client: &Client) -> Value {
    let who = actor.and_then(|actor| actor.token.text("sub"));
    let mut act = json!({
        "sub": who.map_or_else(|| client.wire_id().to_string(), str::to_owned),
        "client_id": client.wire_id(),
    });
    if let Some(before) = subject.token.claims.get("act") {
        act["act"] = before.clone();
    }
    act
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
