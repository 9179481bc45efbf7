//! Who may call a row of the route table, and what they must bring. The guard is the type of the handler: one that wants
//! a client gets one that has proved who it is, and one that wants an administrator cannot be called without.
//! DESIGN §6: a form must be ours (`forms`), and whoever administers proved who they are lately.

use super::admin::desk::{Answer, Desk};
use super::incoming::{Incoming, Visitor};
use super::oauth;
use super::pages::{failure, sign_in};
use super::{forms, respond};
use crate::identity::session;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::TokenError;
use crate::types::Form;
use rouille::Response;

/// Answers a client that proved who it is.
type ForClient = fn(&Incoming<'_>, &Form, &AuthenticatedClient) -> Response;
/// Answers an administrator.
type ForAdmin = fn(&Desk<'_>) -> Answer;

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
    /// An administrator who looks at something.
    Admin(ForAdmin),
    /// An administrator whose password was asked lately, for a page with a form: what is typed into a long one is not
    /// lost to the question for the password.
    AdminPage(ForAdmin),
    /// An administrator whose password was asked lately, with a form of ours. Whoever is asked for it goes on at the
    /// second, a path whose `*` stands for the same; none: at the address of the form.
    AdminForm(ForAdmin, Option<&'static str>),
}

impl Guard {
    /// Whether browsers of other origins may read the answer, for what they bring and not for who they are.
    pub fn is_for_clients(self) -> bool {
        matches!(
            self,
            Self::Client(_) | Self::GrantedClient(_) | Self::PushingClient(_) | Self::Bearer(_)
        )
    }
}

/// Answers, or refuses. `named` is what stands at the `*` of the row's path.
pub fn answer(incoming: &Incoming<'_>, guard: Guard, named: &str) -> Response {
    match guard {
        Guard::Public(handler) | Guard::Bearer(handler) => handler(incoming),
        Guard::Client(handler) => as_client(incoming, handler, oauth::authenticate),
        Guard::GrantedClient(handler) => as_client(incoming, handler, oauth::authenticate_granting),
        Guard::PushingClient(handler) => as_client(incoming, handler, oauth::authenticate_pushing),
        Guard::Session(handler) => {
            with_visitor(incoming, |visitor| match form_of_ours(incoming, &visitor) {
                Ok(form) => handler(incoming, &visitor, &form),
                Err(refused) => refused,
            })
        }
        Guard::Admin(handler) => with_admin(incoming, |visitor| {
            at_desk(incoming, visitor, &Form::default(), named, handler)
        }),
        Guard::AdminPage(handler) => with_admin(incoming, |visitor| {
            if !session::is_fresh(&visitor.session, incoming.now) {
                return sign_in::again_page(incoming, visitor, incoming.path);
            }
            at_desk(incoming, visitor, &Form::default(), named, handler)
        }),
        Guard::AdminForm(handler, back) => with_admin(incoming, |visitor| {
            let form = match form_of_ours(incoming, visitor) {
                Ok(form) => form,
                Err(refused) => return refused,
            };
            if !session::is_fresh(&visitor.session, incoming.now) {
                let back = back.map(|back| back.replace('*', named));
                let back = back.as_deref().unwrap_or(incoming.path);
                return sign_in::again_page(incoming, visitor, back);
            }
            at_desk(incoming, visitor, &form, named, handler)
        }),
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

fn with_admin(incoming: &Incoming<'_>, then: impl FnOnce(&Visitor) -> Response) -> Response {
    with_visitor(incoming, |visitor| match visitor.user.admin {
        true => then(&visitor),
        false => failure::forbidden(incoming, &visitor),
    })
}

fn form_of_ours(incoming: &Incoming<'_>, visitor: &Visitor) -> Result<Form, Response> {
    let form = incoming.form().map_err(|_| failure::malformed(incoming))?;
    match forms::is_ours(incoming, Some(visitor), &form) {
        true => Ok(form),
        false => Err(failure::stale_form(incoming, Some(visitor))),
    }
}

fn at_desk(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    form: &Form,
    named: &str,
    handler: ForAdmin,
) -> Response {
    let desk = Desk {
        incoming,
        visitor,
        form,
        named,
    };
    handler(&desk).unwrap_or_else(|error| desk.failed(error))
}
