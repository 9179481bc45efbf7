//! Hashes as other servers write them, and as PHC strings that `crypto::password` checks.
//! Owns: which kinds are kept. A kind that is not kept is named, and its hash is in no message.

use crate::crypto::password;
use crate::crypto::pbkdf2::{Hash, Pbkdf2};
use crate::types::Phc;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::Value;

/// What a hash is called that is not kept.
pub type Kind = &'static str;

/// Of something that is not known.
pub const UNKNOWN: Kind = "an unknown kind";
const OTHER_PBKDF2: Kind = "PBKDF2 with another hash than SHA-256 and SHA-512";
const DEAR_PBKDF2: Kind = "PBKDF2 that costs more than a check may here";
const DEAR_ARGON2: Kind = "Argon2 that costs more than a check may here";

/// A digest of Authelia (go-crypt), as it stands in `password` and `client_secret`.
pub fn authelia(digest: &str) -> Result<Phc, Kind> {
    let name = digest.split('$').nth(1).unwrap_or_default();
    match name {
        "argon2id" | "argon2i" | "argon2d" => {
            let affordable = password::is_affordable(digest);
            let kept = affordable.then(|| Phc::new(digest.to_owned()));
            kept.ok_or(DEAR_ARGON2)
        }
        "pbkdf2-sha512" | "pbkdf2-sha256" => pbkdf2(digest),
        "pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha224" | "pbkdf2-sha384" => Err(OTHER_PBKDF2),
        "6" | "5" => Err("SHA-crypt"),
        "2a" | "2b" | "2x" | "2y" | "bcrypt" | "bcrypt-sha256" => Err("bcrypt"),
        "scrypt" | "yescrypt" | "y" => Err("scrypt"),
        _ => Err(UNKNOWN),
    }
}

/// `$pbkdf2-sha512$310000$SALT$HASH`.
fn pbkdf2(digest: &str) -> Result<Phc, Kind> {
    let parts: Vec<&str> = digest.split('$').collect();
    let [_, name, iterations, salt, derived] = parts.as_slice() else {
        return Err(UNKNOWN);
    };
    let hash = Hash::named(name).ok_or(UNKNOWN)?;
    let digits = iterations.bytes().all(|byte| byte.is_ascii_digit());
    let iterations = iterations
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or(DEAR_PBKDF2)?;
    // With `.` for `+`, as passlib began it.
    let decoded = |text: &str| {
        let text = text.replace('.', "+");
        STANDARD_NO_PAD.decode(text).map_err(|_| UNKNOWN)
    };
    let kept = Pbkdf2::new(hash, iterations, decoded(salt)?, decoded(derived)?);
    kept.map(|kept| Phc::new(kept.phc())).ok_or(DEAR_PBKDF2)
}

/// A password of Keycloak: what stands in the `credentialData` and `secretData` of a credential.
pub fn keycloak(data: &Value, secret: &Value) -> Result<Phc, Kind> {
    let bytes = |member: &str| {
        let text = secret.get(member).and_then(Value::as_str);
        text.and_then(|text| STANDARD.decode(text).ok())
            .ok_or(UNKNOWN)
    };
    let (salt, derived) = (bytes("salt")?, bytes("value")?);
    let iterations = data
        .get("hashIterations")
        .and_then(Value::as_u64)
        .ok_or(UNKNOWN)?;
    match data.get("algorithm").and_then(Value::as_str) {
        Some("argon2") => argon2(data, iterations, &salt, &derived),
        Some("pbkdf2") => Err(OTHER_PBKDF2),
        Some(name) => {
            let hash = Hash::named(name).ok_or(UNKNOWN)?;
            let kept = Pbkdf2::new(hash, iterations, salt, derived);
            kept.map(|kept| Phc::new(kept.phc())).ok_or(DEAR_PBKDF2)
        }
        None => Err(UNKNOWN),
    }
}

/// Its parameters are lists of one text each.
fn argon2(data: &Value, passes: u64, salt: &[u8], derived: &[u8]) -> Result<Phc, Kind> {
    let parameter = |name: &str| {
        let listed = data.get("additionalParameters")?.get(name)?;
        listed.get(0).unwrap_or(listed).as_str()
    };
    let number = |name: &str| parameter(name)?.parse::<u32>().ok();
    let kind = parameter("type").filter(|kind| matches!(*kind, "id" | "i" | "d"));
    let version = match parameter("version") {
        Some("1.3") => Some(19),
        Some("1.0") => Some(16),
        _ => None,
    };
    let parts = (kind, version, number("memory"), number("parallelism"));
    let (Some(kind), Some(version), Some(memory), Some(lanes)) = parts else {
        return Err(UNKNOWN);
    };
    let [salt, derived] = [salt, derived].map(|part| STANDARD_NO_PAD.encode(part));
    let phc = format!("$argon2{kind}$v={version}$m={memory},t={passes},p={lanes}${salt}${derived}");
    let affordable = password::is_affordable(&phc);
    affordable.then(|| Phc::new(phc)).ok_or(DEAR_ARGON2)
}
