//! `/admin/people`: the list, and the ways through a person's pages. Their forms stand in `person_form`.

use super::desk::{self, Answer, Desk, Done};
use super::listing::Listing;
use super::person_form::{self as fields, groups};
use crate::identity::enrolment;
use crate::model::{AdminError, EventKind, Outcome, User};
use crate::server::administration::OperationError;
use crate::server::administration::people::{self as operations, PersonEdit};
use crate::server::pages::when::when;
use crate::server::respond::{self, Leads};
use crate::store::{EventFilter, StoreError, View};
use crate::types::{Form, Secret, Timestamp, UserId};
use crate::views::admin::{
    Confirm, CopyRow, Issued, NewPerson, People, Person, PersonRow, SetPassword,
};
use crate::views::{self, When};
use rouille::Response;
use std::collections::HashMap;

const PATH: &str = "/admin/people";
/// Sign-ins that the list looks back over.
const SIGN_INS: usize = 1_000;

const TWO_WAYS: &str = "a password was typed, but “With a link that I send them” is chosen: choose “With a password that \
                        I set now”, or leave both password fields empty";

const DONE: &[Done] = &[
    ("added", "The person was added."),
    ("saved", "The details were saved."),
    (
        "password",
        "The password was set. They were signed out everywhere.",
    ),
    ("deleted", "The person was deleted."),
];

/// The person whom the address names, as they are now.
fn person(desk: &Desk<'_>) -> Result<User, OperationError> {
    let found = match desk.named.parse::<UserId>() {
        Ok(id) => desk.ctx().store.snapshot()?.view().user(id)?,
        Err(_) => None,
    };
    desk::known(found, "person", desk.named)
}

/// `GET /admin/people`.
pub fn list(desk: &Desk<'_>) -> Answer {
    let snapshot = desk.ctx().store.snapshot()?;
    let view = snapshot.view();
    let (users, list) = Listing::asked(desk.incoming, PATH).page(
        |after, limit| view.users_by_name(&past(after), limit),
        |user| user.username.folded(),
        searched,
    )?;
    let seen = sign_ins(&view, None)?;
    let rows = users.into_iter().map(|user| row(user, &seen)).collect();
    Ok(desk.page("People", DONE, |page| {
        respond::page(200, Leads::Here, &People { page, list, rows })
    }))
}

/// `GET /admin/people/new`.
pub fn new(desk: &Desk<'_>) -> Answer {
    let form = views::Form::new()
        .with("email_verified", "on")
        .with("way_in", "link");
    new_form(desk, form, 200)
}

fn new_form(desk: &Desk<'_>, form: views::Form, status: u16) -> Answer {
    let groups = groups(&desk.ctx().store.snapshot()?.view())?;
    Ok(desk.page("Add a person", DONE, |page| {
        let view = NewPerson {
            page,
            form,
            groups,
            strength: None,
        };
        respond::page(status, Leads::Here, &view)
    }))
}

/// `POST /admin/people/new`.
pub fn add(desk: &Desk<'_>) -> Answer {
    let form = desk.form;
    let mut refused = desk::typed(form);
    let details = fields::details(form, None);
    let with_password = form.text("way_in") == "password";
    let password = Secret::new(form.text("password").to_owned());
    let checked = match &details {
        Ok(details) if with_password => check(form, &password, details),
        // Whoever typed one believes that it was set.
        _ if !form.text("password").is_empty() || !form.text("password_again").is_empty() => {
            Err(AdminError::invalid("way_in", TWO_WAYS))
        }
        _ => Ok(()),
    };
    let details = match (details, checked) {
        (Ok(details), Ok(())) => details,
        (details, checked) => {
            for error in [details.map(|_| ()), checked]
                .into_iter()
                .filter_map(Result::err)
            {
                fields::refuse(&mut refused, &error);
            }
            return new_form(desk, refused, 422);
        }
    };
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let password = with_password.then_some(password);
    let user = match operations::add_detailed(ctx, details, password, &actor) {
        Ok(user) => user,
        Err(error) => {
            fields::refuse(&mut refused, &desk::refusal(error)?);
            return new_form(desk, refused, 422);
        }
    };
    if with_password {
        return Ok(desk.go(&path(&user), "added"));
    }
    link_for(desk, &user)
}

