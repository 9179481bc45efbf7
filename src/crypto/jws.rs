//! Compact JWS: how our tokens are signed and checked. RFC 7515 §3.1 and §5.

use super::digest::{base64url, from_base64url};
use super::keyring::{KeyRing, LoadedKey};
use crate::model::Algorithm;
use crate::types::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// The `typ` of an ID token.
pub const ID_TOKEN_TYPE: &str = "JWT";
/// The `typ` of a signed answer of the authorization endpoint or userinfo; JARM and OpenID Connect Core name none of
/// their own.
pub const RESPONSE_TYPE: &str = "JWT";
/// The `typ` of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
pub const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";

/// Most claims of one token are shorter, as JSON.
const USUAL_CLAIMS: usize = 768;

/// Why a token does not hold. None of them is told to whoever presents it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsError {
    /// Not three base64url parts of JSON.
    Malformed,
    /// No key of that `kid`, or the header names another algorithm than the key's.
    UnknownKey,
    /// The signature is not that key's.
    BadSignature,
}

/// A header and claims whose signature was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The header's `typ`, lower case, without `application/`.
    pub typ: String,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// Signs `claims`, already JSON, with the key.
pub fn sign(key: &LoadedKey, typ: &str, claims: &[u8]) -> String {
    let header = format!(
        r#"{{"alg":"{}","typ":"{typ}","kid":"{}"}}"#,
        key.algorithm.as_str(),
        key.kid
    );
    let mut token = String::with_capacity((header.len() + claims.len()) * 4 / 3 + 400);
    token.push_str(&base64url(header.as_bytes()));
    token.push('.');
    token.push_str(&base64url(claims));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&base64url(&signature));
    token
}

/// Claims, signed by whichever key of that algorithm signs now; `None` where there is none, which is logged.
pub fn sign_claims(
    ring: &KeyRing,
    algorithm: Algorithm,
    typ: &str,
    claims: &Map<String, Value>,
    now: Timestamp,
) -> Option<String> {
    let Some(key) = ring.signer(algorithm, now) else {
        log::error!("there is no key to sign with");
        return None;
    };
    let mut json = Vec::with_capacity(USUAL_CLAIMS);
    // A map of JSON values always serialises.
    serde_json::to_writer(&mut json, claims).ok()?;
    Some(sign(key, typ, &json))
}

/// Checks a token against the ring's published keys. The key, found by `kid`, names the algorithm: a header that says
/// anything else (`none`, HS256) is refused (RFC 8725 §3.1).
pub fn verify(ring: &KeyRing, token: &str) -> Result<Verified, JwsError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
    let header: Header = parse(header)?;
    if header.crit.is_some() {
        return Err(JwsError::Malformed);
    }
    let key = ring.by_kid(&header.kid).ok_or(JwsError::UnknownKey)?;
    if Algorithm::parse(&header.alg) != Some(key.algorithm) {
        return Err(JwsError::UnknownKey);
    }
    let signature = from_base64url(signature).ok_or(JwsError::Malformed)?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(JwsError::BadSignature);
    }
    let typ = header.typ.to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ).to_owned();
    Ok(Verified {
        typ,
        claims: parse(payload)?,
    })
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default)]
    typ: String,
    crit: Option<Value>,
}

fn parse<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, JwsError> {
    let bytes = from_base64url(part).ok_or(JwsError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwsError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::testing::ring;
    use crate::types::Timestamp;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    #[test]
    fn a_token_of_ours_verifies_and_a_changed_one_does_not() {
        let ring = ring();
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let key = ring.signer(algorithm, NOW).unwrap();
            let token = sign(key, ACCESS_TOKEN_TYPE, br#"{"sub":"a"}"#);
            let verified = verify(&ring, &token).unwrap();
            assert_eq!(
                (verified.typ.as_str(), verified.claims["sub"].as_str()),
                ("at+jwt", Some("a"))
            );

            let (head, rest) = token.split_once('.').unwrap();
            let (_, signature) = rest.split_once('.').unwrap();
            let other = format!("{head}.{}.{signature}", base64url(br#"{"sub":"b"}"#));
            assert_eq!(verify(&ring, &other), Err(JwsError::BadSignature));
        }
    }

    #[test]
    fn rfc8725_section_3_1_the_key_decides_the_algorithm() {
        let ring = ring();
        let kid = &ring.signer(Algorithm::Rs256, NOW).unwrap().kid;
        for alg in ["none", "HS256", "ES256", "RS512", ""] {
            let header = base64url(format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#).as_bytes());
            let token = format!("{header}.{}.", base64url(b"{}"));
            assert_eq!(verify(&ring, &token), Err(JwsError::UnknownKey), "{alg}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_without_a_panic(text in "[A-Za-z0-9_.-]{0,200}") {
            prop_assert!(verify(&ring(), &text).is_err());
        }
    }
}
