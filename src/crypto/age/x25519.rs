//! The X25519 recipient: anyone with the public key encrypts, the holder of the private one opens.
//! <https://age-encryption.org/v1> "The X25519 recipient type"; RFC 7748 §5.

use super::bech32::{self, Case};
use super::header::{Stanza, base64, from_base64};
use super::{AgeError, FileKey, derive};
use crate::crypto::random;
use crate::types::Secret;
use std::fmt;
use std::str::FromStr;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

pub(super) const KIND: &str = "X25519";
const LABEL: &[u8] = b"age-encryption.org/v1/X25519";
const RECIPIENT: &str = "age";
const IDENTITY: &str = "age-secret-key-";

/// A public key: `age1…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(PublicKey);

/// A private key: `AGE-SECRET-KEY-1…`. Wiped when dropped.
#[derive(Clone)]
pub struct Identity(StaticSecret);

impl Recipient {
    /// A stanza that its identity unwraps, with a fresh key of its own: two files to one recipient have nothing in
    /// common, and no stanza tells whose it is.
    pub(super) fn wrap(&self, file_key: &FileKey) -> Result<Stanza, AgeError> {
        let fresh = StaticSecret::from(*Zeroizing::new(random::bytes()));
        let share = PublicKey::from(&fresh);
        let key = wrapping_key(&fresh, &self.0, &share, &self.0)?;
        Ok(Stanza {
            arguments: vec![KIND.to_owned(), base64(share.as_bytes())],
            body: super::stream::seal_file_key(&key, file_key)?,
        })
    }
}

impl Identity {
    /// A fresh one.
    pub fn generate() -> Self {
        Self(StaticSecret::from(*Zeroizing::new(random::bytes())))
    }

    /// What to encrypt to.
    pub fn recipient(&self) -> Recipient {
        Recipient(PublicKey::from(&self.0))
    }

    /// The text that its owner keeps.
    pub fn text(&self) -> Secret {
        let bytes = Zeroizing::new(self.0.to_bytes());
        Secret::new(bech32::encode(IDENTITY, &bytes, Case::Upper))
    }

    /// The file key, if one of the stanzas is for this identity.
    pub(super) fn unwrap(&self, stanzas: &[Stanza]) -> Result<Option<FileKey>, AgeError> {
        let own = PublicKey::from(&self.0);
        for stanza in stanzas.iter().filter(|stanza| stanza.kind() == KIND) {
            let (share, wrapped) = parse(stanza)?;
            let key = wrapping_key(&self.0, &share, &share, &own)?;
            if let Some(file_key) = super::stream::open_file_key(&key, wrapped) {
                return Ok(Some(file_key));
            }
        }
        Ok(None)
    }
}

/// `-> X25519 share`: one argument of 32 bytes, and a body of 32 bytes.
pub(super) fn parse(stanza: &Stanza) -> Result<(PublicKey, [u8; 32]), AgeError> {
    let [_, share] = stanza.arguments.as_slice() else {
        return Err(AgeError::Header("an X25519 recipient's arguments"));
    };
    let share: [u8; 32] = from_base64(share)
        .and_then(|share| share.try_into().ok())
        .ok_or(AgeError::Header("an X25519 recipient's share"))?;
    let wrapped = stanza
        .body
        .as_slice()
        .try_into()
        .map_err(|_| AgeError::Header("an X25519 recipient's file key"))?;
    Ok((PublicKey::from(share), wrapped))
}

/// The key between `secret` and `theirs`, bound to the two public keys.
fn wrapping_key(
    secret: &StaticSecret,
    theirs: &PublicKey,
    share: &PublicKey,
    recipient: &PublicKey,
) -> Result<Zeroizing<[u8; 32]>, AgeError> {
    let shared = secret.diffie_hellman(theirs);
    // RFC 7748 §6.1: a point of low order gives zeros whoever holds the key.
    if !shared.was_contributory() {
        return Err(AgeError::Header("an X25519 share of low order"));
    }
    let salt = [*share.as_bytes(), *recipient.as_bytes()].concat();
    let mut key = Zeroizing::new([0; 32]);
    derive(shared.as_bytes(), &salt, LABEL, &mut key)?;
    Ok(key)
}

