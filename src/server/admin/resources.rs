//! `/admin/resources`: resources, which the pages call APIs. In addresses an identifier stands percent-encoded, as a
//! group's name does.

use super::desk::{self, Answer, Done};
use super::groups::{decoded, encoded};
use super::listing::Listing;
use crate::model::{AdminError, Algorithm, Resource as Record};
use crate::oauth::resources::ResourceEdit;
use crate::server::administration::OperationError;
use crate::server::administration::resources as operations;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::pages::failure;
use crate::server::respond::{self, Leads};
use crate::types::{ClientId, Form};
use crate::views::admin::{Confirm, NewResource, Resource, ResourceRow, Resources};
use crate::views::{self, Choice};
use rouille::Response;
use std::collections::BTreeSet;

const PATH: &str = "/admin/resources";

const DONE: &[Done] = &[
    ("added", "The API was added."),
    ("saved", "The API was saved."),
    ("deleted", "The API was deleted."),
];

/// Answers what stands below `/admin/resources`.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form, rest: &str) -> Response {
    let posted = desk::is_post(incoming);
    let desk = Desk { incoming, visitor };
    let answered = match (rest.trim_start_matches('/'), posted) {
        ("", false) => desk.list(),
        ("new", false) => desk.new_form(filled(&ResourceEdit::new("")), 200),
        ("new", true) => desk.add(form),
        (rest, _) => {
            let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
            match (desk.resource(id), action, posted) {
                (Err(error), _, _) => Err(error),
                (Ok(resource), "", false) => desk.details(&resource, None),
                (Ok(resource), "", true) => desk.edit(&resource, form),
                (Ok(resource), "delete", false) => Ok(desk.ask_delete(&resource)),
                (Ok(resource), "delete", true) => desk.delete(&resource),
                _ => Ok(failure::not_found(incoming)),
            }
        }
    };
    answered.unwrap_or_else(|error| desk::failed(incoming, visitor, error))
}

struct Desk<'a> {
    incoming: &'a Incoming<'a>,
    visitor: &'a Visitor,
}

impl Desk<'_> {
    fn resource(&self, id: &str) -> Result<Record, OperationError> {
        let identifier = decoded(id).unwrap_or_default();
        operations::find(&self.incoming.ctx.store.snapshot()?.view(), &identifier)
    }

    fn page(&self, title: &str, draw: impl FnOnce(views::Page) -> Response) -> Response {
        desk::page(self.incoming, self.visitor, title, DONE, draw)
    }

    fn applications(&self) -> Result<Vec<Choice>, OperationError> {
        let snapshot = self.incoming.ctx.store.snapshot()?;
        let clients = snapshot.view().clients(None, usize::MAX)?;
        let choices = clients.into_iter().map(|client| Choice {
            value: client.id.to_string(),
            label: client.name,
        });
        Ok(choices.collect())
    }

    fn list(&self) -> Answer {
        let all = self.incoming.ctx.store.snapshot()?.view().resources()?;
        let read = |after: &str, limit: usize| {
            let later = all
                .iter()
                .filter(|resource| resource.identifier.as_str() > after);
            Ok::<_, OperationError>(later.take(limit).cloned().collect())
        };
        let (resources, list) = Listing::asked(self.incoming, PATH).page(
            read,
            |resource| resource.identifier.clone(),
            |resource| vec![resource.identifier.clone(), resource.name.clone()],
        )?;
        let rows = resources.into_iter().map(row).collect();
        Ok(self.page("APIs", |page| {
            respond::page(200, Leads::Here, &Resources { page, list, rows })
        }))
    }

    fn new_form(&self, form: views::Form, status: u16) -> Answer {
        let applications = self.applications()?;
        Ok(self.page("Add an API", |page| {
            let view = NewResource {
                page,
                form,
                applications,
            };
            respond::page(status, Leads::Here, &view)
        }))
    }

    fn add(&self, form: &Form) -> Answer {
        let (ctx, actor) = (self.incoming.ctx, desk::actor(self.incoming, self.visitor));
        let added = details(form)
            .map_err(OperationError::Admin)
            .and_then(|details| operations::add(ctx, form.text("identifier"), details, &actor));
        match added {
            Ok(resource) => Ok(desk::go(self.incoming, &path(&resource), "added")),
            Err(error) => match desk::refusal(self.incoming, self.visitor, error) {
                Ok(error) => self.new_form(refused(desk::typed(form), &error), 422),
                Err(response) => Ok(response),
            },
        }
    }

    fn details(&self, resource: &Record, typed: Option<views::Form>) -> Answer {
        let status = if typed.is_some() { 422 } else { 200 };
        let applications = self.applications()?;
        let form = typed.unwrap_or_else(|| filled(&ResourceEdit::of(resource)));
        Ok(self.page(&resource.name, |page| {
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

    fn edit(&self, resource: &Record, form: &Form) -> Answer {
        let (ctx, actor) = (self.incoming.ctx, desk::actor(self.incoming, self.visitor));
        let edited = details(form)
            .map_err(OperationError::Admin)
            .and_then(|details| {
                let seen = form.text("version").to_owned();
                operations::edit(ctx, &resource.identifier, seen, details, &actor)
            });
        match edited {
            Ok(resource) => Ok(desk::go(self.incoming, &path(&resource), "saved")),
            Err(error) => match desk::refusal(self.incoming, self.visitor, error) {
                // What is stored now, and its version.
                Ok(AdminError::ChangedMeanwhile) => {
                    let now = self.resource(&encoded(&resource.identifier))?;
                    let form = filled(&ResourceEdit::of(&now));
                    self.details(&now, Some(refused(form, &AdminError::ChangedMeanwhile)))
                }
                Ok(error) => self.details(resource, Some(refused(desk::typed(form), &error))),
                Err(response) => Ok(response),
            },
        }
    }

    fn ask_delete(&self, resource: &Record) -> Response {
        let base = self.incoming.ctx.config.issuer.path();
        let back = format!("{base}{}", path(resource));
        self.page(&format!("Delete the API {}?", resource.name), |page| {
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
        })
    }

    fn delete(&self, resource: &Record) -> Answer {
        let actor = desk::actor(self.incoming, self.visitor);
        operations::delete(self.incoming.ctx, &resource.identifier, &actor)?;
        Ok(desk::go(self.incoming, PATH, "deleted"))
    }
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