/// `GET /admin/people/*`.
pub fn show(desk: &Desk<'_>) -> Answer {
    let user = person(desk)?;
    drawn(desk, &user, fields::of(&user), 200)
}

fn drawn(desk: &Desk<'_>, user: &User, form: views::Form, status: u16) -> Answer {
    let snapshot = desk.ctx().store.snapshot()?;
    let view = snapshot.view();
    let groups = groups(&view)?;
    let last_sign_in = sign_ins(&view, Some(user.id))?.remove(&user.id);
    Ok(desk.page(user.username.as_str(), DONE, |page| {
        let view = Person {
            page,
            form,
            groups,
            id: user.id.to_string(),
            username: user.username.to_string(),
            subject: user.sub(),
            created: when(user.created),
            last_sign_in: last_sign_in.map(when),
            is_self: user.id == desk.visitor.user.id,
            has_password: user.password.is_some(),
        };
        respond::page(status, Leads::Here, &view)
    }))
}

/// `POST /admin/people/*`.
pub fn edit(desk: &Desk<'_>) -> Answer {
    let (user, form) = (person(desk)?, desk.form);
    let mut refused = desk::typed(form);
    let actor = desk.actor();
    let edited = fields::details(form, Some(&user)).map(|details| PersonEdit {
        // Nobody switches themselves off: the page does not offer it.
        disabled: details.disabled && user.id != desk.visitor.user.id,
        ..details
    });
    let edited = edited.map_err(OperationError::Admin).and_then(|details| {
        let (ctx, seen) = (desk.ctx(), form.text("version"));
        operations::edit_as_seen(ctx, user.id, seen, details, &actor)
    });
    match edited {
        Ok(_) => Ok(desk.go(&path(&user), "saved")),
        Err(error) => match desk::refusal(error)? {
            error @ AdminError::ChangedMeanwhile => {
                let user = person(desk)?;
                let mut present = fields::of(&user);
                fields::refuse(&mut present, &error);
                drawn(desk, &user, present, 409)
            }
            error => {
                fields::refuse(&mut refused, &error);
                drawn(desk, &user, refused, 422)
            }
        },
    }
}

/// `POST /admin/people/*/link`.
pub fn link(desk: &Desk<'_>) -> Answer {
    link_for(desk, &person(desk)?)
}

fn link_for(desk: &Desk<'_>, user: &User) -> Answer {
    let actor = desk.actor();
    let address = operations::link(desk.ctx(), user.id, &actor)?;
    let title = format!("A link for {}", user.username);
    let next = format!("{}{}", desk.base(), path(user));
    Ok(desk.page(&title, DONE, |page| {
        let view = Issued {
            page,
            section: "people",
            explanation: format!(
                "Send this link to {}. It is shown only now, works once, and ends after 24 hours. Whoever opens \
                 it chooses the password.",
                user.display_name()
            ),
            rows: vec![CopyRow {
                label: "One-time sign-in link".to_owned(),
                value: address.expose().to_owned(),
                hint: String::new(),
            }],
            more: Vec::new(),
            next: (next, format!("Open the page of {}", user.username)),
            also: None,
        };
        respond::page(200, Leads::Here, &view)
    }))
}

/// `GET /admin/people/*/password`.
pub fn password(desk: &Desk<'_>) -> Answer {
    Ok(password_form(desk, &person(desk)?, views::Form::new(), 200))
}

fn password_form(desk: &Desk<'_>, user: &User, form: views::Form, status: u16) -> Response {
    desk.page(
        &format!("Set a password for {}", user.username),
        DONE,
        |page| {
            let view = SetPassword {
                page,
                form,
                id: user.id.to_string(),
                username: user.username.to_string(),
                strength: None,
            };
            respond::page(status, Leads::Here, &view)
        },
    )
}

