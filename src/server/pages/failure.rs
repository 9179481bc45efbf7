//! Pages for everything that cannot go on.

use super::{frame, sign_in};
use crate::model::Client;
use crate::oauth::authorize::redirect_uri::Mismatch;
use crate::oauth::authorize::request::NoTarget;
use crate::oauth::logout::LogoutError;
use crate::oauth::registration::DocumentError;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::respond::{self, Leads, set};
use crate::types::{BearerSecret, Form};
use crate::views::{ErrorPage, Page, TechnicalDetail};
use rouille::Response;

/// 400: a form or query that does not parse.
pub fn malformed(incoming: &Incoming<'_>) -> Response {
    let mut view = ErrorPage::new(
        frame::bare(incoming, ""),
        "This request cannot be read",
        "Something in it is missing, stands there twice, or is written wrongly. Nothing was changed.",
    );
    view.code = "malformed_request".to_owned();
    respond::page(400, Leads::Here, &view)
}

/// 403: a form that came from elsewhere or was open for too long.
pub fn stale_form(incoming: &Incoming<'_>, visitor: Option<&Visitor>) -> Response {
    if frame::is_elsewhere(incoming) {
        return misplaced_form(incoming, visitor);
    }
    standard(incoming, visitor, 403, ErrorPage::stale_form)
}

/// 403, under another name than the issuer's: instead of a form that works at its address only, the way there.
pub fn under_another_name(incoming: &Incoming<'_>, visitor: Option<&Visitor>) -> Option<Response> {
    frame::is_under_another_name(incoming).then(|| misplaced_form(incoming, visitor))
}

fn misplaced_form(incoming: &Incoming<'_>, visitor: Option<&Visitor>) -> Response {
    let there = right_address(incoming);
    standard(incoming, visitor, 403, |page| {
        ErrorPage::wrong_address(page, &incoming.ctx.config.issuer.to_string(), there)
    })
}

/// The page of a form, at the issuer's own address. The pages that open with a one-time token need it there too; it goes to
/// nobody but the browser that sent it. Nothing else of the form is repeated.
fn right_address(incoming: &Incoming<'_>) -> String {
    let path = match incoming.path {
        path @ ("/setup" | "/setup/restore" | "/link" | "/login" | "/device") => path,
        path if path.starts_with("/admin") => "/admin",
        _ => "/",
    };
    let endpoint = incoming.ctx.config.issuer.endpoint(path);
    let sent = [incoming.form().ok(), incoming.query().ok()];
    let token = sent
        .iter()
        .flatten()
        .filter(|_| matches!(path, "/setup" | "/setup/restore" | "/link"))
        .map(|form| form.text("token").to_owned())
        .find(|token| BearerSecret::parse(token).is_some());
    match token {
        Some(token) => format!(
            "{endpoint}?{}",
            Form::default().with("token", &token).encode()
        ),
        None => endpoint,
    }
}

/// 403 for a person without the right to see a page.
pub fn forbidden(incoming: &Incoming<'_>, visitor: &Visitor) -> Response {
    standard(incoming, Some(visitor), 403, ErrorPage::forbidden)
}

/// 404.
pub fn not_found(incoming: &Incoming<'_>) -> Response {
    respond::page(
        404,
        Leads::Here,
        &ErrorPage::not_found(frame::bare(incoming, "")),
    )
}

/// 405, with the methods that there are.
pub fn wrong_method(incoming: &Incoming<'_>, allow: &str) -> Response {
    let view = ErrorPage::new(
        frame::bare(incoming, ""),
        "This address cannot be used like this",
        "It exists, but not for this kind of request.",
    );
    let mut response = respond::page(405, Leads::Here, &view);
    set(&mut response, "Allow", allow.to_owned());
    response
}

/// 503: too much to do, or the data file cannot be used.
pub fn busy(incoming: &Incoming<'_>) -> Response {
    let mut response = respond::page(
        503,
        Leads::Here,
        &ErrorPage::busy(frame::bare(incoming, "")),
    );
    set(&mut response, "Retry-After", "2");
    response
}

