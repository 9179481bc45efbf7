//! The id of a request: what a person who saw an error page quotes, and what ties it to the lines of the log and to the
//! audit log. Short, drawn by the server, never taken from the client: whoever could choose it could pass one request off
//! as another.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lower case and digits, without those that are taken for one another: `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 10;

/// 50 bits as ten characters. No secret, and no two alike but by chance.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; LENGTH]);

/// The text is no id of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestIdError;

impl fmt::Display for RequestIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of a request: expected ten letters and digits")
    }
}

impl std::error::Error for RequestIdError {}

thread_local! {
    /// A thread answers one request at a time.
    static CURRENT: Cell<Option<RequestId>> = const { Cell::new(None) };
}

impl RequestId {
    /// The next one. A count under a keyed hash, whose key the standard library draws: no call to the system for each
    /// request, and nobody can tell from theirs how many requests there were.
    pub fn next() -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self::of(KEY.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    fn of(mut bits: u64) -> Self {
        let mut text = [b'0'; LENGTH];
        for place in &mut text {
            let digit = usize::try_from(bits % 32).unwrap_or(0);
            *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
            bits /= 32;
        }
        Self(text)
    }

    /// Of the request that this thread answers.
    pub fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// Says which request this thread answers from now on; `None`: none.
    pub fn set_current(id: Option<Self>) {
        CURRENT.set(id);
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| RequestIdError)?;
        if bytes.iter().all(|byte| ALPHABET.contains(byte)) {
            Ok(Self(bytes))
        } else {
            Err(RequestIdError)
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_differ_and_do_not_follow_one_another() {
        let ids: Vec<RequestId> = (0..10_000).map(|_| RequestId::next()).collect();
        let different: HashSet<_> = ids.iter().copied().collect();
        assert_eq!(different.len(), ids.len());
        let mut sorted: Vec<_> = ids.iter().map(|id| id.0).collect();
        sorted.sort_unstable();
        let in_order = ids.iter().zip(&sorted).filter(|(id, at)| id.0 == **at);
        assert!(in_order.count() < 100);
        for id in &ids {
            assert_eq!(id.to_string().parse(), Ok(*id));
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "0123456789a",
            "01234ABCDE",
            "01234\n6789",
            "0123456789\n",
        ] {
            assert_eq!(text.parse::<RequestId>(), Err(RequestIdError), "{text:?}");
        }
    }

    #[test]
    fn each_thread_has_its_own() {
        let id = RequestId::next();
        RequestId::set_current(Some(id));
        let other = std::thread::spawn(RequestId::current).join();
        assert_eq!(other.ok(), Some(None));
        assert_eq!(RequestId::current(), Some(id));
        RequestId::set_current(None);
    }
}
