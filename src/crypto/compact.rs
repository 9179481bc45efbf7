//! Compact JWS that others made, before and while they are checked. RFC 7515 §3.1 and §5.2, RFC 8725 §3.
//! Not here: our own tokens on their way back to us (`jws::verify`, which has the keys loaded), what the claims mean.

use super::digest::from_base64url;
use super::jwk_set::KeySet;
use super::jws::JwsError;
use super::public_key::{JwsAlgorithm, PublicKey};
use crate::types::strict_json;
use ring::hmac;
use serde_json::{Map, Value};

/// A JWS taken apart. Nothing in it is true until a key has verified it.
#[derive(Clone, Debug)]
pub struct Compact<'t> {
    header: Map<String, Value>,
    payload: Vec<u8>,
    signed: &'t str,
    signature: Vec<u8>,
}

impl<'t> Compact<'t> {
    /// Takes three parts of base64url apart. `crit` names what must be understood, and nothing of it is (RFC 7515
    /// §4.1.11); `b64` and encryption are neither.
    pub fn parse(token: &'t str) -> Result<Self, JwsError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let bytes = |part| from_base64url(part).ok_or(JwsError::Malformed);
        let header = strict_json::parse_object(&bytes(header)?).map_err(|_| JwsError::Malformed)?;
        if header.contains_key("crit") {
            return Err(JwsError::Malformed);
        }
        Ok(Self {
            header,
            payload: bytes(payload)?,
            signed,
            signature: bytes(signature)?,
        })
    }

    /// A text member of the header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// The `jwk` member of the header (RFC 9449 §4.2).
    pub fn header_jwk(&self) -> Option<&Map<String, Value>> {
        self.header.get("jwk").and_then(Value::as_object)
    }

    /// The whole header, for showing.
    pub fn into_header(self) -> Map<String, Value> {
        self.header
    }

    /// The `alg`, if it is one that a public key can verify.
    pub fn algorithm(&self) -> Option<JwsAlgorithm> {
        self.header("alg").and_then(JwsAlgorithm::parse)
    }

    /// The claims, whoever made them.
    pub fn unverified_claims(&self) -> Result<Map<String, Value>, JwsError> {
        strict_json::parse_object(&self.payload).map_err(|_| JwsError::Malformed)
    }

    /// The claims, if one of the keys signed them.
    pub fn verified_by(&self, keys: &KeySet) -> Result<Map<String, Value>, JwsError> {
        let algorithm = self.algorithm().ok_or(JwsError::UnknownKey)?;
        let mut tried = false;
        for key in keys.candidates(algorithm, self.header("kid")) {
            tried = true;
            if self.is_signed_by(key, algorithm) {
                return self.unverified_claims();
            }
        }
        Err(if tried {
            JwsError::BadSignature
        } else {
            JwsError::UnknownKey
        })
    }

    /// The claims, if this key signed them.
    pub fn verified_with(&self, key: &PublicKey) -> Result<Map<String, Value>, JwsError> {
        let algorithm = self
            .algorithm()
            .filter(|algorithm| key.fits(*algorithm))
            .ok_or(JwsError::UnknownKey)?;
        if self.is_signed_by(key, algorithm) {
            self.unverified_claims()
        } else {
            Err(JwsError::BadSignature)
        }
    }

    /// The claims, if the holder of this shared secret signed them with HS256 (RFC 7518 §3.2).
    pub fn verified_by_secret(&self, secret: &[u8]) -> Result<Map<String, Value>, JwsError> {
        if self.header("alg") != Some("HS256") {
            return Err(JwsError::UnknownKey);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, self.signed.as_bytes(), &self.signature)
            .map_err(|_| JwsError::BadSignature)?;
        self.unverified_claims()
    }

