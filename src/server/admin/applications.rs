//! `/admin/applications`: the list, and the ways through an application's pages. Their forms stand in
//! `application_form`, what they know from the audit log in `recent`.

use super::application_form as fields;
use super::desk::{self, Answer, Done};
use super::listing::Listing;
use super::person_form::groups;
use super::recent::{self, Recent};
use super::undelivered;
use crate::model::{AdminError, Client, ClientKind};
use crate::server::administration::OperationError;
use crate::server::administration::clients as operations;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::pages::failure;
use crate::server::pages::when::when;
use crate::server::respond::{self, Leads};
use crate::store::View;
use crate::types::{ClientId, Form, Secret, Timestamp};
use crate::views::admin::{
    Application, ApplicationRow, Applications, Confirm, CopyRow, Issued, NewApplication, SecretRow,
    application_defaults,
};
use crate::views::{self, Choice};
use rouille::Response;

const PATH: &str = "/admin/applications";

/// A reload of the page with the secret sends the form once more.
const RELOADED: &str = "There is an application of this name already. If you reloaded the page that showed its secret: \
                        it was added, and the secret is shown once. You can make another one on its page.";

const DONE: &[Done] = &[
    ("saved", "The settings were saved."),
    (
        "address",
        "The address was added. Sign-in works with it now.",
    ),
    ("removed", "The secret was removed."),
    ("deleted", "The application was deleted."),
];

