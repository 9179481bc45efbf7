//! Files of other servers, turned into a document of ours. Such a document is planned and taken in like any other.
//! Owns: which files there are, what becomes of a hash and of a name, and that whatever does not come along is said.
//! Not here: what may stand in a record, and whether it may come in (`plan`).

mod application;
mod authelia;
mod authelia_users;
mod hashes;
mod keycloak;
mod keycloak_clients;
mod known;
mod reading;
mod yaml;

pub use known::Known;

use super::document::Document;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `users_database.yml` of Authelia.
    AutheliaUsers,
    /// `configuration.yml` of Authelia.
    Authelia,
    /// A realm that Keycloak exported.
    Keycloak,
}

/// What was made of a file.
#[derive(Debug)]
pub struct Foreign {
    /// All that can come in.
    pub document: Document,
    /// What does not come along, or not as it was.
    pub notes: Vec<String>,
    /// What is wrong in the file; with one of these nothing may come in.
    pub problems: Vec<String>,
}

impl From<Document> for Foreign {
    fn from(document: Document) -> Self {
        Self {
            document,
            notes: Vec::new(),
            problems: Vec::new(),
        }
    }
}

impl Foreign {
    fn empty() -> Self {
        Self::from(Document::empty())
    }
}

/// Reads a file. What is known already keeps its hashes.
///
/// # Errors
/// It is no such file.
pub fn read(origin: Origin, bytes: &[u8], known: &Known) -> Result<Foreign, String> {
    match origin {
        Origin::AutheliaUsers => authelia_users::read(&yaml(bytes)?),
        Origin::Authelia => authelia::read(&yaml(bytes)?, known),
        Origin::Keycloak => keycloak::read(bytes, known),
    }
}

fn yaml(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".to_owned())?;
    yaml::parse(text)
}

/// Things that do not come along, and whose they are: one line for each thing.
#[derive(Default)]
struct Left(BTreeMap<String, Vec<String>>);

impl Left {
    fn behind(&mut self, what: impl Into<String>, whose: &str) {
        let names = self.0.entry(what.into()).or_default();
        names.push(reading::shown(whose));
    }

    /// `{what}: {names}`.
    fn told(self, notes: &mut Vec<String>) {
        let lines = self.0.into_iter();
        notes.extend(lines.map(|(what, names)| format!("{what}: {}", names.join(", "))));
    }
}
