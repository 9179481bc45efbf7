//! Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document-02): an application is known by the
//! address of a document that describes it.
//! Owns: what a document must say (§3, §4), and the client that comes of it. Its members are held against the rules for
//! every application that registers itself (`metadata`). Not here: fetching (`server::client_documents`), the spelling of
//! the address (`types::DocumentUrl`).

use super::error::RegistrationError;
use super::metadata::Metadata;
use super::{Around, own, settings};
use crate::model::{Change, Client, Event, EventKind, SelfRegistered};
use crate::oauth::clients::{self, ClientEdit, sector};
use crate::types::{DocumentUrl, Scope, Timestamp, WireClientId};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Clients with a document, at most: each was agreed to by a person, and those that nobody uses are forgotten
/// (packaging/manual/applications.md).
pub const DOCUMENTS_MAX: usize = 200;
/// Bytes of a document's members. The draft recommends 5 KB (§8.7); a set of keys takes some more.
const LONGEST: usize = 16 * 1024;
/// Characters of a name (`oauth::clients`).
const NAME_MAX: usize = 100;

/// Why an address describes no client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentError {
    /// It was not fetched: asked for too often.
    TooOften(Duration),
    /// It was not fetched: too many are being fetched.
    Busy,
    /// It was not fetched, or the answer was no JSON object with status 200 (§5).
    NotFetched(String),
    /// Longer than any.
    TooLong,
    /// `client_id` is missing, or another address than the one that was called (§4).
    OtherClient,
    /// It names a secret, or a method that needs one (§4.1).
    Secret,
    /// It cannot be registered.
    Registration(RegistrationError),
    /// There are too many of them already.
    TooMany,
    /// Another client is kept under the same key.
    Taken,
}

impl DocumentError {
    /// For the audit log.
    pub fn detail(&self) -> String {
        match self {
            Self::TooOften(wait) => format!(
                "asked for too often; the next time in {} seconds",
                wait.as_secs().saturating_add(1)
            ),
            Self::Busy => "too many documents are being fetched".to_owned(),
            Self::NotFetched(why) => why.clone(),
            Self::TooLong => format!("it is longer than {LONGEST} bytes"),
            Self::OtherClient => {
                "its client_id is not the address that it was fetched from".to_owned()
            }
            Self::Secret => {
                "it has a client secret, or authenticates with one: nobody shares a secret here"
                    .to_owned()
            }
            Self::Registration(error) => error.detail(),
            Self::TooMany => format!("there are {DOCUMENTS_MAX} applications of this kind already"),
            Self::Taken => "another application has the same key".to_owned(),
        }
    }
}

/// Addresses that a document may not name.
const NOT_FOLLOWED: [(&str, &str); 2] = [
    (
        "jwks_uri",
        "jwks_uri of a client document is not followed: send the keys in jwks",
    ),
    (
        "sector_identifier_uri",
        "sector_identifier_uri of a client document is not followed: use redirect URIs of one host",
    ),
];

/// Reads a document that was fetched from `url`.
pub fn read(url: &DocumentUrl, members: Map<String, Value>) -> Result<Metadata, DocumentError> {
    if json!(members).to_string().len() > LONGEST {
        return Err(DocumentError::TooLong);
    }
    // §4: simple string comparison (RFC 3986 §6.2.1).
    if members.get("client_id").and_then(Value::as_str) != Some(url.as_str()) {
        return Err(DocumentError::OtherClient);
    }
    no_secret(&members)?;
    let mut members = members;
    members.retain(|_, value| !value.is_null());
    // Whoever names the document would choose what else is called: one call for one sign-in is enough.
    for (name, why) in NOT_FOLLOWED {
        if members.contains_key(name) {
            return Err(DocumentError::Registration(RegistrationError::metadata(
                why,
            )));
        }
    }
    members.remove("request_uris");
    // There is no other method that a document could mean by saying nothing.
    members
        .entry("token_endpoint_auth_method")
        .or_insert_with(|| json!("none"));
    // One document is for every server that the application knows: what this one does not do is left out.
    narrow(
        &mut members,
        "grant_types",
        &["authorization_code", "refresh_token"],
    );
    narrow(&mut members, "response_types", &["code"]);
    let mut wanted = Metadata::parse(&members, None).map_err(DocumentError::Registration)?;
    wanted.name = Some(name(url, wanted.name.as_deref())?);
    Ok(wanted)
}

