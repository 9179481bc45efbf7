//! Doorlight's own API over HTTP, for scripts and programs that administer it: what the command line reads and writes,
//! behind an access token (RFC 6750, RFC 9449). Who is let in stands in `oauth::protected_resource`, what is done in
//! `server::administration`, which looks at the token once more in the writer's turn, and at what it would write.

use super::control;
use super::describe;
use super::wrong_field;
use crate::model::{AdminError, Client, quoted};
use crate::oauth::error::BearerError;
use crate::oauth::protected_resource::{self, Access};
use crate::server::administration::audit::{self, Wanted};
use crate::server::administration::{Actor, Authority, OperationError, clients, people};
use crate::server::bearer::{self, Bearer, Refused};
use crate::server::incoming::Incoming;
use crate::server::oauth::documents::{self, Document};
use crate::server::respond;
use crate::types::{Form, form_decode};
use rouille::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Events that one answer holds.
const EVENTS: usize = 500;
/// Sessions that a person is shown with.
const SESSIONS: usize = 1_000;
/// What narrows the events.
const FILTERS: [&str; 6] = [
    "person",
    "application",
    "kind",
    "outcome",
    "request",
    "before",
];

/// `GET /.well-known/oauth-protected-resource/api` (RFC 9728 §3).
pub fn metadata(incoming: &Incoming<'_>) -> Response {
    let metadata = protected_resource::metadata(&incoming.ctx.config.issuer);
    let document = Document::new(metadata.to_string());
    documents::send(incoming, &document, "application/json")
}

/// `GET /api/people`.
pub fn people(incoming: &Incoming<'_>) -> Response {
    reading(incoming, &[], |_| {
        let snapshot = incoming.ctx.store.snapshot()?;
        let people = snapshot.view().users_by_name("", usize::MAX)?;
        Ok(json!({ "people": people.iter().map(describe::user).collect::<Vec<_>>() }))
    })
}

/// `GET /api/people/{name or id}`.
pub fn person(incoming: &Incoming<'_>) -> Response {
    reading(incoming, &[], |_| {
        let snapshot = incoming.ctx.store.snapshot()?;
        let view = snapshot.view();
        let person = people::find(&view, &last_part(incoming))?;
        let sessions = view.sessions_of(person.id, SESSIONS)?;
        Ok(describe::user_in_full(&person, &sessions))
    })
}

/// `GET /api/applications`.
pub fn applications(incoming: &Incoming<'_>) -> Response {
    reading(incoming, &[], |_| {
        let all = clients::list(incoming.ctx)?;
        Ok(json!({ "applications": all.iter().map(describe::client).collect::<Vec<_>>() }))
    })
}

/// `GET /api/applications/{name or id}`.
pub fn application(incoming: &Incoming<'_>) -> Response {
    reading(incoming, &[], |_| {
        let client = clients::find(incoming.ctx, &last_part(incoming))?;
        Ok(describe::client(&client))
    })
}

/// `GET /api/events`, newest first; `next` is the `before` of the next page.
pub fn events(incoming: &Incoming<'_>) -> Response {
    reading(incoming, &FILTERS, |query| {
        let text = |name: &str| query.text(name).to_owned();
        let wanted = Wanted {
            person: text("person"),
            application: text("application"),
            kind: text("kind"),
            outcome: text("outcome"),
            request: text("request"),
        };
        let before = match query.text("before") {
            "" => None,
            key => Some(key.parse().map_err(|_| {
                AdminError::invalid("before", "it must be the “next” of an earlier answer")
            })?),
        };
        let snapshot = incoming.ctx.store.snapshot()?;
        let page = wanted.page(&snapshot.view(), before, EVENTS)?;
        let lines: Vec<Value> = page
            .events
            .iter()
            .map(|(key, event)| audit::line(*key, event))
            .collect();
        // Above 2^53: a number would lose its end in many readers.
        let next = page.next.map(|key| key.to_string());
        Ok(json!({ "events": lines, "next": next }))
    })
}

/// `POST /api/commands`: a verb of the command line as JSON.
pub fn command(incoming: &Incoming<'_>) -> Response {
    with_access(incoming, Access::Write, |bearer| {
        if !incoming.has_media_type("application/json") {
            return refusal(415, "unsupported_media_type", "send application/json");
        }
        match wrong_field::read(incoming.body) {
            Err(why) => refusal(400, "invalid_request", &why.to_string()),
            Ok(command) if !command.may_come_over_http() => {
                refusal(403, "forbidden", "only on the machine itself")
            }
            Ok(command) => answer(control::execute(
                incoming.ctx,
                command,
                &actor(incoming, bearer),
            )),
        }
    })
}

