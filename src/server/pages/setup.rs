//! The first administrator, made through the setup link. The rules stand in `identity::enrolment`.

use super::link::{self, Stopped};
use super::{failure, frame, sign_in};
use crate::crypto::random;
use crate::identity::enrolment;
use crate::identity::people::PersonEdit;
use crate::ops::clock;
use crate::server::administration::people as operations;
use crate::server::forms;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::respond::{self, Leads};
use crate::types::{Form, LinkId, UserId};
use crate::views::{self, Setup};
use rouille::Response;

/// `GET /setup`.
pub fn show(incoming: &Incoming<'_>) -> Response {
    let query = incoming.query().unwrap_or_default();
    answer(incoming, || {
        is_open(incoming, &query)?;
        let visitor = sign_in::visitor(incoming)?;
        if let Some(way) = failure::under_another_name(incoming, visitor.as_ref()) {
            return Ok(way);
        }
        let form = views::Form::new();
        Ok(page(incoming, visitor.as_ref(), &query, form, 200))
    })
}

/// `POST /setup`.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    let Ok(form) = incoming.form() else {
        return failure::malformed(incoming);
    };
    answer(incoming, || set_up(incoming, &form))
}

fn set_up(incoming: &Incoming<'_>, form: &Form) -> Result<Response, Stopped> {
    let visitor = sign_in::visitor(incoming)?;
    let visitor = visitor.as_ref();
    if !forms::is_ours(incoming, visitor, form) {
        return Ok(failure::stale_form(incoming, visitor));
    }
    is_open(incoming, form)?;
    let details = PersonEdit {
        username: form.text("username").trim().to_owned(),
        name: Some(form.text("full_name").to_owned()),
        email: Some(form.text("email").to_owned()),
        // Nobody knows better than the administrator, as for the people that they add.
        email_verified: true,
        ..PersonEdit::default()
    };
    let typed = ["username", "full_name", "email"].map(|name| (name, form.text(name)));
    let mut refused = views::Form::from_pairs(typed);
    let (password, again) = link::passwords(form);
    let words = operations::words(&details);
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    for error in [
        details.parsed_username().map(|_| ()),
        enrolment::choose(&password, &again, &known),
    ]
    .into_iter()
    .filter_map(Result::err)
    {
        link::refuse(&mut refused, &error);
    }
    if refused.has_errors() {
        return Ok(page(incoming, visitor, form, refused, 422));
    }
    match make(incoming, visitor, form, details) {
        Err(Stopped::Admin(error)) => {
            link::refuse(&mut refused, &error);
            Ok(page(incoming, visitor, form, refused, 422))
        }
        other => other,
    }
}

fn make(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    form: &Form,
    details: PersonEdit,
) -> Result<Response, Stopped> {
    let username = details.parsed_username()?;
    let token = link::token(form)?;
    let settings = incoming.ctx.store.snapshot()?.view().settings_made()?;
    let (password, _) = link::passwords(form);
    let hash = incoming.ctx.hashing.hash(&password)?;
    let arrival = link::arrival(incoming, settings, visitor);
    let id = UserId(random::id(incoming.now));
    let signed_in = incoming.ctx.store.submit(move |view| {
        let arrival = arrival.at(clock::now());
        let link = view.link(LinkId(token.selector))?;
        let opened = enrolment::open(link.as_ref(), &token, arrival.now);
        let around = operations::around(view, None, Some(&username))?;
        Ok(enrolment::set_up(
            opened, details, hash, &around, id, arrival,
        ))
    })??;
    Ok(sign_in::enter(incoming, &signed_in, None, "/admin"))
}

/// Whether the link holds, before anything costly is done for it.
pub(super) fn is_open(incoming: &Incoming<'_>, form: &Form) -> Result<(), Stopped> {
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    let link = link::opened(&view, incoming, &link::token(form)?)?;
    enrolment::for_setup(link, view.admin_count()?)?;
    Ok(())
}

fn page(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    sent: &Form,
    form: views::Form,
    status: u16,
) -> Response {
    frame::with(incoming, visitor, "Welcome to Doorlight", |page| {
        let view = Setup {
            page,
            form,
            token: sent.text("token").to_owned(),
            strength: None,
        };
        respond::page(status, Leads::Here, &view)
    })
}

pub(super) fn answer(
    incoming: &Incoming<'_>,
    work: impl FnOnce() -> Result<Response, Stopped>,
) -> Response {
    match work() {
        Ok(response) => response,
        Err(Stopped::Closed | Stopped::Admin(_)) => failure::setup_link_closed(incoming),
        Err(Stopped::Busy(why)) => {
            log::warn!("{why}");
            failure::busy(incoming)
        }
    }
}
