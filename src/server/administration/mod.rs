//! What an administrator can do, as typed operations: the admin pages, the command line and the control socket all
//! call these. Each loads what its pure decision needs inside a writer job (`oauth::clients`, `identity::people`).
//! Owns: when a change happens, and that who makes it still may. What a token may not change stands in `token_bounds`.

pub mod audit;
pub mod backups;
pub mod client_changes;
pub mod clients;
pub mod clock;
pub mod groups;
pub mod issuer;
pub mod keys;
pub mod metrics;
pub mod outbound;
pub mod people;
pub mod registration;
pub mod resources;
pub mod restore;
pub mod sessions;
mod token_bounds;
pub mod transfer;

use crate::identity::author::Author;
use crate::identity::session;
use crate::model::{AdminError, Decision};
use crate::oauth::introspect::AccessToken;
use crate::oauth::protected_resource::{self, Access};
use crate::ops;
use crate::server::context::Context;
use crate::server::hashing::Busy;
use crate::server::tokens;
use crate::store::{StoreError, View};
use crate::types::{Issuer, SessionId, Timestamp};
use std::fmt;
use std::net::IpAddr;

/// Who does it, for the audit log.
#[derive(Clone, Debug)]
pub struct Actor {
    /// An administrator's name, or `command line`.
    pub name: String,
    /// Where they are, where that is known.
    pub address: Option<IpAddr>,
    /// What they may do it by.
    pub authority: Authority,
}

/// What somebody changes things by.
#[derive(Clone, Debug)]
pub enum Authority {
    /// They may open the data file.
    File,
    /// An administrator's session.
    Session(SessionId),
    /// A token for the API.
    Token(Box<AccessToken>),
}

impl Actor {
    /// At that moment.
    fn author(&self, now: Timestamp) -> Author {
        Author {
            name: self.name.clone(),
            address: self.address,
            now,
        }
    }

    /// Whether they may still do it: the session or the token holds, its person is an administrator, and its application
    /// is not shut out.
    fn may_act(
        &self,
        view: &View<'_>,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = match &self.authority {
            Authority::File => return Ok(true),
            Authority::Session(id) => *id,
            Authority::Token(token) => {
                let client = match token.client() {
                    Some(id) => view.client_on_wire(&id)?,
                    None => None,
                };
                let open = |client| protected_resource::is_open_to(client, Access::Write, issuer);
                if !client.as_deref().is_some_and(open) {
                    return Ok(false);
                }
                let standing = tokens::standing(view, token, now)?;
                return Ok(standing.is_some_and(|person| person.is_none_or(|p| p.user.admin)));
            }
        };
        let Some(session) = view.session(id)? else {
            return Ok(false);
        };
        let settings = view.settings_made()?;
        let user = view.user(session.user)?;
        Ok(user.is_some_and(|user| user.admin && session::holds(&session, &user, &settings, now)))
    }
}

/// Hands the writer a job of this actor's. It happens at the moment of the writer's turn, not when it was asked for:
/// a request may wait for a hash, a key and the queue, and what others were granted meanwhile must be older than the
/// change that is meant to end it. For the same reason the actor's right is looked at here once more: whoever was
/// switched off, reset or made an administrator no longer while they waited does nothing any more.
fn submit<T: Send + 'static>(
    ctx: &Context,
    actor: &Actor,
    decide: impl FnOnce(&View<'_>, &Author) -> Result<Decision<T, AdminError>, StoreError>
    + Send
    + 'static,
) -> Result<T, OperationError> {
    let (actor, issuer) = (actor.clone(), ctx.config.issuer.clone());
    let submitted = ctx.store.submit(move |view| {
        let by = actor.author(ops::clock::now());
        if !actor.may_act(view, &issuer, by.now)? {
            return Ok(Decision::reply(Err(AdminError::NoAdministrator)));
        }
        let decision = decide(view, &by)?;
        match actor.authority {
            Authority::Token(_) => token_bounds::bounded(decision, view, &issuer),
            Authority::File | Authority::Session(_) => Ok(decision),
        }
    })?;
    Ok(submitted?)
}

/// Why it was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationError {
    /// A rule said no.
    Admin(AdminError),
    /// The file could not be read or written.
    Store(StoreError),
    /// Too many passwords are being hashed.
    Busy,
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin(e) => e.fmt(f),
            Self::Store(e) => e.fmt(f),
            Self::Busy => {
                f.write_str("too many passwords are being checked; try again in a moment")
            }
        }
    }
}

impl std::error::Error for OperationError {}

impl From<AdminError> for OperationError {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Busy> for OperationError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}
