//! A `client_id` that another server gave to an application, and that the application knows itself by: a word such as
//! `grafana` (RFC 6749 §2.2).
//! Owns: what may stand in one, and the key of the data file that belongs to it. Not here: which of the spellings of a
//! `client_id` a text is (`wire_client_id`).

use super::{ClientId, Id};
use std::fmt;
use std::str::FromStr;

/// As long as Authelia lets it be.
const LONGEST: usize = 100;

/// What the keys of names are made under, so that they are no other hash.
const LABEL: &[u8] = b"doorlight client name\0";

/// 1 to 100 letters, digits and `- . _ ~` (RFC 3986 §2.3, unreserved), but no id of ours: one text has one meaning.
/// Compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GivenClientId(String);

/// The text is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenClientIdError;

impl fmt::Display for GivenClientIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client id has 1 to 100 letters without accents, digits, or - . _ ~")
    }
}

impl std::error::Error for GivenClientIdError {}

impl GivenClientId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Under which the client is kept.
    pub fn key(&self) -> ClientId {
        ClientId::of_text(LABEL, &self.0)
    }
}

impl FromStr for GivenClientId {
    type Err = GivenClientIdError;

    fn from_str(text: &str) -> Result<Self, GivenClientIdError> {
        let allowed = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        let fits = (1..=LONGEST).contains(&text.len());
        if !allowed || !fits || text.parse::<Id>().is_ok() {
            return Err(GivenClientIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

as_text!(GivenClientId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_and_no_id_of_ours() {
        for text in ["grafana", "a", "My-App_2.0~x", &"a".repeat(100)] {
            assert_eq!(text.parse::<GivenClientId>().unwrap().to_string(), text);
        }
        let ours = Id::from_bytes([7; 16]).to_string();
        for text in [
            "",
            " ",
            "my app",
            "app/x",
            "urn:app",
            "äpp",
            "app\n",
            "app\"",
            "app%20",
            "app@home",
            &"a".repeat(101),
            &ours,
        ] {
            assert_eq!(
                text.parse::<GivenClientId>(),
                Err(GivenClientIdError),
                "{text:?}"
            );
        }
    }

    #[test]
    fn each_name_has_a_key_of_its_own() {
        let key = |text: &str| text.parse::<GivenClientId>().unwrap().key();
        assert_eq!(key("grafana"), key("grafana"));
        for other in ["Grafana", "grafana-", "grafan"] {
            assert_ne!(key("grafana"), key(other), "{other}");
        }
    }
}
