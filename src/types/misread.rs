//! Why a JSON value was not read as what it shall be: where in it, and what is expected there. serde_json says of a value in
//! memory no place, and quotes what stands there, which may be a secret.
//! Owns: the words, which hold names of members and nothing else of what was sent. Not here: whether it is JSON
//! (`strict_json`), what the members are (the types that are read).

use super::{GivenSubjectError, HostError, IdError, NameError, ScopeError, WireClientIdError};
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

/// serde's words end with what it expected, and hold before that what was sent. Any others may quote it, but for those that
/// are known.
fn of_value(error: &str) -> Fault {
    if is_ours(error) {
        return Fault::Refused(Some(error.to_owned()));
    }
    let of_serde = ["invalid ", "unknown variant "];
    let expected = match error.rsplit_once(", expected ") {
        Some((begin, expected)) if of_serde.iter().any(|of| begin.starts_with(of)) => expected,
        _ => return Fault::Refused(None),
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

/// Whether these are the words of one of our types, which are always the same.
fn is_ours(error: &str) -> bool {
    let ours: [&dyn fmt::Display; 6] = [
        &GivenSubjectError,
        &HostError,
        &IdError,
        &NameError::Group,
        &ScopeError,
        &WireClientIdError,
    ];
    ours.iter().any(|words| words.to_string() == error)
}

/// For tests of what is read: the value with something else at each place in it in turn, and the place.
#[cfg(test)]
pub fn with_each_place_as(value: &Value, other: &Value) -> Vec<(String, Value)> {
    let within = |step: Step, inner: &Value, put: &dyn Fn(Value) -> Value| {
        let spoilt = with_each_place_as(inner, other).into_iter();
        let place = |rest: String| {
            let joint = if rest.is_empty() || rest.starts_with('[') {
                ""
            } else {
                "."
            };
            format!("{step}{joint}{rest}")
        };
        let all = spoilt.map(|(rest, spoilt)| (place(rest), put(spoilt)));
        all.collect::<Vec<_>>()
    };
    let mut all = vec![(String::new(), other.clone())];
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                let put = |spoilt| {
                    let mut members = members.clone();
                    members.insert(name.clone(), spoilt);
                    Value::Object(members)
                };
                all.extend(within(Step::Member(name.clone()), inner, &put));
            }
        }
        Value::Array(items) => {
            for (n, inner) in items.iter().enumerate() {
                let put = |spoilt| {
                    let mut items = items.clone();
                    items[n] = spoilt;
                    Value::Array(items)
                };
                all.extend(within(Step::Item(n), inner, &put));
            }
        }
        _ => {}
    }
    all
}

#[cfg(test)]
#[path = "misread_tests.rs"]
mod tests;
