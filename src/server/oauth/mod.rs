//! The protocol's endpoints, outer halves: parse, load, call the pure room, answer.

pub mod authorize;
pub mod device_authorization;
pub mod documents;
pub mod introspect;
pub mod known;
pub mod logout;
pub mod par;
pub mod register;
pub mod revoke;
pub mod token;
pub mod userinfo;

use super::client_documents;
use super::fetched::{self, Unfetched};
use super::incoming::Incoming;
use super::replays;
use super::respond::{oauth_error, set};
use super::slow_secrets;
use crate::model::{Client, ClientAuthMethod, Decision, Event, EventKind};
use crate::oauth::client_assertion::Assertion;
use crate::oauth::client_auth::{AuthenticatedClient, Credentials, Weighed};
use crate::oauth::error::TokenError;
use crate::oauth::replay::{self, NotOnce, Purpose};
use crate::store::StoreError;
use crate::types::{Form, WireClientId};
use rouille::Response;
use std::net::IpAddr;
use std::sync::Arc;

/// The client, or a refusal with the client that was named if there is one of that id.
pub type Authenticated = Result<AuthenticatedClient, (Option<Arc<Client>>, TokenError)>;

/// The client of a request, an assertion of which is used up: the guard of the introspection and revocation endpoints.
pub fn authenticate(incoming: &Incoming<'_>, form: &Form) -> Authenticated {
    let client = authenticate_granting(incoming, form)?;
    let Some(used) = client.assertion() else {
        return Ok(client);
    };
    let now = incoming.now;
    let spent = incoming.ctx.store.submit(move |view| {
        let refuse = |error| Decision::reply(Err(TokenError::from(error)));
        replays::deciding_once(view, &[used], now, refuse, || Ok(Decision::reply(Ok(()))))
    });
    match spent.map_err(unavailable).flatten() {
        Ok(()) => Ok(client),
        Err(error) => Err((Some(client.client().clone()), error)),
    }
}

/// The client of a request, whose assertion the handler uses up in the commit of what it grants: the guard of the token
/// endpoint.
pub fn authenticate_granting(incoming: &Incoming<'_>, form: &Form) -> Authenticated {
    authenticate_as(incoming, form, |id| {
        incoming.ctx.client_on_wire(id).map_err(unavailable)
    })
}

/// The same where a client may be heard of for the first time: a document is fetched for it. The guard of pushed requests.
pub fn authenticate_pushing(incoming: &Incoming<'_>, form: &Form) -> Authenticated {
    authenticate_as(incoming, form, |id| {
        let found = client_documents::pushing(incoming, id).map_err(unavailable)?;
        found.map_err(|error| {
            let detail = format!("client document {id}: {}", error.detail());
            let event = Event::refused(EventKind::ClientAuthentication, incoming.now, detail);
            incoming
                .ctx
                .record_refusal(event.from(Some(incoming.address())));
            TokenError::InvalidClient {
                basic: false,
                why: "its document describes no client",
            }
        })
    })
}

type Found = Result<Option<Arc<Client>>, TokenError>;

fn authenticate_as(
    incoming: &Incoming<'_>,
    form: &Form,
    find: impl Fn(&WireClientId) -> Found,
) -> Authenticated {
    let authorization = incoming.request.header("Authorization");
    let assertion =
        Assertion::parse(form, authorization.is_some()).map_err(|error| (None, error))?;
    if let Some(assertion) = assertion {
        return by_assertion(incoming, &assertion, find);
    }
    let credentials = Credentials::parse(authorization, form).map_err(|error| (None, error))?;
    let client = match &credentials.client_id {
        Some(id) => find(id).map_err(|error| (None, error))?,
        None => None,
    };
    let weighed = credentials.weigh(client.clone());
    let settled = weighed.and_then(|weighed| match weighed {
        Weighed::Proved(client) => Ok(client),
        Weighed::Undecided(undecided) => slow_secrets::settle(incoming, &credentials, &undecided),
    });
    settled.map_err(|error| (client, error))
}

