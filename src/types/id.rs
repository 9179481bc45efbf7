//! Ids: 48 bits of time, 80 random bits, written in 26 letters and digits.
//! Time-ordered, so that rows written together lie together in the file.

use super::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::fmt;
use std::str::FromStr;

/// Crockford's base 32, lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 26;

/// A 128-bit time-ordered id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id([u8; 16]);

/// The text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: expected 26 letters and digits")
    }
}

impl std::error::Error for IdError {}

impl Id {
    /// An id made at `now` from 80 fresh random bits.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        let time = now.millis().to_be_bytes();
        for (to, from) in bytes
            .iter_mut()
            .zip(time.iter().skip(2).chain(random.iter()))
        {
            *to = *from;
        }
        Self(bytes)
    }

    /// The smallest id of that moment: where a range over time begins.
    pub fn first_of(now: Timestamp) -> Self {
        Self::new(now, [0; 10])
    }

    /// From a key of the data file.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// As a key of the data file.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn text(self) -> [u8; TEXT_LENGTH] {
        let mut value = u128::from_be_bytes(self.0);
        let mut text = [b'0'; TEXT_LENGTH];
        for place in text.iter_mut().rev() {
            let digit = usize::try_from(value & 31).unwrap_or(0);
            *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
            value >>= 5;
        }
        text
    }

    /// When it was made, by the clock of that time.
    pub fn time(&self) -> Timestamp {
        let millis = self
            .0
            .iter()
            .take(6)
            .fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
        Timestamp::from_millis(millis)
    }
}

/// What a letter or digit of the alphabet stands for.
fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'h' => byte - b'a' + 10,
        b'j' | b'k' => byte - b'j' + 18,
        b'm' | b'n' => byte - b'm' + 20,
        b'p'..=b't' => byte - b'p' + 22,
        b'v'..=b'z' => byte - b'v' + 27,
        _ => return None,
    })
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        // 26 digits hold 130 bits: the first may be at most 7. One spelling only, so that ids compare as text.
        if text.len() != TEXT_LENGTH
            || text
                .as_bytes()
                .first()
                .is_none_or(|c| !(b'0'..=b'7').contains(c))
        {
            return Err(IdError);
        }
        let mut value: u128 = 0;
        for byte in text.bytes() {
            value = (value << 5) | u128::from(digit(byte).ok_or(IdError)?);
        }
        Ok(Self(value.to_be_bytes()))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.text()) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Err(ser::Error::custom(IdError)),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id of 26 letters and digits")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl ClientId {
    /// The key of the data file for a client whose `client_id` is a text: of a hash under `label`, so that texts of one
    /// sort never have the keys of another. Two texts could be made to have one key: who finds a record by it still
    /// compares the whole (`View::client_on_wire`).
    pub(super) fn of_text(label: &[u8], text: &str) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        context.update(label);
        context.update(text.as_bytes());
        let digest = context.finish();
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(Id::from_bytes(key))
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Id);

        impl $name {
            /// As a key of the data file.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map($name)
            }
        }
    )*};
}

ids! {
    /// A `client_id` (RFC 6749 §2.2).
    ClientId,
    /// A user; also the `sub` of their tokens (OpenID Connect Core §2).
    UserId,
    /// A browser's session; also the `sid` of its ID tokens.
    SessionId,
    /// One authorization and all that was issued from it: a family of tokens.
    GrantId,
    /// The selector of a refresh token.
    RefreshTokenId,
    /// The `jti` of an access token that belongs to no grant, and the own part of one that does.
    TokenId,
    /// The selector of a one-time link.
    LinkId,
    /// An initial access token: leave to register an application.
    InitialTokenId,
    /// A logout token on its way to an application.
    DeliveryId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_letter_and_digit_stands_for_its_place_in_the_alphabet() {
        for byte in 0..=u8::MAX {
            let place = ALPHABET.iter().position(|c| *c == byte);
            assert_eq!(digit(byte).map(usize::from), place, "{byte}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(bytes: [u8; 16]) {
            let id = Id::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<Id>(), Ok(id));
        }

        #[test]
        fn order_of_text_is_order_of_keys(a: [u8; 16], b: [u8; 16]) {
            let (a, b) = (Id::from_bytes(a), Id::from_bytes(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text: String) {
            if let Ok(id) = text.parse::<Id>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn an_id_remembers_its_moment() {
        let now = Timestamp::from_millis(1_795_000_000_123);
        assert_eq!(Id::new(now, [7; 10]).time(), now);
    }
}
