//! The name under which applications knew a person at another server: a UUID (RFC 9562 §4), and the `sub` of their tokens
//! here as well (OpenID Connect Core §2).
//! Owns: what may be one. It has another length than an id of ours and than a name of a sector's own (`oauth::subject`), so it
//! can never be one of those.

use std::fmt;
use std::str::FromStr;

/// In small letters, with its four strokes. Compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GivenSubject(String);

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenSubjectError;

impl fmt::Display for GivenSubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a UUID in small letters")
    }
}

impl std::error::Error for GivenSubjectError {}

impl GivenSubject {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GivenSubject {
    type Err = GivenSubjectError;

    fn from_str(text: &str) -> Result<Self, GivenSubjectError> {
        let lengths = text.split('-').map(str::len);
        let digits = text
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'));
        if digits && lengths.eq([8, 4, 4, 4, 12]) {
            Ok(Self(text.to_owned()))
        } else {
            Err(GivenSubjectError)
        }
    }
}

as_text!(GivenSubject);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::UserId;

    #[test]
    fn only_a_uuid_is_one_and_it_is_never_an_id_of_ours() {
        let uuid = "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58";
        assert_eq!(uuid.parse::<GivenSubject>().unwrap().to_string(), uuid);
        assert!(uuid.parse::<UserId>().is_err());
        for text in [
            "",
            "anna",
            "5F1C0B62-8D3E-4A97-B1F4-0C2D9E7A6B58",
            "5f1c0b628d3e4a97b1f40c2d9e7a6b58",
            "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b5",
            "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58-",
            "5f1c0b6-28d3e-4a97-b1f4-0c2d9e7a6b58",
            "{5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58}",
            "f:5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58:anna",
            "01k8abcdefghjkmnpqrstvwxyz",
        ] {
            assert_eq!(
                text.parse::<GivenSubject>(),
                Err(GivenSubjectError),
                "{text}"
            );
        }
    }
}
