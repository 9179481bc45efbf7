//! `/admin/applications`: the list, and the ways through an application's pages. Their forms stand in
//! `application_form`, what they know from the audit log in `recent`.

use super::application_form as fields;
use super::desk::{self, Answer, Desk, Done};
use super::listing::Listing;
use super::person_form::groups;
use super::recent::{self, Recent};
use super::undelivered;
use crate::model::{AdminError, Client, ClientKind};
use crate::server::administration::OperationError;
use crate::server::administration::clients as operations;
use crate::server::incoming::Incoming;
use crate::server::pages::failure;
use crate::server::pages::when::when;
use crate::server::respond::{self, Leads};
use crate::store::View;
use crate::types::{ClientId, Secret, Timestamp};
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

/// The application that the address names, as it is now.
fn client(desk: &Desk<'_>) -> Result<Client, OperationError> {
    let found = match desk.named.parse::<ClientId>() {
        Ok(id) => desk.ctx().store.snapshot()?.view().client(id)?,
        Err(_) => None,
    };
    desk::known(found, "application", desk.named)
}

fn address_of(desk: &Desk<'_>, client: &Client) -> String {
    format!("{}{}", desk.base(), path(client))
}

/// `GET /admin/applications`.
pub fn list(desk: &Desk<'_>) -> Answer {
    let snapshot = desk.ctx().store.snapshot()?;
    let view = snapshot.view();
    let recent = Recent::read(&view)?;
    let (clients, list) = Listing::asked(desk.incoming, PATH).page(
        |after, limit| view.clients(after.parse().ok(), limit),
        |client| client.id.to_string(),
        searched,
    )?;
    let rows = clients.iter().map(|client| row(client, &recent));
    let rows = rows.collect();
    Ok(desk.page("Applications", DONE, |page| {
        respond::page(200, Leads::Here, &Applications { page, list, rows })
    }))
}

/// `GET /admin/applications/new`.
pub fn new(desk: &Desk<'_>) -> Answer {
    new_form(desk, application_defaults(), 200)
}

fn new_form(desk: &Desk<'_>, form: views::Form, status: u16) -> Answer {
    let groups = groups(&desk.ctx().store.snapshot()?.view())?;
    Ok(desk.page("Add an application", DONE, |page| {
        let view = NewApplication { page, form, groups };
        respond::page(status, Leads::Here, &view)
    }))
}

/// `POST /admin/applications/new`.
pub fn add(desk: &Desk<'_>) -> Answer {
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let added = fields::details(desk.form, None)
        .map_err(OperationError::Admin)
        .and_then(|details| operations::add_detailed(ctx, details, &actor));
    match added {
        Ok((client, secret)) => Ok(issued(desk, &client, secret.as_ref(), true)),
        Err(error) => {
            let error = desk::refusal(error)?;
            let mut form = refused(desk::typed(desk.form), &error);
            if matches!(error, AdminError::NameTaken(_)) {
                form.refuse("name", RELOADED);
            }
            new_form(desk, form, 422)
        }
    }
}

/// What to type into the application; the secret is shown here and never again.
fn issued(desk: &Desk<'_>, client: &Client, secret: Option<&Secret>, new: bool) -> Response {
    let issuer = &desk.ctx().config.issuer;
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
    rows.push(row("Discovery address", &discovery(desk.incoming), ""));
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
        address_of(desk, client),
        format!("Open the settings of {}", client.name),
    );
    desk.page(&title, DONE, |page| {
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

/// `GET /admin/applications/*`.
pub fn show(desk: &Desk<'_>) -> Answer {
    let client = client(desk)?;
    drawn(desk, &client, fields::of(&client), 200)
}

fn drawn(desk: &Desk<'_>, client: &Client, form: views::Form, status: u16) -> Answer {
    let snapshot = desk.ctx().store.snapshot()?;
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
    Ok(desk.page(&client.name, DONE, |page| {
        let view = Application {
            page,
            form,
            groups,
            id: client.id.to_string(),
            client_id: client.wire_id().to_string(),
            described: client.document().is_some(),
            name: client.name.clone(),
            issuer: desk.ctx().config.issuer.to_string(),
            discovery: discovery(desk.incoming),
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

/// `POST /admin/applications/*`.
pub fn edit(desk: &Desk<'_>) -> Answer {
    let (client, form) = (client(desk)?, desk.form);
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let edited = fields::details(form, Some(&client))
        .map_err(OperationError::Admin)
        .and_then(|details| {
            let seen = form.text("version");
            operations::edit_as_seen(ctx, client.id, seen, details, &actor)
        });
    saved(desk, &client, edited, "saved", || desk::typed(form))
}

/// `POST /admin/applications/*/redirect-uris/add`.
pub fn add_redirect_uri(desk: &Desk<'_>) -> Answer {
    let client = client(desk)?;
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let uri = desk.form.text("redirect_uri").to_owned();
    let edited = operations::add_redirect_uri(ctx, client.id, uri, &actor);
    saved(desk, &client, edited, "address", || fields::of(&client))
}

fn saved(
    desk: &Desk<'_>,
    client: &Client,
    edited: Result<Client, OperationError>,
    done: &str,
    typed: impl FnOnce() -> views::Form,
) -> Answer {
    match edited {
        Ok(client) => Ok(desk.go(&path(&client), done)),
        Err(error) => match desk::refusal(error)? {
            error @ AdminError::ChangedMeanwhile => {
                let client = self::client(desk)?;
                drawn(desk, &client, refused(fields::of(&client), &error), 409)
            }
            error => drawn(desk, client, refused(typed(), &error), 422),
        },
    }
}

/// `POST /admin/applications/*/secrets/rotate`.
pub fn rotate_secret(desk: &Desk<'_>) -> Answer {
    let client = client(desk)?;
    let actor = desk.actor();
    let (client, secret) = operations::rotate_secret(desk.ctx(), client.id, &actor)?;
    Ok(issued(desk, &client, Some(&secret), false))
}

/// `POST /admin/applications/*/secrets/remove`.
pub fn remove_secret(desk: &Desk<'_>) -> Answer {
    let client = client(desk)?;
    let actor = desk.actor();
    let Ok(created) = desk.form.text("secret").parse().map(Timestamp::from_millis) else {
        return Ok(failure::malformed(desk.incoming));
    };
    operations::remove_secret(desk.ctx(), client.id, created, &actor)?;
    Ok(desk.go(&path(&client), "removed"))
}

/// `GET /admin/applications/*/delete`.
pub fn ask_delete(desk: &Desk<'_>) -> Answer {
    let client = client(desk)?;
    let back = address_of(desk, &client);
    Ok(
        desk.page(&format!("Delete {}?", client.name), DONE, |page| {
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
        }),
    )
}

/// `POST /admin/applications/*/delete`.
pub fn delete(desk: &Desk<'_>) -> Answer {
    let client = client(desk)?;
    let actor = desk.actor();
    operations::delete(desk.ctx(), client.id, &actor)?;
    Ok(desk.go(PATH, "deleted"))
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
