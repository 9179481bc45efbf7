//! JSON of strangers against a reader that sees every member, also one that stands twice: the strict one takes exactly
//! the objects without such a member and within its depth (RFC 7515 §4, RFC 8725 §3.10).

use doorlight::types::strict_json::parse_object;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

const DEEPEST: usize = 16;

pub fn run(data: &[u8]) {
    let strict = parse_object(data);
    let seen = serde_json::from_slice::<Seen>(data).ok();
    let expected = seen.as_ref().is_some_and(|seen| {
        matches!(seen, Seen::Object(_)) && !seen.repeats() && seen.depth() <= DEEPEST
    });
    assert_eq!(
        strict.is_ok(),
        expected,
        "{:?}",
        String::from_utf8_lossy(data)
    );
    // Fractions are read to within their last digit, which need not come back.
    if let Ok(object) = strict
        && seen.is_some_and(|seen| !seen.has_fraction())
    {
        let text = serde_json::to_vec(&object).unwrap_or_default();
        assert_eq!(parse_object(&text), Ok(object), "another object");
    }
}

enum Seen {
    Plain,
    Fraction,
    Array(Vec<Seen>),
    Object(Vec<(String, Seen)>),
}

impl Seen {
    fn repeats(&self) -> bool {
        match self {
            Self::Plain | Self::Fraction => false,
            Self::Array(items) => items.iter().any(Self::repeats),
            Self::Object(members) => {
                let names: HashSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                names.len() < members.len() || members.iter().any(|(_, value)| value.repeats())
            }
        }
    }

    fn has_fraction(&self) -> bool {
        match self {
            Self::Plain => false,
            Self::Fraction => true,
            Self::Array(items) => items.iter().any(Self::has_fraction),
            Self::Object(members) => members.iter().any(|(_, value)| value.has_fraction()),
        }
    }

    fn depth(&self) -> usize {
        let below = match self {
            Self::Plain | Self::Fraction => return 0,
            Self::Array(items) => items.iter().map(Self::depth).max(),
            Self::Object(members) => members.iter().map(|(_, value)| value.depth()).max(),
        };
        1 + below.unwrap_or(0)
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Seen, E> {
        Ok(Seen::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Seen, E> {
        Ok(Seen::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Fraction)
    }

    fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
        Ok(Seen::Plain)
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Plain)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        let mut seen = Vec::new();
        while let Some(item) = items.next_element()? {
            seen.push(item);
        }
        Ok(Seen::Array(seen))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Seen, A::Error> {
        let mut seen = Vec::new();
        while let Some(member) = members.next_entry()? {
            seen.push(member);
        }
        Ok(Seen::Object(seen))
    }
}
