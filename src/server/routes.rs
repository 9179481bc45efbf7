//! ONE table: method, path, guard, handler. The guard is the type of the handler: a handler that wants a client gets
//! one that has proved who it is, and one that wants an administrator cannot be called without.

use super::answered::Answered;
use super::api::resource as api;
use super::context::Context;
use super::incoming::{Incoming, Visitor};
use super::oauth::{
    self, authorize, device_authorization, documents, introspect, logout, par, register, revoke,
    token, userinfo,
};
use super::pages::{account, assets, consent, device, failure, home, link, setup, sign_in};
use super::{cors, forms, metrics, respond};
use crate::identity::session;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::TokenError;
use crate::oauth::protected_resource;
use crate::ops::clock;
use crate::types::Form;
use rouille::{Request, Response};

/// Answers a client that proved who it is.
type ForClient = fn(&Incoming<'_>, &Form, &AuthenticatedClient) -> Response;

/// Who may call, and what is called.
#[derive(Clone, Copy)]
pub enum Guard {
    /// Anyone.
    Public(fn(&Incoming<'_>) -> Response),
    /// A client that proved who it is (`oauth::client_auth`).
    Client(ForClient),
    /// The same, where the handler uses up its assertion in the commit of what it grants.
    GrantedClient(ForClient),
    /// The same, where it may be heard of for the first time (`client_documents`).
    PushingClient(ForClient),
    /// The bearer of an access token; the handler checks it, for its errors are its own (RFC 6750).
    Bearer(fn(&Incoming<'_>) -> Response),
    /// A person who is signed in, with a form of ours.
    Session(fn(&Incoming<'_>, &Visitor, &Form) -> Response),
    /// An administrator; everything below the path. A form must be ours and the password recent.
    Admin,
}

/// One row.
pub struct Route {
    /// GET also answers HEAD.
    pub method: &'static str,
    /// Below the issuer's path. One that ends in a slash, but for the root, stands for all that is right below it.
    pub path: &'static str,
    /// Guard and handler.
    pub guard: Guard,
    /// Whether other origins may call it, and so ask first.
    pub cross_origin: bool,
}

const fn row(method: &'static str, path: &'static str, guard: Guard) -> Route {
    Route {
        method,
        path,
        guard,
        cross_origin: false,
    }
}

const fn open(method: &'static str, path: &'static str, guard: Guard) -> Route {
    Route {
        method,
        path,
        guard,
        cross_origin: true,
    }
}

/// What all assets count as (`metrics`); `assets` has their addresses.
pub static ASSETS: Route = row("GET", "/assets/", Guard::Public(failure::not_found));

/// Every address there is, but for the assets.
pub static ROUTES: &[Route] = &[
    open(
        "GET",
        "/.well-known/openid-configuration",
        Guard::Public(documents::discovery),
    ),
    open(
        "GET",
        "/.well-known/oauth-authorization-server",
        Guard::Public(documents::discovery),
    ),
    open("GET", "/jwks.json", Guard::Public(documents::jwks)),
    open(
        "GET",
        "/.well-known/jwks.json",
        Guard::Public(documents::jwks),
    ),
    row("GET", "/authorize", Guard::Public(authorize::handle)),
    row("POST", "/authorize", Guard::Public(authorize::handle)),
    open("POST", "/token", Guard::GrantedClient(token::handle)),
    row("POST", "/introspect", Guard::Client(introspect::handle)),
    open("POST", "/revoke", Guard::Client(revoke::handle)),
    open("GET", "/userinfo", Guard::Bearer(userinfo::handle)),
    open("POST", "/userinfo", Guard::Bearer(userinfo::handle)),
    open("POST", "/par", Guard::PushingClient(par::handle)),
    open(
        "GET",
        "/.well-known/oauth-protected-resource",
        Guard::Public(api::metadata),
    ),
    row("GET", "/api/people", Guard::Bearer(api::people)),
    row("GET", "/api/people/", Guard::Bearer(api::person)),
    row("GET", "/api/applications", Guard::Bearer(api::applications)),
    row("GET", "/api/applications/", Guard::Bearer(api::application)),
    row("GET", "/api/events", Guard::Bearer(api::events)),
    row("POST", "/api/commands", Guard::Bearer(api::command)),
    row("GET", "/logout", Guard::Public(logout::handle)),
    row("POST", "/logout", Guard::Public(logout::handle)),
    row("POST", "/register", Guard::Bearer(register::register)),
    row("GET", "/register/", Guard::Bearer(register::read)),
    row("PUT", "/register/", Guard::Bearer(register::update)),
    row("DELETE", "/register/", Guard::Bearer(register::delete)),
    row("GET", "/", Guard::Public(home::handle)),
    row("GET", "/login", Guard::Public(sign_in::show)),
    row("POST", "/login", Guard::Public(sign_in::handle)),
    row(
        "POST",
        "/login/again",
        Guard::Session(sign_in::handle_again),
    ),
    row(
        "POST",
        "/select-account",
        Guard::Session(sign_in::handle_choice),
    ),
    row("POST", "/consent", Guard::Public(consent::handle)),
    row("GET", "/setup", Guard::Public(setup::show)),
    row("POST", "/setup", Guard::Public(setup::handle)),
    row("GET", "/link", Guard::Public(link::show)),
    row("POST", "/link", Guard::Public(link::handle)),
    row(
        "POST",
        "/account/applications/revoke",
        Guard::Session(account::revoke_application),
    ),
    row(
        "POST",
        "/account/sessions/revoke",
        Guard::Session(account::revoke_session),
    ),
    row("GET", "/admin", Guard::Admin),
    row("POST", "/admin", Guard::Admin),
    row("GET", "/healthz", Guard::Public(healthz)),
    row("GET", "/readyz", Guard::Public(readyz)),
    row("GET", "/metrics", Guard::Public(metrics::handle)),
    row(
        "POST",
        "/device_authorization",
        Guard::Client(device_authorization::handle),
    ),
    row("GET", "/device", Guard::Public(device::show)),
    row("POST", "/device", Guard::Session(device::handle)),
    row("POST", "/device/answer", Guard::Session(device::answer)),
];

/// Answers a request.
pub fn handle(ctx: &Context, request: &Request) -> Response {
    let answered = Answered::begin();
    let path = request.raw_url().split('?').next().unwrap_or_default();
    let ours = below_issuer(ctx, path);
    let incoming = Incoming::new(ctx, request, ours.unwrap_or(path), clock::now());
    let mut response = match ours {
        Some(_) => dispatch(&incoming),
        None => failure::not_found(&incoming),
    };
    // RFC 6797: whoever came by https once is not led to plain http by a neighbour.
    if ctx.config.issuer.is_https() {
        respond::set(
            &mut response,
            "Strict-Transport-Security",
            "max-age=31536000",
        );
    }
    answered.end(&incoming, &mut response);
    response
}

/// The path below the issuer's. RFC 8414 §3.1 and RFC 9728 §3.1 put the well-known part before a path; health checks and
/// the first of these documents also answer at the root.
fn below_issuer<'p>(ctx: &Context, path: &'p str) -> Option<&'p str> {
    const METADATA: &str = "/.well-known/oauth-authorization-server";
    const RESOURCE: &str = protected_resource::WELL_KNOWN;
    let base = ctx.config.issuer.path();
    if matches!(path, "/healthz" | "/readyz") {
        return Some(path);
    }
    if !base.is_empty() && path.strip_prefix(METADATA) == Some(base) {
        return Some(METADATA);
    }
    if let Some(resource) = path.strip_prefix(RESOURCE)
        && resource.strip_suffix(protected_resource::PATH) == Some(base)
    {
        return Some(RESOURCE);
    }
    match path.strip_prefix(base)? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

fn dispatch(incoming: &Incoming<'_>) -> Response {
    if let Some(response) = assets::find(incoming) {
        incoming.route.set(Some(&ASSETS));
        return response;
    }
    let here = |route: &&Route| match route.guard {
        Guard::Admin => incoming.path == route.path || incoming.path.starts_with("/admin/"),
        _ => incoming.path == route.path || is_right_below(incoming.path, route.path),
    };
    let method = match incoming.request.method() {
        "HEAD" => "GET",
        method => method,
    };
    let Some(route) = ROUTES
        .iter()
        .filter(here)
        .find(|route| route.method == method)
    else {
        return no_such(incoming, method, ROUTES.iter().filter(here));
    };
    incoming.route.set(Some(route));
    let response = guarded(incoming, route);
    if route.cross_origin
        && matches!(
            route.guard,
            Guard::Client(_) | Guard::GrantedClient(_) | Guard::PushingClient(_) | Guard::Bearer(_)
        )
    {
        cors::for_clients(incoming, response)
    } else {
        response
    }
}

fn is_right_below(path: &str, folder: &str) -> bool {
    let name = path.strip_prefix(folder).unwrap_or_default();
    folder != "/" && folder.ends_with('/') && !name.is_empty() && !name.contains('/')
}

fn no_such<'r>(
    incoming: &Incoming<'_>,
    method: &str,
    rows: impl Iterator<Item = &'r Route>,
) -> Response {
    let rows: Vec<&Route> = rows.collect();
    if rows.is_empty() {
        return failure::not_found(incoming);
    }
    if method == "OPTIONS"
        && let Some(route) = rows.iter().find(|route| route.cross_origin)
    {
        return match route.guard {
            Guard::Public(_) => cors::open_preflight(),
            _ => cors::preflight(incoming),
        };
    }
    let allow: Vec<&str> = rows.iter().map(|route| route.method).collect();
    failure::wrong_method(incoming, &allow.join(", "))
}

fn guarded(incoming: &Incoming<'_>, route: &Route) -> Response {
    match route.guard {
        Guard::Public(handler) | Guard::Bearer(handler) => handler(incoming),
        Guard::Client(handler) => as_client(incoming, handler, oauth::authenticate),
        Guard::GrantedClient(handler) => as_client(incoming, handler, oauth::authenticate_granting),
        Guard::PushingClient(handler) => as_client(incoming, handler, oauth::authenticate_pushing),
        Guard::Session(handler) => with_visitor(incoming, |visitor| {
            let Ok(form) = incoming.form() else {
                return failure::malformed(incoming);
            };
            if !forms::is_ours(incoming, Some(&visitor), &form) {
                return failure::stale_form(incoming, Some(&visitor));
            }
            handler(incoming, &visitor, &form)
        }),
        Guard::Admin => with_visitor(incoming, |visitor| admin(incoming, &visitor)),
    }
}

fn as_client(
    incoming: &Incoming<'_>,
    handler: ForClient,
    authenticate: fn(&Incoming<'_>, &Form) -> oauth::Authenticated,
) -> Response {
    let Ok(form) = incoming.form() else {
        return oauth::refuse_and_record(incoming, None, &TokenError::MalformedForm);
    };
    match authenticate(incoming, &form) {
        Ok(client) => handler(incoming, &form, &client),
        Err((_, TokenError::Unavailable)) => oauth::refuse(&TokenError::Unavailable),
        Err((client, error)) => oauth::refuse_and_record(incoming, client.as_deref(), &error),
    }
}

/// Asks for a sign-in where nobody is signed in.
fn with_visitor(incoming: &Incoming<'_>, then: impl FnOnce(Visitor) -> Response) -> Response {
    match sign_in::visitor(incoming) {
        Ok(Some(visitor)) => then(visitor),
        Ok(None) => {
            let to = if incoming.request.method() == "POST" {
                "/"
            } else {
                incoming.path
            };
            let to = Form::default().with("continue", to).encode();
            respond::see_other(&format!("{}?{to}", sign_in::below_base(incoming, "/login")))
        }
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

/// Administrators only; a form must be ours; and whoever changes something proved who they are within 15 minutes.
fn admin(incoming: &Incoming<'_>, visitor: &Visitor) -> Response {
    if !visitor.user.admin {
        return failure::forbidden(incoming, visitor);
    }
    let posted = incoming.request.method() == "POST";
    let Ok(form) = (if posted {
        incoming.form()
    } else {
        Ok(Form::default())
    }) else {
        return failure::malformed(incoming);
    };
    if posted && !forms::is_ours(incoming, Some(visitor), &form) {
        return failure::stale_form(incoming, Some(visitor));
    }
    let fresh = session::is_fresh(&visitor.session, incoming.now);
    if posted && !fresh {
        return sign_in::again_page(incoming, visitor, incoming.path);
    }
    super::admin::answer(incoming, visitor, &form, fresh)
}

/// 200 while the process lives.
fn healthz(_: &Incoming<'_>) -> Response {
    respond::plain(200, "ok\n")
}

/// 200 while it can write.
fn readyz(incoming: &Incoming<'_>) -> Response {
    if incoming.ctx.store.is_ready() {
        respond::plain(200, "ready\n")
    } else {
        let mut response = respond::plain(503, "the data file cannot be written\n");
        respond::set(&mut response, "Retry-After", "2");
        response
    }
}
