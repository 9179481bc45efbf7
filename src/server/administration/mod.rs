//! What an administrator can do, as typed operations: the admin pages, the command line and the control socket all
//! call these. Each loads what its pure decision needs inside a writer job (`oauth::clients`, `identity::people`).

pub mod audit;
pub mod clients;
pub mod groups;
pub mod keys;
pub mod people;
pub mod sessions;

use crate::identity::author::Author;
use crate::model::{AdminError, Decision};
use crate::ops::clock;
use crate::server::context::Context;
use crate::server::hashing::Busy;
use crate::store::{StoreError, View};
use crate::types::Timestamp;
use std::fmt;
use std::net::IpAddr;

/// Who does it, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// An administrator's name, or `command line`.
    pub name: String,
    /// Where they are, where that is known.
    pub address: Option<IpAddr>,
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
}

/// Hands the writer a job of this actor's. It happens at the moment of the writer's turn, not when it was asked for:
/// a request may wait for a hash, a key and the queue, and what others were granted meanwhile must be older than the
/// change that is meant to end it.
fn submit<T: Send + 'static>(
    ctx: &Context,
    actor: &Actor,
    decide: impl FnOnce(&View<'_>, &Author) -> Result<Decision<T, AdminError>, StoreError>
    + Send
    + 'static,
) -> Result<T, OperationError> {
    let actor = actor.clone();
    let submitted = ctx
        .store
        .submit(move |view| decide(view, &actor.author(clock::now())))?;
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
