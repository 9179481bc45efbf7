//! Demonstrating proof of possession. RFC 9449 §4.2 and §4.3: what a proof must say, and that its key signed it.
//! Owns: every check of one proof. Not here: that it is used once (`replay`), which tokens are bound to which key
//! (`token::sender`, `userinfo`). Nonces of the server (§8) are optional and left out.

use super::replay::{self, Purpose, Use};
use crate::crypto::compact::Compact;
use crate::crypto::digest::{constant_time_eq, s256};
use crate::crypto::jws::JwsError;
use crate::crypto::public_key::{JwsAlgorithm, PublicKey};
use crate::types::{Thumbprint, Timestamp};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

/// How far the clock of whoever made a proof may be from ours, either way (PROTOCOL, More).
pub const WINDOW: Duration = Duration::from_secs(60);

/// In bytes. Every one is hashed; clients send a UUID or a hash.
const LONGEST_JTI: usize = 256;

/// The request that a proof must be for. Not to be printed: the token is one.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// Its method.
    pub method: &'a str,
    /// The endpoint's address, from the settings: what `Host` a request names is its sender's choice.
    pub endpoint: &'a str,
    /// The access token that comes with it, at a resource.
    pub access_token: Option<&'a str>,
}

/// A proof that holds: whoever sent the request had the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The key.
    pub key: Thumbprint,
    /// What it signed with.
    pub algorithm: JwsAlgorithm,
    /// Its one use, still to be looked up and remembered.
    pub used: Use,
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// There is none, where one is needed.
    Missing,
    /// More than one.
    Repeated,
    /// Not three parts of base64url and strict JSON.
    Malformed,
    /// `typ` is not `dpop+jwt`.
    Type,
    /// `alg` is none that is verified, or none that the client may use.
    Algorithm,
    /// `jwk` is missing, private, weak, no point of its curve, or for another algorithm.
    Key,
    /// The key did not sign it.
    Signature,
    /// `jti` is missing, empty, mistyped or too long.
    Id,
    /// `htm` is not the request's method.
    Method,
    /// `htu` is not the endpoint.
    Address,
    /// `iat` is missing, mistyped, or more than a minute from now; or it says itself that it is not good now.
    Time,
    /// `ath` is not the hash of the access token.
    TokenHash,
    /// It was used before.
    Replayed,
    /// Its key is another than the request names (RFC 9449 §10.1).
    OtherKey,
}

impl ProofError {
    /// For everyone; ASCII without quotes and backslashes.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "a DPoP proof is required",
            Self::Repeated => "more than one DPoP header",
            Self::Malformed => "the DPoP proof is not a JWT",
            Self::Type => "typ of the DPoP proof is not dpop+jwt",
            Self::Algorithm => "alg of the DPoP proof is not supported",
            Self::Key => "jwk of the DPoP proof is not a public key that fits its alg",
            Self::Signature => "the signature of the DPoP proof is not of its key",
            Self::Id => "jti of the DPoP proof is missing or too long",
            Self::Method => "htm of the DPoP proof is not the method of this request",
            Self::Address => "htu of the DPoP proof is not the address of this endpoint",
            Self::Time => "iat of the DPoP proof is missing or too far from now",
            Self::TokenHash => "ath of the DPoP proof is not the hash of the access token",
            Self::Replayed => "the DPoP proof was used before",
            Self::OtherKey => "dpop_jkt names another key than the DPoP proof",
        }
    }
}

