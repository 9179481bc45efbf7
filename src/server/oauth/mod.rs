//! The protocol's endpoints, outer halves: parse, load, call the pure room, answer.

pub mod authorize;
pub mod documents;
pub mod introspect;
pub mod logout;
pub mod revoke;
pub mod token;
pub mod userinfo;

use super::incoming::Incoming;
use super::respond::{oauth_error, set};
use crate::model::{Client, Event, EventKind};
use crate::oauth::client_auth::{AuthenticatedClient, Credentials};
use crate::oauth::error::TokenError;
use crate::types::Form;
use rouille::Response;
use std::sync::Arc;

/// A refusal, with the client that was named if there is one of that id.
type Refused = (Option<Arc<Client>>, TokenError);

/// The client of a request: the guard of the token, introspection and revocation endpoints.
pub fn authenticate(incoming: &Incoming<'_>, form: &Form) -> Result<AuthenticatedClient, Refused> {
    let authorization = incoming.request.header("Authorization");
    let credentials = Credentials::parse(authorization, form).map_err(|error| (None, error))?;
    let client = match credentials.client_id {
        Some(id) => incoming
            .ctx
            .client(id)
            .map_err(|error| (None, unavailable(error)))?,
        None => None,
    };
    credentials
        .authenticate(client.clone())
        .map_err(|error| (client, error))
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
    response
}

/// Records a refusal that no decision has recorded, with the client that was named, and answers it.
pub fn refuse_and_record(
    incoming: &Incoming<'_>,
    client: Option<&Client>,
    error: &TokenError,
) -> Response {
    let kind = match error {
        TokenError::InvalidClient { .. } => EventKind::ClientAuthentication,
        _ => EventKind::TokenRequest,
    };
    let why = match error {
        TokenError::InvalidClient { why, .. } => (*why).to_owned(),
        other => other.wire().description.to_owned(),
    };
    let mut event = Event::refused(kind, incoming.now, why).from(Some(incoming.address()));
    if let Some(client) = client {
        event = event.client(client);
    }
    incoming.ctx.record_refusal(event);
    refuse(error)
}

pub(super) fn unavailable(error: crate::store::StoreError) -> TokenError {
    log::warn!("{error}");
    TokenError::Unavailable
}
