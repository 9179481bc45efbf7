//! Claims of an application's own: how they are written, and what they give for a person. OpenID Connect Core §5.1.2
//! (additional claims). One a line:
//!
//! ```text
//! tenant is "home"
//! login from preferred_username
//! is_admin is "true" for admins, otherwise "false"
//! ```
//!
//! and after any of them `, also in access tokens`. Of several lines for one claim, the first that gives a value counts.
//! Not here: where they go (`userinfo`, `token::issue`).

use super::claims;
use crate::model::{AdminError, ClaimMapping, ClaimSource, PROTOCOL_CLAIMS, User};
use crate::types::GroupName;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What the setting is called.
const FIELD: &str = "claim_mappings";
const MOST: usize = 30;
const NAME_MAX: usize = 100;
/// Bytes of one value: they travel in tokens.
const VALUE_MAX: usize = 500;
/// Bytes of all lines.
const TOTAL_MAX: usize = 4_000;
const ALSO: &str = ", also in access tokens";

/// What the mappings give for the person, for userinfo and ID tokens.
pub fn of_user(mappings: &[ClaimMapping], user: &User) -> Map<String, Value> {
    given(mappings.iter(), user)
}

/// The same for access tokens.
pub fn for_access_token(mappings: &[ClaimMapping], user: &User) -> Map<String, Value> {
    given(mappings.iter().filter(|m| m.access_token), user)
}

fn given<'a>(mappings: impl Iterator<Item = &'a ClaimMapping>, user: &User) -> Map<String, Value> {
    let mut given = Map::new();
    for mapping in mappings {
        if let Some(value) = value(&mapping.source, user) {
            given.entry(mapping.claim.clone()).or_insert(value);
        }
    }
    given
}

fn value(source: &ClaimSource, user: &User) -> Option<Value> {
    match source {
        ClaimSource::Constant(value) => Some(value.clone()),
        ClaimSource::Field(name) => claims::one(user, name),
        ClaimSource::Group {
            group,
            member,
            otherwise,
        } => {
            if user.groups.contains(group) {
                Some(member.clone())
            } else {
                otherwise.clone()
            }
        }
    }
}

/// A mapping as it is written.
pub fn line(mapping: &ClaimMapping) -> String {
    let mut line = mapping.claim.clone();
    // Writing to a text does not fail.
    let _ = match &mapping.source {
        ClaimSource::Constant(value) => write!(line, " is {value}"),
        ClaimSource::Field(name) => write!(line, " from {name}"),
        ClaimSource::Group {
            group,
            member,
            otherwise: None,
        } => write!(line, " is {member} for {group}"),
        ClaimSource::Group {
            group,
            member,
            otherwise: Some(other),
        } => write!(line, " is {member} for {group}, otherwise {other}"),
    };
    if mapping.access_token {
        line.push_str(ALSO);
    }
    line
}

/// The mappings that were written. `groups`: those that there are; a group that is gone may stay where it stood
/// `before`.
pub fn parse(
    lines: &[String],
    groups: &BTreeSet<GroupName>,
    before: &[ClaimMapping],
) -> Result<Vec<ClaimMapping>, AdminError> {
    if lines.iter().map(String::len).sum::<usize>() > TOTAL_MAX {
        return Err(refuse(format!("use at most {TOTAL_MAX} characters")));
    }
    let mut mappings = Vec::new();
    for text in lines.iter().map(|l| l.trim()).filter(|l| !l.is_empty()) {
        let mapping = one(text).map_err(|why| {
            let shown: String = text.chars().take(100).collect();
            refuse(format!("“{shown}”: {why}"))
        })?;
        if let ClaimSource::Group { group, .. } = &mapping.source
            && !groups.contains(group)
            && !before.iter().any(|m| group_of(m) == Some(group))
        {
            return Err(refuse(format!("there is no group {group}")));
        }
        mappings.push(mapping);
    }
    if mappings.len() > MOST {
        return Err(refuse(format!("use at most {MOST} lines")));
    }
    Ok(mappings)
}

/// The groups that lines name, of those lines that can be read.
pub(super) fn groups_named(lines: &[String]) -> Vec<GroupName> {
    let mappings = lines.iter().filter_map(|line| one(line.trim()).ok());
    mappings
        .filter_map(|mapping| group_of(&mapping).cloned())
        .collect()
}

