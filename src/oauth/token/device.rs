//! Device grant: what a device learns when it asks whether somebody has let it in. RFC 8628 §3.4, §3.5.
//! Owns: who may fetch the answer, how often, and that it is fetched once.
//! Not here: how the code comes to be (`device_authorization`), what the person says (`device_answer`).
//!
//! What comes of it is a grant like that of an authorization code, made in the session of the browser in which the
//! person said yes. It hangs on that session, on the person and on the application: when the browser's session ends
//! (sign-out, its time, an administrator), the device's tokens end with it. Only a grant with `offline_access` lasts
//! beyond the session, as everywhere (OpenID Connect Core §11): a television that is to stay signed in asks for it.
//!
//! A poll that is answered "not yet" writes nothing: it is decided on a snapshot, and when the device came last is told
//! in by whoever calls (`Pace`).

use super::code::{self, FreshTokens};
use super::issue::Issued;
use super::new_grant::{self, Approved};
use super::one;
use crate::model::{
    Change, ClaimsRequest, Client, Consent, Decision, DeviceAnswer, DeviceAuthorization, Event,
    EventKind, Grant, GrantEnd,
};
use crate::oauth::device_authorization::INTERVAL;
use crate::oauth::error::TokenError;
use crate::oauth::standing::Ground;
use crate::oauth::target;
use crate::types::{BearerSecret, Form, Id, Thumbprint, Timestamp};
use std::time::Duration;

/// The grant type (RFC 8628 §3.4).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How much longer the interval gets with each poll that comes too soon (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// A device that keeps its interval is not called too fast because one request took longer than the next.
const JITTER: Duration = Duration::from_millis(500);

/// The form's parameters.
#[derive(Clone, Debug)]
pub struct Request {
    /// The device code, split; `None` when it cannot be one of ours.
    pub device_code: Option<BearerSecret>,
    resources: Vec<String>,
    /// What its sender proved.
    pub(super) key: Option<Thumbprint>,
}

impl Request {
    pub(super) fn parse(form: &Form) -> Result<Self, TokenError> {
        let code = one(form, "device_code")?.ok_or(TokenError::MissingParameter("device_code"))?;
        Ok(Self {
            device_code: BearerSecret::parse(code),
            resources: form.all("resource").map(str::to_owned).collect(),
            key: None,
        })
    }
}

/// When a device came last, and how long it was told to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    last: Timestamp,
    interval: Duration,
}

impl Pace {
    /// After a poll at `now`: the new pace, and whether the device came too soon. RFC 8628 §3.5: then the interval grows
    /// by five seconds for this and all polls to come.
    pub fn after(before: Option<Self>, now: Timestamp) -> (Self, bool) {
        let interval = before.map_or(INTERVAL, |pace| pace.interval);
        let soon = before.is_some_and(|pace| now.since(pace.last) + JITTER < interval);
        let interval = if soon {
            interval.saturating_add(SLOWER)
        } else {
            interval
        };
        (
            Self {
                last: now,
                interval,
            },
            soon,
        )
    }
}

/// What a poll finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody has answered: `authorization_pending`, or `slow_down` if this device came too soon.
    Waiting(Id),
    /// Something for [`decide`].
    Answered,
}

/// What a poll of this client finds; an error is told again to whoever asks again. Nothing of it is to be written.
pub fn find(
    device: Option<&DeviceAuthorization>,
    client: &Client,
    request: &Request,
    now: Timestamp,
) -> Result<Found, TokenError> {
    let device = known(device, client, request)?;
    if device.redeemed.is_some() {
        return Ok(Found::Answered);
    }
    match &device.answer {
        _ if !now.is_in_life(device.created, device.expires) => Err(TokenError::DeviceCodeExpired),
        None => Ok(Found::Waiting(device.id)),
        Some(DeviceAnswer::Denied) => Err(TokenError::DeviceDenied),
        Some(DeviceAnswer::Allowed { .. }) => Ok(Found::Answered),
    }
}

