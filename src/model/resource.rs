//! A resource: a service that takes our access tokens (RFC 8707 §2, RFC 9068 §2.2 `aud`).
//! Not here: who may ask for one (`oauth::target`), what may be stored of one (`oauth::resources`).

use super::Algorithm;
use crate::types::{ClientId, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One resource. Its identifier never changes: tokens and services rely on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What stands in `aud`, and in the `resource` and `audience` parameters.
    pub identifier: String,
    /// Shown to administrators.
    pub name: String,
    /// Scopes that it knows; empty: it takes any.
    #[serde(default)]
    pub scope: Scope,
    /// How long an access token for it is good: 300 to 3,600.
    pub token_seconds: u32,
    /// What access tokens for it are signed with.
    pub alg: Algorithm,
    /// Applications that may ask for it.
    #[serde(default)]
    pub clients: BTreeSet<ClientId>,
    /// Applications that are this service: what is for it was sent to them (RFC 8693 §2.1, RFC 7662 §2.1).
    #[serde(default)]
    pub servers: BTreeSet<ClientId>,
    /// Whether applications that introduced themselves may ask for it too, once a person agrees (`oauth::target`).
    #[serde(default)]
    pub registered_clients: bool,
    /// When it was added.
    pub created: Timestamp,
}

impl Resource {
    /// Every application that it names.
    pub fn named_clients(&self) -> BTreeSet<ClientId> {
        self.clients.union(&self.servers).copied().collect()
    }
}
