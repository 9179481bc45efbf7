//! Hashes as other servers write them, and as PHC strings that `crypto::password` checks.
//! Owns: which kinds are kept. A kind that is not kept is named, and its hash is in no message.

use crate::crypto::password;
use crate::crypto::pbkdf2::{Hash, Pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// What a hash is called that is not kept.
pub type Kind = &'static str;

/// A digest of Authelia (go-crypt), as it stands in `password` and `client_secret`.
pub fn authelia(digest: &str) -> Result<String, Kind> {
    let name = digest.split('$').nth(1).unwrap_or_default();
    match name {
        "argon2id" | "argon2i" | "argon2d" => {
            let affordable = password::is_affordable(digest);
            let kept = affordable.then(|| digest.to_owned());
            kept.ok_or("Argon2 that costs more than a check may here")
        }
        "pbkdf2-sha512" | "pbkdf2-sha256" => pbkdf2(digest),
        "pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha224" | "pbkdf2-sha384" => {
            Err("PBKDF2 with another hash than SHA-256 and SHA-512")
        }
        "6" | "5" => Err("SHA-crypt"),
        "2a" | "2b" | "2x" | "2y" | "bcrypt" | "bcrypt-sha256" => Err("bcrypt"),
        "scrypt" | "yescrypt" | "y" => Err("scrypt"),
        _ => Err("an unknown kind"),
    }
}

/// `$pbkdf2-sha512$310000$SALT$HASH`.
fn pbkdf2(digest: &str) -> Result<String, Kind> {
    const COSTS: Kind = "PBKDF2 that costs more than a check may here";
    let parts: Vec<&str> = digest.split('$').collect();
    let [_, name, iterations, salt, derived] = parts.as_slice() else {
        return Err("an unknown kind");
    };
    let hash = Hash::named(name).ok_or("an unknown kind")?;
    let digits = iterations.bytes().all(|byte| byte.is_ascii_digit());
    let iterations = iterations.parse().ok().filter(|_| digits).ok_or(COSTS)?;
    // With `.` for `+`, as passlib began it.
    let decoded = |text: &str| {
        let text = text.replace('.', "+");
        STANDARD_NO_PAD.decode(text).map_err(|_| "an unknown kind")
    };
    let kept = Pbkdf2::new(hash, iterations, decoded(salt)?, decoded(derived)?);
    kept.map(|kept| kept.phc()).ok_or(COSTS)
}