/// Answers what stands below `/admin/applications`.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form, rest: &str) -> Response {
    let posted = desk::is_post(incoming);
    let desk = Desk { incoming, visitor };
    let answered = match (rest.trim_start_matches('/'), posted) {
        ("", false) => desk.list(),
        ("new", false) => desk.new_form(application_defaults(), 200),
        ("new", true) => desk.add(form),
        (rest, _) => {
            let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
            match (desk.client(id), action, posted) {
                (Err(error), _, _) => Err(error),
                (Ok(client), "", false) => desk.details(&client, fields::of(&client), 200),
                (Ok(client), "", true) => desk.edit(&client, form),
                (Ok(client), "secrets/rotate", true) => desk.rotate_secret(&client),
                (Ok(client), "secrets/remove", true) => desk.remove_secret(&client, form),
                (Ok(client), "redirect-uris/add", true) => desk.add_redirect_uri(&client, form),
                (Ok(client), "delete", false) => Ok(desk.ask_delete(&client)),
                (Ok(client), "delete", true) => desk.delete(&client),
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
    fn client(&self, id: &str) -> Result<Client, OperationError> {
        let found = match id.parse::<ClientId>() {
            Ok(id) => self.incoming.ctx.store.snapshot()?.view().client(id)?,
            Err(_) => None,
        };
        desk::known(found, "application", id)
    }

    fn page(&self, title: &str, draw: impl FnOnce(views::Page) -> Response) -> Response {
        desk::page(self.incoming, self.visitor, title, DONE, draw)
    }

    fn address_of(&self, client: &Client) -> String {
        format!("{}{}", self.incoming.ctx.config.issuer.path(), path(client))
    }

    fn list(&self) -> Answer {
        let snapshot = self.incoming.ctx.store.snapshot()?;
        let view = snapshot.view();
        let recent = Recent::read(&view)?;
        let (clients, list) = Listing::asked(self.incoming, PATH).page(
            |after, limit| view.clients(after.parse().ok(), limit),
            |client| client.id.to_string(),
            searched,
        )?;
        let rows = clients.iter().map(|client| row(client, &recent));
        let rows = rows.collect();
        Ok(self.page("Applications", |page| {
            respond::page(200, Leads::Here, &Applications { page, list, rows })
        }))
    }

    fn new_form(&self, form: views::Form, status: u16) -> Answer {
        let groups = groups(&self.incoming.ctx.store.snapshot()?.view())?;
        Ok(self.page("Add an application", |page| {
            let view = NewApplication { page, form, groups };
            respond::page(status, Leads::Here, &view)
        }))
    }

    fn add(&self, form: &Form) -> Answer {
        let (ctx, actor) = (self.incoming.ctx, desk::actor(self.incoming, self.visitor));
        let added = fields::details(form, None)
            .map_err(OperationError::Admin)
            .and_then(|details| operations::add_detailed(ctx, details, &actor));
        match added {
            Ok((client, secret)) => Ok(self.issued(&client, secret.as_ref(), true)),
            Err(error) => match desk::refusal(self.incoming, self.visitor, error) {
                Ok(error) => {
                    let mut form = refused(desk::typed(form), &error);
                    if matches!(error, AdminError::NameTaken(_)) {
                        form.refuse("name", RELOADED);
                    }
                    self.new_form(form, 422)
                }
                Err(response) => Ok(response),
            },
        }
    }

    /// What to type into the application; the secret is shown here and never again.
    fn issued(&self, client: &Client, secret: Option<&Secret>, new: bool) -> Response {
        let issuer = &self.incoming.ctx.config.issuer;
        let row = |label: &str, value: &str, hint: &str| CopyRow {
            label: label.to_owned(),
            value: value.to_owned(),
            hint: hint.to_owned(),
        };
        let mut rows = vec![row("Client id", &client.wire_id().to_string(), "")];
        rows.extend(secret.map(|secret| {
            let hint = "It is shown only now. Doorlight keeps nothing but a fingerprint of it.";
            row("Client secret", secret.expose(), hint)
        }));
        // Nobody signs in to a service: it asks for tokens, and for nothing else.
        if client.kind == ClientKind::Service {
            rows.push(row("Token address", &issuer.endpoint("/token"), ""));
        }
        let single = [
            ("Authorization", "/authorize"),
            ("Token", "/token"),
            ("User info", "/userinfo"),
            ("Keys (JWKS)", "/jwks.json"),
            ("Signing out (end session)", "/logout"),
        ];
        let more = single
            .into_iter()
            .map(|(label, path)| row(label, &issuer.endpoint(path), ""))
            .collect();
        let hint = "Most applications ask for this one only.";
        rows.push(row("Address of Doorlight (issuer)", issuer.as_str(), hint));
        rows.push(row("Discovery address", &discovery(self.incoming), ""));
        let (title, explanation) = if new {
            (
                format!("{} was added", client.name),
                format!("Type these values into {}.", client.name),
            )
        } else {
            (
                format!("A new secret for {}", client.name),
                format!(
                    "Type it into {}, then remove the old one. Until then both work.",
                    client.name
                ),
            )
        };
        let next = (
            self.address_of(client),
            format!("Open the settings of {}", client.name),
        );
        self.page(&title, |page| {
            let view = Issued {
                page,
                section: "applications",
                explanation,
                rows,
                more,
                next,
                also: None,
            };
            respond::page(200, Leads::Here, &view)
        })
    }

    fn details(&self, client: &Client, form: views::Form, status: u16) -> Answer {
        let snapshot = self.incoming.ctx.store.snapshot()?;
        let view = snapshot.view();
        let groups = choices(&view, client)?;
        let refused = recent::refused_addresses(&view, client)?;
        // An address that can be added has a card of its own.
        let last_refusal = Recent::of(&view, client.id)?
            .refused(client)
            .filter(|last| {
                let received = last.refusal.compared.as_ref().map(|(_, received)| received);
                !refused.iter().any(|card| Some(&card.received) == received)
            });
        let undelivered = undelivered::of(&view, client.id)?;
        let secrets = client.secrets.iter().rev().map(|secret| SecretRow {
            id: secret.created.millis().to_string(),
            created: when(secret.created),
            last_used: None,
        });
        let secrets = secrets.collect();
        Ok(self.page(&client.name, |page| {
            let view = Application {
                page,
                form,
                groups,
                id: client.id.to_string(),
                client_id: client.wire_id().to_string(),
                described: client.document().is_some(),
                name: client.name.clone(),
                issuer: self.incoming.ctx.config.issuer.to_string(),
                discovery: discovery(self.incoming),
                created: when(client.created),
                forgotten: client.forgotten_at().map(when),
                secrets,
                confidential: !client.is_public(),
                refused,
                last_refusal,
                undelivered,
            };
            respond::page(status, Leads::Here, &view)
        }))
    }

    fn edit(&self, client: &Client, form: &Form) -> Answer {
        let (ctx, actor) = (self.incoming.ctx, desk::actor(self.incoming, self.visitor));
        let edited = fields::details(form, Some(client))
            .map_err(OperationError::Admin)
            .and_then(|details| {
                let seen = form.text("version");
                operations::edit_as_seen(ctx, client.id, seen, details, &actor)
            });
        self.saved(client, edited, "saved", || desk::typed(form))
    }

    fn add_redirect_uri(&self, client: &Client, form: &Form) -> Answer {
        let (ctx, actor) = (self.incoming.ctx, desk::actor(self.incoming, self.visitor));
        let uri = form.text("redirect_uri").to_owned();
        let edited = operations::add_redirect_uri(ctx, client.id, uri, &actor);
        self.saved(client, edited, "address", || fields::of(client))
    }

    fn saved(
        &self,
        client: &Client,
        edited: Result<Client, OperationError>,
        done: &str,
        drawn: impl FnOnce() -> views::Form,
    ) -> Answer {
        match edited {
            Ok(client) => Ok(desk::go(self.incoming, &path(&client), done)),
            Err(error) => match desk::refusal(self.incoming, self.visitor, error) {
                Ok(error @ AdminError::ChangedMeanwhile) => {
                    let client = self.client(&client.id.to_string())?;
                    self.details(&client, refused(fields::of(&client), &error), 409)
                }
                Ok(error) => self.details(client, refused(drawn(), &error), 422),
                Err(response) => Ok(response),
            },
        }
    }

    fn rotate_secret(&self, client: &Client) -> Answer {
        let actor = desk::actor(self.incoming, self.visitor);
        let (client, secret) = operations::rotate_secret(self.incoming.ctx, client.id, &actor)?;
        Ok(self.issued(&client, Some(&secret), false))
    }

    fn remove_secret(&self, client: &Client, form: &Form) -> Answer {
        let actor = desk::actor(self.incoming, self.visitor);
        let Ok(created) = form.text("secret").parse().map(Timestamp::from_millis) else {
            return Ok(failure::malformed(self.incoming));
        };
        operations::remove_secret(self.incoming.ctx, client.id, created, &actor)?;
        Ok(desk::go(self.incoming, &path(client), "removed"))
    }

    fn ask_delete(&self, client: &Client) -> Response {
        let back = self.address_of(client);
        self.page(&format!("Delete {}?", client.name), |page| {
            let view = Confirm {
                page,
                section: "applications",
                consequences: vec![
                    "People can no longer sign in to it through Doorlight.".to_owned(),
                    "All its tokens end now, and its secrets are forgotten.".to_owned(),
                    "If you add it again, it gets another client id and another secret.".to_owned(),
                ],
                action: format!("{back}/delete"),
                fields: Vec::new(),
                button: format!("Delete {}", client.name),
                back: back.clone(),
            };
            respond::page(200, Leads::Here, &view)
        })
    }

    fn delete(&self, client: &Client) -> Answer {
        let actor = desk::actor(self.incoming, self.visitor);
        operations::delete(self.incoming.ctx, client.id, &actor)?;
        Ok(desk::go(self.incoming, PATH, "deleted"))
    }
}

fn path(client: &Client) -> String {
    format!("{PATH}/{}", client.id)
}

pub(super) fn discovery(incoming: &Incoming<'_>) -> String {
    let issuer = &incoming.ctx.config.issuer;
    issuer.endpoint("/.well-known/openid-configuration")
}

fn refused(mut form: views::Form, error: &AdminError) -> views::Form {
    fields::refuse(&mut form, error);
    form
}

/// What a search looks into.
fn searched(client: &Client) -> Vec<String> {
    let uris = client.redirect_uris.iter().map(ToString::to_string);
    [client.name.clone(), client.wire_id().to_string()]
        .into_iter()
        .chain(uris)
        .collect()
}

fn row(client: &Client, recent: &Recent) -> ApplicationRow {
    ApplicationRow {
        id: client.id.to_string(),
        name: client.name.clone(),
        kind: fields::kind_words(client.kind).to_owned(),
        host: client
            .redirect_uris
            .first()
            .map(|uri| uri.place())
            .unwrap_or_default(),
        last_used: recent.last_use(client.id).map(when),
        disabled: client.disabled,
        registered: client.registered.is_some() && client.document().is_none(),
        described: client.document().is_some(),
        refused: recent.refused(client),
    }
}

/// The groups to choose from, and those that the application is held to although they are gone: left out, they would
/// be dropped by the next "Save", and the application open to everybody.
fn choices(view: &View<'_>, client: &Client) -> Result<Vec<Choice>, OperationError> {
    let mut choices = groups(view)?;
    for group in &client.allowed_groups {
        if !choices.iter().any(|choice| choice.value == group.as_str()) {
            choices.push(Choice {
                value: group.to_string(),
                label: format!("{group} (deleted)"),
            });
        }
    }
    Ok(choices)
}

#[cfg(test)]
#[path = "applications_tests.rs"]
mod tests;
