//! The document that `doorlight export` writes and `doorlight import` reads: what people, groups, applications and
//! resources are, in JSON that one can read, compare and keep in a repository.
//! Owns: its members (packaging/manual/moving.md), their order, and that nothing unknown is passed over. Not here: where
//! the records come from (`export`), what an import makes of them (`import`), documents of other servers (`foreign`).
//!
//! Settings that can be edited stand in it under the names that they have everywhere else (`PersonEdit`, `ClientEdit`);
//! those that are empty are left out. A secret stands only in the members that say so.

use super::flat::{Flat, Settings};
use crate::identity::people::PersonEdit;
use crate::model::{Algorithm, PrivateKey, RegistrationPolicy, quoted};
use crate::oauth::clients::{ClientEdit, NewClient};
use crate::types::misread::{Fault, Misread, Step, path};
use crate::types::{
    GivenSubject, GroupName, Host, InitialTokenId, Phc, Scope, SecretHash, Timestamp, TokenHash,
    UserId, WireClientId, strict_json,
};
use serde::de::{self, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The format that this code writes and reads. A member more is no new format; one that means something else is.
pub const VERSION: u32 = 1;

/// Bytes that a document may have.
pub const LONGEST: usize = 16 * 1024 * 1024;

/// As deep as a claim of an administrator's own may be (`identity::validate`), and what stands around it.
pub const DEEPEST: usize = 120;

/// All of it. Every list may be missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`VERSION`].
    pub version: u32,
    /// What holds for the whole house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<House>,
    /// By name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupEntry>,
    /// By id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Person>,
    /// By client id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<Application>,
    /// By identifier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceEntry>,
    /// By `kid`. Secret: whoever reads them can sign tokens in Doorlight's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signing_keys: Vec<KeyEntry>,
}

impl Document {
    /// One with nothing in it.
    pub fn empty() -> Self {
        Self {
            version: VERSION,
            settings: None,
            groups: Vec::new(),
            users: Vec::new(),
            clients: Vec::new(),
            resources: Vec::new(),
            signing_keys: Vec::new(),
        }
    }

    /// Reads one. A member that is unknown or stands twice is an error: it was meant to do something.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let members = match strict_json::parse(bytes, DEEPEST) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err("it is not a JSON object".to_owned()),
            Err(why) if why.is_syntax() => {
                let why = not_read(bytes, &why);
                return Err(format!("{why}; a file of another server needs --from"));
            }
            Err(why) => return Err(not_read(bytes, &why)),
        };
        match members.get("version").map(Value::as_u64) {
            Some(Some(1)) => {}
            Some(Some(other)) => {
                return Err(format!(
                    "it is of format {other}, and this Doorlight knows {VERSION}"
                ));
            }
            _ => return Err("it has no version; a document begins with \"version\": 1".to_owned()),
        }
        of_members(members).map_err(|error| misread(bytes, &error))
    }

    /// Its text: indented, so that two of them can be compared line by line.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

/// Why this could not be read as JSON, for people.
pub(super) fn not_read(bytes: &[u8], why: &serde_json::Error) -> String {
    let (line, column) = (why.line(), why.column());
    if bytes.trim_ascii().is_empty() {
        "it is empty".to_owned()
    } else if why.is_eof() {
        "it is not whole: the JSON in it ends too early".to_owned()
    } else if why.is_data() {
        // As JSON it can be read; the words are those of `strict_json`.
        let words = why.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        format!("{words} (line {line}, column {column})")
    } else {
        format!("it is not JSON that can be read (line {line}, column {column})")
    }
}

fn of_members(members: Map<String, Value>) -> Result<Document, String> {
    serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())
}

/// Which record and which member of it, and what is wrong there.
fn misread(bytes: &[u8], error: &str) -> String {
    // The one that was read went into the attempt.
    let Ok(members) = strict_json::parse_object_within(bytes, DEEPEST) else {
        return "something in it cannot be taken".to_owned();
    };
    let read = |members| of_members(members).map(drop);
    let Misread { place, fault } = Misread::find(&members, &Map::new(), error, &read);
    let words = match fault {
        Fault::Missing => "is missing".to_owned(),
        Fault::Unknown => "is unknown here".to_owned(),
        Fault::Expected(what) => format!("must be {what}"),
        Fault::Refused(why) => why.unwrap_or_else(|| "cannot be taken".to_owned()),
    };
    match place.as_slice() {
        [list @ Step::Member(of), item @ Step::Item(n), within @ ..] => {
            let record = members.get(of).and_then(|list| list.get(*n));
            let record = called(&path(&[list.clone(), item.clone()]), record);
            let within = path(within);
            let joint = if within.is_empty() { "" } else { ": " };
            format!("{record}{joint}{within}: {words}")
        }
        whole => format!("{}: {words}", path(whole)),
    }
}

/// A record by its place and, where it has one, by its name.
fn called(place: &str, record: Option<&Value>) -> String {
    const NAMES: [&str; 5] = ["username", "name", "client_id", "identifier", "kid"];
    let name = NAMES
        .iter()
        .find_map(|name| record?.get(*name)?.as_str())
        .map(str::trim)
        .filter(|name| !name.is_empty());
    match name {
        Some(name) => format!("{place} “{}”", quoted(name)),
        None => place.to_owned(),
    }
}