/// The client of a signed assertion. What was used already is refused here; whoever grants something for it looks once more,
/// in the writer's turn.
fn by_assertion(
    incoming: &Incoming<'_>,
    assertion: &Assertion<'_>,
    find: impl Fn(&WireClientId) -> Found,
) -> Authenticated {
    let ctx = incoming.ctx;
    let client = match &assertion.client_id {
        Some(id) => find(id).map_err(|error| (None, error))?,
        None => None,
    };
    let endpoint = ctx.config.issuer.endpoint(incoming.path);
    let client = match client {
        Some(client) if client.auth_method == ClientAuthMethod::PrivateKeyJwt => {
            match fetched::with_keys(incoming, client.clone(), assertion.text) {
                Ok(client) => Some(client),
                Err(Unfetched::Busy) => return Err((Some(client), TokenError::Unavailable)),
                Err(Unfetched::Failed) => {
                    let why = "the keys of the client could not be fetched";
                    return Err((
                        Some(client),
                        TokenError::InvalidClient { basic: false, why },
                    ));
                }
            }
        }
        other => other,
    };
    let proved = assertion
        .verify(client.clone(), &ctx.config.issuer, &endpoint, incoming.now)
        .map_err(|error| (client.clone(), error))?;
    match is_used(incoming, &proved) {
        Ok(false) => Ok(proved),
        Ok(true) => {
            let replayed = NotOnce::Replayed(Purpose::ClientAssertion);
            Err((client, replayed.into()))
        }
        Err(error) => Err((client, unavailable(error))),
    }
}

fn is_used(incoming: &Incoming<'_>, client: &AuthenticatedClient) -> Result<bool, StoreError> {
    let Some(used) = client.assertion() else {
        return Ok(false);
    };
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    view.is_replayed(&used.record, replay::LONGEST, incoming.now)
}

/// A refusal in JSON; with `WWW-Authenticate` when HTTP Basic was tried (RFC 6749 §5.2).
pub fn refuse(error: &TokenError) -> Response {
    let mut response = oauth_error(error.wire());
    if matches!(error, TokenError::InvalidClient { basic: true, .. }) {
        set(
            &mut response,
            "WWW-Authenticate",
            "Basic realm=\"Doorlight\", charset=\"UTF-8\"",
        );
    }
    if let TokenError::TooManySecrets { seconds } = error {
        set(&mut response, "Retry-After", seconds.to_string());
    }
    response
}

/// The token that a client asks about, or gives back (RFC 7662 §2.1, RFC 7009 §2.1).
fn token_of(form: &Form) -> Result<&str, TokenError> {
    match form.one("token") {
        Ok(text) => text.ok_or(TokenError::MissingParameter("token")),
        Err(repeated) => Err(TokenError::RepeatedParameter(repeated.0)),
    }
}

/// Records a refusal that no decision has recorded, with the client that was named, and answers it.
pub fn refuse_and_record(
    incoming: &Incoming<'_>,
    client: Option<&Client>,
    error: &TokenError,
) -> Response {
    // A device that waits asks every few seconds, and what it is told was recorded when it happened.
    if matches!(
        error,
        TokenError::AuthorizationPending
            | TokenError::SlowDown
            | TokenError::DeviceCodeExpired
            | TokenError::DeviceDenied
    ) {
        return refuse(error);
    }
    let kind = match error {
        TokenError::InvalidClient { .. } | TokenError::TooManySecrets { .. } => {
            EventKind::ClientAuthentication
        }
        TokenError::InvalidDeviceCode(_) => EventKind::DeviceCodeRedeemed,
        TokenError::TooManyDevices => EventKind::DeviceAsked,
        _ => EventKind::TokenRequest,
    };
    let why = match error {
        TokenError::InvalidClient { why, .. } | TokenError::InvalidDeviceCode(why) => {
            (*why).to_owned()
        }
        other => other.wire().description.to_owned(),
    };
    let mut event = Event::refused(kind, incoming.now, why).from(Some(incoming.address()));
    if let Some(client) = client {
        event = event.client(client);
    }
    incoming.ctx.record_refusal(event);
    refuse(error)
}

/// A refusal, with the events that no commit has recorded.
pub(super) struct Refused {
    error: TokenError,
    events: Vec<Event>,
}

/// Says where the request came from, and keeps the events of a refusal that changes nothing out of the commit: whoever
/// holds a used or foreign token may repeat it without end, and each time would cost a sync and a row.
pub(super) fn bounded<T>(
    decision: Decision<T, TokenError>,
    address: IpAddr,
) -> Decision<T, Refused> {
    let Decision {
        changes,
        mut events,
        reply,
    } = decision;
    for event in &mut events {
        event.address = Some(address);
    }
    let unrecorded = if reply.is_err() && changes.is_empty() {
        std::mem::take(&mut events)
    } else {
        Vec::new()
    };
    let reply = reply.map_err(|error| Refused {
        error,
        events: unrecorded,
    });
    Decision {
        changes,
        events,
        reply,
    }
}

impl Refused {
    /// Records what no commit has, and answers.
    fn answer(self, incoming: &Incoming<'_>) -> Response {
        for event in self.events {
            incoming.ctx.record_refusal(event);
        }
        refuse(&self.error)
    }
}

pub(super) fn unavailable(error: StoreError) -> TokenError {
    log::warn!("{error}");
    TokenError::Unavailable
}

#[cfg(test)]
#[path = "assertion_tests.rs"]
mod tests;
