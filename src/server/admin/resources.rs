//! `/admin/resources`: resources, which the pages call APIs. In addresses an identifier stands percent-encoded, as a
//! group's name does.

use super::desk::{self, Answer, Desk, Done};
use super::groups::{decoded, encoded};
use super::listing::Listing;
use crate::model::{AdminError, Algorithm, Resource as Record};
use crate::oauth::resources::ResourceEdit;
use crate::server::administration::OperationError;
use crate::server::administration::resources as operations;
use crate::server::respond::{self, Leads};
use crate::types::{ClientId, Form};
use crate::views::admin::{Confirm, NewResource, Resource, ResourceRow, Resources};
use crate::views::{self, Choice};
use std::collections::BTreeSet;

const PATH: &str = "/admin/resources";

const DONE: &[Done] = &[
    ("added", "The API was added."),
    ("saved", "The API was saved."),
    ("deleted", "The API was deleted."),
];

/// The resource that the address names, as it is now.
fn resource(desk: &Desk<'_>) -> Result<Record, OperationError> {
    let identifier = decoded(desk.named).unwrap_or_default();
    operations::find(&desk.ctx().store.snapshot()?.view(), &identifier)
}

fn applications(desk: &Desk<'_>) -> Result<Vec<Choice>, OperationError> {
    let snapshot = desk.ctx().store.snapshot()?;
    let clients = snapshot.view().clients(None, usize::MAX)?;
    let choices = clients.into_iter().map(|client| Choice {
        value: client.id.to_string(),
        label: client.name,
    });
    Ok(choices.collect())
}

/// `GET /admin/resources`.
pub fn list(desk: &Desk<'_>) -> Answer {
    let all = desk.ctx().store.snapshot()?.view().resources()?;
    let read = |after: &str, limit: usize| {
        let later = all
            .iter()
            .filter(|resource| resource.identifier.as_str() > after);
        Ok::<_, OperationError>(later.take(limit).cloned().collect())
    };
    let (resources, list) = Listing::asked(desk.incoming, PATH).page(
        read,
        |resource| resource.identifier.clone(),
        |resource| vec![resource.identifier.clone(), resource.name.clone()],
    )?;
    let rows = resources.into_iter().map(row).collect();
    Ok(desk.page("APIs", DONE, |page| {
        respond::page(200, Leads::Here, &Resources { page, list, rows })
    }))
}

/// `GET /admin/resources/new`.
pub fn new(desk: &Desk<'_>) -> Answer {
    new_form(desk, filled(&ResourceEdit::new("")), 200)
}

fn new_form(desk: &Desk<'_>, form: views::Form, status: u16) -> Answer {
    let applications = applications(desk)?;
    Ok(desk.page("Add an API", DONE, |page| {
        let view = NewResource {
            page,
            form,
            applications,
        };
        respond::page(status, Leads::Here, &view)
    }))
}

/// `POST /admin/resources/new`.
pub fn add(desk: &Desk<'_>) -> Answer {
    let form = desk.form;
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let added = details(form)
        .map_err(OperationError::Admin)
        .and_then(|details| operations::add(ctx, form.text("identifier"), details, &actor));
    match added {
        Ok(resource) => Ok(desk.go(&path(&resource), "added")),
        Err(error) => {
            let form = refused(desk::typed(form), &desk::refusal(error)?);
            new_form(desk, form, 422)
        }
    }
}

/// `GET /admin/resources/*`.
pub fn show(desk: &Desk<'_>) -> Answer {
    drawn(desk, &resource(desk)?, None)
}

fn drawn(desk: &Desk<'_>, resource: &Record, typed: Option<views::Form>) -> Answer {
    let status = if typed.is_some() { 422 } else { 200 };
    let applications = applications(desk)?;
    let form = typed.unwrap_or_else(|| filled(&ResourceEdit::of(resource)));
    Ok(desk.page(&resource.name, DONE, |page| {
        let view = Resource {
            page,
            form,
            id: encoded(&resource.identifier),
            name: resource.name.clone(),
            identifier: resource.identifier.clone(),
            applications,
        };
        respond::page(status, Leads::Here, &view)
    }))
}