/// `POST /admin/people/*/password`.
pub fn set_password(desk: &Desk<'_>) -> Answer {
    let (user, form) = (person(desk)?, desk.form);
    let password = Secret::new(form.text("password").to_owned());
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let set = check(form, &password, &PersonEdit::of(&user))
        .map_err(OperationError::Admin)
        .and_then(|()| operations::set_password(ctx, user.id, password, &actor));
    match set {
        Ok(()) => Ok(desk.go(&path(&user), "password")),
        Err(error) => {
            let mut refused = views::Form::new();
            fields::refuse(&mut refused, &desk::refusal(error)?);
            Ok(password_form(desk, &user, refused, 422))
        }
    }
}

/// `GET /admin/people/*/delete`.
pub fn ask_delete(desk: &Desk<'_>) -> Answer {
    let user = person(desk)?;
    let address = format!("{}{}", desk.base(), path(&user));
    Ok(desk.page(&format!("Delete {}?", user.username), DONE, |page| {
        let view = Confirm {
            page,
            section: "people",
            consequences: vec![
                format!("{} can no longer sign in.", user.display_name()),
                "All their sessions and tokens end now.".to_owned(),
                "Applications keep what they know about them.".to_owned(),
                "If you add somebody with the same name later, applications see another person.".to_owned(),
            ],
            action: format!("{address}/delete"),
            fields: Vec::new(),
            button: format!("Delete {}", user.username),
            back: address.clone(),
        };
        respond::page(200, Leads::Here, &view)
    }))
}

/// `POST /admin/people/*/delete`.
pub fn delete(desk: &Desk<'_>) -> Answer {
    let user = person(desk)?;
    if user.id == desk.visitor.user.id {
        let mut form = fields::of(&user);
        form.refuse("", "You cannot delete yourself.");
        return drawn(desk, &user, form, 422);
    }
    let actor = desk.actor();
    operations::delete(desk.ctx(), user.id, &actor)?;
    Ok(desk.go(PATH, "deleted"))
}

fn path(user: &User) -> String {
    format!("{PATH}/{}", user.id)
}

fn check(form: &Form, password: &Secret, details: &PersonEdit) -> Result<(), AdminError> {
    let again = Secret::new(form.text("password_again").to_owned());
    let words = operations::words(details);
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    enrolment::choose(password, &again, &known)
}

/// The least name after another one is that name and a zero.
fn past(name: &str) -> String {
    match name {
        "" => String::new(),
        name => format!("{name}\0"),
    }
}

/// What a search looks into.
fn searched(user: &User) -> Vec<String> {
    let texts = [user.name.clone(), user.email.clone()];
    let texts = texts.into_iter().flatten();
    texts.chain([user.username.to_string()]).collect()
}

/// Last sign-ins, as far as the log and the sessions remember.
fn sign_ins(
    view: &View<'_>,
    user: Option<UserId>,
) -> Result<HashMap<UserId, Timestamp>, StoreError> {
    let filter = EventFilter {
        user,
        kind: Some(EventKind::SignIn),
        outcome: Some(Outcome::Success),
        ..EventFilter::default()
    };
    let limit = if user.is_some() { 1 } else { SIGN_INS };
    let mut last = HashMap::new();
    for (_, event) in view.events(&filter, None, limit)?.events {
        if let Some(user) = event.user {
            last.entry(user).or_insert(event.time);
        }
    }
    let sessions = match user {
        Some(user) => view.sessions_of(user, 1)?,
        None => view.sessions(None, SIGN_INS)?,
    };
    for session in sessions {
        last.entry(session.user).or_insert(session.created);
    }
    Ok(last)
}

fn row(user: User, seen: &HashMap<UserId, Timestamp>) -> PersonRow {
    let last_sign_in: Option<When> = seen.get(&user.id).copied().map(when);
    PersonRow {
        id: user.id.to_string(),
        username: user.username.to_string(),
        full_name: user.name.unwrap_or_default(),
        email: user.email.unwrap_or_default(),
        groups: user.groups.iter().map(ToString::to_string).collect(),
        administrator: user.admin,
        disabled: user.disabled,
        last_sign_in,
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
