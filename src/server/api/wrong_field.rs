//! Why a command of the API was not read: which field, and what is expected there.
//! Owns: the words, which hold no value of what was sent, for it may be a password. Not here: what the fields are
//! (`control`), whether a value that was read is allowed (`AdminError`).

use super::control::Command;
use crate::model::quoted;
use crate::types::strict_json;
use serde_json::{Map, Value};
use std::fmt;

/// The field that says what the others are.
const VERB: &str = "verb";

/// No object of a command has as many fields. Where they are more, the one that is wrong is not looked for.
const FIELDS_MAX: usize = 100;

/// A command that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongField {
    /// The body is no JSON object, or a field stands in it twice.
    NoObject,
    /// It is not there.
    Missing(String),
    /// There is none of that name.
    Unknown(String),
    /// What is expected instead, where that is known.
    Wrong(String, Option<String>),
}

impl fmt::Display for WrongField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoObject => f.write_str(
                "the body must be a JSON object in which each field stands once, such as {\"verb\": \"user_link\", \
                 \"user\": \"bob\"}",
            ),
            Self::Missing(field) => write!(f, "the field {} is missing", quoted(field)),
            Self::Unknown(field) => write!(f, "the field {} is unknown here", quoted(field)),
            Self::Wrong(field, Some(expected)) => {
                write!(f, "the field {} is wrong: expected {expected}", quoted(field))
            }
            Self::Wrong(field, None) => write!(f, "the field {} is wrong", quoted(field)),
        }
    }
}

/// Reads a command.
pub fn read(body: &[u8]) -> Result<Command, WrongField> {
    let object = || strict_json::parse_object(body).map_err(|_| WrongField::NoObject);
    // What is secret in it moves into the command, and no copy of it is left.
    let error = match command(object()?) {
        Ok(command) => return Ok(command),
        Err(error) => error,
    };
    let object = object()?;
    if let Some(field) = named(&error, "missing field `") {
        return Err(match object.contains_key(&field) {
            // A verb that is no text.
            true => WrongField::Wrong(field, Some("a string".to_owned())),
            false => WrongField::Missing(field),
        });
    }
    let place = place(&object, &error);
    Err(match named(&error, "unknown field `") {
        Some(field) if place.is_empty() => WrongField::Unknown(field),
        Some(_) => WrongField::Unknown(place),
        // Among so many fields it was not looked for.
        None if place.is_empty() => WrongField::NoObject,
        None => WrongField::Wrong(place, expected(&error)),
    })
}

fn command(object: Map<String, Value>) -> Result<Command, String> {
    Command::of_members(object).map_err(|error| error.to_string())
}

/// The name in serde's words for an error about a field.
fn named(error: &str, begin: &str) -> Option<String> {
    let (name, _) = error.strip_prefix(begin)?.split_once('`')?;
    Some(name.to_owned())
}

