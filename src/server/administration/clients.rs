//! Applications, as an administrator handles them. The rules stand in `oauth::clients`.

use super::{Actor, OperationError, keys, submit};
use crate::crypto::random::Fresh;
use crate::model::{AdminError, Algorithm, Author, Client, Decision, Event};
use crate::oauth;
use crate::oauth::clients::sector::{self, Document};
use crate::oauth::clients::{self, Around};
use crate::server::context::Context;
use crate::server::sector_documents::{self, Missing};
use crate::store::{StoreError, View};
use crate::types::{ClientId, Secret, Timestamp, WireClientId};

pub use crate::oauth::clients::{ClientEdit, Made, NewClient};

/// Adds an application. The secret, if it has one, is shown once.
pub fn add(ctx: &Context, client: NewClient, actor: &Actor) -> Result<Made, OperationError> {
    add_detailed(ctx, client.into(), actor)
}

/// Adds an application with all its settings.
pub fn add_detailed(
    ctx: &Context,
    details: ClientEdit,
    actor: &Actor,
) -> Result<Made, OperationError> {
    let fresh = Fresh::draw();
    let document = document(ctx, None, &details, actor)?;
    save(ctx, actor, move |view, by| {
        let around = around(view, &details.name, document)?;
        Ok(clients::add(&details, &around, fresh, by))
    })
}

/// All applications, in order of creation.
pub fn list(ctx: &Context) -> Result<Vec<Client>, OperationError> {
    Ok(ctx.store.snapshot()?.view().clients(None, usize::MAX)?)
}

/// The application with that id, or that name in any case.
pub fn find(ctx: &Context, name_or_id: &str) -> Result<Client, OperationError> {
    find_in(&ctx.store.snapshot()?.view(), name_or_id)
}

/// The same, where there is a view already (a verb that reads the file beside a running server).
pub fn find_in(view: &View<'_>, name_or_id: &str) -> Result<Client, OperationError> {
    if let Ok(id) = name_or_id.parse::<WireClientId>()
        && let Some(client) = view.client_on_wire(&id)?
    {
        return Ok(*client);
    }
    named(view, name_or_id)?.ok_or_else(|| missing(name_or_id).into())
}

/// Edits an application: all settings at once.
pub fn edit(
    ctx: &Context,
    id: ClientId,
    details: ClientEdit,
    actor: &Actor,
) -> Result<Client, OperationError> {
    let document = document(ctx, Some(id), &details, actor)?;
    save(ctx, actor, move |view, by| {
        let around = around(view, &details.name, document)?;
        Ok(match view.client(id)? {
            Some(client) => clients::edit(client, &details, &around, by),
            None => Decision::reply(Err(missing(id))),
        })
    })
}

/// Edits an application as it was `seen` ([`ClientEdit::version`]): all settings at once.
pub fn edit_as_seen(
    ctx: &Context,
    id: ClientId,
    seen: &str,
    details: ClientEdit,
    actor: &Actor,
) -> Result<Client, OperationError> {
    let seen = seen.to_owned();
    let document = document(ctx, Some(id), &details, actor)?;
    save(ctx, actor, move |view, by| {
        let around = around(view, &details.name, document)?;
        Ok(match view.client(id)? {
            Some(client) => clients::edit_as_seen(client, &seen, &details, &around, by),
            None => Decision::reply(Err(missing(id))),
        })
    })
}

/// A job that saves an application, with the key that it is the first to need.
fn save<T: Send + 'static>(
    ctx: &Context,
    actor: &Actor,
    decide: impl FnOnce(&View<'_>, &Author) -> Result<Decision<T, AdminError>, StoreError>
    + Send
    + 'static,
) -> Result<T, OperationError> {
    let made = keys::generate(Algorithm::EdDsa)?;
    submit(ctx, actor, move |view, by| {
        let known = view.signing_keys()?;
        let decision = decide(view, by)?;
        Ok(oauth::keys::provide(decision, &known, made, by.now))
    })
}

