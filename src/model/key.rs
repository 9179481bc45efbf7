//! Signing keys as stored.

use crate::types::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// A JWS algorithm that Doorlight signs with (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// Ed25519 (RFC 8037 §3.1). There is a key of it only while a client uses it.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// The `alg` value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The `kty` value (RFC 7518 §6.1, RFC 8037 §2).
    pub const fn key_type(self) -> &'static str {
        match self {
            Self::Es256 => "EC",
            Self::Rs256 => "RSA",
            Self::EdDsa => "OKP",
        }
    }

    /// From an `alg` value.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ES256" => Some(Self::Es256),
            "RS256" => Some(Self::Rs256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A private key in PKCS#8 (RFC 5208); wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// The DER bytes, for the one place that loads them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for PrivateKey {
    fn from(der: Vec<u8>) -> Self {
        Self(Zeroizing::new(der))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

impl Serialize for PrivateKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(&*self.0)))
    }
}

impl<'de> Deserialize<'de> for PrivateKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        URL_SAFE_NO_PAD.decode(&*text).map(Self::from).map_err(|_| {
            let other = Unexpected::Other("another text");
            de::Error::invalid_value(other, &"a key in base64url")
        })
    }
}

/// A signing key. What it is doing at a moment follows from its dates (`crypto::rotation::state`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// The JWK thumbprint (RFC 7638).
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The private half.
    pub private: PrivateKey,
    /// When it was made and published.
    pub created: Timestamp,
    /// From when it signs.
    pub active_from: Timestamp,
}
