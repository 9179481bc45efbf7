//! Whose request to `/authorize` it is, and what it asks for.
//! Owns: bringing together what a request may only name, its object and the keys of its client (RFC 9101 §5.2), and
//! what was pushed (RFC 9126 §4). Not here: what it means (`oauth::authorize`), the fetch (`server::fetched`).
//!
//! In two parts, for a call to another server may take seconds: [`brought`] calls, and is done before a snapshot of the
//! store is opened, which would keep old pages from being used again; [`within`] reads one, and calls nobody.

use crate::model::Client;
use crate::oauth::authorize::par::{self, Reference};
use crate::oauth::authorize::request::{self, NoTarget, Request, Target};
use crate::oauth::authorize::{Via, by_reference, read, unusable};
use crate::oauth::error::AuthorizeError;
use crate::server::fetched::{self, Unfetched};
use crate::server::incoming::Incoming;
use crate::server::pages::interaction;
use crate::store::{StoreError, View};
use crate::types::Form;
use std::sync::Arc;

/// A request whose client and target are known.
pub struct Known {
    /// The client.
    pub client: Client,
    /// The request, or why it cannot be used; either way there is somewhere to answer.
    pub request: Result<Request, (Target, AuthorizeError)>,
    /// It ends with time, and nothing says yet when it was first seen.
    pub unmarked: bool,
}

impl Known {
    /// Where the answer goes.
    pub fn target(&self) -> &Target {
        match &self.request {
            Ok(request) => &request.target,
            Err((target, _)) => target,
        }
    }
}

/// Why there is nowhere to answer, with the client if there is one.
pub type Unknown = (Option<Client>, NoTarget);

/// Finds the client and the target, for whoever holds no snapshot.
pub fn find(incoming: &Incoming<'_>, form: &Form) -> Result<Result<Known, Unknown>, StoreError> {
    let brought = brought(incoming, form)?;
    let snapshot = incoming.ctx.store.snapshot()?;
    within(&snapshot.view(), incoming, form, brought)
}

/// A client with its keys, and the request with its object in it, or why that is not to be had.
pub struct Brought {
    client: Arc<Client>,
    form: Result<Form, AuthorizeError>,
}

/// Fetches what the request hangs on. `None`: no such client.
pub fn brought(incoming: &Incoming<'_>, form: &Form) -> Result<Option<Brought>, StoreError> {
    let client = match request::client_id(form) {
        Ok(id) => incoming.ctx.client(id)?,
        Err(_) => None,
    };
    Ok(client.map(|client| {
        let (client, form) = bring(incoming, client, form);
        Brought { client, form }
    }))
}

fn bring(
    incoming: &Incoming<'_>,
    client: Arc<Client>,
    form: &Form,
) -> (Arc<Client>, Result<Form, AuthorizeError>) {
    // Of these, no object is looked at.
    if client.disabled || par::is_required(&client) {
        return (client, Ok(form.clone()));
    }
    // Busy: the application is told to try again (RFC 6749 §4.1.2.1).
    let gone = |error, why| match error {
        Unfetched::Busy => AuthorizeError::Unavailable,
        Unfetched::Failed => why,
    };
    let resolved = by_reference::address(&client, form).and_then(|uri| match uri {
        None => Ok(form.clone()),
        Some(uri) => fetched::request_object(incoming, &client, uri)
            .map_err(|error| {
                let why = "what stands at request_uri could not be fetched";
                gone(error, AuthorizeError::BadRequestUri(why))
            })
            .and_then(|content| by_reference::resolve(form, uri, &content)),
    });
    let Ok(resolved) = resolved else {
        return (client, resolved);
    };
    let Ok(Some(object)) = resolved.one("request") else {
        return (client, Ok(resolved));
    };
    match fetched::with_keys(incoming, client.clone(), object) {
        Ok(client) => (client, Ok(resolved)),
        Err(error) => {
            let why = "the keys of the client could not be fetched";
            let error = gone(error, AuthorizeError::BadRequestObject(why));
            (client, Err(error))
        }
    }
}

/// Finds the target of a request for which everything was brought.
pub fn within(
    view: &View<'_>,
    incoming: &Incoming<'_>,
    form: &Form,
    brought: Option<Brought>,
) -> Result<Result<Known, Unknown>, StoreError> {
    let Some(Brought {
        client,
        form: whole,
    }) = brought
    else {
        return Ok(Err((None, NoTarget::Client)));
    };
    let begun = interaction::begun(incoming, form);
    let at = begun.unwrap_or(incoming.now);
    let recalled = match &Reference::in_form(form) {
        None => Ok((Via::Browser, whole)),
        Some(reference) => {
            let record = match reference.selector() {
                Some(id) => view.pushed_request(id)?,
                None => None,
            };
            par::recall(reference, record, client.id, at)
                .map(|(id, form)| (Via::Pushed(id), Ok(form)))
        }
    };
    let heard = recalled
        .map_err(NoTarget::Pushed)
        .and_then(|(via, whole)| match whole {
            Ok(form) => read(&client, &form, via, &incoming.ctx.config.issuer, at),
            Err(error) => unusable(&client, form, error),
        });
    Ok(match heard {
        Ok(heard) => Ok(Known {
            client: Arc::unwrap_or_clone(client),
            request: heard.request,
            unmarked: begun.is_none() && (form.has("request_uri") || form.has("request")),
        }),
        Err(why) => Err((Some(Arc::unwrap_or_clone(client)), why)),
    })
}
