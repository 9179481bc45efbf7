//! JWK sets of others. RFC 7517 §5.

use super::public_key::{JwkError, JwsAlgorithm, PublicKey};
use serde_json::Value;

/// More keys than this in one set are nobody's: each costs a signature check where a token names no `kid`.
const MOST: usize = 20;

/// The keys of a set that are understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<PublicKey>);

impl KeySet {
    /// Reads a set. Keys of other kinds or for other uses are left out (RFC 7517 §5); one that is broken, weak or
    /// private is an error, for it tells that whoever publishes the set does not know what is in it.
    pub fn parse(jwks: &Value) -> Result<Self, JwkError> {
        let keys = jwks
            .get("keys")
            .and_then(Value::as_array)
            .filter(|keys| keys.len() <= MOST)
            .ok_or(JwkError::Malformed("keys"))?;
        let mut set = Vec::new();
        for key in keys {
            let key = key.as_object().ok_or(JwkError::Malformed("keys"))?;
            match PublicKey::parse(key) {
                Ok(key) => set.push(key),
                Err(JwkError::Unsupported | JwkError::NotForSignatures) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self(set))
    }

    /// Reads a set that is about to be kept: the points of its keys are looked at as well.
    pub fn vet(jwks: &Value) -> Result<Self, JwkError> {
        let set = Self::parse(jwks)?;
        set.0.iter().try_for_each(PublicKey::check_point)?;
        Ok(set)
    }

    /// Whether there is no key to verify anything with.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys that may have made a signature: those of the `kid`, or, where the token names none, all that fit.
    pub fn candidates<'s>(
        &'s self,
        algorithm: JwsAlgorithm,
        kid: Option<&'s str>,
    ) -> impl Iterator<Item = &'s PublicKey> {
        self.0.iter().filter(move |key| {
            key.fits(algorithm) && kid.is_none_or(|kid| key.kid.as_deref() == Some(kid))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::testing::ring;
    use serde_json::json;

    #[test]
    fn keys_of_other_kinds_are_left_out_and_broken_ones_refused() {
        let ours = ring().jwks();
        let mut keys = ours["keys"].as_array().unwrap().clone();
        keys.push(json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }));
        keys.push(json!({ "kty": "RSA", "use": "enc", "n": "AQ", "e": "AQAB" }));
        let set = KeySet::parse(&json!({ "keys": keys })).unwrap();
        assert_eq!(set.candidates(JwsAlgorithm::Es256, None).count(), 1);
        assert_eq!(set.candidates(JwsAlgorithm::Rs256, None).count(), 1);
        // Its own `alg` says RS256.
        assert_eq!(set.candidates(JwsAlgorithm::Ps256, None).count(), 0);
        assert_eq!(set.candidates(JwsAlgorithm::Es256, Some("x")).count(), 0);

        keys.push(json!({ "kty": "RSA", "n": "AQ", "e": "AQAB" }));
        assert_eq!(
            KeySet::parse(&json!({ "keys": keys })),
            Err(JwkError::WeakRsa)
        );
        for jwks in [
            json!({}),
            json!({ "keys": {} }),
            json!({ "keys": [1] }),
            json!([]),
        ] {
            assert!(KeySet::parse(&jwks).is_err(), "{jwks}");
        }
        let many = vec![json!({ "kty": "oct-none" }); MOST + 1];
        assert!(KeySet::parse(&json!({ "keys": many })).is_err());
    }
}