/// §4.1: nobody can have agreed on a secret, and private keys are nobody else's to read (`crypto::jwk_set` refuses those).
fn no_secret(members: &Map<String, Value>) -> Result<(), DocumentError> {
    let named = members.keys().any(|name| name.starts_with("client_secret"));
    let method = members.get("token_endpoint_auth_method");
    let shared = method.and_then(Value::as_str).is_some_and(|method| {
        matches!(
            method,
            "client_secret_basic" | "client_secret_post" | "client_secret_jwt"
        )
    });
    if named || shared {
        return Err(DocumentError::Secret);
    }
    Ok(())
}

/// A list of texts, without those that are not known here. Anything else is left to its reader.
fn narrow(members: &mut Map<String, Value>, name: &str, known: &[&str]) {
    if let Some(Value::Array(many)) = members.get_mut(name)
        && many.iter().all(Value::is_string)
    {
        many.retain(|one| one.as_str().is_some_and(|one| known.contains(&one)));
    }
}

/// What people read, everywhere: the host first, which is all that is known, and then what a stranger says (§8.5, §8.9).
fn name(url: &DocumentUrl, claimed: Option<&str>) -> Result<String, DocumentError> {
    let place = url.place();
    let around = place.chars().count() + " (“”)".chars().count();
    let Some(room) = NAME_MAX.checked_sub(around).filter(|room| *room > 0) else {
        return Err(DocumentError::Registration(RegistrationError::metadata(
            "the host of the document is too long",
        )));
    };
    Ok(match claimed {
        // Without room for all of it, none is better than a part that says something else.
        Some(claimed) if claimed.chars().count() <= room && claimed != place => {
            format!("{place} (“{claimed}”)")
        }
        _ => place,
    })
}

/// The client that the document describes. `stored`: as it is kept, if a person has agreed to it before; what an
/// administrator set for it stays.
pub fn client(
    url: &DocumentUrl,
    wanted: &Metadata,
    stored: Option<Client>,
    around: &Around,
    now: Timestamp,
) -> Result<Client, DocumentError> {
    let id = WireClientId::Document(url.clone());
    let before = match stored {
        Some(stored) if stored.wire_id() != id => return Err(DocumentError::Taken),
        Some(stored) => stored,
        None if around.documents >= DOCUMENTS_MAX => return Err(DocumentError::TooMany),
        None => Client {
            // The id is not a new one: what was issued under it before the application was deleted must stay dead.
            tokens_not_before: now,
            ..clients::blank(id.key(), now)
        },
    };
    let known = before.redirect_uris.clone();
    let kept = before.registered.clone();
    let named = kept.is_some().then(|| before.clone());
    let mut client = settings(wanted, before, around).map_err(DocumentError::Registration)?;
    if named.is_some_and(|named| sector::renames(&named, &client)) {
        // OpenID Connect Core §12.2; what is issued in this very moment has the new names.
        client.tokens_not_before = now;
    }
    let kept = kept.map_or_else(
        || SelfRegistered {
            consents_not_before: now,
            ..own(wanted, around)
        },
        |kept| *kept,
    );
    let gained = !client.redirect_uris.iter().all(|uri| known.contains(uri));
    client.registered = Some(Box::new(SelfRegistered {
        hash: kept.hash,
        token: kept.token,
        last_used: kept.last_used,
        // Whoever agreed did not agree to be sent there. What is agreed to in this very moment is.
        consents_not_before: if gained {
            now
        } else {
            kept.consents_not_before
        },
        document: Some(url.clone()),
        // Nobody is told what of it counts: nothing answers a document.
        resource_scope: Scope::default(),
        ..own(wanted, around)
    }));
    Ok(client)
}

/// What keeps the client in the file: written with the first code, once a person has agreed, and with the first after
/// its document changed.
pub fn taken_over(stored: Option<&Client>, client: &Client, now: Timestamp) -> (Change, Event) {
    let change = Change::PutClient(Box::new(client.clone()));
    let event = match stored {
        None => Event::success(EventKind::Registration, now)
            .detail(format!("as its document says: {}", client.wire_id())),
        Some(stored) => {
            let changed = ClientEdit::of(stored).differences(&ClientEdit::of(client));
            Event::success(EventKind::RegistrationChanged, now)
                .detail(format!("its document changed: {}", changed.join(", ")))
        }
    };
    (change, event.client(client))
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
