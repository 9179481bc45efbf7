//! Signatures, keys, password hashing, random bytes.
//! Owns: everything that ring, rsa and argon2 do for us. Not here: when a key rotates is decided in `rotation`, but who
//! stores it is `store`.

pub mod digest;
pub mod jwk;
pub mod jws;
pub mod keyring;
pub mod password;
pub mod random;
pub mod rotation;
pub mod seal;
pub mod strength;
