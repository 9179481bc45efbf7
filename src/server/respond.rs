//! Answers, and the headers that none may leave without. DESIGN §6, RFC 6749 §5.1.

use super::headers::{ALWAYS, HTTPS};
use super::metrics::refused;
use crate::oauth::error::Wire;
use askama::Template;
use rouille::Response;
use serde::Serialize;
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Scripts, styles and pictures from here only; no frames; forms to here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
/// Browsers hold `form-action` against every redirect that follows a form. A page whose form may lead back to an
/// application leaves it out; its forms are ours all the same.
const POLICY_TO_APPLICATIONS: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                                      connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Most answers in JSON are shorter: one with two tokens is not.
const USUAL_ANSWER: usize = 1_024;

/// Where the forms of a page may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// To this site.
    Here,
    /// In the end, to an application.
    ToApplication,
}

/// A page.
pub fn page(status: u16, leads: Leads, template: &impl Template) -> Response {
    let policy = if leads == Leads::Here {
        POLICY
    } else {
        POLICY_TO_APPLICATIONS
    };
    under(policy.into(), status, template.render())
}

/// The page of Front-Channel Logout §3: frames of these origins, and of no others.
pub fn framing(origins: &BTreeSet<String>, template: &impl Template) -> Response {
    let origins: Vec<&str> = origins.iter().map(String::as_str).collect();
    let policy = format!("{POLICY_TO_APPLICATIONS}; frame-src {}", origins.join(" "));
    under(policy.into(), 200, template.render())
}

fn under(policy: Cow<'static, str>, status: u16, drawn: askama::Result<String>) -> Response {
    let html = match drawn {
        Ok(html) => html,
        Err(e) => {
            log::error!("a page could not be drawn: {e}");
            return plain(500, "This page could not be drawn.");
        }
    };
    let mut response = Response::html(html).with_status_code(status);
    set(&mut response, "Content-Security-Policy", policy);
    response
}

/// Plain text.
pub fn plain(status: u16, text: &str) -> Response {
    Response::text(text).with_status_code(status)
}

/// JSON that nobody may store (RFC 6749 §5.1).
pub fn json(status: u16, value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(USUAL_ANSWER);
    let Ok(()) = serde_json::to_writer(&mut body, value) else {
        // What has text for its names always serialises.
        log::error!("an answer could not be written as JSON");
        return plain(500, "This answer could not be written.");
    };
    let mut response = Response::from_data("application/json", body).with_status_code(status);
    set(&mut response, "Pragma", "no-cache");
    response
}

/// A signed answer that nobody may store (OpenID Connect Core §5.3.2).
pub fn jwt(token: &str) -> Response {
    let mut response = Response::from_data("application/jwt", token);
    set(&mut response, "Pragma", "no-cache");
    response
}

/// An error of the token, introspection and revocation endpoints (RFC 6749 §5.2).
pub fn oauth_error(wire: Wire) -> Response {
    refused::note(wire.code);
    let mut response = json(
        wire.status,
        &json!({ "error": wire.code, "error_description": wire.description }),
    );
    if wire.status == 503 {
        set(&mut response, "Retry-After", "1");
    }
    response
}

/// 303: whatever the method was, the next is GET.
pub fn see_other(location: &str) -> Response {
    let mut response = Response::empty_204().with_status_code(303);
    set(&mut response, "Location", location.to_owned());
    response
}

/// Adds a header.
pub fn set(response: &mut Response, name: &'static str, value: impl Into<Cow<'static, str>>) {
    response.headers.push((Cow::Borrowed(name), value.into()));
}

/// Adds what is missing of the headers that every answer has.
pub fn complete(response: &mut Response, issuer_is_https: bool) {
    let more = issuer_is_https.then_some(HTTPS);
    for (name, value) in ALWAYS.into_iter().chain(more) {
        let known = |(given, _): &(Cow<'_, str>, Cow<'_, str>)| given.eq_ignore_ascii_case(name);
        if !response.headers.iter().any(known) {
            set(response, name, value);
        }
    }
}
