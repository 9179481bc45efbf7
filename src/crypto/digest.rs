//! SHA-256 and base64url, as JOSE spells them (RFC 7515 §2).

use crate::model::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// SHA-256 of the bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    for (to, from) in out.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    out
}

/// Base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict: no padding, no other alphabet, no trailing bits.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// `BASE64URL(SHA256(text))`: the S256 challenge (RFC 7636 §4.2).
pub fn s256(text: &str) -> String {
    base64url(&sha256(text.as_bytes()))
}

/// `at_hash`: the left half of the token's hash, by the hash of the ID token's algorithm (OpenID Connect Core §3.1.3.6).
/// Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
pub fn at_hash(access_token: &str, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 => &ring::digest::SHA256,
        Algorithm::EdDsa => &ring::digest::SHA512,
    };
    let digest = ring::digest::digest(hash, access_token.as_bytes());
    let whole = digest.as_ref();
    base64url(whole.get(..whole.len() / 2).unwrap_or(whole))
}

/// Equality in a time that depends on the lengths only.
pub fn constant_time_eq(a: &str, b: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(a.as_bytes(), b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_appendix_b_challenge() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
