//! People, as an administrator handles them. The rules stand in `identity::people`.

use super::{Actor, OperationError, submit};
use crate::crypto::random::{self, Fresh};
use crate::identity::author::Author;
use crate::identity::people::{self, Around};
use crate::identity::validate;
use crate::model::{AdminError, Decision, User};
use crate::server::context::Context;
use crate::store::{StoreError, View};
use crate::types::{BearerSecret, Id, Phc, Secret, UserId, Username};

pub use crate::identity::people::{NewPerson, PersonEdit};

/// Adds a person.
pub fn add(
    ctx: &Context,
    person: NewPerson,
    password: Option<Secret>,
    actor: &Actor,
) -> Result<User, OperationError> {
    add_detailed(ctx, person.into(), password, actor)
}

/// Adds a person with all their details.
pub fn add_detailed(
    ctx: &Context,
    details: PersonEdit,
    password: Option<Secret>,
    actor: &Actor,
) -> Result<User, OperationError> {
    let username = details.parsed_username()?;
    let hash = match &password {
        Some(password) => Some(hash(ctx, password, &words(&details))?),
        None => None,
    };
    let random = random::bytes();
    submit(ctx, actor, move |view, by| {
        let around = around(view, None, Some(&username))?;
        let id = UserId(Id::new(by.now, random));
        Ok(people::add(details, hash, &around, id, by))
    })
}

/// The person with that name, in any case, or with that id.
pub fn find(view: &View<'_>, name_or_id: &str) -> Result<User, OperationError> {
    if let Ok(name) = name_or_id.parse::<Username>()
        && let Some(user) = view.user_by_name(&name)?
    {
        return Ok(user);
    }
    if let Ok(id) = name_or_id.parse::<UserId>()
        && let Some(user) = view.user(id)?
    {
        return Ok(user);
    }
    Err(missing(name_or_id).into())
}

/// Edits a person as they were `seen` ([`PersonEdit::version`]): all details at once.
pub fn edit_as_seen(
    ctx: &Context,
    id: UserId,
    seen: &str,
    details: PersonEdit,
    actor: &Actor,
) -> Result<User, OperationError> {
    let (username, seen) = (details.parsed_username()?, seen.to_owned());
    submit(ctx, actor, move |view, by| {
        let around = around(view, Some(id), Some(&username))?;
        Ok(match view.user(id)? {
            Some(user) => people::edit_as_seen(user, &seen, details, &around, by),
            None => Decision::reply(Err(missing(id))),
        })
    })
}

/// Sets a password, and ends the person's sessions and tokens.
pub fn set_password(
    ctx: &Context,
    id: UserId,
    password: Secret,
    actor: &Actor,
) -> Result<(), OperationError> {
    let user = ctx.store.snapshot()?.view().user(id)?;
    let user = user.ok_or_else(|| missing(id))?;
    let hash = hash(ctx, &password, &words(&PersonEdit::of(&user)))?;
    about(ctx, id, actor, move |user, around, by| {
        people::set_password(user, hash, around, by)
    })
}

/// Switches a person off or on.
pub fn set_disabled(
    ctx: &Context,
    id: UserId,
    disabled: bool,
    actor: &Actor,
) -> Result<(), OperationError> {
    about(ctx, id, actor, move |user, around, by| {
        people::set_disabled(user, disabled, around, by)
    })
}

/// Deletes a person, with sessions, tokens and links.
pub fn delete(ctx: &Context, id: UserId, actor: &Actor) -> Result<(), OperationError> {
    about(ctx, id, actor, move |user, around, by| {
        people::delete(&user, around, by)
    })
}

/// Makes the address of a one-time link, with which the person chooses a password.
pub fn link(ctx: &Context, id: UserId, actor: &Actor) -> Result<Secret, OperationError> {
    let fresh = Fresh::draw();
    let secret = about(ctx, id, actor, move |user, around, by| {
        people::link(&user, around, fresh, by)
    })?;
    Ok(address(ctx, "/link", &secret))
}

