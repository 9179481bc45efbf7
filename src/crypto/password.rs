//! Argon2id for passwords, kept as PHC strings. Those that came from another server may be PBKDF2 (`pbkdf2`), until their
//! owner signs in.
//! Parameters: m = 19 MiB, t = 2, p = 1, the first choice of the OWASP Password Storage Cheat Sheet that a
//! Raspberry Pi can bear (DESIGN §5).

use super::pbkdf2::Pbkdf2;
use crate::types::{Phc, Secret};
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};

/// KiB of memory a hash takes.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A stored hash names its own cost, and a file or an import may name any: what one check may take. Argon2's usual
/// settings are below both (RFC 9106 §4: 64 MiB and 3 passes); on a Raspberry Pi the dearest takes about two seconds.
const MOST_MEMORY_KIB: u32 = 128 * 1024;
/// KiB times passes, which is what the time grows with.
const MOST_WORK: u64 = 512 * 1024;

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
    /// It is not, or the stored text is no hash that is [affordable](is_affordable).
    Mismatch,
}

/// The hash could not be computed (out of memory, or the password is over 4 GiB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashError;

/// Hashes with today's parameters. Takes about 19 MiB and tens of milliseconds: see `server::hashing` for the gate.
pub fn hash(password: &Secret, salt: [u8; 16]) -> Result<Phc, HashError> {
    let hasher = argon2(MEMORY_KIB, PASSES, LANES).ok_or(HashError)?;
    let hash: PasswordHash = hasher
        .hash_password_with_salt(password.expose().as_bytes(), &salt)
        .map_err(|_| HashError)?;
    Ok(Phc::new(hash.to_string()))
}

/// Checks a password against a stored PHC string, with that string's own parameters.
pub fn verify(password: &Secret, phc: &str) -> Verdict {
    if let Some(other) = Pbkdf2::parse(phc) {
        return match other.is_of(password) {
            true => Verdict::Match { outdated: true },
            false => Verdict::Mismatch,
        };
    }
    let Some((parsed, params)) = affordable(phc) else {
        return Verdict::Mismatch;
    };
    match Argon2::default().verify_password(password.expose().as_bytes(), &parsed) {
        Ok(()) => Verdict::Match {
            outdated: is_outdated(&parsed, &params),
        },
        Err(_) => Verdict::Mismatch,
    }
}

/// Whether a PHC string is a hash that [`verify`] would compute: for hashes that come from elsewhere.
pub fn is_affordable(phc: &str) -> bool {
    affordable(phc).is_some() || Pbkdf2::parse(phc).is_some()
}

/// Whether to check a password against this hash takes more memory than a hash of ours.
pub fn takes_more_memory(phc: &str) -> bool {
    affordable(phc).is_some_and(|(_, params)| params.m_cost() > MEMORY_KIB)
}

/// How many bytes of memory it takes to check a password against this hash; none to speak of, where it is not Argon2's.
pub fn memory(phc: &str) -> u64 {
    affordable(phc).map_or(0, |(_, params)| u64::from(params.m_cost()) * 1024)
}

/// The one reading of the parameters: a text may have one of them twice.
fn affordable(phc: &str) -> Option<(PasswordHash, Params)> {
    let parsed = PasswordHash::new(phc).ok()?;
    Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
    let params = Params::try_from(&parsed).ok()?;
    let work = u64::from(params.m_cost()).checked_mul(u64::from(params.t_cost()))?;
    let bounded = params.m_cost() <= MOST_MEMORY_KIB && work <= MOST_WORK;
    (bounded && parsed.hash.is_some()).then_some((parsed, params))
}

/// Spends the time of [`verify`] on nothing, so that an unknown name takes as long as a known one.
pub fn verify_nobody(password: &Secret) {
    // The hash itself matters to nobody: its salt is zero and its password the empty string.
    let _ = hash(password, [0; 16]);
}

