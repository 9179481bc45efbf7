//! Signatures, keys, password hashing, random bytes.
//! Owns: everything that ring, rsa, argon2 and scrypt do for us. Not here: when a key rotates is decided in `rotation`, but who
//! stores it is `store`.

pub mod age;
pub mod compact;
pub mod digest;
pub mod jwk_set;
pub mod jws;
pub mod keyring;
pub mod password;
pub mod pbkdf2;
pub mod public_key;
pub mod random;
pub mod rotation;
pub mod seal;
pub mod strength;
pub mod x509;