/// Whether a request is for an address of the API, be there one or not: whoever calls it reads JSON.
pub fn is_called(incoming: &Incoming<'_>) -> bool {
    let rest = incoming.path.strip_prefix(protected_resource::PATH);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// 404 for an address that the API does not have, or has elsewhere: an issuer may have a path.
pub fn not_found(incoming: &Incoming<'_>) -> Response {
    let api = protected_resource::identifier(&incoming.ctx.config.issuer);
    let message = format!("there is no such address; those of the API begin with {api}/");
    refusal(404, "not_found", &message)
}

/// 405, with the methods that there are.
pub fn wrong_method(allow: &str) -> Response {
    let message = format!("this address takes {allow} only");
    let mut response = refusal(405, "method_not_allowed", &message);
    respond::set(&mut response, "Allow", allow.to_owned());
    response
}

fn reading(
    incoming: &Incoming<'_>,
    parameters: &[&str],
    read: impl FnOnce(&Form) -> Result<Value, OperationError>,
) -> Response {
    with_access(incoming, Access::Read, |_| {
        match query(incoming, parameters) {
            Ok(query) => answer(read(&query)),
            Err(why) => refusal(400, "invalid_request", &why),
        }
    })
}

/// The query. A parameter that is unknown or stands twice was meant to narrow what is shown.
fn query(incoming: &Incoming<'_>, parameters: &[&str]) -> Result<Form, String> {
    let query = incoming
        .query()
        .map_err(|_| "the query cannot be read: is it encoded rightly?".to_owned())?;
    if let Some((name, _)) = query.pairs().find(|(name, _)| !parameters.contains(name)) {
        return Err(format!("the parameter {} is unknown here", quoted(name)));
    }
    for name in parameters {
        query
            .one(name)
            .map_err(|_| format!("the parameter {name} stands twice"))?;
    }
    Ok(query)
}

/// Lets in who may; the proof of a bound token is used up before anything is done.
fn with_access(
    incoming: &Incoming<'_>,
    access: Access,
    then: impl FnOnce(&Bearer) -> Response,
) -> Response {
    match admitted(incoming, access) {
        Ok(bearer) => then(&bearer),
        Err(refused) => {
            let issuer = &incoming.ctx.config.issuer;
            refused.answer(Some(&protected_resource::metadata_address(issuer)))
        }
    }
}

fn admitted(incoming: &Incoming<'_>, access: Access) -> Result<Bearer, Refused> {
    let bearer = Bearer::of(incoming, None)?;
    let (checked, issuer) = (&bearer.checked, &incoming.ctx.config.issuer);
    // Whoever tries this with a token that is good elsewhere is worth a look.
    let refused = |error| {
        bearer.record(incoming, error);
        bearer.refused(error)
    };
    let administrator = checked.person.as_ref().map(|person| person.user.admin);
    protected_resource::admit(&checked.token, administrator, access, issuer).map_err(refused)?;
    let client = client_of(incoming, &bearer).map_err(refused)?;
    if !client.is_some_and(|client| protected_resource::is_open_to(&client, access, issuer)) {
        return Err(refused(BearerError::InvalidToken));
    }
    bearer.use_up(incoming)?;
    Ok(bearer)
}

/// The application of the token, as it is by now.
fn client_of(incoming: &Incoming<'_>, bearer: &Bearer) -> Result<Option<Arc<Client>>, BearerError> {
    match bearer.checked.token.client() {
        Some(id) => {
            let client = incoming.ctx.client_on_wire(&id);
            client.map_err(bearer::unavailable)
        }
        None => Ok(None),
    }
}

/// Who the audit log names.
fn actor(incoming: &Incoming<'_>, bearer: &Bearer) -> Actor {
    let checked = &bearer.checked;
    let client = match client_of(incoming, bearer) {
        Ok(Some(client)) => client.name.clone(),
        _ => (checked.token.text("client_id").unwrap_or_default()).to_owned(),
    };
    let name = match &checked.person {
        Some(person) => format!("{} (through {client})", person.user.username),
        None => client,
    };
    Actor {
        name,
        address: Some(incoming.address()),
        authority: Authority::Token(Box::new(checked.token.clone())),
    }
}

/// The last part of the path. A plus is a plus there.
fn last_part(incoming: &Incoming<'_>) -> String {
    let part = incoming.path.rsplit('/').next().unwrap_or_default();
    form_decode(part.replace('+', "%2B").as_bytes()).unwrap_or_default()
}

fn answer(done: Result<Value, OperationError>) -> Response {
    match done {
        Ok(value) => respond::json(200, &value),
        Err(OperationError::Admin(error @ AdminError::NotByToken)) => {
            refusal(403, "forbidden", &error.to_string())
        }
        Err(OperationError::Admin(error)) => {
            let status = match error {
                AdminError::NotFound { .. } => 404,
                AdminError::NoAdministrator => 403,
                _ => 409,
            };
            refusal(status, "refused", &error.to_string())
        }
        Err(error) => {
            log::warn!("{error}");
            let mut response = refusal(503, "temporarily_unavailable", "try again in a moment");
            respond::set(&mut response, "Retry-After", "2");
            response
        }
    }
}

fn refusal(status: u16, error: &str, message: &str) -> Response {
    respond::json(status, &json!({ "error": error, "message": message }))
}
