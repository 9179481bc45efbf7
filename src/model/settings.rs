//! What an administrator can set, and the file's own secret.

use super::{BackupSettings, PrivateKey, RegistrationPolicy};
use crate::types::{Host, TokenHash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The key that seals forms (`crypto::seal`), 32 random bytes.
    pub seal_key: PrivateKey,
    /// What the names for sectors are made with (`oauth::subject`), 32 random bytes. It must never change: everybody would
    /// be a stranger to the applications. None in a file of an earlier release that was not started since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_key: Option<PrivateKey>,
    /// Days that audit events are kept.
    #[serde(default = "ninety")]
    pub audit_days: u32,
    /// Days without use after which a session ends.
    #[serde(default = "fourteen")]
    pub session_idle_days: u32,
    /// Days after which a session ends however much it is used.
    #[serde(default = "ninety")]
    pub session_absolute_days: u32,
    /// Who may register an application.
    #[serde(default)]
    pub registration: RegistrationPolicy,
    /// Whether an application may be known by the address of a document that describes it. Off: Doorlight calls no
    /// address that a stranger names.
    #[serde(default)]
    pub client_documents: bool,
    /// Hosts that Doorlight may call over plain http and at inner addresses (`ops::outbound`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub outbound_hosts: BTreeSet<Host>,
    /// Hash of the token that opens `/metrics` over HTTP. None: it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_token: Option<TokenHash>,
    /// Backups that are made by themselves.
    #[serde(default)]
    pub backups: BackupSettings,
}

impl Settings {
    /// The defaults, with a fresh key.
    pub fn new(seal_key: PrivateKey) -> Self {
        Self {
            seal_key,
            subject_key: None,
            audit_days: ninety(),
            session_idle_days: fourteen(),
            session_absolute_days: ninety(),
            registration: RegistrationPolicy::default(),
            client_documents: false,
            outbound_hosts: BTreeSet::new(),
            metrics_token: None,
            backups: BackupSettings::default(),
        }
    }
}

fn ninety() -> u32 {
    90
}

fn fourteen() -> u32 {
    14
}
