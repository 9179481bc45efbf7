//! Encrypted files in the age format, version 1 (<https://age-encryption.org/v1>): the public `age` tool opens what
//! this writes, and the other way round.
//! Owns: whom a file is encrypted to, what opens it, and the bounds on what a file may ask of the reader. Not here:
//! what is in the file (`store` knows backups), where keys and passphrases come from (`cli`, `server`).
//!
//! The header (`header`) names those who can open the file, each in a stanza: a public key (`x25519`) or a passphrase
//! (`passphrase`). A stanza wraps the file key, 16 random bytes; an HMAC under it binds the header, and a key derived
//! from it encrypts the content in chunks of 64 KiB (`stream`). Left out: ASCII armor, plugins, SSH keys and the
//! post-quantum recipients, which `age` itself can open and rewrite.

mod bech32;
mod header;
mod key_file;
mod passphrase;
mod stream;
mod x25519;

pub use header::Header;
pub use key_file::{KeyFileError, LONGEST as LONGEST_KEY_FILE};
pub use stream::{Decrypting, Encrypting};
pub use x25519::{Identity, KeyError, Recipient};

use crate::crypto::random;
use crate::types::Secret;
use header::Stanza;
use ring::{hkdf, hmac};
use std::fmt;
use std::io::{BufRead, Read, Write};
use zeroize::Zeroizing;

/// How many first bytes of a file tell whether it is encrypted.
pub const TELLING: u64 = 64;

/// How many recipients one file, and how many identities one key file may have.
pub const MOST_KEYS: usize = 64;

/// The key of one file. Whoever wraps or unwraps it is a recipient or an identity.
type FileKey = Zeroizing<[u8; 16]>;

/// To whom a file is encrypted. Never to both: a file with a passphrase has no other recipient.
#[derive(Clone, Debug)]
pub enum Lock {
    /// Whoever holds the identity of one of these. Never empty when it comes from [`Recipient::read_file`].
    Recipients(Vec<Recipient>),
    /// Whoever knows it.
    Passphrase(Secret),
}

/// What opens a file.
#[derive(Clone, Debug)]
pub enum Key {
    /// Each is tried with each stanza.
    Identities(Vec<Identity>),
    /// The one passphrase.
    Passphrase(Secret),
}

/// Why a file is not opened, or not written.
#[derive(Debug)]
pub enum AgeError {
    /// It does not begin as an age file does.
    NotAge,
    /// It is in ASCII armor, which is not read here.
    Armored,
    /// Its header breaks the format; what it breaks.
    Header(&'static str),
    /// Its header is longer than [`header::LONGEST`] bytes.
    HeaderTooLong,
    /// Its passphrase asks for more work than is done for a stranger's file: the base-2 logarithm, and the most.
    TooMuchWork(u64, u8),
    /// It is encrypted to a passphrase, and identities were given.
    NeedsPassphrase,
    /// It is encrypted to recipients, and a passphrase was given.
    NeedsIdentity,
    /// None of the identities, or not this passphrase.
    WrongKey,
    /// The header was changed after it was written.
    Tampered,
    /// Nobody to encrypt to, or more than [`MOST_KEYS`].
    Recipients,
    /// The content ends early, goes on too long, or was changed.
    Content,
    /// Reading or writing failed.
    Io(std::io::Error),
}

/// Starts a file: writes its header to `out`, and returns what takes the content. Not whole before
/// [`Encrypting::finish`]: a file that was left early does not open.
///
/// A passphrase costs 128 MiB and some tenths of a second here.
pub fn encrypt<W: Write>(lock: &Lock, mut out: W) -> Result<Encrypting<W>, AgeError> {
    let file_key: FileKey = Zeroizing::new(random::bytes());
    let stanzas = match lock {
        Lock::Passphrase(passphrase) => vec![passphrase::wrap(&file_key, passphrase)?],
        Lock::Recipients(recipients) => {
            if recipients.is_empty() || recipients.len() > MOST_KEYS {
                return Err(AgeError::Recipients);
            }
            recipients
                .iter()
                .map(|recipient| recipient.wrap(&file_key))
                .collect::<Result<Vec<Stanza>, AgeError>>()?
        }
    };
    let header_key = header_key(&file_key)?;
    let header = header::write(&stanzas, |covered| hmac::sign(&header_key, covered));
    let nonce: [u8; 16] = random::bytes();
    out.write_all(&header)?;
    out.write_all(&nonce)?;
    Ok(Encrypting::new(out, payload_key(&file_key, &nonce)?))
}

/// Reads the header of a file and, with the key that fits, returns its content: see [`Header::open`].
pub fn decrypt<R: BufRead>(mut input: R, key: &Key) -> Result<Decrypting<R>, AgeError> {
    Header::read(&mut input)?.open(input, key)
}

impl Header {
    /// With the key that fits, returns the content, which follows the header in `input`. It is known to be whole and
    /// unchanged only when it was read to its end without an error: use nothing of it before.
    ///
    /// A passphrase costs up to 256 MiB and a second.
    pub fn open<R: Read>(&self, mut input: R, key: &Key) -> Result<Decrypting<R>, AgeError> {
        let file_key = match (key, self.needs_passphrase()) {
            (Key::Passphrase(_), false) => return Err(AgeError::NeedsIdentity),
            (Key::Identities(_), true) => return Err(AgeError::NeedsPassphrase),
            (Key::Passphrase(passphrase), true) => passphrase::unwrap(self.stanzas(), passphrase)?,
            (Key::Identities(identities), false) => identities
                .iter()
                .find_map(|identity| identity.unwrap(self.stanzas()).transpose())
                .transpose()?,
        };
        let file_key = file_key.ok_or(AgeError::WrongKey)?;
        hmac::verify(&header_key(&file_key)?, self.covered(), self.mac())
            .map_err(|_| AgeError::Tampered)?;
        let mut nonce = [0; 16];
        input
            .read_exact(&mut nonce)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => AgeError::Header("it ends before its content"),
                _ => AgeError::Io(error),
            })?;
        Ok(Decrypting::new(input, payload_key(&file_key, &nonce)?))
    }
}

