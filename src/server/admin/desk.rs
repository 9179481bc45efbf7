//! What the handlers of the admin's pages share: who asked for what, the frame with its notice, the record that an
//! address names, and failures. Lists stand in `listing`.

use crate::model::AdminError;
use crate::server::administration::{Actor, Authority, OperationError};
use crate::server::context::Context;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::pages::{failure, frame, sign_in};
use crate::server::respond::{self, Leads};
use crate::types::Form;
use crate::views::{self, ErrorPage, Notice, Page, Tone};
use rouille::Response;

/// A query key that says what was done, and the fixed sentence for it. Nothing of an address is ever shown.
pub(super) type Done = (&'static str, &'static str);

/// What a page answers, or why there is no such page.
pub type Answer = Result<Response, OperationError>;

/// An administrator's request, let in by the guard of its row.
pub struct Desk<'a> {
    /// As it came.
    pub incoming: &'a Incoming<'a>,
    /// The administrator.
    pub visitor: &'a Visitor,
    /// What was posted; empty where nothing was.
    pub form: &'a Form,
    /// The part of the path that stands where its row has a `*`; empty where it has none.
    pub named: &'a str,
}

impl<'a> Desk<'a> {
    /// What every handler shares.
    pub(super) fn ctx(&self) -> &'a Context {
        self.incoming.ctx
    }

    /// The issuer's path, which all addresses begin with.
    pub(super) fn base(&self) -> &'a str {
        self.ctx().config.issuer.path()
    }

    /// The administrator, as the audit log names them.
    pub(super) fn actor(&self) -> Actor {
        Actor {
            name: self.visitor.user.username.to_string(),
            address: Some(self.incoming.address()),
            authority: Authority::Session(self.visitor.session.id),
        }
    }

    /// A page of the admin's, with the notice that the address asks for.
    pub(super) fn page(
        &self,
        title: &str,
        notices: &[Done],
        draw: impl FnOnce(Page) -> Response,
    ) -> Response {
        let query = self.incoming.query().unwrap_or_default();
        let posted = self.incoming.request.method() == "POST";
        let done = notices
            .iter()
            .find(|(key, _)| !posted && *key == query.text("done"));
        frame::with(self.incoming, Some(self.visitor), title, |mut page| {
            page.notices.extend(done.map(|(_, words)| Notice {
                tone: Tone::Good,
                text: (*words).to_owned(),
                line: None,
            }));
            draw(page)
        })
    }

    /// Goes to a page of ours, which says what was done.
    pub(super) fn go(&self, path: &str, done: &str) -> Response {
        let address = format!("{path}?done={done}");
        respond::see_other(&sign_in::below_base(self.incoming, &address))
    }

    /// The page for what was not done and has no form to say so in.
    pub fn failed(&self, error: OperationError) -> Response {
        let (incoming, visitor) = (self.incoming, self.visitor);
        match error {
            OperationError::Admin(AdminError::NotFound { .. }) => failure::not_found(incoming),
            OperationError::Admin(AdminError::NoAdministrator) => {
                failure::forbidden(incoming, visitor)
            }
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
}

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

/// What an operation refused, for its form; the others get their page (`Desk::failed`).
pub(super) fn refusal(error: OperationError) -> Result<AdminError, OperationError> {
    match error {
        OperationError::Admin(AdminError::NotFound { .. } | AdminError::NoAdministrator) => {
            Err(error)
        }
        OperationError::Admin(error) => Ok(error),
        other => Err(other),
    }
}
