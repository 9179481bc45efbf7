//! What may stand in a person's record. OpenID Connect Core §5.1 (standard claims).
//! Owns: the form of every claim, and which names a custom claim must not take. Not here: names (`types::Username`).

use crate::crypto::strength;
use crate::model::{Address, AdminError, PROTOCOL_CLAIMS};
use crate::types::appearance::is_plain_line;
use crate::types::{GroupName, Secret};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Characters in a text claim.
const TEXT_MAX: usize = 255;
/// Bytes of all custom claims of a person, as JSON: they travel in tokens.
const CUSTOM_MAX: usize = 4 * 1024;

/// The standard claims, which have fields of their own.
const RESERVED: &[&str] = &[
    "groups",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
];

/// One line of text; an empty one counts as none.
pub fn text(field: &'static str, value: Option<String>) -> Result<Option<String>, AdminError> {
    let Some(value) = value.map(|value| value.trim().to_owned()) else {
        return Ok(None);
    };
    if value.chars().count() > TEXT_MAX {
        return Err(AdminError::invalid(
            field,
            format!("use at most {TEXT_MAX} characters"),
        ));
    }
    if !is_plain_line(&value) {
        return Err(AdminError::invalid(
            field,
            "use one line without invisible characters",
        ));
    }
    Ok(Some(value).filter(|value| !value.is_empty()))
}

/// Lines of text: the parts of an address may have several (OpenID Connect Core §5.1.1).
fn lines(field: &'static str, value: Option<String>) -> Result<Option<String>, AdminError> {
    let Some(value) = value.map(|value| value.replace("\r\n", "\n")) else {
        return Ok(None);
    };
    text(field, Some(value.replace('\n', " ")))?;
    Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty()))
}

/// An email address: one `@` with something on both sides. Whether it receives mail, no syntax can tell.
pub fn email(value: Option<String>) -> Result<Option<String>, AdminError> {
    let value = text("email", value)?;
    let fits = |value: &String| {
        let mut halves = value.split('@');
        let (local, domain, more) = (halves.next(), halves.next(), halves.next());
        more.is_none()
            && !value.chars().any(char::is_whitespace)
            && [local, domain]
                .iter()
                .all(|half| half.is_some_and(|half| !half.is_empty()))
    };
    match value {
        Some(value) if !fits(&value) => Err(AdminError::invalid(
            "email",
            "an email address reads like anna@example.org",
        )),
        value => Ok(value),
    }
}

/// An `http` or `https` address.
pub fn web_address(
    field: &'static str,
    value: Option<String>,
) -> Result<Option<String>, AdminError> {
    let value = text(field, value)?;
    let fits = |value: &String| {
        Url::parse(value).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some_and(|host| !host.is_empty())
        })
    };
    match value {
        Some(value) if !fits(&value) => Err(AdminError::invalid(
            field,
            "an address reads like https://example.org",
        )),
        value => Ok(value),
    }
}

/// Text of certain characters only.
fn spelled(
    field: &'static str,
    value: Option<String>,
    allowed: fn(char) -> bool,
    example: &str,
) -> Result<Option<String>, AdminError> {
    match text(field, value)? {
        Some(value) if !value.chars().all(allowed) => Err(AdminError::invalid(field, example)),
        value => Ok(value),
    }
}

/// A telephone number; E.164 is recommended, not required.
pub fn phone_number(value: Option<String>) -> Result<Option<String>, AdminError> {
    const EXAMPLE: &str = "a number reads like +49 30 123456";
    let allowed = |c: char| c.is_ascii_alphanumeric() || " +-().;=/".contains(c);
    match spelled("phone_number", value, allowed, EXAMPLE)? {
        Some(value) if !value.chars().any(|c| c.is_ascii_digit()) => {
            Err(AdminError::invalid("phone_number", EXAMPLE))
        }
        value => Ok(value),
    }
}

/// The name of a time zone.
pub fn zoneinfo(value: Option<String>) -> Result<Option<String>, AdminError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-+/".contains(c);
    spelled(
        "zoneinfo",
        value,
        allowed,
        "a time zone reads like Europe/Berlin",
    )
}