/// Whether these first bytes of a file are those of an age file, armored or not: [`TELLING`] of them tell.
pub fn looks_encrypted(first: &[u8]) -> bool {
    first.starts_with(header::VERSION_LINE.as_bytes()) || first.starts_with(header::ARMOR)
}

/// The key of the header's HMAC.
fn header_key(file_key: &FileKey) -> Result<hmac::Key, AgeError> {
    let mut key = Zeroizing::new([0; 32]);
    derive(file_key.as_slice(), &[], b"header", &mut key)?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
}

/// The key of the content.
fn payload_key(file_key: &FileKey, nonce: &[u8; 16]) -> Result<stream::ChunkKey, AgeError> {
    let mut key = Zeroizing::new([0; 32]);
    derive(file_key.as_slice(), nonce, b"payload", &mut key)?;
    stream::ChunkKey::new(&key)
}

/// HKDF-SHA-256 (RFC 5869).
fn derive(secret: &[u8], salt: &[u8], info: &[u8], out: &mut [u8; 32]) -> Result<(), AgeError> {
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(out))
        .map_err(|_| AgeError::Header("a key that cannot be derived"))
}

impl From<std::io::Error> for AgeError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for AgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAge => f.write_str("this is not an encrypted file of the age format"),
            Self::Armored => f.write_str(
                "this file is in text form (ASCII armor); turn it into the plain form first: \
                 age --decrypt, then encrypt again without --armor",
            ),
            Self::Header(what) => write!(f, "this encrypted file is damaged: {what}"),
            Self::HeaderTooLong => {
                write!(
                    f,
                    "the header of this encrypted file is longer than {} bytes",
                    header::LONGEST
                )
            }
            Self::TooMuchWork(asked, most) => write!(
                f,
                "the passphrase of this file asks for too much work: 2^{asked}, and at most 2^{most} is done"
            ),
            Self::NeedsPassphrase => {
                f.write_str("this file is encrypted to a passphrase, not to a key")
            }
            Self::NeedsIdentity => {
                f.write_str("this file is encrypted to a key, not to a passphrase")
            }
            Self::WrongKey => f.write_str("this file is encrypted to another key or passphrase"),
            Self::Tampered => f.write_str("the header of this encrypted file was changed"),
            Self::Recipients => write!(f, "give between 1 and {MOST_KEYS} recipients"),
            Self::Content => f.write_str("this encrypted file is cut short or was changed"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AgeError {}
