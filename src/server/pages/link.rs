//! One-time links: the person chooses a password and is signed in. The rules stand in `identity::enrolment`.
//! Owns: how the token of such a link is read. It is never logged, and leaves in no `Referer` (`respond`).

use super::{failure, frame, sign_in};
use crate::crypto::random::Fresh;
use crate::identity::enrolment::{self, Arrival, EnrolmentError, OpenLink};
use crate::identity::people::PersonEdit;
use crate::model::{AdminError, Settings, User};
use crate::ops::clock;
use crate::server::administration::OperationError;
use crate::server::administration::people as operations;
use crate::server::forms;
use crate::server::hashing::Busy;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::respond::{self, Leads};
use crate::store::{StoreError, View};
use crate::types::{BearerSecret, Form, LinkId, Secret};
use crate::views::{self, NewPassword};
use rouille::Response;

/// Why a page of this kind shows something else.
pub(super) enum Stopped {
    /// The link does not hold.
    Closed,
    /// A value cannot be taken.
    Admin(AdminError),
    /// Nothing can be done now.
    Busy(String),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Busy(error.to_string())
    }
}

impl From<Busy> for Stopped {
    fn from(busy: Busy) -> Self {
        Self::Busy(OperationError::from(busy).to_string())
    }
}

impl From<AdminError> for Stopped {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}

impl From<EnrolmentError> for Stopped {
    fn from(error: EnrolmentError) -> Self {
        match error {
            EnrolmentError::Closed => Self::Closed,
            EnrolmentError::Admin(error) => Self::Admin(error),
        }
    }
}

/// The token in a query or form.
pub(super) fn token(form: &Form) -> Result<BearerSecret, Stopped> {
    BearerSecret::parse(form.text("token")).ok_or(Stopped::Closed)
}

/// The link that the token opens.
pub(super) fn opened(
    view: &View<'_>,
    incoming: &Incoming<'_>,
    token: &BearerSecret,
) -> Result<OpenLink, Stopped> {
    let link = view.link(LinkId(token.selector))?;
    Ok(enrolment::open(link.as_ref(), token, incoming.now)?)
}

/// What this browser brings along.
pub(super) fn arrival(
    incoming: &Incoming<'_>,
    settings: Settings,
    visitor: Option<&Visitor>,
) -> Arrival {
    Arrival {
        browser: sign_in::browser(incoming),
        current: visitor.map(|visitor| visitor.session.clone()),
        settings,
        fresh: Fresh::draw(),
        now: incoming.now,
    }
}

/// The two passwords of a form.
pub(super) fn passwords(form: &Form) -> (Secret, Secret) {
    let field = |name| Secret::new(form.text(name).to_owned());
    (field("password"), field("password_again"))
}

/// `GET /link`. Using the link up takes a form: whatever looks at links in messages does not spend them.
pub fn show(incoming: &Incoming<'_>) -> Response {
    let query = incoming.query().unwrap_or_default();
    answer(incoming, || {
        let (user, _) = person(incoming, &query)?;
        let visitor = sign_in::visitor(incoming)?;
        if let Some(way) = failure::under_another_name(incoming, visitor.as_ref()) {
            return Ok(way);
        }
        let form = views::Form::new();
        Ok(page(incoming, visitor.as_ref(), &user, &query, form, 200))
    })
}

/// `POST /link`.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    let Ok(form) = incoming.form() else {
        return failure::malformed(incoming);
    };
    answer(incoming, || choose(incoming, &form))
}

fn choose(incoming: &Incoming<'_>, form: &Form) -> Result<Response, Stopped> {
    let visitor = sign_in::visitor(incoming)?;
    if !forms::is_ours(incoming, visitor.as_ref(), form) {
        return Ok(failure::stale_form(incoming, visitor.as_ref()));
    }
    let (user, settings) = person(incoming, form)?;
    let (password, again) = passwords(form);
    let words = operations::words(&PersonEdit::of(&user));
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Err(error) = enrolment::choose(&password, &again, &known) {
        let mut refused = views::Form::new();
        refuse(&mut refused, &error);
        return Ok(page(incoming, visitor.as_ref(), &user, form, refused, 422));
    }
    let hash = incoming.ctx.hashing.hash(&password)?;
    let (id, token) = (user.id, token(form)?);
    let arrival = arrival(incoming, settings, visitor.as_ref());
    let signed_in = incoming.ctx.store.submit(move |view| {
        let arrival = arrival.at(clock::now());
        let link = view.link(LinkId(token.selector))?;
        let opened = enrolment::open(link.as_ref(), &token, arrival.now);
        let around = operations::around(view, Some(id), None)?;
        let user = view.user(id)?;
        Ok(enrolment::redeem(opened, user, hash, &around, arrival))
    })??;
    Ok(sign_in::enter(incoming, &signed_in, None, "/"))
}

/// Whose password the link sets.
fn person(incoming: &Incoming<'_>, form: &Form) -> Result<(User, Settings), Stopped> {
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    let link = opened(&view, incoming, &token(form)?)?;
    let user = match link.person() {
        Some(id) => view.user(id)?,
        None => None,
    };
    Ok((enrolment::for_person(link, user)?, view.settings_made()?))
}

fn page(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    user: &User,
    sent: &Form,
    form: views::Form,
    status: u16,
) -> Response {
    frame::with(incoming, visitor, "Choose a new password", |page| {
        let view = NewPassword {
            page,
            form,
            token: sent.text("token").to_owned(),
            username: user.username.to_string(),
            strength: None,
        };
        respond::page(status, Leads::Here, &view)
    })
}

/// Says beside its field what was wrong.
pub(super) fn refuse(form: &mut views::Form, error: &AdminError) {
    match error {
        AdminError::Invalid { field, message } => {
            let name = if *field == "name" { "full_name" } else { field };
            form.refuse(name, views::capital(message));
        }
        AdminError::NameTaken(_) => {
            form.refuse("username", views::capital(&error.to_string()));
        }
        _ => form.refuse("", views::capital(&error.to_string())),
    }
}

fn answer(incoming: &Incoming<'_>, work: impl FnOnce() -> Result<Response, Stopped>) -> Response {
    match work() {
        Ok(response) => response,
        // A person's link takes no other value than the password, which is checked before.
        Err(Stopped::Closed | Stopped::Admin(_)) => failure::link_closed(incoming),
        Err(Stopped::Busy(why)) => {
            log::warn!("{why}");
            failure::busy(incoming)
        }
    }
}