/// Why a text is no recipient or no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not of the form, or mistyped: the checksum finds it.
    Malformed,
    /// A private key, where a public one belongs.
    Private,
    /// A public key, where a private one belongs.
    Public,
    /// A kind that Doorlight does not know: of a plugin, an SSH or a post-quantum key.
    OtherKind,
}

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match bech32::decode(RECIPIENT, text, Case::Lower) {
            // A key that nobody holds would make backups that nobody opens.
            Some(bytes)
                if StaticSecret::from([1; 32])
                    .diffie_hellman(&PublicKey::from(*bytes))
                    .was_contributory() =>
            {
                Ok(Self(PublicKey::from(*bytes)))
            }
            Some(_) => Err(KeyError::Malformed),
            None if text.to_ascii_uppercase().starts_with("AGE-") => Err(KeyError::Private),
            None if other_kind(text) => Err(KeyError::OtherKind),
            None => Err(KeyError::Malformed),
        }
    }
}

impl FromStr for Identity {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match bech32::decode(IDENTITY, text, Case::Upper) {
            Some(bytes) => Ok(Self(StaticSecret::from(*bytes))),
            None if text.starts_with("age1") => Err(KeyError::Public),
            None if text.starts_with("AGE-") && !text.starts_with("AGE-SECRET-KEY-1") => {
                Err(KeyError::OtherKind)
            }
            None => Err(KeyError::Malformed),
        }
    }
}

/// `age1pq1…` and `age1name1…`: the letter 1 is none of a key's own. `ssh-…`: a key of another program.
fn other_kind(text: &str) -> bool {
    text.starts_with("ssh-")
        || text
            .strip_prefix("age1")
            .is_some_and(|rest| rest.contains('1'))
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32::encode(RECIPIENT, self.0.as_bytes(), Case::Lower))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "this is no key of the age format, or it is mistyped",
            Self::Private => {
                "this is a private key: encrypt to the public one, which begins with age1, and keep this one secret"
            }
            Self::Public => "this is a public key: the private one, which begins with AGE-SECRET-KEY-1, opens the file",
            Self::OtherKind => {
                "this is a key of a plugin, of SSH or of the post-quantum kind; only plain age keys are known here"
            }
        })
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    // From the published test vectors.
    const PRIVATE: &str =
        "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

    #[test]
    fn keys_are_text_and_back() {
        let identity: Identity = PRIVATE.parse().unwrap();
        assert_eq!(identity.text().expose(), PRIVATE);
        let public = identity.recipient().to_string();
        assert_eq!(public.parse(), Ok(identity.recipient()));
        let fresh = Identity::generate();
        assert_ne!(fresh.recipient(), identity.recipient());
        assert_eq!(
            fresh
                .text()
                .expose()
                .parse::<Identity>()
                .unwrap()
                .recipient(),
            fresh.recipient()
        );
    }

    #[test]
    fn a_private_key_is_never_taken_for_a_recipient() {
        assert_eq!(PRIVATE.parse::<Recipient>(), Err(KeyError::Private));
        assert_eq!(
            PRIVATE.to_lowercase().parse::<Recipient>(),
            Err(KeyError::Private)
        );
        let public = Identity::generate().recipient().to_string();
        assert_eq!(public.parse::<Identity>().err(), Some(KeyError::Public));
    }

    #[test]
    fn a_mistyped_key_is_refused() {
        let public = Identity::generate().recipient().to_string();
        for at in 4..public.len() {
            let other = if public.as_bytes()[at] == b'q' {
                "p"
            } else {
                "q"
            };
            let mut mistyped = public.clone();
            mistyped.replace_range(at..=at, other);
            assert_eq!(mistyped.parse::<Recipient>(), Err(KeyError::Malformed));
        }
        for (text, why) in [
            ("", KeyError::Malformed),
            ("age1", KeyError::Malformed),
            ("ssh-ed25519 AAAA", KeyError::OtherKind),
            ("age1yubikey1qqqq", KeyError::OtherKind),
            ("age1pq1qqqq", KeyError::OtherKind),
        ] {
            assert_eq!(text.parse::<Recipient>(), Err(why), "{text}");
        }
    }

    #[test]
    fn a_recipient_that_anyone_could_open_is_refused() {
        let zeros = bech32::encode(RECIPIENT, &[0; 32], Case::Lower);
        assert_eq!(zeros.parse::<Recipient>(), Err(KeyError::Malformed));
    }

    #[test]
    fn an_identity_does_not_print_itself() {
        let identity = Identity::generate();
        assert_eq!(format!("{identity:?}"), "Identity(…)");
    }
}
