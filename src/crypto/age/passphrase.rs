//! The passphrase recipient: scrypt makes a key of it, and each guess costs that again.
//! <https://age-encryption.org/v1> "The scrypt recipient type"; RFC 7914.

use super::header::{Stanza, base64, from_base64};
use super::{AgeError, FileKey};
use crate::crypto::random;
use crate::types::Secret;
use scrypt::Params;
use zeroize::Zeroizing;

pub(super) const KIND: &str = "scrypt";
const LABEL: &[u8] = b"age-encryption.org/v1/scrypt";

/// The base-2 logarithm of the work for a file of ours: 128 MiB, what scrypt's authors of today recommend.
const WORK: u8 = 17;
/// The most that is done for a file that comes from outside: 256 MiB, what the public tool writes.
const MOST_WORK: u8 = 18;

/// A stanza that the passphrase unwraps.
pub(super) fn wrap(file_key: &FileKey, passphrase: &Secret) -> Result<Stanza, AgeError> {
    let salt: [u8; 16] = random::bytes();
    let key = derive(passphrase, &salt, WORK)?;
    Ok(Stanza {
        arguments: vec![KIND.to_owned(), base64(&salt), WORK.to_string()],
        body: super::stream::seal_file_key(&key, file_key)?,
    })
}

/// The file key, if this is the passphrase.
pub(super) fn unwrap(stanzas: &[Stanza], passphrase: &Secret) -> Result<Option<FileKey>, AgeError> {
    let [stanza] = stanzas else {
        return Err(AgeError::Header("a passphrase beside another recipient"));
    };
    let (salt, work, wrapped) = parse(stanza)?;
    let key = derive(passphrase, &salt, work)?;
    Ok(super::stream::open_file_key(&key, wrapped))
}

/// `-> scrypt salt work`: 16 bytes; a decimal number without sign or leading zero; and a body of 32 bytes. Work past the
/// bound is refused here, before any of it is done.
pub(super) fn parse(stanza: &Stanza) -> Result<([u8; 16], u8, [u8; 32]), AgeError> {
    let [_, salt, work] = stanza.arguments.as_slice() else {
        return Err(AgeError::Header("a passphrase's arguments"));
    };
    let salt = from_base64(salt)
        .and_then(|salt| salt.try_into().ok())
        .ok_or(AgeError::Header("a passphrase's salt"))?;
    let wrapped = stanza
        .body
        .as_slice()
        .try_into()
        .map_err(|_| AgeError::Header("a passphrase's file key"))?;
    if work.starts_with('0') || !work.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AgeError::Header("a passphrase's work"));
    }
    let asked: u64 = work
        .parse()
        .map_err(|_| AgeError::Header("a passphrase's work"))?;
    match u8::try_from(asked) {
        Ok(work) if work <= MOST_WORK => Ok((salt, work, wrapped)),
        _ => Err(AgeError::TooMuchWork(asked, MOST_WORK)),
    }
}

/// scrypt with N = 2^`work`, r = 8, p = 1: `work` KiB times 2^`work`.
fn derive(passphrase: &Secret, salt: &[u8; 16], work: u8) -> Result<Zeroizing<[u8; 32]>, AgeError> {
    let unusable = AgeError::Header("a passphrase's work");
    let Ok(params) = Params::new(work, 8, 1) else {
        return Err(unusable);
    };
    let salt = [LABEL, salt].concat();
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(
        passphrase.expose().as_bytes(),
        &salt,
        &params,
        key.as_mut_slice(),
    )
    .map_err(|_| unusable)?;
    Ok(key)
}
