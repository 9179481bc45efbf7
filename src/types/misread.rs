//! Why a JSON value was not read as what it shall be: where in it, and what is expected there. serde_json says of a value in
//! memory no place, and quotes what stands there, which may be a secret.
//! Owns: the words, which hold names of members and nothing else of what was sent. Not here: whether it is JSON
//! (`strict_json`), what the members are (the types that are read).

use serde_json::{Map, Value};
use std::fmt;

/// The first thing that is wrong in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// Where, from the outside in; of a member that is missing or unknown, to its name.
    pub place: Vec<Step>,
    /// What.
    pub fault: Fault,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To a member of an object.
    Member(String),
    /// To one of a list, from 0.
    Item(usize),
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing stands there.
    Missing,
    /// There is no member of that name.
    Unknown,
    /// Something else is expected.
    Expected(String),
    /// It is refused: why, where that is known.
    Refused(Option<String>),
}

/// Characters of the name of a member that are shown.
const SHOWN: usize = 80;

impl Misread {
    /// Looks for what makes `read` fail with `error`: serde stops at the first member that is wrong, so that one alone gives
    /// the same error. `begun` has the members of the outermost object without which none is read.
    pub fn find(
        object: &Map<String, Value>,
        begun: &Map<String, Value>,
        error: &str,
        read: &dyn Fn(Map<String, Value>) -> Result<(), String>,
    ) -> Self {
        let gives = |members: Map<String, Value>| read(members).is_err_and(|other| other == error);
        let missing = named(error, "missing field `");
        let mut place = Vec::new();
        in_object(object, begun, missing.is_some(), &gives, &mut place);
        let fault = match missing {
            Some(name) => {
                place.push(Step::Member(name));
                Fault::Missing
            }
            None if named(error, "unknown field `").is_some() => Fault::Unknown,
            None => of_value(error),
        };
        Self { place, fault }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(n) => write!(f, "[{n}]"),
            Self::Member(name) => {
                let shown = name.chars().filter(|c| !c.is_control());
                f.write_str(&shown.take(SHOWN).collect::<String>())
            }
        }
    }
}

/// `a.b[1].c`.
pub fn path(place: &[Step]) -> String {
    let mut path = String::new();
    for step in place {
        if matches!(step, Step::Member(_)) && !path.is_empty() {
            path.push('.');
        }
        path.push_str(&step.to_string());
    }
    path
}

/// Appends the way to what is wrong in an object. One that is wrong as a whole gives the same error without its members.
fn in_object(
    object: &Map<String, Value>,
    begun: &Map<String, Value>,
    missing: bool,
    gives: &dyn Fn(Map<String, Value>) -> bool,
    place: &mut Vec<Step>,
) {
    if gives(begun.clone()) {
        return;
    }
    for (name, value) in object {
        let with = |value: Value| {
            let mut members = begun.clone();
            members.insert(name.clone(), value);
            gives(members)
        };
        // What is missing is missing in an object.
        let may_be_it = !missing || value.is_object() || value.is_array();
        if may_be_it && with(value.clone()) {
            place.push(Step::Member(name.clone()));
            return in_value(value, missing, &with, place);
        }
    }
}

fn in_value(value: &Value, missing: bool, gives: &dyn Fn(Value) -> bool, place: &mut Vec<Step>) {
    match value {
        Value::Object(members) => {
            let gives = |members| gives(Value::Object(members));
            in_object(members, &Map::new(), missing, &gives, place);
        }
        Value::Array(items) if !gives(Value::Array(Vec::new())) => {
            let with = |item: Value| gives(Value::Array(vec![item]));
            let found = items
                .iter()
                .enumerate()
                .find(|(_, item)| with((*item).clone()));
            if let Some((n, item)) = found {
                place.push(Step::Item(n));
                in_value(item, missing, &with, place);
            }
        }
        _ => {}
    }
}

/// The name in serde's words for an error about a member.
fn named(error: &str, begin: &str) -> Option<String> {
    let (name, _) = error.strip_prefix(begin)?.split_once('`')?;
    Some(name.to_owned())
}

