//! A `client_id` as it travels (RFC 6749 §2.2): an id of ours, the address of a client ID metadata document
//! (draft-ietf-oauth-client-id-metadata-document §3), or a word that another server gave.
//! Owns: which of them a text is, and the key of the data file that belongs to each. Whatever reads a `client_id` from the wire
//! parses one of these, and whatever writes one asks `Client::wire_id`. Not here: what the document says.

use super::{ClientId, GivenClientId, Host};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// Longer addresses would not fit on a page that asks a person; the draft recommends short ones (§3).
const LONGEST: usize = 256;

/// What the keys of documents are made under, so that they are no other hash.
const LABEL: &[u8] = b"doorlight client id metadata document\0";

/// A `client_id` as it stands in requests, answers and tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WireClientId {
    /// Given out here.
    Ours(ClientId),
    /// The address of the document that describes the client.
    Document(DocumentUrl),
    /// Given out by the server that it came from.
    Given(GivenClientId),
}

impl WireClientId {
    /// Under which the client is kept.
    pub fn key(&self) -> ClientId {
        match self {
            Self::Ours(id) => *id,
            Self::Document(url) => url.key(),
            Self::Given(given) => given.key(),
        }
    }

    /// The address, where it is one.
    pub fn document(&self) -> Option<&DocumentUrl> {
        match self {
            Self::Ours(_) | Self::Given(_) => None,
            Self::Document(url) => Some(url),
        }
    }

    /// The one that another server gave, where it is one.
    pub fn given(&self) -> Option<&GivenClientId> {
        match self {
            Self::Given(given) => Some(given),
            Self::Ours(_) | Self::Document(_) => None,
        }
    }
}

/// The text is no `client_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireClientIdError;

impl fmt::Display for WireClientIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a client id: expected 26 letters and digits, the https address of a client document, or a word of \
             letters, digits and - . _ ~",
        )
    }
}

impl std::error::Error for WireClientIdError {}

impl FromStr for WireClientId {
    type Err = WireClientIdError;

    fn from_str(text: &str) -> Result<Self, WireClientIdError> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Ours(id));
        }
        // No name has a colon in it, and every address has.
        match text.parse() {
            Ok(given) => Ok(Self::Given(given)),
            Err(_) => text.parse().map(Self::Document),
        }
    }
}

impl fmt::Display for WireClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(id) => id.fmt(f),
            Self::Document(url) => url.fmt(f),
            Self::Given(given) => given.fmt(f),
        }
    }
}

stored_as_text!(WireClientId);

/// A client identifier URL (draft §3). Over plain http only for a host that the administrator allows to be called so,
/// which is asked when it is called (`ops::outbound`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DocumentUrl(String);

impl DocumentUrl {
    /// The text, which is what is compared (draft §3, RFC 3986 §6.2.1).
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, and the port where it is not the usual one: who it is, to people.
    pub fn place(&self) -> String {
        let Ok(url) = Url::parse(&self.0) else {
            return self.0.clone();
        };
        let host = Host::of(&url).map_or_else(|| self.0.clone(), |host| host.to_string());
        match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    fn key(&self) -> ClientId {
        ClientId::of_text(LABEL, &self.0)
    }
}

impl FromStr for DocumentUrl {
    type Err = WireClientIdError;

    /// One spelling only, the one that a browser would write: what is compared, what is called and what is shown are
    /// then the same. It rules out dot segments in every disguise, an empty path, and host names in other letters.
    fn from_str(text: &str) -> Result<Self, WireClientIdError> {
        if text.len() > LONGEST {
            return Err(WireClientIdError);
        }
        let url = Url::parse(text).map_err(|_| WireClientIdError)?;
        let web = matches!(url.scheme(), "https" | "http") && url.has_host();
        let bare = url.username().is_empty() && url.password().is_none();
        if web && bare && url.fragment().is_none() && url.as_str() == text {
            Ok(Self(text.to_owned()))
        } else {
            Err(WireClientIdError)
        }
    }
}

as_text!(DocumentUrl);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Id;

