//! JSON objects from strangers. A member that stands twice is an error: two readers of one text must not see two
//! things (RFC 8725 §3.10 in spirit, RFC 7515 §4 and RFC 7519 §4 for JOSE headers and claims). Depth is bounded.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// How deep arrays and objects may stand in one another.
const DEEPEST: usize = 16;

/// Not an object, not JSON, a member twice, or nested too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnObject;

/// The object that `bytes` are.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, NotAnObject> {
    parse_object_within(bytes, DEEPEST)
}

/// The same, where arrays and objects may stand so deep in one another.
pub fn parse_object_within(
    bytes: &[u8],
    deepest: usize,
) -> Result<Map<String, Value>, NotAnObject> {
    match parse(bytes, deepest) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(NotAnObject),
    }
}

/// Any value, read as strictly.
///
/// # Errors
/// They say where it is no JSON, where a member stands twice, or where it is nested too deep, and quote nothing.
pub fn parse(bytes: &[u8], deepest: usize) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict(deepest).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads one value, with so many levels left.
struct Strict(usize);

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    fn below<E: de::Error>(&self) -> Result<usize, E> {
        self.0
            .checked_sub(1)
            .ok_or_else(|| E::custom("it is nested too deep"))
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Strict(below))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Strict(below))?;
            if object.insert(name, value).is_some() {
                return Err(de::Error::custom("a member of it stands twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_is_an_object_is_read_as_serde_reads_it() {
        let value = json!({ "a": [1, -2, 1.5, true, null, "é"], "b": { "c": {} } });
        let read = parse_object(value.to_string().as_bytes());
        assert_eq!(read.map(Value::Object), Ok(value));
    }

    #[test]
    fn a_member_twice_at_any_depth_and_trailing_text_are_refused() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"c":2,"b":3}}"#,
            r#"{"a":[{"b":1,"b":1}]}"#,
            r#"{"a":1} {}"#,
            r#"{"a":1"#,
            "[]",
            "1",
            "",
        ] {
            assert_eq!(parse_object(text.as_bytes()), Err(NotAnObject), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_object(deep(DEEPEST - 1).as_bytes()).is_ok());
        assert_eq!(parse_object(deep(DEEPEST).as_bytes()), Err(NotAnObject));
        assert_eq!(parse_object(deep(60_000).as_bytes()), Err(NotAnObject));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if parse_object(&bytes).is_ok() {
                prop_assert!(serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok());
            }
        }
    }
}