/// `POST /admin/resources/*`.
pub fn edit(desk: &Desk<'_>) -> Answer {
    let (resource, form) = (resource(desk)?, desk.form);
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let edited = details(form)
        .map_err(OperationError::Admin)
        .and_then(|details| {
            let seen = form.text("version").to_owned();
            operations::edit(ctx, &resource.identifier, seen, details, &actor)
        });
    match edited {
        Ok(resource) => Ok(desk.go(&path(&resource), "saved")),
        Err(error) => match desk::refusal(error)? {
            // What is stored now, and its version.
            AdminError::ChangedMeanwhile => {
                let now = self::resource(desk)?;
                let form = filled(&ResourceEdit::of(&now));
                drawn(
                    desk,
                    &now,
                    Some(refused(form, &AdminError::ChangedMeanwhile)),
                )
            }
            error => drawn(desk, &resource, Some(refused(desk::typed(form), &error))),
        },
    }
}

/// `GET /admin/resources/*/delete`.
pub fn ask_delete(desk: &Desk<'_>) -> Answer {
    let resource = resource(desk)?;
    let base = desk.base();
    let back = format!("{base}{}", path(&resource));
    Ok(desk.page(
        &format!("Delete the API {}?", resource.name),
        DONE,
        |page| {
            let view = Confirm {
                page,
                section: "resources",
                consequences: vec![
                    "No application gets tokens for it any more, and none can renew them."
                        .to_owned(),
                    "Applications that name it among their services lose it from that list."
                        .to_owned(),
                ],
                action: format!("{back}/delete"),
                fields: Vec::new(),
                button: format!("Delete {}", resource.name),
                back: back.clone(),
            };
            respond::page(200, Leads::Here, &view)
        },
    ))
}

/// `POST /admin/resources/*/delete`.
pub fn delete(desk: &Desk<'_>) -> Answer {
    let resource = resource(desk)?;
    let actor = desk.actor();
    operations::delete(desk.ctx(), &resource.identifier, &actor)?;
    Ok(desk.go(PATH, "deleted"))
}

fn row(resource: Record) -> ResourceRow {
    ResourceRow {
        id: encoded(&resource.identifier),
        name: resource.name,
        identifier: resource.identifier,
        clients: resource.clients.len(),
    }
}

fn filled(is: &ResourceEdit) -> views::Form {
    views::Form::new()
        .with("version", is.version())
        .with("name", is.name.as_str())
        .with("scope", is.scope.as_str())
        .with("token_seconds", is.token_seconds.to_string())
        .with("alg", is.alg.as_str())
        .with_all("client", is.clients.iter().map(ToString::to_string))
        .with_all("server", is.servers.iter().map(ToString::to_string))
        .with_tick("registered_clients", is.registered_clients)
}

fn details(form: &Form) -> Result<ResourceEdit, AdminError> {
    let ids = |name: &'static str| -> Result<BTreeSet<ClientId>, AdminError> {
        let ids = form.all(name).map(str::parse);
        ids.collect::<Result<_, _>>()
            .map_err(|_| AdminError::invalid(name, "choose from the list"))
    };
    let scope: Vec<&str> = form.text("scope").split_whitespace().collect();
    Ok(ResourceEdit {
        name: form.text("name").to_owned(),
        scope: scope.join(" "),
        token_seconds: form
            .text("token_seconds")
            .trim()
            .parse()
            .map_err(|_| AdminError::invalid("token_seconds", "must be a whole number"))?,
        alg: Algorithm::parse(form.text("alg"))
            .ok_or_else(|| AdminError::invalid("alg", "choose from the list"))?,
        clients: ids("client")?,
        servers: ids("server")?,
        registered_clients: form.has("registered_clients"),
    })
}

fn refused(mut form: views::Form, error: &AdminError) -> views::Form {
    match error {
        AdminError::Invalid { field, message } => {
            let field = match *field {
                "clients" => "client",
                "servers" => "server",
                other => other,
            };
            form.refuse(field, views::capital(message));
        }
        AdminError::NameTaken(_) => {
            form.refuse(
                "identifier",
                "There is an API with this identifier already.",
            );
        }
        other => form.refuse("", views::capital(&other.to_string())),
    }
    form
}

fn path(resource: &Record) -> String {
    format!("{PATH}/{}", encoded(&resource.identifier))
}