/// What serde's words end with, in ours. What comes before it may hold what was sent.
fn expected(error: &str) -> Option<String> {
    let (_, expected) = error.rsplit_once(", expected ")?;
    Some(match expected {
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

/// Where in the command the error is: serde reads the fields in their order and stops at the first that is wrong, so it is
/// the last one of the fewest that give the same error.
fn place(object: &Map<String, Value>, error: &str) -> String {
    let verb = object.get(VERB).cloned().unwrap_or_default();
    let begun = Map::from_iter([(VERB.to_owned(), verb)]);
    if gives(begun.clone(), error) {
        return VERB.to_owned();
    }
    within(object, begun, &|object| gives(object, error))
}

fn gives(object: Map<String, Value>, error: &str) -> bool {
    command(object).is_err_and(|other| other == error)
}

fn within(
    object: &Map<String, Value>,
    mut kept: Map<String, Value>,
    is_it: &dyn Fn(Map<String, Value>) -> bool,
) -> String {
    if object.len() > FIELDS_MAX {
        return String::new();
    }
    for (name, value) in object {
        kept.insert(name.clone(), value.clone());
        if !is_it(kept.clone()) {
            continue;
        }
        let around = |inner: Map<String, Value>| {
            let mut whole = kept.clone();
            whole.insert(name.clone(), Value::Object(inner));
            is_it(whole)
        };
        let below = match value {
            // An object where there should be none is wrong as a whole.
            Value::Object(inner) if !around(Map::new()) => within(inner, Map::new(), &around),
            _ => String::new(),
        };
        return match below.as_str() {
            "" => name.clone(),
            below => format!("{name}.{below}"),
        };
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(command: Value) -> String {
        let read = read(command.to_string().as_bytes());
        read.unwrap_err().to_string()
    }

    #[test]
    fn the_field_is_named_with_what_is_expected_there() {
        for (command, words) in [
            (json!({}), "the field verb is missing"),
            (
                json!({"verb": "user_passwd", "user": "bob"}),
                "the field password is missing",
            ),
            (
                json!({"verb": 7, "user": "bob"}),
                "the field verb is wrong: expected a string",
            ),
            (
                json!({"verb": "dance", "user": "bob"}),
                "the field verb is wrong: expected one of user_add, user_passwd, ",
            ),
            (
                json!({"verb": "user_disable", "user": 7}),
                "the field user is wrong: expected a string",
            ),
            (
                json!({"verb": "user_disable", "user": {"name": "bob"}}),
                "the field user is wrong: expected a string",
            ),
            (
                json!({"verb": "user_disable", "a": 1, "user": 7}),
                "the field a is unknown here",
            ),
            (
                json!({"verb": "user_add", "person": "bob"}),
                "the field person is wrong: expected an object",
            ),
            // Two with the same mistake: the first of them.
            (
                json!({"verb": "user_add", "person": {"email": "a", "name": 7, "username": 7}}),
                "the field person.name is wrong: expected a string",
            ),
            (
                json!({"verb": "user_add", "person": {"username": "bob", "emial": "b@home.arpa"}}),
                "the field person.emial is unknown here",
            ),
            (
                json!({"verb": "client_add", "client": {"name": "App", "redirect_uris": "https://a.example"}}),
                "the field client.redirect_uris is wrong: expected a list",
            ),
            (
                json!({"verb": "client_add", "client": {"name": "App", "public": "yes"}}),
                "the field client.public is wrong: expected true or false",
            ),
            (
                json!({"verb": "client_add", "client": {"kind": 7}}),
                "the field client.kind is wrong: expected a string",
            ),
            (
                json!({"verb": "client_add", "client": {"kind": "website"}}),
                "the field client.kind is wrong: expected one of web, single_page, native, service",
            ),
            (
                json!({"verb": "client_edit", "client": "App", "changes": {"jwks_uri": "https://a.example"}}),
                "the field changes.jwks_uri is wrong: expected \"nothing\", or {\"is\": a value}",
            ),
            (
                json!({"verb": "registration_add_token", "token": {"days": "7"}}),
                "the field token.days is wrong: expected a whole number",
            ),
            (
                json!({"verb": "registration_add_token", "token": {"days": -7}}),
                "the field token.days is wrong: expected a whole number",
            ),
            (
                json!({"verb": "outbound_set", "host": "a", "allowed": 1}),
                "the field allowed is wrong: expected true or false",
            ),
        ] {
            let told = told(command.clone());
            assert!(told.starts_with(words), "{command}: {told}");
        }
    }

    #[test]
    fn nothing_of_what_was_sent_is_said_but_names_of_fields() {
        let secret = "purple`, expected tractors";
        for command in [
            json!({"verb": secret}),
            json!({"verb": "user_passwd", "user": "a", "password": [secret]}),
            json!({"verb": "user_passwd", "user": "a", "password": {"is": secret}}),
            json!({"verb": "metrics_off", "now": secret}),
            json!({"verb": "keys_rotate", "alg": secret}),
            json!({"verb": "registration_add_token", "token": {"days": secret}}),
            json!({"verb": "resource_edit", "identifier": "a", "given": {"clients": secret}}),
            json!({"verb": "client_edit", "client": "a", "changes": {"jwks": secret, "kind": secret}}),
        ] {
            let told = told(command.clone());
            assert!(
                !told.contains("purple") && !told.contains("tractors"),
                "{command}: {told}"
            );
        }
        let names: Map<String, Value> = (0..5_000).map(|i| (format!("a{i}"), json!(1))).collect();
        let mut many = Value::Object(names);
        assert_eq!(told(many.clone()), "the field verb is missing");
        many["verb"] = json!("user_disable");
        assert_eq!(told(many.clone()), "the field a0 is unknown here");
        many["A"] = json!(1);
        assert_eq!(told(many), "the field A is unknown here");
    }

    #[test]
    fn what_is_no_object_is_said_to_be_none() {
        for body in [
            "",
            "[]",
            "{",
            r#"{"verb":"metrics_off","verb":"metrics_off"}"#,
        ] {
            assert_eq!(read(body.as_bytes()).unwrap_err(), WrongField::NoObject);
        }
    }
}
