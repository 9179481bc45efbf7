//! ONE table: method, path, guard, handler. Not here: what a guard asks for (`guard`).

use super::admin::desk::{Answer, Desk};
use super::admin::{
    applications, audit, backup_download, backups, groups, keys, overview, people, registration,
    resources, sessions, try_it,
};
use super::answered::Answered;
use super::api::resource as api;
use super::context::Context;
use super::guard::{self, Guard};
use super::incoming::Incoming;
use super::oauth::{
    authorize, device_authorization, documents, introspect, logout, par, register, revoke, token,
    userinfo,
};
use super::pages::{
    account, assets, consent, device, failure, home, link, restore, setup, sign_in,
};
use super::restoring::{self, Fault, Received};
use super::{cors, metrics, respond};
use crate::oauth::protected_resource;
use crate::ops::clock;
use rouille::{Request, Response};

/// One row.
pub struct Route {
    /// GET also answers HEAD.
    pub method: &'static str,
    /// Below the issuer's path. A part that is `*` stands for any that is not empty; a row without one comes first.
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

/// A page of the admin's that shows something, a list for one.
const fn shown(path: &'static str, handler: fn(&Desk<'_>) -> Answer) -> Route {
    row("GET", path, Guard::Admin(handler))
}

/// A page of the admin's that is there to change one thing: the password is asked before anything is typed into it.
const fn page(path: &'static str, handler: fn(&Desk<'_>) -> Answer) -> Route {
    row("GET", path, Guard::AdminPage(handler))
}

/// A form of the admin's that stands on a page at the same address.
const fn form(path: &'static str, handler: fn(&Desk<'_>) -> Answer) -> Route {
    row("POST", path, Guard::AdminForm(handler, None))
}