fn is_outdated(hash: &PasswordHash, params: &Params) -> bool {
    hash.algorithm.as_str() != "argon2id"
        || params.m_cost() < MEMORY_KIB
        || params.t_cost() < PASSES
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
        let phc = phc.expose();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_eq!(
            verify(&secret("correct horse"), phc),
            Verdict::Match { outdated: false }
        );
        assert_eq!(verify(&secret("correct hors"), phc), Verdict::Mismatch);
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

    /// Fuzzing found that a stored `m=4194304` made one sign-in take 4 GiB, and `t=4294967295` take years.
    #[test]
    fn a_hash_that_would_exhaust_the_machine_is_not_computed() {
        let hash = hash(&secret("pw"), [1; 16]).unwrap();
        let tail = hash.expose().rsplitn(3, '$').collect::<Vec<_>>();
        let with = |cost: &str| format!("$argon2id$v=19${cost}${}${}", tail[1], tail[0]);
        for (cost, affordable) in [
            ("m=19456,t=2,p=1", true),
            ("m=65536,t=3,p=4", true),
            ("m=131072,t=4,p=1", true),
            ("m=131072,t=5,p=1", false),
            ("m=131073,t=1,p=1", false),
            ("m=4194304,t=1,p=1", false),
            ("m=4294967295,t=4294967295,p=1", false),
            ("m=8,t=4294967295,p=1", false),
            ("m=8,t=1,p=2", false),
        ] {
            assert_eq!(is_affordable(&with(cost)), affordable, "{cost}");
            let more = affordable && cost != "m=19456,t=2,p=1";
            assert_eq!(takes_more_memory(&with(cost)), more, "{cost}");
            let memory = memory(&with(cost));
            assert_eq!(memory > u64::from(MEMORY_KIB) * 1024, more, "{cost}");
            assert!(memory <= u64::from(MOST_MEMORY_KIB) * 1024, "{cost}");
            if !affordable {
                assert_eq!(verify(&secret("pw"), &with(cost)), Verdict::Mismatch);
            }
        }
    }

    /// Fuzzing found that the first `m` told whether a hash was outdated, and the last one what it cost.
    #[test]
    fn a_parameter_that_stands_twice_is_read_once() {
        let weak = argon2(8 * 1024, 1, 1).unwrap();
        let phc: PasswordHash = weak.hash_password_with_salt(b"pw", &[1; 16]).unwrap();
        let twice = phc.to_string().replace("$m=8192,", "$m=65536,m=8192,");
        let expected = Verdict::Match { outdated: true };
        assert_eq!(verify(&secret("pw"), &twice), expected);
        let dear = phc.to_string().replace("$m=8192,", "$m=8192,m=4194304,");
        assert!(!is_affordable(&dear));
    }

    #[test]
    fn a_hash_of_another_kind_matches_and_is_outdated() {
        let salt = b"saltsalt".to_vec();
        let mut derived = [0; 32];
        let (algorithm, few) = (ring::pbkdf2::PBKDF2_HMAC_SHA256, std::num::NonZeroU32::MIN);
        ring::pbkdf2::derive(algorithm, few, &salt, b"pw", &mut derived);
        let hash = super::super::pbkdf2::Hash::Sha256;
        let phc = Pbkdf2::new(hash, 1, salt, derived.to_vec()).unwrap().phc();
        assert!(is_affordable(&phc));
        assert_eq!(
            verify(&secret("pw"), &phc),
            Verdict::Match { outdated: true }
        );
        assert_eq!(verify(&secret("px"), &phc), Verdict::Mismatch);
        assert!(!is_affordable(&phc.replace("i=1$", "i=1000000000$")));
    }

    #[test]
    fn text_that_is_no_hash_matches_nothing() {
        for phc in ["", "$", "$argon2id$v=19$m=19456,t=2,p=1$", "plain"] {
            assert_eq!(verify(&secret(phc), phc), Verdict::Mismatch);
        }
    }
}