    fn is_signed_by(&self, key: &PublicKey, algorithm: JwsAlgorithm) -> bool {
        key.verifies(algorithm, self.signed.as_bytes(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::digest::base64url;
    use crate::crypto::jws;
    use crate::crypto::keyring::testing::ring;
    use crate::model::Algorithm;
    use crate::types::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn token(algorithm: Algorithm) -> String {
        let ring = ring();
        let key = ring.signer(algorithm, NOW).unwrap();
        jws::sign(key, jws::ID_TOKEN_TYPE, br#"{"sub":"a"}"#)
    }

    fn check(jwks: &Value, token: &str) -> Result<Map<String, Value>, JwsError> {
        Compact::parse(token)?.verified_by(&KeySet::parse(jwks).unwrap())
    }

    #[test]
    fn our_tokens_hold_against_our_published_keys() {
        let jwks = ring().jwks();
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let token = token(algorithm);
            assert_eq!(check(&jwks, &token).unwrap()["sub"], "a");
            assert_eq!(
                Compact::parse(&token).unwrap().header("alg"),
                Some(algorithm.as_str())
            );
        }
    }

    #[test]
    fn a_changed_token_and_a_foreign_key_are_refused() {
        let jwks = ring().jwks();
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let token = token(algorithm);
            let parts: Vec<&str> = token.split('.').collect();
            let changed = base64url(br#"{"sub":"b"}"#);
            let other = format!("{}.{changed}.{}", parts[0], parts[2]);
            assert_eq!(check(&jwks, &other), Err(JwsError::BadSignature));
            assert_eq!(
                check(&json!({ "keys": [] }), &token),
                Err(JwsError::UnknownKey)
            );
        }
    }

    /// RFC 8725 §2.1: a public key is not taken for a shared secret, and `none` is no signature.
    #[test]
    fn rfc8725_section_3_1_the_key_decides_the_algorithm() {
        let jwks = ring().jwks();
        for alg in ["none", "HS256", "ES256", "RS512", ""] {
            let key = &jwks["keys"].as_array().unwrap()[1];
            assert_eq!(key["kty"], "RSA");
            let header = json!({ "alg": alg, "kid": key["kid"] }).to_string();
            let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(b"{}"));
            let secret = hmac::Key::new(hmac::HMAC_SHA256, key["n"].as_str().unwrap().as_bytes());
            let mac = base64url(hmac::sign(&secret, signed.as_bytes()).as_ref());
            for signature in ["", &mac] {
                let token = format!("{signed}.{signature}");
                assert_eq!(check(&jwks, &token), Err(JwsError::UnknownKey), "{alg}");
            }
        }
    }

    #[test]
    fn a_shared_secret_verifies_hs256_only() {
        let signed = format!(
            "{}.{}",
            base64url(br#"{"alg":"HS256"}"#),
            base64url(br#"{"sub":"a"}"#)
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let mac = base64url(hmac::sign(&key, signed.as_bytes()).as_ref());
        let token = format!("{signed}.{mac}");
        let compact = Compact::parse(&token).unwrap();
        assert_eq!(compact.verified_by_secret(b"secret").unwrap()["sub"], "a");
        assert_eq!(
            compact.verified_by_secret(b"other"),
            Err(JwsError::BadSignature)
        );
        let ours = self::token(Algorithm::Es256);
        assert_eq!(
            Compact::parse(&ours).unwrap().verified_by_secret(b"secret"),
            Err(JwsError::UnknownKey)
        );
    }

    #[test]
    fn what_is_not_three_parts_of_strict_json_is_malformed() {
        let part = |text: &str| base64url(text.as_bytes());
        let (header, claims) = (part(r#"{"alg":"ES256"}"#), part("{}"));
        for token in [
            String::new(),
            "a.b".to_owned(),
            format!("{header}.{claims}"),
            format!("{header}.{claims}.a.b"),
            format!("{header}.{claims}.="),
            format!("{}.{claims}.", part("[]")),
            format!("{}.{claims}.", part(r#"{"alg":"ES256","alg":"none"}"#)),
            format!("{}.{claims}.", part(r#"{"alg":"ES256","crit":["exp"]}"#)),
        ] {
            let refused = Compact::parse(&token).err();
            assert_eq!(refused, Some(JwsError::Malformed), "{token}");
        }
        let twice = format!("{header}.{}.", part(r#"{"sub":"a","sub":"b"}"#));
        let compact = Compact::parse(&twice).unwrap();
        assert_eq!(compact.unverified_claims(), Err(JwsError::Malformed));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_without_a_panic(text in "[A-Za-z0-9_.-]{0,200}") {
            prop_assert!(check(&ring().jwks(), &text).is_err());
        }
    }
}
