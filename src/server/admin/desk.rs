//! What the admin's pages share: the frame with its notice, the record that an address names, and failures. Lists stand
//! in `listing`.

use crate::model::AdminError;
use crate::server::administration::{Actor, Authority, OperationError};
use crate::server::incoming::{Incoming, Visitor};
use crate::server::pages::{failure, frame, sign_in};
use crate::server::respond::{self, Leads};
use crate::types::Form;
use crate::views::{self, ErrorPage, Notice, Page, Tone};
use rouille::Response;

/// A query key that says what was done, and the fixed sentence for it. Nothing of an address is ever shown.
pub(super) type Done = (&'static str, &'static str);

/// What a page answers, or why there is no such page.
pub(super) type Answer = Result<Response, OperationError>;

/// The record that an address names.
pub(super) fn known<T>(
    found: Option<T>,
    what: &'static str,
    id: &str,
) -> Result<T, OperationError> {
    let missing = || AdminError::NotFound {
        what,
        name: id.to_owned(),
    };
    Ok(found.ok_or_else(missing)?)
}

/// Whether a form was sent.
pub(super) fn is_post(incoming: &Incoming<'_>) -> bool {
    incoming.request.method() == "POST"
}

/// The visitor, as the audit log names them.
pub(super) fn actor(incoming: &Incoming<'_>, visitor: &Visitor) -> Actor {
    Actor {
        name: visitor.user.username.to_string(),
        address: Some(incoming.address()),
        authority: Authority::Session(visitor.session.id),
    }
}

/// A page of the admin's, with the notice that the address asks for.
pub(super) fn page(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    title: &str,
    notices: &[Done],
    draw: impl FnOnce(Page) -> Response,
) -> Response {
    let query = incoming.query().unwrap_or_default();
    let done = notices
        .iter()
        .find(|(key, _)| !is_post(incoming) && *key == query.text("done"));
    frame::with(incoming, Some(visitor), title, |mut page| {
        page.notices.extend(done.map(|(_, words)| Notice {
            tone: Tone::Good,
            text: (*words).to_owned(),
            line: None,
        }));
        draw(page)
    })
}

/// Goes to a page of ours, which says what was done.
pub(super) fn go(incoming: &Incoming<'_>, path: &str, done: &str) -> Response {
    respond::see_other(&sign_in::below_base(
        incoming,
        &format!("{path}?done={done}"),
    ))
}

/// An address with the base and a query of its non-empty pairs.
pub(super) fn address(base: &str, path: &str, pairs: &[(&str, &str)]) -> String {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let query = given.fold(Form::default(), |form, (name, value)| {
        form.with(name, value)
    });
    let query = query.encode();
    let joint = if query.is_empty() { "" } else { "?" };
    format!("{base}{path}{joint}{query}")
}

/// What was typed, to be drawn again: without passwords.
pub(super) fn typed(form: &Form) -> views::Form {
    let hidden = ["csrf", "password", "password_again"];
    views::Form::from_pairs(form.pairs().filter(|(name, _)| !hidden.contains(name)))
}

/// What an operation refused, for its form; the others get their page.
pub(super) fn refusal(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    error: OperationError,
) -> Result<AdminError, Response> {
    match error {
        OperationError::Admin(
            error @ (AdminError::NotFound { .. } | AdminError::NoAdministrator),
        ) => Err(failed(incoming, visitor, error.into())),
        OperationError::Admin(error) => Ok(error),
        other => Err(failed(incoming, visitor, other)),
    }
}

/// The page for an operation that did not happen and has no form.
pub(super) fn failed(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    error: OperationError,
) -> Response {
    match error {
        OperationError::Admin(AdminError::NotFound { .. }) => failure::not_found(incoming),
        OperationError::Admin(AdminError::NoAdministrator) => failure::forbidden(incoming, visitor),
        OperationError::Admin(error) => frame::with(incoming, Some(visitor), "", |page| {
            let mut sentence = error.to_string();
            sentence.push_str(". Nothing was changed.");
            let view = ErrorPage::new(page, "This cannot be done", &views::capital(&sentence));
            respond::page(422, Leads::Here, &view)
        }),
        other => {
            log::warn!("{other}");
            failure::busy(incoming)
        }
    }
}
