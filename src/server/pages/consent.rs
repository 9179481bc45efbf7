//! The page that asks whether an application may know who a person is.

use super::{failure, frame, interaction, sign_in};
use crate::model::Client;
use crate::oauth::authorize::request::{Request, Target};
use crate::oauth::error::AuthorizeError;
use crate::oauth::target;
use crate::server::forms;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::oauth::{authorize, known};
use crate::server::respond::{self, Leads};
use crate::store::StoreError;
use crate::types::{DocumentUrl, Form, RedirectUri, Scope};
use crate::views::{self, ClientFace, ScopeLine};
use rouille::Response;

/// Shows the page.
pub fn page(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    client: &Client,
    request: &Request,
    new: &Scope,
    form: &Form,
) -> Response {
    let person = visitor
        .map(|visitor| visitor.user.display_name().to_owned())
        .unwrap_or_default();
    // With everything known already (`prompt=consent`, "ask always") the page shows all of it.
    let shown = if new.is_empty() {
        &request.asked_scope
    } else {
        new
    };
    // What it is all about first, then the rest in order.
    let (first, rest): (Vec<&str>, Vec<&str>) =
        shown.tokens().partition(|token| *token == "openid");
    let resources = resources(client, request);
    let scopes = first
        .into_iter()
        .map(ScopeLine::new)
        .chain(resources)
        .chain(rest.into_iter().map(ScopeLine::new))
        .collect();
    frame::with(
        incoming,
        visitor,
        &format!("Sign in to {}?", client.name),
        |page| {
            let view = views::Consent {
                page,
                client: face(client, &request.target),
                person,
                scopes,
                continue_to: interaction::to_authorize(form),
            };
            respond::page(200, Leads::ToApplication, &view)
        },
    )
}

/// What only the person can let it have (`oauth::target`), each time that it is asked for.
fn resources(client: &Client, request: &Request) -> Vec<ScopeLine> {
    let asked = client.resources.iter().filter(|resource| {
        request.resources.contains(&resource.identifier)
            && target::by_person(client, &resource.identifier)
    });
    asked
        .map(|resource| ScopeLine::of_resource(&resource.name, &resource.identifier))
        .collect()
}

/// `POST /consent`.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    let Ok(form) = incoming.form() else {
        return failure::malformed(incoming);
    };
    match decide(incoming, &form) {
        Ok(response) => response,
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

fn decide(incoming: &Incoming<'_>, form: &Form) -> Result<Response, StoreError> {
    let visitor = sign_in::visitor(incoming)?;
    if !forms::is_ours(incoming, visitor.as_ref(), form) {
        return Ok(failure::stale_form(incoming, visitor.as_ref()));
    }
    let Some(request) = interaction::request_in(form.text("continue")) else {
        return Ok(failure::malformed(incoming));
    };
    Ok(match (form.one("decision"), visitor) {
        (Ok(Some("allow")), Some(_)) => authorize::go_on(incoming, &request, true),
        (Ok(Some("switch")), _) => {
            let (bare, _) = interaction::take(incoming, &request, None);
            sign_in::page_after_switch(incoming, &bare)?
        }
        // The session ended while the page was open: sign in first.
        (Ok(Some("allow")), None) => {
            respond::see_other(&sign_in::below_base(incoming, form.text("continue")))
        }
        (Ok(Some("deny")), _) => denied(incoming, &request)?,
        _ => failure::malformed(incoming),
    })
}

/// The person said no: the application is told.
pub fn denied(incoming: &Incoming<'_>, request: &Form) -> Result<Response, StoreError> {
    Ok(match known::find(incoming, request)? {
        Ok(known) => {
            let (target, error) = match known.request {
                Ok(request) => (request.target, AuthorizeError::Denied),
                Err(refused) => refused,
            };
            authorize::refuse(incoming, &known.client, &target, error)
        }
        Err((client, why)) => authorize::no_target(incoming, request, client.as_deref(), &why),
    })
}

/// How an application presents itself. Its logo would be a request to somebody else's server: it is not shown.
pub fn face(client: &Client, target: &Target) -> ClientFace {
    let uri = target.redirect_uri.as_str();
    let parsed: Option<RedirectUri> = uri.parse().ok();
    let host = parsed
        .as_ref()
        .map_or_else(|| uri.to_owned(), RedirectUri::place);
    let leads_to = parsed.as_ref().and_then(RedirectUri::leads_to);
    ClientFace {
        name: client.name.clone(),
        logo: None,
        host,
        policy_url: client.policy_uri.clone(),
        terms_url: client.tos_uri.clone(),
        registered_itself: client.registered.is_some() && client.document().is_none(),
        described_at: client
            .document()
            .map(DocumentUrl::place)
            .unwrap_or_default(),
        // Loopback, or a scheme of its own (RFC 8252 §7).
        on_this_device: leads_to.is_some_and(|(scheme, loopback)| {
            loopback || !matches!(scheme.as_str(), "https" | "http")
        }),
    }
}
