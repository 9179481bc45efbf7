//! Secrets that a bearer presents, and what is kept of them.
//! A bearer secret reads `selector.verifier`: the selector is a key of the data file, the verifier 256 random bits of
//! which only the SHA-256 is stored (DESIGN §5).

use super::Id;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Text that must not be printed, logged or stored; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// 256 random bits as 43 characters, all unreserved in URLs (RFC 3986 §2.3).
    pub fn from_random(random: [u8; 32]) -> Self {
        Self::new(URL_SAFE_NO_PAD.encode(random))
    }

    /// The text itself, for the one place that sends or checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A password's hash, as a PHC string. Whoever has one can guess at leisure, so it is kept like a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Phc(Secret);

impl Phc {
    /// Takes the text over, whatever it says: `crypto::password` knows which can be checked.
    pub fn new(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The text itself, for the one place that checks it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phc(…)")
    }
}

impl Serialize for Phc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Phc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// SHA-256 of a verifier. `==` takes the same time wherever the two differ.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Of the verifier's text.
    pub fn of(secret: &Secret) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, secret.expose().as_bytes());
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// What is kept of an application's secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretHash {
    /// Of a random one.
    Quick(TokenHash),
    /// A PHC string (`crypto::password`): of one that another server hashed, or that somebody thought up.
    Slow(Phc),
}

impl SecretHash {
    /// Of a random secret.
    pub fn of(secret: &Secret) -> Self {
        Self::Quick(TokenHash::of(secret))
    }

    /// The SHA-256, where it is one.
    pub fn quick(&self) -> Option<TokenHash> {
        match self {
            Self::Quick(hash) => Some(*hash),
            Self::Slow(_) => None,
        }
    }

    /// The PHC string, where it is one.
    pub fn slow(&self) -> Option<&str> {
        match self {
            Self::Quick(_) => None,
            Self::Slow(phc) => Some(phc.expose()),
        }
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Quick(hash) => hash.serialize(serializer),
            Self::Slow(phc) => phc.serialize(serializer),
        }
    }
}

/// No base64url begins with a dollar, and every PHC string does.
impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        if text.starts_with('$') {
            return Ok(Self::Slow(Phc::new(text.into_owned())));
        }
        let hash = TokenHash::deserialize(de::value::CowStrDeserializer::new(text))?;
        Ok(Self::Quick(hash))
    }
}

impl Serialize for TokenHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text.as_bytes(), &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => {
                let other = Unexpected::Other("another text");
                Err(de::Error::invalid_value(other, &"a SHA-256 in base64url"))
            }
        }
    }
}

/// `selector.verifier`, whole: exists only in a request and in the answer that issues it.
#[derive(Clone, Debug)]
pub struct BearerSecret {
    /// The key of its record.
    pub selector: Id,
    /// What proves possession.
    pub verifier: Secret,
}

impl BearerSecret {
    /// A fresh one from an id and 256 random bits.
    pub fn new(selector: Id, random: [u8; 32]) -> Self {
        Self {
            selector,
            verifier: Secret::from_random(random),
        }
    }

    /// Splits a presented text. `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let (selector, verifier) = text.split_once('.')?;
        if verifier.len() != 43 {
            return None;
        }
        Some(Self {
            selector: selector.parse().ok()?,
            verifier: Secret::new(verifier.to_owned()),
        })
    }

    /// The text that the bearer keeps.
    pub fn text(&self) -> Secret {
        Secret::new(format!("{}.{}", self.selector, self.verifier.expose()))
    }

    /// What the record keeps.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bearer_secret_text_and_back(id: [u8; 16], random: [u8; 32]) {
            let secret = BearerSecret::new(Id::from_bytes(id), random);
            let parsed = BearerSecret::parse(secret.text().expose());
            prop_assert_eq!(parsed.as_ref().map(|p| p.selector), Some(secret.selector));
            prop_assert_eq!(parsed.map(|p| p.hash()), Some(secret.hash()));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text: String) {
            let _ = BearerSecret::parse(&text).map(|secret| secret.hash());
        }
    }

    #[test]
    fn a_hash_of_either_kind_is_one_text_and_back() {
        let quick = SecretHash::of(&Secret::from_random([1; 32]));
        let slow = SecretHash::Slow(Phc::new("$argon2id$v=19$m=8,t=1,p=1$AAAA$BBBB".to_owned()));
        for hash in [&quick, &slow] {
            let text = serde_json::to_string(hash).unwrap();
            assert_eq!(&serde_json::from_str::<SecretHash>(&text).unwrap(), hash);
            assert!(!format!("{hash:?}").contains("argon2id"));
        }
        let old = serde_json::to_string(&TokenHash::of(&Secret::from_random([1; 32]))).unwrap();
        assert_eq!(serde_json::from_str::<SecretHash>(&old).unwrap(), quick);
        for bad in ["\"\"", "\"AAAA\"", "7", "null"] {
            assert!(serde_json::from_str::<SecretHash>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = BearerSecret::new(Id::default(), [9; 32]);
        let phc = Phc::new(secret.verifier.expose().to_owned());
        let shown = format!("{secret:?} {:?} {phc:?}", secret.hash());
        assert!(!shown.contains(secret.verifier.expose()));
    }
}