/// Whoever does not hold the verifier knows nothing of the code; whoever is not its client may not touch it
/// (RFC 8628 §3.4).
fn known<'a>(
    device: Option<&'a DeviceAuthorization>,
    client: &Client,
    request: &Request,
) -> Result<&'a DeviceAuthorization, TokenError> {
    match (device, &request.device_code) {
        (Some(device), Some(presented)) if device.hash == presented.hash() => {
            if device.client == client.id {
                Ok(device)
            } else {
                Err(TokenError::InvalidDeviceCode(
                    "the code was issued to another application",
                ))
            }
        }
        _ => Err(TokenError::InvalidDeviceCode("unknown code")),
    }
}

/// What the store knows of the presented code.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The record of the presented selector.
    pub device: Option<DeviceAuthorization>,
    /// The grant that its first use gave.
    pub earlier: Option<Grant>,
    /// What the person agreed to, as it stands today.
    pub consent: Option<Consent>,
}

/// Redeems an answered code; `ground` is what the answer hangs on.
pub fn decide(
    found: Known,
    ground: Ground<'_>,
    client: &Client,
    request: &Request,
    fresh: FreshTokens,
    now: Timestamp,
) -> Decision<Issued, TokenError> {
    let event = |why: &str| Event::refused(EventKind::DeviceCodeRedeemed, now, why).client(client);
    let refuse = |error: TokenError| {
        let why = match &error {
            TokenError::InvalidDeviceCode(why) => *why,
            other => other.wire().description,
        };
        let event = event(why);
        Decision::refuse(error, event)
    };
    let device = match known(found.device.as_ref(), client, request) {
        Ok(device) => device,
        Err(error) => return refuse(error),
    };
    // As with an authorization code (RFC 6749 §4.1.2): a second use, also after the code expired, ends what the first
    // one gave. Two hold the code, and one of them must not.
    if device.redeemed.is_some() {
        let Some(grant) = found.earlier.filter(|grant| grant.ended.is_none()) else {
            return refuse(TokenError::InvalidDeviceCode(
                "the code was used before; what was issued from it has ended already",
            ));
        };
        let why = "the code was used before; everything issued from it is revoked";
        let events = vec![event(why).user_id(grant.user)];
        return Decision {
            changes: vec![code::end(grant, GrantEnd::CodeReplayed, now)],
            events,
            reply: Err(TokenError::InvalidDeviceCode(why)),
        };
    }
    if !now.is_in_life(device.created, device.expires) {
        return refuse(TokenError::DeviceCodeExpired);
    }
    let (user, session, authentication, at) = match &device.answer {
        None => return Decision::reply(Err(TokenError::AuthorizationPending)),
        Some(DeviceAnswer::Denied) => return refuse(TokenError::DeviceDenied),
        Some(DeviceAnswer::Allowed {
            user,
            session,
            authentication,
            at,
        }) => (*user, *session, authentication, *at),
    };
    // RFC 8707 §2.2: the token is for what it asks for; the grant keeps all that was agreed to.
    let resources = if device.resources.is_empty() {
        target::first(&request.resources, client)
    } else {
        target::granted(&request.resources, &device.resources, client)
    };
    let Ok(resources) = resources else {
        return refuse(TokenError::InvalidTarget);
    };
    let claims = ClaimsRequest::default();
    let approved = Approved {
        user,
        session,
        authentication,
        scope: &device.scope,
        granted: if device.resources.is_empty() {
            resources.clone()
        } else {
            device.resources.clone()
        },
        resources,
        claims: &claims,
        asked: device.created,
        at,
        consent: found.consent.as_ref(),
        key: request.key,
    };
    let begun = match new_grant::begin(approved, ground, client, fresh, now) {
        Ok(begun) => begun,
        Err(why) => return refuse(TokenError::InvalidDeviceCode(why)),
    };
    let event = Event::success(EventKind::DeviceCodeRedeemed, now)
        .client(client)
        .user(begun.user)
        .detail(begun.issued.summary());
    let used = DeviceAuthorization {
        redeemed: Some(begun.grant),
        ..device.clone()
    };
    let mut changes = vec![Change::PutDeviceAuthorization(Box::new(used))];
    changes.extend(begun.changes);
    Decision {
        changes,
        events: vec![event],
        reply: Ok(begun.issued),
    }
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