/// Makes the address at which the first administrator is made.
pub fn setup_link(ctx: &Context, actor: &Actor) -> Result<Secret, OperationError> {
    let fresh = Fresh::draw();
    let secret = submit(ctx, actor, move |view, by| {
        let around = around(view, None, None)?;
        Ok(people::setup_link(&around, fresh, by))
    })?;
    Ok(address(ctx, "/setup", &secret))
}

/// Checks and hashes a password, before the writer's turn.
pub fn hash(ctx: &Context, password: &Secret, known: &[String]) -> Result<Phc, OperationError> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    validate::password(password, &known)?;
    Ok(ctx.hashing.hash(password)?)
}

/// Shorter parts of a name say nothing about a password.
const PART_LEAST: usize = 3;

/// What an attacker would try first for this person.
pub fn words(details: &PersonEdit) -> Vec<String> {
    let given = [&details.name, &details.email, &details.nickname];
    let mut words = vec![details.username.clone(), "doorlight".to_owned()];
    words.extend(given.into_iter().flatten().cloned());
    // A first name, or the part before the @, is tried alone too.
    let parts: Vec<String> = words
        .iter()
        .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()))
        .filter(|part| part.chars().count() >= PART_LEAST)
        .map(str::to_owned)
        .collect();
    words.extend(parts);
    words
}

/// Loads what a decision about a person looks at.
pub fn around(
    view: &View<'_>,
    id: Option<UserId>,
    username: Option<&Username>,
) -> Result<Around, StoreError> {
    let namesake = username.map(|name| view.user_by_name(name)).transpose()?;
    let sessions = id.map(|id| view.sessions_of(id, usize::MAX)).transpose()?;
    Ok(Around {
        namesake: namesake.flatten().map(|user| user.id),
        groups: view.groups()?,
        admins: view.admin_count()?,
        sessions: sessions.unwrap_or_default(),
        links: view.links(usize::MAX)?,
    })
}

/// A job about one person.
fn about<T: Send + 'static>(
    ctx: &Context,
    id: UserId,
    actor: &Actor,
    decide: impl FnOnce(User, &Around, &Author) -> Decision<T, AdminError> + Send + 'static,
) -> Result<T, OperationError> {
    submit(ctx, actor, move |view, by| {
        let around = around(view, Some(id), None)?;
        Ok(match view.user(id)? {
            Some(user) => decide(user, &around, by),
            None => Decision::reply(Err(missing(id))),
        })
    })
}

fn address(ctx: &Context, path: &str, secret: &BearerSecret) -> Secret {
    let endpoint = ctx.config.issuer.endpoint(path);
    // All characters of the token are unreserved in URLs.
    Secret::new(format!("{endpoint}?token={}", secret.text().expose()))
}

fn missing(name: impl ToString) -> AdminError {
    AdminError::NotFound {
        what: "person",
        name: name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_own_names_do_not_make_a_password() {
        let details = PersonEdit {
            username: "bobson".to_owned(),
            name: Some("Robertine Quexley".to_owned()),
            email: Some("zorblat@quimby.example".to_owned()),
            ..PersonEdit::default()
        };
        let words = words(&details);
        let known: Vec<&str> = words.iter().map(String::as_str).collect();
        let refused = |text: &str, known: &[&str]| {
            validate::password(&Secret::new(text.to_owned()), known).is_err()
        };
        for own in [
            "bobsonpassword",
            "Quexley1",
            "quexleyquexley",
            "zorblat123",
            "quimbypassword",
        ] {
            assert!(refused(own, &known), "{own}");
        }
        assert!(
            !refused("zorblat123", &[]),
            "the name is what makes it guessable"
        );
        let bob = PersonEdit {
            username: "bob".to_owned(),
            ..PersonEdit::default()
        };
        let words = super::words(&bob);
        let known: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!(refused("bobpassword", &known));
    }
}
