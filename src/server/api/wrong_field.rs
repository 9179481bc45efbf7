//! Why a command of the API was not read: which field, and what is expected there.
//! Owns: the words of the answer. Not here: how the field is found (`types::misread`), what the fields are (`control`),
//! whether a value that was read is allowed (`AdminError`).

use super::control::Command;
use crate::model::quoted;
use crate::types::misread::{Fault, Misread, Step, path};
use crate::types::strict_json;
use serde_json::{Map, Value};
use std::fmt;

/// The field that says what the others are.
const VERB: &str = "verb";

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
    let error = match Command::of_members(object()?) {
        Ok(command) => return Ok(command),
        Err(error) => error.to_string(),
    };
    let object = object()?;
    let begun: Map<String, Value> = object
        .get_key_value(VERB)
        .map(|(name, verb)| (name.clone(), verb.clone()))
        .into_iter()
        .collect();
    let read = |members| {
        let read = Command::of_members(members);
        read.map(drop).map_err(|error| error.to_string())
    };
    let Misread { mut place, fault } = Misread::find(&object, &begun, &error, &read);
    if place.is_empty() {
        // It is there, and no verb.
        place.push(Step::Member(VERB.to_owned()));
    }
    let field = path(&place);
    Err(match fault {
        Fault::Missing if field == VERB && object.contains_key(VERB) => {
            WrongField::Wrong(field, Some("a string".to_owned()))
        }
        Fault::Missing => WrongField::Missing(field),
        Fault::Unknown => WrongField::Unknown(field),
        Fault::Expected(what) => WrongField::Wrong(field, Some(what)),
        Fault::Refused(_) => WrongField::Wrong(field, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::misread::with_each_place_as;
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
        for command in [
            json!({"verb": "user_add", "person": {"username": "a", "groups": ["b"]}, "password": "c"}),
            json!({"verb": "user_passwd", "user": "a", "password": "b"}),
            json!({"verb": "client_add", "client": {"name": "a", "kind": "web", "grants": ["refresh_token"],
                "id_token_alg": "ES256", "redirect_uris": ["https://a.example"], "jwks": {"keys": []}}}),
            json!({"verb": "client_edit", "client": "a", "changes": {"kind": "web", "grants": ["refresh_token"],
                "jwks": "nothing", "jwks_uri": {"is": "https://a.example"}, "id_token_alg": "ES256"}}),
            json!({"verb": "client_remove_secret", "client": "a", "secret": "1"}),
            json!({"verb": "keys_rotate", "alg": "ES256"}),
            json!({"verb": "registration_set", "policy": "off"}),
            json!({"verb": "registration_documents", "on": true}),
            json!({"verb": "registration_add_token", "token": {"note": "a", "days": 1, "uses": 1}}),
            json!({"verb": "outbound_set", "host": "a", "allowed": true}),
            json!({"verb": "backups_set", "given": {"at": "a", "daily": 1, "recipients": ["a"]}}),
            json!({"verb": "resource_edit", "identifier": "a", "given": {"alg": "ES256", "clients": ["a"]}}),
            json!({"verb": "import", "wish": {"dry_run": true, "replace": false}, "document": {"version": 1,
                "settings": {"audit_days": 1, "session_idle_days": 1, "session_absolute_days": 1,
                    "outbound_hosts": ["a.example"], "subject_key": "aaaa"},
                "groups": [{"name": "a", "created": "2026-11-24T08:50:00Z"}]}}),
        ] {
            let good = read(command.to_string().as_bytes());
            assert!(good.is_ok(), "{command}: {good:?}");
            for secret in [json!(secret), json!([secret]), json!({"is": secret})] {
                for (place, spoilt) in with_each_place_as(&command, &secret) {
                    let Err(told) = read(spoilt.to_string().as_bytes()) else {
                        continue;
                    };
                    let told = told.to_string();
                    assert!(
                        !told.contains("purple") && !told.contains("tractors"),
                        "{command}, {place}: {told}"
                    );
                }
            }
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