fn group_of(mapping: &ClaimMapping) -> Option<&GroupName> {
    match &mapping.source {
        ClaimSource::Group { group, .. } => Some(group),
        _ => None,
    }
}

fn refuse(why: String) -> AdminError {
    AdminError::invalid(FIELD, why)
}

fn one(text: &str) -> Result<ClaimMapping, String> {
    const FORM: &str =
        "write: name is value; name is value for group, otherwise value; or: name from field";
    let (text, access_token) = match text.strip_suffix(ALSO) {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    let (claim, rest) = text.split_once(char::is_whitespace).ok_or(FORM)?;
    name(claim)?;
    let (word, rest) = rest
        .trim_start()
        .split_once(char::is_whitespace)
        .ok_or(FORM)?;
    let rest = rest.trim_start();
    let source = match word {
        "from" if claims::SUPPORTED.contains(&rest) && rest != "sub" => {
            ClaimSource::Field(rest.to_owned())
        }
        "from" => return Err(format!("there is no field {rest:?} of a person")),
        "is" => {
            let (member, rest) = leading_value(rest)?;
            match rest.trim_start().split_once(char::is_whitespace) {
                None if rest.trim().is_empty() => ClaimSource::Constant(member),
                Some(("for", rest)) => {
                    let (group, otherwise) = match rest.split_once(", otherwise ") {
                        Some((group, other)) => (group, Some(whole_value(other)?)),
                        None => (rest, None),
                    };
                    ClaimSource::Group {
                        group: group.trim().parse().map_err(|why| format!("{why}"))?,
                        member,
                        otherwise,
                    }
                }
                _ => return Err(FORM.to_owned()),
            }
        }
        _ => return Err(FORM.to_owned()),
    };
    Ok(ClaimMapping {
        claim: claim.to_owned(),
        source,
        access_token,
    })
}

/// As in a JWT of anybody: a word, or an address that keeps names apart (RFC 7519 §4.2).
fn name(text: &str) -> Result<(), String> {
    let fits = text.len() <= NAME_MAX
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b));
    if !fits {
        return Err(format!(
            "a name has 1 to {NAME_MAX} letters without accents, digits, or _ - . : /, and begins with a letter"
        ));
    }
    if PROTOCOL_CLAIMS.contains(&text) {
        return Err(format!("{text} has a meaning already; choose another name"));
    }
    Ok(())
}

fn whole_value(text: &str) -> Result<Value, String> {
    match leading_value(text.trim())? {
        (value, "") => Ok(value),
        (_, rest) => Err(format!(
            "nothing may follow the value, but there is {rest:?}"
        )),
    }
}

/// The JSON value that the text begins with, and the rest; one word without quotes is a text.
fn leading_value(text: &str) -> Result<(Value, &str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let read = values.next();
    let (value, rest) = match read {
        Some(Ok(value)) => (value, text.get(values.byte_offset()..).unwrap_or_default()),
        _ => {
            let end = text
                .find(|c: char| c.is_whitespace() || c == ',')
                .unwrap_or(text.len());
            let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
            let plain = word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-.:/@+".contains(&b));
            if !plain {
                return Err(
                    "the value must be one word, a number, true, false, or JSON; a text of several words stands in \"…\""
                        .to_owned(),
                );
            }
            (Value::String(word.to_owned()), rest)
        }
    };
    if holds_nothing(&value) {
        return Err("the value must not be empty; leave the line out instead".to_owned());
    }
    if value.to_string().len() > VALUE_MAX {
        return Err(format!("a value has at most {VALUE_MAX} bytes"));
    }
    Ok((value, rest))
}

