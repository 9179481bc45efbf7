//! Whose request to `/authorize` it is, and what it asks for.
//! Owns: bringing together what a request may only name, its object and the keys of its client (RFC 9101 §5.2), and
//! what was pushed (RFC 9126 §4). Not here: what it means (`oauth::authorize`), the fetches (`server::fetched`,
//! `server::client_documents`).
//!
//! In two parts, for a call to another server may take seconds: [`brought`] calls, and is done before a snapshot of the
//! store is opened, which would keep old pages from being used again; [`within`] reads one, and calls nobody.

use crate::model::Client;
use crate::oauth::authorize::par::{self, Reference};
use crate::oauth::authorize::request::{NoTarget, Request, Target};
use crate::oauth::authorize::{Via, by_reference, read, unusable};
use crate::oauth::error::AuthorizeError;
use crate::server::client_documents::{self, Description, Named};
use crate::server::fetched::{self, Unfetched};
use crate::server::incoming::Incoming;
use crate::server::pages::interaction;
use crate::store::{StoreError, View};
use crate::types::Form;
use std::sync::Arc;

/// A request whose client and target are known.
pub struct Known {
    /// The client.
    pub client: Arc<Client>,
    /// The request, or why it cannot be used; either way there is somewhere to answer.
    pub request: Result<Request, (Target, AuthorizeError)>,
    /// What the client was made of, where a document describes it.
    pub description: Option<Description>,
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
pub type Unknown = (Option<Arc<Client>>, NoTarget);

/// Finds the client and the target, for whoever holds no snapshot.
pub fn find(incoming: &Incoming<'_>, form: &Form) -> Result<Result<Known, Unknown>, StoreError> {
    let brought = match brought(incoming, form)? {
        Ok(brought) => brought,
        Err(unknown) => return Ok(Err(unknown)),
    };
    let snapshot = incoming.ctx.store.snapshot()?;
    within(&snapshot.view(), incoming, form, brought)
}

/// A client with its keys, and the request with its object in it, or why that is not to be had.
pub struct Brought {
    client: Arc<Client>,
    description: Option<Description>,
    form: Result<Form, AuthorizeError>,
}

/// Fetches what the request hangs on.
pub fn brought(
    incoming: &Incoming<'_>,
    form: &Form,
) -> Result<Result<Brought, Unknown>, StoreError> {
    let ctx = incoming.ctx;
    let (client, description) = match client_documents::named(incoming, form)? {
        Named::Nobody => (None, None),
        Named::Given(id) => (ctx.client_on_wire(&id)?, None),
        Named::Undescribed(error) => return Ok(Err((None, NoTarget::Document(error)))),
        Named::Described(described) => {
            // Closed again before the next call.
            let snapshot = ctx.store.snapshot()?;
            match described.client(&snapshot.view(), incoming.now)? {
                Ok(client) => (Some(Arc::new(client)), Some(described)),
                Err(error) => return Ok(Err((None, NoTarget::Document(error)))),
            }
        }
    };
    let Some(client) = client else {
        return Ok(Err((None, NoTarget::Client)));
    };
    let (client, form) = bring(incoming, client, form);
    Ok(Ok(Brought {
        client,
        description,
        form,
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
    brought: Brought,
) -> Result<Result<Known, Unknown>, StoreError> {
    let Brought {
        client,
        description,
        form: whole,
    } = brought;
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
            client,
            description,
            request: heard.request,
            unmarked: begun.is_none() && (form.has("request_uri") || form.has("request")),
        }),
        Err(why) => Err((Some(client), why)),
    })
}
