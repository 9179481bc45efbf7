//! Checking a token against a published JWK set, as any client does. RFC 7515 §5.2, RFC 7517 §4 and §5.
//! Not here: our own tokens on their way back to us (`jws::verify`, which has the keys loaded).

use super::digest::from_base64url;
use super::jws::JwsError;
use crate::model::Algorithm;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

/// A header and claims.
pub type Decoded = (Map<String, Value>, Map<String, Value>);

/// Checks the signature with the key that the header names. The key names the algorithm: a header that says anything
/// else is refused (RFC 8725 §3.1). `exp`, `iss` and `aud` are the caller's to check.
pub fn verify(jwks: &Value, token: &str) -> Result<Decoded, JwsError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
    let (header, claims) = unverified(token)?;
    if header.contains_key("crit") {
        return Err(JwsError::Malformed);
    }
    let algorithm = text(&header, "alg")
        .and_then(Algorithm::parse)
        .ok_or(JwsError::UnknownKey)?;
    let key = find(jwks, text(&header, "kid"), algorithm).ok_or(JwsError::UnknownKey)?;
    let signature = from_base64url(signature).ok_or(JwsError::Malformed)?;
    if holds(key, algorithm, signed.as_bytes(), &signature) {
        Ok((header, claims))
    } else {
        Err(JwsError::BadSignature)
    }
}

/// What a token says, whoever made it: for showing only.
pub fn unverified(token: &str) -> Result<Decoded, JwsError> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwsError::Malformed);
    };
    Ok((object(header)?, object(claims)?))
}

/// The one key that fits. Without a `kid`, only where there is no choice (OpenID Connect Core §10.1).
fn find<'k>(
    jwks: &'k Value,
    kid: Option<&str>,
    algorithm: Algorithm,
) -> Option<&'k Map<String, Value>> {
    let keys = jwks.get("keys")?.as_array()?;
    let mut fitting = keys.iter().filter_map(Value::as_object).filter(|key| {
        text(key, "kty") == Some(algorithm.key_type())
            && text(key, "use").is_none_or(|u| u == "sig")
            && text(key, "alg").is_none_or(|alg| alg == algorithm.as_str())
            && kid.is_none_or(|kid| text(key, "kid") == Some(kid))
    });
    let first = fitting.next()?;
    (kid.is_some() || fitting.next().is_none()).then_some(first)
}

fn holds(key: &Map<String, Value>, algorithm: Algorithm, message: &[u8], given: &[u8]) -> bool {
    let member = |name| text(key, name).and_then(from_base64url);
    match algorithm {
        // RFC 7518 §6.2.1: coordinates of the full 32 octets.
        Algorithm::Es256 => match (text(key, "crv"), member("x"), member("y")) {
            (Some("P-256"), Some(x), Some(y)) if x.len() == 32 && y.len() == 32 => {
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, given)
                    .is_ok()
            }
            _ => false,
        },
        Algorithm::Rs256 => match (member("n"), member("e")) {
            (Some(n), Some(e)) => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, given)
                .is_ok(),
            _ => false,
        },
    }
}

fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    object.get(name).and_then(Value::as_str)
}

fn object(part: &str) -> Result<Map<String, Value>, JwsError> {
    let bytes = from_base64url(part).ok_or(JwsError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwsError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::digest::base64url;
    use crate::crypto::jws;
    use crate::crypto::keyring::testing::ring;
    use crate::types::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn token(algorithm: Algorithm) -> String {
        let ring = ring();
        let key = ring.signer(algorithm, NOW).unwrap();
        jws::sign(key, jws::ID_TOKEN_TYPE, br#"{"sub":"a"}"#)
    }

    #[test]
    fn our_tokens_hold_against_our_published_keys() {
        let jwks = ring().jwks();
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let (header, claims) = verify(&jwks, &token(algorithm)).unwrap();
            assert_eq!(header["alg"], algorithm.as_str());
            assert_eq!(claims["sub"], "a");
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
            assert_eq!(verify(&jwks, &other), Err(JwsError::BadSignature));
            assert_eq!(
                verify(&json!({ "keys": [] }), &token),
                Err(JwsError::UnknownKey)
            );
            assert_eq!(verify(&json!({}), &token), Err(JwsError::UnknownKey));
        }
    }

    #[test]
    fn rfc8725_section_3_1_the_key_decides_the_algorithm() {
        let (jwks, token) = (ring().jwks(), token(Algorithm::Rs256));
        let kid = unverified(&token).unwrap().0["kid"].clone();
        for alg in ["none", "HS256", "ES256", ""] {
            let header = json!({ "alg": alg, "kid": kid }).to_string();
            let token = format!("{}.{}.", base64url(header.as_bytes()), base64url(b"{}"));
            assert_eq!(verify(&jwks, &token), Err(JwsError::UnknownKey), "{alg}");
        }
    }

    #[test]
    fn a_token_without_a_kid_holds_only_where_there_is_one_key() {
        let ring = ring();
        let signed = token(Algorithm::Es256);
        let key = ring.signer(Algorithm::Es256, NOW).unwrap();
        let header = base64url(br#"{"alg":"ES256"}"#);
        let message = format!("{header}.{}", base64url(b"{}"));
        let token = format!("{message}.{}", base64url(&key.sign(message.as_bytes())));
        let jwks = ring.jwks();
        let ours = jwks["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|k| k["kid"] == key.kid.as_str())
            .unwrap();
        assert!(verify(&json!({ "keys": [ours] }), &token).is_ok());
        assert_eq!(
            verify(&json!({ "keys": [ours, ours] }), &token),
            Err(JwsError::UnknownKey)
        );
        assert!(verify(&json!({ "keys": [ours, ours] }), &signed).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_without_a_panic(text in "[A-Za-z0-9_.-]{0,200}") {
            prop_assert!(verify(&ring().jwks(), &text).is_err());
        }

        #[test]
        fn any_key_members_are_refused_without_a_panic(x in "[A-Za-z0-9_-]{0,90}", n in "[A-Za-z0-9_-]{0,400}") {
            for (algorithm, kty) in [(Algorithm::Es256, "EC"), (Algorithm::Rs256, "RSA")] {
                let key = json!({ "kty": kty, "crv": "P-256", "x": x, "y": x, "n": n, "e": "AQAB" });
                let token = token(algorithm);
                let kid = unverified(&token).unwrap().0["kid"].clone();
                let mut key = key;
                key["kid"] = kid;
                let refused = verify(&json!({ "keys": [key] }), &token).is_err();
                prop_assert!(refused);
            }
        }
    }
}