/// Never null, never empty (PROTOCOL, UserInfo).
fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty() || items.iter().any(holds_nothing),
        Value::Object(members) => members.is_empty() || members.values().any(holds_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::user;
    use serde_json::json;

    fn read(lines: &[&str]) -> Result<Vec<ClaimMapping>, AdminError> {
        let lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        let groups = ["family", "admins", "old friends"];
        parse(&lines, &groups.map(|g| g.parse().unwrap()).into(), &[])
    }

    fn give(lines: &[&str]) -> Value {
        Value::Object(of_user(&read(lines).unwrap(), &user()))
    }

    #[test]
    fn each_kind_of_line_gives_its_value() {
        for (line, given) in [
            ("tenant is \"home\"", json!({ "tenant": "home" })),
            ("tenant is home", json!({ "tenant": "home" })),
            ("n is 5", json!({ "n": 5 })),
            ("n is true", json!({ "n": true })),
            ("roles is [\"a\", \"b\"]", json!({ "roles": ["a", "b"] })),
            ("login from preferred_username", json!({ "login": "alice" })),
            (
                "preferred_username from email",
                json!({ "preferred_username": "alice@example.org" }),
            ),
            ("mail_ok from email_verified", json!({ "mail_ok": true })),
            ("phone from phone_number", json!({})),
            ("in is yes for family", json!({ "in": "yes" })),
            ("in is yes for old friends", json!({})),
            (
                "is_admin is \"true\" for admins, otherwise \"false\"",
                json!({ "is_admin": "false" }),
            ),
            (
                "is_admin is true for family, otherwise false",
                json!({ "is_admin": true }),
            ),
            (
                "https://home.example/role is {\"a\": 1}",
                json!({ "https://home.example/role": { "a": 1 } }),
            ),
        ] {
            assert_eq!(give(&[line]), given, "{line}");
        }
    }

    #[test]
    fn of_several_lines_for_a_claim_the_first_that_applies_counts() {
        let lines = [
            "role is Admin for admins",
            "role is Editor for family",
            "role is Viewer",
        ];
        assert_eq!(give(&lines), json!({ "role": "Editor" }));
        assert_eq!(give(&[lines[0], lines[2]]), json!({ "role": "Viewer" }));
    }

    #[test]
    fn an_access_token_gets_only_what_says_so() {
        let mappings = read(&["a is 1", "b is 2, also in access tokens"]).unwrap();
        assert_eq!(
            Value::Object(for_access_token(&mappings, &user())),
            json!({ "b": 2 })
        );
    }

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        let lines = [
            "tenant is \"home, for family, otherwise x\"",
            "n is 5 for family",
            "roles is [\"a\",\"b\"] for old friends, otherwise [\"c\"]",
            "login from preferred_username, also in access tokens",
            "is_admin is \"true\" for admins, otherwise \"false\", also in access tokens",
        ];
        let mappings = read(&lines).unwrap();
        let written: Vec<String> = mappings.iter().map(line).collect();
        assert_eq!(written, lines);
        let stored = serde_json::to_string(&mappings).unwrap();
        let loaded: Vec<ClaimMapping> = serde_json::from_str(&stored).unwrap();
        assert_eq!(loaded, mappings);
    }

    #[test]
    fn bad_lines_are_refused() {
        let long_name = format!("{} is 1", "a".repeat(101));
        let long_value = format!("a is \"{}\"", "x".repeat(501));
        for bad in [
            "a",
            "a is",
            "a = 1",
            "a is null",
            "a is \"\"",
            "a is []",
            "a is {\"b\": null}",
            "a is two words",
            "a is 1 2",
            "a is 1 for",
            "a is 1 for nobody",
            "a is 1 for family, otherwise",
            "a is 1 for family, otherwise null",
            "a is 1 for family, otherwise 1 2",
            "a is {\"b\":",
            "a from",
            "a from password",
            "a from sub",
            "a\u{e9} is 1",
            "1a is 1",
            "#a is 1",
            &long_name,
            &long_value,
        ] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
        for reserved in PROTOCOL_CLAIMS {
            assert!(read(&[&format!("{reserved} is 1")]).is_err(), "{reserved}");
        }
        assert!(read(&["a is 1"; MOST + 1]).is_err());
        assert!(read(&[format!("a is \"{}\"", "x".repeat(400)).as_str(); 11]).is_err());
    }

    #[test]
    fn a_group_that_is_gone_may_stay_where_it_stood() {
        let before = read(&["a is 1 for admins"]).unwrap();
        let lines = ["a is 1 for admins".to_owned()];
        assert!(parse(&lines, &BTreeSet::new(), &[]).is_err());
        assert!(parse(&lines, &BTreeSet::new(), &before).is_ok());
    }
}
