//! Argon2id for passwords, kept as PHC strings.
//! Parameters: m = 19 MiB, t = 2, p = 1, the first choice of the OWASP Password Storage Cheat Sheet that a
//! Raspberry Pi can bear (DESIGN §5).

use crate::types::Secret;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};

/// KiB of memory a hash takes.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a password must be, beside its strength.
pub const MAX_LENGTH: usize = 1024;

/// What checking a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password; `outdated` when the stored hash is weaker than today's parameters.
    Match {
        /// Hash again and store.
        outdated: bool,
    },
    /// It is not, or the stored text is no hash.
    Mismatch,
}

/// The hash could not be computed (out of memory, or the password is over 4 GiB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashError;

/// Hashes with today's parameters. Takes about 19 MiB and tens of milliseconds: see `server::hashing` for the gate.
pub fn hash(password: &Secret, salt: [u8; 16]) -> Result<String, HashError> {
    let hasher = argon2(MEMORY_KIB, PASSES, LANES).ok_or(HashError)?;
    let hash: PasswordHash = hasher
        .hash_password_with_salt(password.expose().as_bytes(), &salt)
        .map_err(|_| HashError)?;
    Ok(hash.to_string())
}

/// Checks a password against a stored PHC string, with that string's own parameters.
pub fn verify(password: &Secret, phc: &str) -> Verdict {
    let Ok(parsed) = PasswordHash::new(phc) else {
        return Verdict::Mismatch;
    };
    match Argon2::default().verify_password(password.expose().as_bytes(), &parsed) {
        Ok(()) => Verdict::Match {
            outdated: is_outdated(&parsed),
        },
        Err(_) => Verdict::Mismatch,
    }
}

/// Spends the time of [`verify`] on nothing, so that an unknown name takes as long as a known one.
pub fn verify_nobody(password: &Secret) {
    // The hash itself matters to nobody: its salt is zero and its password the empty string.
    let _ = hash(password, [0; 16]);
}

fn is_outdated(hash: &PasswordHash) -> bool {
    let number = |name: &str| hash.params.get_decimal(name).unwrap_or(0);
    hash.algorithm.as_str() != "argon2id" || number("m") < MEMORY_KIB || number("t") < PASSES
}

fn argon2(memory: u32, passes: u32, lanes: u32) -> Option<Argon2<'static>> {
    let params = Params::new(memory, passes, lanes, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn the_right_password_matches_and_no_other() {
        let phc = hash(&secret("correct horse"), [3; 16]).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_eq!(
            verify(&secret("correct horse"), &phc),
            Verdict::Match { outdated: false }
        );
        assert_eq!(verify(&secret("correct hors"), &phc), Verdict::Mismatch);
    }

    #[test]
    fn a_weaker_hash_matches_and_is_outdated() {
        let weak = argon2(8 * 1024, 1, 1).unwrap();
        let phc: PasswordHash = weak.hash_password_with_salt(b"pw", &[1; 16]).unwrap();
        assert_eq!(
            verify(&secret("pw"), &phc.to_string()),
            Verdict::Match { outdated: true }
        );
    }

    #[test]
    fn text_that_is_no_hash_matches_nothing() {
        for phc in ["", "$", "$argon2id$v=19$m=19456,t=2,p=1$", "plain"] {
            assert_eq!(verify(&secret(phc), phc), Verdict::Mismatch);
        }
    }
}
