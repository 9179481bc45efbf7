//! Resources, as an administrator handles them. The rules stand in `oauth::resources`.

use super::{Actor, OperationError, clients, submit};
use crate::model::{AdminError, Algorithm, Decision, Resource};
use crate::oauth::resources::{self, ResourceEdit};
use crate::server::context::Context;
use crate::store::{StoreError, View};
use crate::types::ClientId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is given; `None` leaves things as they are. See [`ResourceEdit`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceChanges {
    /// Shown to administrators.
    pub name: Option<String>,
    /// Scope tokens with spaces between.
    pub scope: Option<String>,
    /// 300 to 3,600.
    pub token_seconds: Option<u32>,
    /// What tokens for it are signed with.
    pub alg: Option<Algorithm>,
    /// Names or ids of the applications that may ask for it.
    pub clients: Option<Vec<String>>,
    /// Names or ids of the applications that are this service.
    pub servers: Option<Vec<String>>,
    /// Whether applications that introduced themselves may ask for it.
    pub registered_clients: Option<bool>,
}

impl ResourceChanges {
    fn on(self, view: &View<'_>, before: ResourceEdit) -> Result<ResourceEdit, OperationError> {
        let ids = |names: Option<Vec<String>>, before| -> Result<_, OperationError> {
            let Some(names) = names else {
                return Ok(before);
            };
            let mut ids = BTreeSet::new();
            for name in names.iter().filter(|name| !name.trim().is_empty()) {
                ids.insert(clients::find_in(view, name)?.id);
            }
            Ok(ids)
        };
        Ok(ResourceEdit {
            name: self.name.unwrap_or(before.name),
            scope: self.scope.unwrap_or(before.scope),
            token_seconds: self.token_seconds.unwrap_or(before.token_seconds),
            alg: self.alg.unwrap_or(before.alg),
            clients: ids(self.clients, before.clients)?,
            servers: ids(self.servers, before.servers)?,
            registered_clients: self.registered_clients.unwrap_or(before.registered_clients),
        })
    }
}

/// The resource with exactly that identifier.
pub fn find(view: &View<'_>, identifier: &str) -> Result<Resource, OperationError> {
    Ok(view
        .resource(identifier)?
        .ok_or_else(|| missing(identifier))?)
}

/// Adds a resource.
pub fn add(
    ctx: &Context,
    identifier: &str,
    details: ResourceEdit,
    actor: &Actor,
) -> Result<Resource, OperationError> {
    let identifier = resources::identifier(identifier)?;
    submit(ctx, actor, move |view, by| {
        let (namesake, there) = (view.resource(&identifier)?, view.resources()?.len());
        let known = known(view)?;
        let namesake = namesake.as_ref();
        Ok(resources::add(
            &identifier,
            &details,
            namesake,
            there,
            &known,
            by,
        ))
    })
}

/// Adds a resource with what the command line gives.
pub fn add_given(
    ctx: &Context,
    identifier: &str,
    given: ResourceChanges,
    actor: &Actor,
) -> Result<Resource, OperationError> {
    let details = given.on(
        &ctx.store.snapshot()?.view(),
        ResourceEdit::new(identifier.trim()),
    )?;
    add(ctx, identifier, details, actor)
}

/// Edits a resource: all settings at once, as it was `seen` ([`ResourceEdit::version`]).
pub fn edit(
    ctx: &Context,
    identifier: &str,
    seen: String,
    details: ResourceEdit,
    actor: &Actor,
) -> Result<Resource, OperationError> {
    let identifier = identifier.to_owned();
    submit(ctx, actor, move |view, by| {
        Ok(match view.resource(&identifier)? {
            Some(old) => resources::edit(old, Some(&seen), &details, &known(view)?, by),
            None => Decision::reply(Err(missing(&identifier))),
        })
    })
}

/// Edits a resource: what the command line gives. What somebody else changes in the same moment is not undone.
pub fn edit_given(
    ctx: &Context,
    identifier: &str,
    given: ResourceChanges,
    actor: &Actor,
) -> Result<Resource, OperationError> {
    let snapshot = ctx.store.snapshot()?;
    let before = ResourceEdit::of(&find(&snapshot.view(), identifier)?);
    let seen = before.version();
    let details = given.on(&snapshot.view(), before)?;
    edit(ctx, identifier, seen, details, actor)
}

/// Deletes a resource; no application gets a token for it any more.
pub fn delete(ctx: &Context, identifier: &str, actor: &Actor) -> Result<(), OperationError> {
    let identifier = identifier.to_owned();
    submit(ctx, actor, move |view, by| {
        Ok(match view.resource(&identifier)? {
            Some(resource) => {
                let mut listing = view.clients(None, usize::MAX)?;
                listing.retain(|client| client.audiences.contains(&identifier));
                resources::delete(&resource, listing, by)
            }
            None => Decision::reply(Err(missing(&identifier))),
        })
    })
}

fn known(view: &View<'_>) -> Result<BTreeSet<ClientId>, StoreError> {
    let clients = view.clients(None, usize::MAX)?;
    Ok(clients.into_iter().map(|client| client.id).collect())
}

fn missing(identifier: &str) -> AdminError {
    AdminError::NotFound {
        what: "resource",
        name: identifier.to_owned(),
    }
}