/// serde's words end with what it expected, and hold before that what was sent. Those of our types hold nothing of it.
fn of_value(error: &str) -> Fault {
    let of_serde = ["invalid ", "unknown ", "duplicate "];
    if !of_serde.iter().any(|begin| error.starts_with(begin)) {
        return Fault::Refused(Some(error.to_owned()));
    }
    let Some((_, expected)) = error.rsplit_once(", expected ") else {
        return Fault::Refused(None);
    };
    Fault::Expected(match expected {
        "a sequence" => "a list".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "string or map" => "a string".to_owned(),
        "a map" => "an object".to_owned(),
        "`nothing` or `is`" => "\"nothing\", or {\"is\": a value}".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other => other.replace('`', ""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Scope;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Outer {
        name: String,
        also: u8,
        #[serde(default)]
        scope: Scope,
        #[serde(default)]
        inner: Vec<Inner>,
        #[serde(default)]
        words: Vec<String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Inner {
        also: u8,
        #[serde(default)]
        on: bool,
    }

    fn found(value: Value) -> (String, Fault) {
        let Value::Object(object) = value else {
            panic!("no object");
        };
        let read = |members| {
            let read = serde_json::from_value::<Outer>(Value::Object(members));
            read.map(drop).map_err(|error| error.to_string())
        };
        let error = read(object.clone()).unwrap_err();
        let misread = Misread::find(&object, &Map::new(), &error, &read);
        (path(&misread.place), misread.fault)
    }

    #[test]
    fn the_place_is_found_however_deep_it_is() {
        let expected = |text: &str| Fault::Expected(text.to_owned());
        let good = json!({ "also": 1, "on": true });
        for (value, place, fault) in [
            (json!({ "also": 1 }), "name", Fault::Missing),
            (json!({ "name": "a" }), "also", Fault::Missing),
            (
                json!({ "name": "a", "also": 1, "inner": [good, {}] }),
                "inner[1].also",
                Fault::Missing,
            ),
            // A member of the same name is missing outside as well: it stops at the inner one.
            (
                json!({ "name": "a", "inner": [{ "on": true }] }),
                "inner[0].also",
                Fault::Missing,
            ),
            (
                json!({ "name": "a", "inner": [good] }),
                "also",
                Fault::Missing,
            ),
            (
                json!({ "name": "a", "inner": [good, good, { "also": 1, "off": 1 }] }),
                "inner[2].off",
                Fault::Unknown,
            ),
            (
                json!({ "name": "a", "also": 1, "words": ["b", 7] }),
                "words[1]",
                expected("a string"),
            ),
            (
                json!({ "name": "a", "also": 1, "words": "b" }),
                "words",
                expected("a list"),
            ),
            (
                json!({ "name": "a", "also": 1, "inner": [good, "b"] }),
                "inner[1]",
                expected("an object"),
            ),
            (
                json!({ "name": ["a"], "also": 1 }),
                "name",
                expected("a string"),
            ),
            (
                json!({ "name": "a", "inner": [{ "also": 300 }, { "on": 1 }] }),
                "inner[0].also",
                expected("a whole number"),
            ),
            (
                json!({ "name": "a", "also": 1, "scope": "a\"b" }),
                "scope",
                Fault::Refused(Some(
                    "a scope has a character that is not allowed".to_owned(),
                )),
            ),
        ] {
            let words = value.to_string();
            assert_eq!(found(value), (place.to_owned(), fault), "{words}");
        }
    }

    #[test]
    fn nothing_of_a_value_is_said() {
        let secret = "purple`, expected tractors\u{1b}";
        for value in [
            json!({ "name": [secret] }),
            json!({ "name": "a", "also": secret }),
            json!({ "name": "a", "inner": secret }),
            json!({ "name": "a", "inner": [{ "also": 1, "on": secret }] }),
            json!({ "name": "a", "words": [[secret]] }),
            json!({ "name": "a", "scope": secret }),
        ] {
            let words = format!("{:?}", found(value.clone()));
            assert!(
                !words.contains("purple") && !words.contains("tractors"),
                "{value}: {words}"
            );
        }
    }
}
