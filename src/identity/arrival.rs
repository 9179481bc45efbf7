//! A person as another data file, or another server, has them: taken in under the rules for everybody here.
//! Owns: what of a record is kept, and who is signed out by it. Not here: the document that they come in
//! (`server::administration::transfer`), the form of claims (`validate`).

use super::author::Author;
use super::people::{Around, PersonEdit, changed_names, cut_off};
use crate::crypto::password;
use crate::model::{AdminError, Change, Event, EventKind, User};
use crate::types::{GivenSubject, Phc, Timestamp, UserId};

/// What comes with a person beside their details. What is `None` stays as it is, or begins now.
#[derive(Clone, Debug)]
pub struct Given {
    /// Who they are.
    pub id: UserId,
    /// The `sub` of a new person, where they bring one along. Nobody's is changed who is here.
    pub subject: Option<GivenSubject>,
    /// When they were added.
    pub created: Option<Timestamp>,
    /// When a claim last changed.
    pub updated: Option<Timestamp>,
    /// Sessions and tokens from before are dead.
    pub tokens_not_before: Option<Timestamp>,
    /// The hash of their password.
    pub password: Option<Phc>,
}

/// What is to be written, and what it is recorded as.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The person afterwards.
    pub user: User,
    /// In order; the person is the last.
    pub changes: Vec<Change>,
    /// What happened.
    pub events: Vec<Event>,
}

/// Takes a person in, over the record that there is of them; `None`: it is as it shall be.
///
/// # Errors
/// A detail that cannot be stored, or a hash that no password is checked against here.
pub fn take_in(
    old: Option<User>,
    details: PersonEdit,
    given: Given,
    around: &Around,
    by: &Author,
) -> Result<Option<Taken>, AdminError> {
    let username = details.parsed_username()?;
    if around.namesake.is_some_and(|id| id != given.id) {
        return Err(AdminError::NameTaken(username.to_string()));
    }
    let blank = |username| User {
        subject: given.subject.clone(),
        ..User::blank(given.id, username, by.now)
    };
    let before = old.clone().unwrap_or_else(|| blank(username.clone()));
    let mut user = details.on(User {
        username,
        ..before.clone()
    })?;
    if let Some(hash) = given.password {
        if !password::is_affordable(hash.expose()) {
            return Err(AdminError::invalid(
                "password_hash",
                "no password can be checked against this hash here",
            ));
        }
        user.password = Some(hash);
    }
    user.created = given.created.unwrap_or(user.created);
    // What ended here must not begin again.
    let ended = given.tokens_not_before.unwrap_or_default();
    user.tokens_not_before = user.tokens_not_before.max(ended);
    if let Some(updated) = given.updated {
        user.updated = updated;
    } else if user != before {
        user.updated = by.now;
    }
    let Some(old) = old else {
        let mut events = vec![by.did(EventKind::UserAdded).user(&user).detail("import")];
        if user.password.is_some() {
            events.push(by.did(EventKind::PasswordSet).user(&user).detail("import"));
        }
        return Ok(Some(Taken {
            changes: vec![Change::PutUser(Box::new(user.clone()))],
            events,
            user,
        }));
    };
    if user == old {
        return Ok(None);
    }
    let (mut changes, mut events) = (Vec::new(), Vec::new());
    let changed = changed_names(&old, &user);
    if !changed.is_empty() {
        let what = format!("import: {}", changed.join(", "));
        events.push(by.did(EventKind::UserChanged).user(&user).detail(what));
    }
    let shut_out = user.disabled && !old.disabled;
    if shut_out {
        events.push(by.did(EventKind::UserDisabled).user(&user));
    } else if old.disabled && !user.disabled {
        events.push(by.did(EventKind::UserEnabled).user(&user));
    }
    let other_password = user.password != old.password;
    if other_password {
        events.push(by.did(EventKind::PasswordSet).user(&user).detail("import"));
    }
    if shut_out || other_password {
        changes.extend(cut_off(&mut user, around, by.now));
    }
    changes.push(Change::PutUser(Box::new(user.clone())));
    Ok(Some(Taken {
        user,
        changes,
        events,
    }))
}

#[cfg(test)]
#[path = "arrival_tests.rs"]
mod tests;