/// Adds one address that a sign-in may return to.
pub fn add_redirect_uri(
    ctx: &Context,
    id: ClientId,
    redirect_uri: String,
    actor: &Actor,
) -> Result<Client, OperationError> {
    let client = ctx.client(id)?.ok_or_else(|| missing(id))?;
    let details = clients::with_redirect_uri(&client, redirect_uri.clone());
    let document = document(ctx, Some(id), &details, actor)?;
    submit(ctx, actor, move |view, by| {
        let Some(client) = view.client(id)? else {
            return Ok(Decision::reply(Err(missing(id))));
        };
        let around = around(view, &client.name, document)?;
        Ok(clients::add_redirect_uri(client, redirect_uri, &around, by))
    })
}

/// Makes a second secret; it is shown once.
pub fn rotate_secret(
    ctx: &Context,
    id: ClientId,
    actor: &Actor,
) -> Result<(Client, Secret), OperationError> {
    let fresh = Fresh::draw();
    about(ctx, id, actor, move |client, by| {
        clients::rotate_secret(client, fresh, by)
    })
}

/// Removes the secret that was made at `created`.
pub fn remove_secret(
    ctx: &Context,
    id: ClientId,
    created: Timestamp,
    actor: &Actor,
) -> Result<Client, OperationError> {
    about(ctx, id, actor, move |client, by| {
        clients::remove_secret(client, created, by)
    })
}

/// Deletes an application; its tokens end.
pub fn delete(ctx: &Context, id: ClientId, actor: &Actor) -> Result<(), OperationError> {
    about(ctx, id, actor, move |client, by| {
        clients::delete(&client, by)
    })
}

/// A job about one application.
fn about<T: Send + 'static>(
    ctx: &Context,
    id: ClientId,
    actor: &Actor,
    decide: impl FnOnce(Client, &Author) -> Decision<T, AdminError> + Send + 'static,
) -> Result<T, OperationError> {
    submit(ctx, actor, move |view, by| {
        Ok(match view.client(id)? {
            Some(client) => decide(client, by),
            None => Decision::reply(Err(missing(id))),
        })
    })
}

/// The document of its sector, where one must be fetched: before the writer's turn, which nobody may hold up.
fn document(
    ctx: &Context,
    id: Option<ClientId>,
    details: &ClientEdit,
    actor: &Actor,
) -> Result<Option<Document>, OperationError> {
    let old = match id {
        Some(id) => ctx.client(id)?,
        None => None,
    };
    let Some(uri) = sector::to_fetch(old.as_deref(), details) else {
        return Ok(None);
    };
    let of = |event: Event| {
        let event = event.actor(&actor.name).from(actor.address);
        match &old {
            Some(client) => event.client(client),
            None => event,
        }
    };
    match sector_documents::fetch(ctx, uri, of) {
        Ok(document) => Ok(Some(document)),
        Err(Missing::Invalid(error)) => Err(error.into()),
        Err(Missing::Store(error)) => Err(error.into()),
    }
}

fn around(view: &View<'_>, name: &str, document: Option<Document>) -> Result<Around, StoreError> {
    Ok(Around {
        sectors: sector_documents::sectors(view, document)?,
        namesake: named(view, name)?.map(|client| client.id),
        groups: view.groups()?.into_iter().map(|group| group.name).collect(),
    })
}

/// Names are no keys of the file: there are few applications, and this is asked when one is changed.
fn named(view: &View<'_>, name: &str) -> Result<Option<Client>, StoreError> {
    let wanted = name.trim().to_lowercase();
    let clients = view.clients(None, usize::MAX)?;
    Ok(clients
        .into_iter()
        .find(|client| client.name.to_lowercase() == wanted))
}

fn missing(name: impl ToString) -> AdminError {
    AdminError::NotFound {
        what: "application",
        name: name.to_string(),
    }
}
