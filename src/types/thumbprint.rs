//! The SHA-256 thumbprint of a public key (RFC 7638 §3), as `jkt` and `dpop_jkt` spell it (RFC 9449 §6.1, §10).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// A thumbprint. Two keys with the same one are the same key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

/// The text is not a SHA-256 in base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThumbprintError;

impl fmt::Display for ThumbprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a SHA-256 in base64url")
    }
}

impl std::error::Error for ThumbprintError {}

impl Thumbprint {
    /// From the digest of a key's required members.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl FromStr for Thumbprint {
    type Err = ThumbprintError;

    /// One spelling only: no padding, no trailing bits.
    fn from_str(text: &str) -> Result<Self, ThumbprintError> {
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text.as_bytes(), &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(ThumbprintError),
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_a_sha256_in_base64url_is_refused() {
        for bad in [
            "",
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X",
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs=",
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt",
            "NzbLsXh8uDCcd+6MNwXF4W/7noWXFZAfHkxZsRGC9Xs",
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9XsAA",
        ] {
            assert_eq!(bad.parse::<Thumbprint>(), Err(ThumbprintError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(digest: [u8; 32]) {
            let thumbprint = Thumbprint::from_digest(digest);
            prop_assert_eq!(thumbprint.to_string().parse(), Ok(thumbprint));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text: String) {
            if let Ok(thumbprint) = text.parse::<Thumbprint>() {
                prop_assert_eq!(thumbprint.to_string(), text);
            }
        }
    }
}