    #[test]
    fn section_3_what_is_no_client_identifier_url_is_refused() {
        let long = format!("https://notes.example/{}", "a".repeat(LONGEST));
        for (text, why) in [
            ("", "nothing"),
            ("notes.example/client.json", "no scheme"),
            ("ftp://notes.example/client.json", "not https"),
            ("urn:notes:client", "not https"),
            ("com.example.notes:/client", "not https"),
            ("https://notes.example", "no path"),
            ("https:///client.json", "no host"),
            ("https://alice@notes.example/c", "a user name"),
            ("https://alice:secret@notes.example/c", "a password"),
            ("https://:secret@notes.example/c", "a password"),
            ("https://@notes.example/c", "an empty user name"),
            ("https://notes.example/c#", "an empty fragment"),
            ("https://notes.example/c#top", "a fragment"),
            ("https://notes.example/./c", "a single dot"),
            ("https://notes.example/a/../c", "two dots"),
            ("https://notes.example/a/..", "two dots at the end"),
            ("https://notes.example/a/.", "one dot at the end"),
            ("https://notes.example/a/%2e%2E/c", "two dots, disguised"),
            ("https://notes.example/a/.%2e/c", "two dots, half disguised"),
            ("https://notes.example/%2e/c", "one dot, disguised"),
            ("https://NOTES.example/c", "another spelling of the host"),
            ("HTTPS://notes.example/c", "another spelling of the scheme"),
            ("https://notes.example:443/c", "the usual port"),
            ("https://notes.example\\c", "a backslash"),
            ("https://notes.example/a b", "a space"),
            (" https://notes.example/c", "a space before it"),
            ("https://notes.example/c\n", "a line break"),
            ("https://nötes.example/c", "a host in other letters"),
            ("https://notes.example/ö", "a path in other letters"),
            ("https://2130706433/c", "an address that hides"),
            ("https://0x7f.1/c", "an address that hides"),
            (long.as_str(), "too long"),
        ] {
            assert_eq!(
                text.parse::<WireClientId>(),
                Err(WireClientIdError),
                "{why}: {text}"
            );
        }
    }

    #[test]
    fn section_3_a_client_identifier_url_is_kept_as_it_came() {
        for text in [
            "https://notes.example/client.json",
            "https://notes.example/",
            "https://notes.example:8443/oauth/client?version=2",
            "https://xn--ntes-5qa.example/c",
            "https://[2001:db8::1]/c",
            "http://127.0.0.1:8080/c",
        ] {
            let id: WireClientId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(id.document().map(DocumentUrl::as_str), Some(text));
        }
    }

    #[test]
    fn an_id_of_ours_is_its_own_key_and_each_address_has_another() {
        let id = ClientId(Id::from_bytes([7; 16]));
        let given: WireClientId = id.to_string().parse().unwrap();
        assert_eq!((given.key(), given), (id, WireClientId::Ours(id)));
        let key = |text: &str| text.parse::<WireClientId>().unwrap().key();
        let one = key("https://notes.example/client");
        assert_eq!(one, key("https://notes.example/client"));
        for other in [
            "https://notes.example/client/",
            "https://notes.example:8443/client",
            "http://notes.example/client",
            "https://notes.example/client?",
        ] {
            assert_ne!(one, key(other), "{other}");
        }
    }

    #[test]
    fn a_name_that_another_server_gave_is_kept_as_it_came() {
        let id: WireClientId = "grafana".parse().unwrap();
        let name: GivenClientId = "grafana".parse().unwrap();
        assert_eq!((id.key(), id.given()), (name.key(), Some(&name)));
        assert_eq!(
            (id.to_string(), id.document()),
            ("grafana".to_owned(), None)
        );
    }

    #[test]
    fn people_see_the_host_and_an_unusual_port() {
        let place = |text: &str| text.parse::<DocumentUrl>().unwrap().place();
        assert_eq!(place("https://notes.example/client"), "notes.example");
        assert_eq!(place("https://notes.example:8443/c"), "notes.example:8443");
    }
}