/// What an administrator sets for the whole house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct House {
    /// See `model::Settings`, as are the following.
    pub audit_days: u32,
    /// See `model::Settings`.
    pub session_idle_days: u32,
    /// See `model::Settings`.
    pub session_absolute_days: u32,
    /// See `model::Settings`.
    #[serde(default)]
    pub registration: RegistrationPolicy,
    /// See `model::Settings`.
    #[serde(default)]
    pub client_documents: bool,
    /// See `model::Settings`.
    #[serde(default)]
    pub outbound_hosts: BTreeSet<Host>,
    /// Secret: what names for sectors are made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_key: Option<PrivateKey>,
    /// Secret: of the token that opens `/metrics`. None: whatever opens it here stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_token_hash: Option<TokenHash>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupEntry {
    /// As applications see it.
    pub name: GroupName,
    /// For the administrator.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// None: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Moment>,
}

/// A person: these members, and those of [`PersonEdit`] beside them.
pub type Person = Flat<PersonRecord, PersonEdit>;

/// What a person has beside their details.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRecord {
    /// Who they are, and the `sub` of their tokens. None: whoever has the username, else a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// The `sub` of their tokens, where they brought one along from another server. That of somebody who is here stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<GivenSubject>,
    /// None: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Moment>,
    /// The `updated_at` claim. None: now, where something changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Moment>,
    /// Sessions and tokens from before are dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_not_before: Option<Moment>,
    /// Secret: the hash of their password, as a PHC string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<Phc>,
}

impl Settings for PersonEdit {
    const BESIDE: &'static [&'static str] = &[
        "id",
        "subject",
        "created",
        "updated",
        "tokens_not_before",
        "password_hash",
    ];

    fn usual() -> Self {
        Self::default()
    }
}

/// An application: these members, and those of [`ClientEdit`] beside them.
pub type Application = Flat<ApplicationRecord, ClientEdit>;

/// What an application has beside its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRecord {
    /// What it calls itself. None: whichever has the name, else a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<WireClientId>,
    /// None: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Moment>,
    /// Tokens from before are dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_not_before: Option<Moment>,
    /// Secret: hashes of its secrets, at most two, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretEntry>,
    /// Set where it registered itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<RegisteredEntry>,
    /// Secret: what its names for people are made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<SectorEntry>,
}

impl Settings for ClientEdit {
    const BESIDE: &'static [&'static str] = &[
        "client_id",
        "created",
        "tokens_not_before",
        "secrets",
        "registered",
        "sector",
    ];

    fn usual() -> Self {
        NewClient::default().into()
    }
}

/// A secret of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretEntry {
    /// When it was made, which is its name. None: as the one of that hash that is here, else now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Moment>,
    /// SHA-256 of it; or, where another server hashed it, a PHC string.
    pub hash: SecretHash,
    /// Itself, where the application signs with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PrivateKey>,
}

/// What an application has that registered itself (`model::SelfRegistered`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredEntry {
    /// Secret: of its registration access token. None: the one that it has is good no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_hash: Option<TokenHash>,
    /// The initial access token that it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<InitialTokenId>,
    /// See `model::SelfRegistered`, as are the following.
    #[serde(default)]
    pub native: bool,
    /// See `model::SelfRegistered`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    /// See `model::SelfRegistered`.
    #[serde(default)]
    pub require_auth_time: bool,
    /// See `model::SelfRegistered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Moment>,
    /// See `model::SelfRegistered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consents_not_before: Option<Moment>,
    /// See `model::SelfRegistered`.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub resource_scope: Scope,
}

/// A sector (`model::Sector`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectorEntry {
    /// Whose names they are.
    pub host: Host,
    /// What they are made with.
    pub key: PrivateKey,
}

/// A resource (`model::Resource`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceEntry {
    /// What stands in `aud`.
    pub identifier: String,
    /// Shown to administrators.
    pub name: String,
    /// None: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Moment>,
    /// Scope tokens with spaces between.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// 300 to 3,600.
    pub token_seconds: u32,
    /// What tokens for it are signed with.
    pub alg: Algorithm,
    /// The client ids of applications that may ask for it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub clients: BTreeSet<String>,
    /// The client ids of applications that are this service.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub servers: BTreeSet<String>,
    /// See `model::Resource`.
    #[serde(default)]
    pub registered_clients: bool,
}

/// A signing key (`model::SigningKey`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The JWK thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// PKCS#8, in base64url.
    pub private: PrivateKey,
    /// When it was made.
    pub created: Moment,
    /// From when it signs.
    pub active_from: Moment,
}

/// A moment as RFC 3339 writes it, in UTC and to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// None for the epoch, which stands for never.
    pub fn unless_never(time: Timestamp) -> Option<Self> {
        (time != Timestamp::default()).then_some(Self(time))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moment = i64::try_from(self.0.millis())
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .ok_or_else(|| serde::ser::Error::custom("a moment that no calendar has"))?;
        serializer.collect_str(&moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let millis = text
            .parse::<jiff::Timestamp>()
            .ok()
            .and_then(|moment| u64::try_from(moment.as_millisecond()).ok());
        millis
            .map(|millis| Self(Timestamp::from_millis(millis)))
            .ok_or_else(|| {
                let other = Unexpected::Other("another text");
                de::Error::invalid_value(other, &"a moment such as 2026-11-24T08:50:00Z")
            })
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