/// A form of the admin's without a page of its own: it stands `on` another.
const fn button(path: &'static str, on: &'static str, handler: fn(&Desk<'_>) -> Answer) -> Route {
    row("POST", path, Guard::AdminForm(handler, Some(on)))
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
    row("GET", "/api/people/*", Guard::Bearer(api::person)),
    row("GET", "/api/applications", Guard::Bearer(api::applications)),
    row(
        "GET",
        "/api/applications/*",
        Guard::Bearer(api::application),
    ),
    row("GET", "/api/events", Guard::Bearer(api::events)),
    row("POST", "/api/commands", Guard::Bearer(api::command)),
    row("GET", "/logout", Guard::Public(logout::handle)),
    row("POST", "/logout", Guard::Public(logout::handle)),
    row("POST", "/register", Guard::Bearer(register::register)),
    row("GET", "/register/*", Guard::Bearer(register::read)),
    row("PUT", "/register/*", Guard::Bearer(register::update)),
    row("DELETE", "/register/*", Guard::Bearer(register::delete)),
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
    row("GET", restoring::PATH, Guard::Public(restore::show)),
    row("POST", restoring::PATH, Guard::Public(restore::handle)),
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
    shown("/admin", overview::show),
    shown("/admin/", overview::show),
    button("/admin/check", "/admin", overview::check),
    shown("/admin/applications", applications::list),
    page("/admin/applications/new", applications::new),
    form("/admin/applications/new", applications::add),
    page("/admin/applications/*", applications::show),
    form("/admin/applications/*", applications::edit),
    page("/admin/applications/*/delete", applications::ask_delete),
    form("/admin/applications/*/delete", applications::delete),
    button(
        "/admin/applications/*/secrets/rotate",
        "/admin/applications/*",
        applications::rotate_secret,
    ),
    button(
        "/admin/applications/*/secrets/remove",
        "/admin/applications/*",
        applications::remove_secret,
    ),
    button(
        "/admin/applications/*/redirect-uris/add",
        "/admin/applications/*",
        applications::add_redirect_uri,
    ),
    shown("/admin/people", people::list),
    page("/admin/people/new", people::new),
    form("/admin/people/new", people::add),
    page("/admin/people/*", people::show),
    form("/admin/people/*", people::edit),
    button("/admin/people/*/link", "/admin/people/*", people::link),
    page("/admin/people/*/password", people::password),
    form("/admin/people/*/password", people::set_password),
    page("/admin/people/*/delete", people::ask_delete),
    form("/admin/people/*/delete", people::delete),
    shown("/admin/groups", groups::list),
    page("/admin/groups/new", groups::new),
    form("/admin/groups/new", groups::add),
    page("/admin/groups/*", groups::show),
    form("/admin/groups/*", groups::edit),
    page("/admin/groups/*/delete", groups::ask_delete),
    form("/admin/groups/*/delete", groups::delete),
    shown("/admin/resources", resources::list),
    page("/admin/resources/new", resources::new),
    form("/admin/resources/new", resources::add),
    page("/admin/resources/*", resources::show),
    form("/admin/resources/*", resources::edit),
    page("/admin/resources/*/delete", resources::ask_delete),
    form("/admin/resources/*/delete", resources::delete),
    shown("/admin/sessions", sessions::list),
    button(
        "/admin/sessions/*/revoke",
        "/admin/sessions",
        sessions::revoke,
    ),
    button(
        "/admin/grants/*/revoke",
        "/admin/sessions",
        sessions::revoke_grant,
    ),
    shown("/admin/keys", keys::list),
    button("/admin/keys/rotate", "/admin/keys", keys::rotate),
    page("/admin/keys/*/withdraw", keys::ask_withdraw),
    form("/admin/keys/*/withdraw", keys::withdraw),
    shown("/admin/registration", registration::show),
    form("/admin/registration", registration::set_policy),
    button(
        "/admin/registration/documents",
        "/admin/registration",
        registration::set_documents,
    ),
    button(
        "/admin/registration/tokens",
        "/admin/registration",
        registration::add_token,
    ),
    button(
        "/admin/registration/tokens/*/remove",
        "/admin/registration",
        registration::remove_token,
    ),
    shown("/admin/backups", backups::show),
    form("/admin/backups", backups::set),
    button("/admin/backups/off", "/admin/backups", backups::switch_off),
    button("/admin/backups/run", "/admin/backups", backups::run),
    button(
        "/admin/backups/download",
        "/admin/backups",
        backup_download::download,
    ),
    shown("/admin/audit", audit::list),
    shown("/admin/audit/export", audit::export),
    shown("/admin/try", try_it::show),
    form("/admin/try", try_it::begin),
    shown("/admin/try/callback", try_it::finish),
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
pub fn handle(ctx: &Context, request: &Request, body: &[u8]) -> Response {
    answer(ctx, request, body, None)
}

/// Answers a request whose body was taken piece by piece.
pub fn handle_upload(
    ctx: &Context,
    request: &Request,
    received: Result<Received, Fault>,
) -> Response {
    answer(ctx, request, &[], Some(received))
}

fn answer(
    ctx: &Context,
    request: &Request,
    body: &[u8],
    received: Option<Result<Received, Fault>>,
) -> Response {
    let answered = Answered::begin();
    let path = request.raw_url().split('?').next().unwrap_or_default();
    let ours = below_issuer(ctx, path);
    let incoming = Incoming::new(ctx, request, body, ours.unwrap_or(path), clock::now());
    incoming.upload.set(received);
    let mut response = match ours {
        Some(_) => dispatch(&incoming),
        None => not_found(&incoming),
    };
    respond::complete(&mut response, ctx.config.issuer.is_https());
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
    let method = match incoming.request.method() {
        "HEAD" => "GET",
        method => method,
    };
    let is_it = |route: &&Route| route.method == method && route.path == incoming.path;
    let found = match ROUTES.iter().find(is_it) {
        Some(route) => Ok((route, "")),
        None => {
            let rows = rows_at(incoming.path);
            let fits = rows.iter().find(|(route, _)| route.method == method);
            fits.copied().ok_or(rows)
        }
    };
    let (route, named) = match found {
        Ok(found) => found,
        Err(rows) => return no_such(incoming, method, &rows),
    };
    incoming.route.set(Some(route));
    let response = guard::answer(incoming, route.guard, named);
    if route.cross_origin && route.guard.is_for_clients() {
        cors::for_clients(incoming, response)
    } else {
        response
    }
}

/// The rows of an address, and what stands at their `*`. Where a row has this very path, it alone counts.
fn rows_at(path: &str) -> Vec<(&'static Route, &str)> {
    let exact: Vec<_> = ROUTES.iter().filter(|route| route.path == path).collect();
    if !exact.is_empty() {
        return exact.into_iter().map(|route| (route, "")).collect();
    }
    ROUTES
        .iter()
        .filter_map(|route| Some((route, fits(route.path, path)?)))
        .collect()
}

/// What stands at the `*` of a row's path, if the path is one of its.
fn fits<'p>(row: &str, path: &'p str) -> Option<&'p str> {
    let (before, after) = row.split_once('*')?;
    let named = path.strip_prefix(before)?.strip_suffix(after)?;
    (!named.is_empty() && !named.contains('/')).then_some(named)
}

fn no_such(incoming: &Incoming<'_>, method: &str, rows: &[(&Route, &str)]) -> Response {
    if rows.is_empty() {
        return not_found(incoming);
    }
    if method == "OPTIONS"
        && let Some((route, _)) = rows.iter().find(|(route, _)| route.cross_origin)
    {
        return match route.guard {
            Guard::Public(_) => cors::open_preflight(),
            _ => cors::preflight(incoming),
        };
    }
    let allow: Vec<&str> = rows.iter().map(|(route, _)| route.method).collect();
    let allow = allow.join(", ");
    match api::is_called(incoming) {
        true => api::wrong_method(&allow),
        false => failure::wrong_method(incoming, &allow),
    }
}

fn not_found(incoming: &Incoming<'_>) -> Response {
    match api::is_called(incoming) {
        true => api::not_found(incoming),
        false => failure::not_found(incoming),
    }
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

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
