//! `POST /device_authorization` (RFC 8628 §3.1), and what a poll of a device finds (§3.4, §3.5).

use super::{bounded, refuse, refuse_and_record, unavailable};
use crate::crypto::random::{self, Fresh};
use crate::model::Decision;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::device_authorization::{FreshCodes, Request, decide};
use crate::oauth::error::TokenError;
use crate::oauth::token::device;
use crate::server::incoming::Incoming;
use crate::server::respond::{self, set};
use crate::store::{StoreError, View};
use crate::types::{Form, UserCode};
use rouille::Response;

/// Answers a client.
pub fn handle(incoming: &Incoming<'_>, form: &Form, client: &AuthenticatedClient) -> Response {
    let request = match Request::parse(form, client) {
        Ok(request) => request,
        Err(error) => return refuse_and_record(incoming, Some(client.client()), &error),
    };
    let (now, address, id) = (incoming.now, incoming.address(), client.client().id);
    let ctx = incoming.ctx;
    if client.client().is_public()
        && let Err(wait) = ctx.devices.ask(address, now)
    {
        let error = TokenError::TooManyDevices;
        let mut response = refuse_and_record(incoming, Some(client.client()), &error);
        let seconds = wait.as_secs().max(1).to_string();
        set(&mut response, "Retry-After", seconds);
        return response;
    }
    let fresh = FreshCodes {
        device: Fresh::draw(),
        user: std::array::from_fn(|_| u64::from_le_bytes(random::bytes())),
    };
    let submitted = ctx.store.submit(move |view| {
        let Some(client) = view.client(id)?.filter(|client| !client.disabled) else {
            let gone = TokenError::InvalidClient {
                basic: false,
                why: "the client is gone",
            };
            return Ok(bounded(Decision::reply(Err(gone)), address));
        };
        let free = free_code(view, &fresh)?;
        let records = view.device_authorization_count()?;
        let decision = decide(&client, &request, free, records, address, fresh, now);
        Ok(bounded(decision, address))
    });
    match submitted {
        Ok(Ok(asked)) => respond::json(200, &asked.answer(&ctx.config.issuer)),
        Ok(Err(refused)) => refused.answer(incoming),
        Err(error) => refuse(&unavailable(error)),
    }
}

/// A user code that no record has, not even an ended one: its index row would be taken away with that one.
fn free_code(view: &View<'_>, fresh: &FreshCodes) -> Result<Option<UserCode>, StoreError> {
    for code in fresh.candidates() {
        if view.device_authorization_of(code)?.is_none() {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

/// What a poll is answered without the writer; `None` where there is something to redeem. A poll writes nothing.
pub(super) fn poll(
    incoming: &Incoming<'_>,
    request: &device::Request,
    client: &AuthenticatedClient,
) -> Result<Option<TokenError>, StoreError> {
    let snapshot = incoming.ctx.store.snapshot()?;
    let record = match &request.device_code {
        Some(code) => snapshot.view().device_authorization(code.selector)?,
        None => None,
    };
    let now = incoming.now;
    Ok(
        match device::find(record.as_ref(), client.client(), request, now) {
            Ok(device::Found::Answered) => None,
            Ok(device::Found::Waiting(id)) => {
                Some(if incoming.ctx.devices.polled_too_soon(id, now) {
                    TokenError::SlowDown
                } else {
                    TokenError::AuthorizationPending
                })
            }
            Err(error) => Some(error),
        },
    )
}

#[cfg(test)]
#[path = "device_authorization_tests.rs"]
mod tests;