/// The tag of a language. Core §5.1 allows the underscore that some systems write.
pub fn locale(value: Option<String>) -> Result<Option<String>, AdminError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    spelled(
        "locale",
        value,
        allowed,
        "a language reads like de or en-GB",
    )
}

/// `YYYY-MM-DD`, `0000-MM-DD` where the year stays private, or `YYYY`.
pub fn birthdate(value: Option<String>) -> Result<Option<String>, AdminError> {
    match text("birthdate", value)? {
        Some(value) if !is_birthdate(&value) => Err(AdminError::invalid(
            "birthdate",
            "a date reads like 1985-03-21, 0000-03-21 or 1985",
        )),
        value => Ok(value),
    }
}

fn is_birthdate(value: &str) -> bool {
    let number = |text: &str, length: usize| {
        let digits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let mut parts = value.split('-');
    let Some(year) = parts.next().and_then(|text| number(text, 4)) else {
        return false;
    };
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => year > 0,
        (Some(month), Some(day), None) => {
            let longest = match number(month, 2) {
                Some(2) if year == 0 || year.is_multiple_of(4) => 29,
                Some(2) => 28,
                Some(4 | 6 | 9 | 11) => 30,
                Some(1..=12) => 31,
                _ => 0,
            };
            number(day, 2).is_some_and(|day| (1..=longest).contains(&day))
        }
        _ => false,
    }
}

/// The parts of an address; none where all are empty.
pub fn address(value: Option<Address>) -> Result<Option<Address>, AdminError> {
    let value = value.unwrap_or_default();
    let address = Address {
        formatted: lines("formatted", value.formatted)?,
        street_address: lines("street_address", value.street_address)?,
        locality: text("locality", value.locality)?,
        region: text("region", value.region)?,
        postal_code: text("postal_code", value.postal_code)?,
        country: text("country", value.country)?,
    };
    Ok(Some(address).filter(|address| *address != Address::default()))
}

/// Names of groups, each once.
pub fn groups(names: &[String]) -> Result<BTreeSet<GroupName>, AdminError> {
    names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .map(|name| {
            name.parse()
                .map_err(|why| AdminError::invalid("groups", format!("{name:?}: {why}")))
        })
        .collect()
}

/// Custom claims as they are typed: a JSON object, or nothing.
pub fn custom_text(typed: &str) -> Result<BTreeMap<String, Value>, AdminError> {
    if typed.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let object: Map<String, Value> = serde_json::from_str(typed).map_err(|why| {
        AdminError::invalid(
            "custom",
            format!("this is not a JSON object like {{\"department\": \"kitchen\"}}: {why}"),
        )
    })?;
    custom(object.into_iter().collect())
}

/// Custom claims: not too large, and none that has a meaning already.
pub fn custom(claims: BTreeMap<String, Value>) -> Result<BTreeMap<String, Value>, AdminError> {
    for name in claims.keys() {
        if RESERVED.contains(&name.as_str()) || PROTOCOL_CLAIMS.contains(&name.as_str()) {
            return Err(AdminError::invalid(
                "custom",
                format!("{name:?} has a meaning already; choose another name"),
            ));
        }
        if name.is_empty() || name.chars().count() > TEXT_MAX || !is_plain_line(name) {
            return Err(AdminError::invalid(
                "custom",
                format!("{name:?} cannot be the name of a claim"),
            ));
        }
    }
    let size = serde_json::to_vec(&claims).map_or(usize::MAX, |json| json.len());
    if size > CUSTOM_MAX {
        return Err(AdminError::invalid(
            "custom",
            format!("use at most {CUSTOM_MAX} bytes: these claims travel in tokens"),
        ));
    }
    Ok(claims)
}

/// A password that may be set; `known` are words that an attacker would try first.
pub fn password(password: &Secret, known: &[&str]) -> Result<(), AdminError> {
    match strength::acceptable(password, known) {
        Ok(_) => Ok(()),
        Err(judged) => Err(AdminError::invalid(
            "password",
            format!("Too easy to guess. {}", judged.advice).trim(),
        )),
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