/// 410: a setup link that was used, or of which there is no need any more.
pub fn setup_link_closed(incoming: &Incoming<'_>) -> Response {
    respond::page(
        410,
        Leads::Here,
        &ErrorPage::setup_link_closed(frame::bare(incoming, "")),
    )
}

/// 503: a backup is coming in already, or cannot be written down.
pub fn restore_busy(incoming: &Incoming<'_>) -> Response {
    let mut response = respond::page(
        503,
        Leads::Here,
        &ErrorPage::restore_busy(frame::bare(incoming, "")),
    );
    set(&mut response, "Retry-After", "10");
    response
}

/// 410: a one-time link that was used or has expired.
pub fn link_closed(incoming: &Incoming<'_>) -> Response {
    respond::page(
        410,
        Leads::Here,
        &ErrorPage::link_closed(frame::bare(incoming, "")),
    )
}

/// 400: an authorization request that cannot be answered by redirect (RFC 6749 §4.1.2.1).
pub fn no_target(
    incoming: &Incoming<'_>,
    client: Option<&Client>,
    form: &Form,
    why: &NoTarget,
) -> Response {
    let page = frame::bare(incoming, "");
    let name = client.map_or("The application", |client| client.name.as_str());
    let (mut view, whoever_runs_it) = match why {
        NoTarget::Client => {
            let mut view = ErrorPage::new(
                page,
                "This application is not known here",
                "Something sent you here to sign in, but it is not registered, or it has been switched off.",
            );
            view.code = "unknown_client".to_owned();
            view.details
                .push(detail("Client id received", form.text("client_id")));
            let advice = "compare the client id below with the applications in the admin page. Add the application \
                          there, or switch it on again, and type its client id into its settings.";
            (view, advice)
        }
        NoTarget::Document(error) => {
            let text = "It is known by the address of a document that describes it, and that cannot be used.";
            let mut view = ErrorPage::new(page, "This application does not say who it is", text);
            view.code = match error {
                DocumentError::TooOften(_) | DocumentError::Busy => "client_document_later",
                _ => "client_document_unusable",
            }
            .to_owned();
            view.details
                .push(detail("Client id received", form.text("client_id")));
            let advice = "the audit log says what is wrong with the document. A server on your own network is called \
                          only after “doorlight outbound allow HOST”.";
            (view, advice)
        }
        NoTarget::Repeated => {
            let mut view = ErrorPage::new(
                page,
                "This request cannot be used",
                "It says twice where to send you back to.",
            );
            view.code = "redirect_uri_repeated".to_owned();
            view.details.push(detail("Parameter", "redirect_uri"));
            (
                view,
                "this is a fault of the application: it must send its return address once.",
            )
        }
        NoTarget::RedirectUri(Mismatch::Missing) => {
            let text = format!("{name} did not say where to return to after signing in.");
            let mut view = ErrorPage::new(page, "The return address is missing", &text);
            view.code = "redirect_uri_missing".to_owned();
            view.details.push(detail("Parameter", "redirect_uri"));
            let advice = "look for the application's own address, redirect URI or callback URL in its settings: it \
                          must send one.";
            (view, advice)
        }
        NoTarget::RedirectUri(Mismatch::NotRegistered { received, expected }) => {
            let text = format!(
                "{name} asked to return you to an address that is not registered for it, so you were not sent there."
            );
            let mut view = ErrorPage::new(page, "The return address does not match", &text);
            view.code = "redirect_uri_not_registered".to_owned();
            view.details.push(detail("Address received", received));
            view.details.extend(registered(incoming, expected));
            let advice = "open the application in the admin page; a refused address can be added there with one \
                          button. A slash, a port or http instead of https makes an address another one.";
            (view, advice)
        }
        NoTarget::RequestObject(error) => {
            let text = format!("{name} sent a signed request that cannot be used.");
            let mut view = ErrorPage::new(page, "This request cannot be used", &text);
            view.code = error.wire().code.to_owned();
            view.details
                .push(detail("Reason", error.wire().description));
            let advice = "see whether the keys of the application in the admin page are those that it signs with, and \
                          whether its clock is right.";
            (view, advice)
        }
        NoTarget::Pushed(_) => {
            let text = format!(
                "It was answered already, or it waited for too long. Go back to {name} and sign in again."
            );
            let mut view = ErrorPage::new(page, "This sign-in is over", &text);
            view.code = "request_uri_unknown".to_owned();
            return respond::page(400, Leads::Here, &view);
        }
    };
    view.action = match (why, client) {
        (NoTarget::RedirectUri(_), Some(client)) => way_to(incoming, &application(client)),
        (NoTarget::Client, _) => way_to(incoming, "/admin/applications"),
        _ => None,
    };
    view.advice = vec![
        "If you were just signing in, tell the person who runs this server what is written below."
            .to_owned(),
        format!("If you run it: {whoever_runs_it}"),
    ];
    respond::page(400, Leads::Here, &view)
}

