//! PBKDF2 (RFC 8018 §5.2), for hashes that other servers made: they are checked here, and none is made.
//! Kept as PHC strings, `$pbkdf2-sha512$i=310000$SALT$HASH`, both parts in base64 without padding.
//! Owns: what one check may cost. Not here: how other servers write the same (`server::administration::transfer::foreign`).

use crate::types::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::num::NonZeroU32;

/// On a Raspberry Pi that is about two seconds with either hash. The OWASP Password Storage Cheat Sheet asks for 210,000
/// with SHA-512 and 600,000 with SHA-256.
pub const MOST_ITERATIONS: u32 = 1_500_000;

/// Shorter ones would match by chance.
const LEAST_HASH: usize = 16;
const SALT: std::ops::RangeInclusive<usize> = 1..=128;

/// What it is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Hash {
    const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// Its name in a PHC string.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }

    /// That of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.as_str() == name)
    }

    fn algorithm(self) -> ring::pbkdf2::Algorithm {
        match self {
            Self::Sha256 => ring::pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => ring::pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    /// Bytes of one block.
    const fn block(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A hash of a password or secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Pbkdf2 {
    hash: Hash,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    derived: Vec<u8>,
}

impl Pbkdf2 {
    /// From its parts; `None` where a check would cost too much or prove too little. Only the first block of what was
    /// derived is kept: each further one would cost as much again, and 256 bits are enough to compare.
    pub fn new(hash: Hash, iterations: u64, salt: Vec<u8>, mut derived: Vec<u8>) -> Option<Self> {
        let iterations = NonZeroU32::new(u32::try_from(iterations).ok()?)?;
        derived.truncate(hash.block());
        let bounded = iterations.get() <= MOST_ITERATIONS && SALT.contains(&salt.len());
        (bounded && derived.len() >= LEAST_HASH).then_some(Self {
            hash,
            iterations,
            salt,
            derived,
        })
    }

    /// Reads a PHC string, under the same conditions.
    pub fn parse(phc: &str) -> Option<Self> {
        let mut parts = phc.strip_prefix('$')?.split('$');
        let mut part = || parts.next();
        let (name, iterations, salt, derived) = (part()?, part()?, part()?, part()?);
        if part().is_some() {
            return None;
        }
        let iterations = iterations.strip_prefix("i=")?;
        if !iterations.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::new(
            Hash::named(name)?,
            iterations.parse().ok()?,
            STANDARD_NO_PAD.decode(salt).ok()?,
            STANDARD_NO_PAD.decode(derived).ok()?,
        )
    }

    /// The PHC string.
    pub fn phc(&self) -> String {
        format!(
            "${}$i={}${}${}",
            self.hash.as_str(),
            self.iterations,
            STANDARD_NO_PAD.encode(&self.salt),
            STANDARD_NO_PAD.encode(&self.derived)
        )
    }

    /// Whether it is of that password. Takes as long for a wrong one.
    pub fn is_of(&self, password: &Secret) -> bool {
        let (algorithm, typed) = (self.hash.algorithm(), password.expose().as_bytes());
        ring::pbkdf2::verify(algorithm, self.iterations, &self.salt, typed, &self.derived).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    /// RFC 7914 §11 has vectors for SHA-256; those of SHA-512 are widely published.
    #[test]
    fn published_vectors_match() {
        for (hash, password, salt, iterations, derived) in [
            (
                Hash::Sha256,
                "passwd",
                "salt",
                1,
                "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
                 49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
            ),
            (
                Hash::Sha512,
                "password",
                "salt",
                2,
                "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53c\
                 f76cab2868a39b9f7840edce4fef5a82be67335c77a6068e04112754f27ccf4e",
            ),
        ] {
            let derived = bytes(derived);
            let salt = salt.as_bytes().to_vec();
            let kept = Pbkdf2::new(hash, iterations, salt, derived).unwrap();
            assert!(kept.is_of(&secret(password)), "{hash:?}");
            assert!(!kept.is_of(&secret("passwor")), "{hash:?}");
            assert!(Pbkdf2::parse(&kept.phc()) == Some(kept));
        }
    }

    #[test]
    fn what_would_cost_too_much_or_prove_too_little_is_no_hash() {
        let with = |iterations: &str, salt: &str, derived: &str| {
            Pbkdf2::parse(&format!("$pbkdf2-sha512$i={iterations}${salt}${derived}")).is_some()
        };
        let (salt, derived) = ("c2FsdHNhbHQ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert!(with("310000", salt, derived) && with("1500000", salt, derived));
        for iterations in [
            "0",
            "1500001",
            "1000000000",
            "4294967296",
            "99999999999999999999",
            "-1",
            "+5",
            "",
            " 5",
        ] {
            assert!(!with(iterations, salt, derived), "{iterations}");
        }
        assert!(!with("5", "", derived) && !with("5", salt, "AAAA") && !with("5", salt, ""));
        assert!(!with("5", &"AAAA".repeat(50), derived) && !with("5", "!", derived));
        for other in [
            "$pbkdf2$i=5$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$pbkdf2-sha512$i=5$c2FsdA",
            "$pbkdf2-sha512$i=5$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$x",
            "$pbkdf2-sha512$5$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "",
        ] {
            assert!(Pbkdf2::parse(other).is_none(), "{other}");
        }
    }
}