/// Checks the proof of a request; `headers` are all of its `DPoP` fields. The checks are those of RFC 9449 §4.3, in its
/// order but for the cheap ones that come before the signature.
pub fn check<'h>(
    headers: impl IntoIterator<Item = &'h str>,
    target: Target<'_>,
    now: Timestamp,
) -> Result<Option<Proof>, ProofError> {
    // 1. One header at most.
    let mut headers = headers.into_iter();
    let Some(text) = headers.next() else {
        return Ok(None);
    };
    if headers.next().is_some() {
        return Err(ProofError::Repeated);
    }
    // 2. A well-formed JWT.
    let proof = Compact::parse(text).map_err(|_| ProofError::Malformed)?;
    // 4. Its type: a JWT that the key signed for something else is no proof.
    if proof.header("typ") != Some("dpop+jwt") {
        return Err(ProofError::Type);
    }
    // 5. An asymmetric algorithm.
    let algorithm = proof.algorithm().ok_or(ProofError::Algorithm)?;
    // 7. A public key, and a sound one.
    let key = proof
        .header_jwk()
        .and_then(|jwk| PublicKey::parse(jwk).ok())
        .filter(|key| key.fits(algorithm))
        .ok_or(ProofError::Key)?;
    // 6. Its signature.
    let claims = proof.verified_with(&key).map_err(|error| match error {
        JwsError::Malformed => ProofError::Malformed,
        JwsError::UnknownKey => ProofError::Key,
        JwsError::BadSignature => ProofError::Signature,
    })?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // 3. All required claims; 8. the method; 9. the address; 11. the time.
    let jti = text("jti")
        .filter(|jti| (1..=LONGEST_JTI).contains(&jti.len()))
        .ok_or(ProofError::Id)?;
    if text("htm") != Some(target.method) {
        return Err(ProofError::Method);
    }
    let address = text("htu").and_then(normal);
    if address.is_none() || address != normal(target.endpoint) {
        return Err(ProofError::Address);
    }
    if !is_timely(&claims, now) {
        return Err(ProofError::Time);
    }
    // 12. The access token that it goes with.
    if let Some(token) = target.access_token
        && !text("ath").is_some_and(|ath| constant_time_eq(ath, &s256(token)))
    {
        return Err(ProofError::TokenHash);
    }
    let key = key.thumbprint();
    // §11.1: a proof from the end of the window ahead is good for two windows, and the second that `iat` leaves out.
    let expires = now.plus(WINDOW * 2 + Duration::from_secs(1));
    let used = replay::of(Purpose::DpopProof, &key.to_string(), jti, expires, now);
    Ok(Some(Proof {
        key,
        algorithm,
        used: used.ok_or(ProofError::Time)?,
    }))
}

/// The algorithms of proofs, as challenges and discovery list them (RFC 9449 §5.1, §7.1).
pub fn algorithms() -> [&'static str; 5] {
    JwsAlgorithm::names()
}

/// RFC 9449 §4.3 item 11. `exp` and `nbf` are not asked for; one that is there is held to (RFC 7519 §4.1.4, §4.1.5).
fn is_timely(claims: &Map<String, Value>, now: Timestamp) -> bool {
    let Some(issued) = claims.get("iat").and_then(Timestamp::from_numeric_date) else {
        return false;
    };
    let near = now.is_within(WINDOW, issued);
    let holds = |name: &str, good: &dyn Fn(Timestamp) -> bool| {
        claims
            .get(name)
            .is_none_or(|value| Timestamp::from_numeric_date(value).is_some_and(good))
    };
    near && holds("exp", &|exp| now < exp) && holds("nbf", &|nbf| nbf <= now.plus(WINDOW))
}

/// An `http` or `https` address as it is compared (RFC 9449 §4.3 item 9): without query and fragment, with the scheme
/// and host in lower case, without a default port or dots in the path (RFC 3986 §6.2.2, §6.2.3), and with one spelling
/// of what is escaped. `None` for anything else: what the parser of browsers would mend is not mended.
pub fn normal(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let web = ["http", "https"];
    let plain = |b: u8| b.is_ascii_graphic() && b != b'\\';
    if !web.iter().any(|known| scheme.eq_ignore_ascii_case(known))
        || rest.starts_with('/')
        || !text.bytes().all(plain)
    {
        return None;
    }
    let mut url = Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = unescaped(url.path())?;
    let origin = url.origin().ascii_serialization();
    Some(format!("{origin}{path}"))
}

/// RFC 3986 §6.2.2.1 and §6.2.2.2: escapes in upper case, and none where none is needed.
fn unescaped(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut kept = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            kept.push(char::from(byte));
        } else {
            kept.push('%');
            kept.push_str(&digits.to_ascii_uppercase());
        }
        kept.push_str(rest);
    }
    Some(kept)
}

#[cfg(test)]
#[path = "dpop_tests.rs"]
mod tests;
