//! Sealed text: a value that leaves in a form and must come back unchanged. HMAC-SHA-256 under the file's own key.

use super::digest::{base64url, from_base64url};
use ring::hmac;

/// The key that seals; made once and kept in the data file's settings.
pub struct SealKey(hmac::Key);

impl SealKey {
    /// From its stored bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// A tag over `parts`, bound to a `purpose` so that no tag serves two ends.
    pub fn tag(&self, purpose: &str, parts: &[&str]) -> String {
        base64url(hmac::sign(&self.0, &message(purpose, parts)).as_ref())
    }

    /// A key for one end, of this one: who holds it finds neither this nor a sibling.
    pub fn derived(&self, purpose: &str, parts: &[&str]) -> Vec<u8> {
        hmac::sign(&self.0, &message(purpose, parts))
            .as_ref()
            .to_vec()
    }

    /// Whether `tag` is the tag of these parts; compared in constant time.
    pub fn verify(&self, purpose: &str, parts: &[&str], tag: &str) -> bool {
        from_base64url(tag)
            .is_some_and(|tag| hmac::verify(&self.0, &message(purpose, parts), &tag).is_ok())
    }
}

/// Lengths before the parts: no two lists of parts make one message.
fn message(purpose: &str, parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in std::iter::once(&purpose).chain(parts) {
        bytes.extend_from_slice(&part.len().to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_holds_for_its_purpose_and_parts_only() {
        let key = SealKey::new(&[1; 32]);
        let tag = key.tag("form", &["a", "bc"]);
        assert!(key.verify("form", &["a", "bc"], &tag));
        assert!(!key.verify("form", &["ab", "c"], &tag));
        assert!(!key.verify("link", &["a", "bc"], &tag));
        assert!(!SealKey::new(&[2; 32]).verify("form", &["a", "bc"], &tag));
        assert!(!key.verify("form", &["a", "bc"], "é"));
    }
}