/// 400: a sign-out that an application asked for wrongly. Nobody was signed out, and there is no redirect.
pub fn logout(incoming: &Incoming<'_>, client: Option<&Client>, error: &LogoutError) -> Response {
    let page = frame::bare(incoming, "");
    let text = "The application asked to sign you out in a way that cannot be used. You are still signed in here.";
    let mut view = ErrorPage::new(page, "Signing out did not work", text);
    match error {
        LogoutError::Repeated(name) => {
            view.code = "parameter_repeated".to_owned();
            view.details.push(detail("Parameter", name));
        }
        LogoutError::ClientMismatch => view.code = "client_mismatch".to_owned(),
        LogoutError::NoClient => view.code = "unknown_client".to_owned(),
        LogoutError::RedirectUri { received, expected } => {
            view.code = "post_logout_redirect_uri_not_registered".to_owned();
            view.details.push(detail("Address received", received));
            view.details.extend(registered(incoming, expected));
        }
    }
    let home = format!("{}/", view.page.base);
    let home = Some((home, "Go to the start page".to_owned()));
    view.action = match (error, client) {
        (LogoutError::RedirectUri { .. }, Some(client)) => {
            way_to(incoming, &application(client)).or(home)
        }
        _ => home,
    };
    respond::page(400, Leads::Here, &view)
}

fn application(client: &Client) -> String {
    format!("/admin/applications/{}", client.id)
}

/// A button to where it can be mended, for an administrator only: to nobody else the page may say what there is. It says
/// nothing that a stranger chose, and adds nothing: on that page the address stands once more, and the password is asked.
fn way_to(incoming: &Incoming<'_>, path: &str) -> Option<(String, String)> {
    is_administrator(incoming).then(|| {
        let there = format!("{}{path}", incoming.ctx.config.issuer.path());
        (there, "Look at it in the admin page".to_owned())
    })
}

/// What would have been right, for an administrator only: these may be addresses of machines that strangers need not
/// know of (DESIGN §4).
fn registered(incoming: &Incoming<'_>, expected: &[String]) -> Vec<TechnicalDetail> {
    match is_administrator(incoming) {
        true => expected
            .iter()
            .map(|uri| detail("Address registered", uri))
            .collect(),
        false => Vec::new(),
    }
}

fn is_administrator(incoming: &Incoming<'_>) -> bool {
    match sign_in::visitor(incoming) {
        Ok(visitor) => visitor.is_some_and(|visitor| visitor.user.admin),
        Err(error) => {
            log::warn!("{error}");
            false
        }
    }
}

fn standard(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    status: u16,
    view: impl FnOnce(Page) -> ErrorPage,
) -> Response {
    frame::with(incoming, visitor, "", |page| {
        respond::page(status, Leads::Here, &view(page))
    })
}

fn detail(label: &str, value: &str) -> TechnicalDetail {
    TechnicalDetail {
        label: label.to_owned(),
        value: value.chars().take(500).collect(),
    }
}
