//! The members of a registration, as JSON types (RFC 7591 §2). Not here: which there are (`metadata`).

use super::error::RegistrationError;
use crate::model::Algorithm;
use crate::types::strict_json;
use serde_json::{Map, Value};

/// A registration of a few addresses has a kilobyte.
const BODY_MAX: usize = 16 * 1024;

/// The members of a body.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, RegistrationError> {
    if body.len() > BODY_MAX {
        return Err(RegistrationError::MalformedBody);
    }
    let mut members =
        strict_json::parse_object(body).map_err(|_| RegistrationError::MalformedBody)?;
    // RFC 7592 §2.2: null says the same as leaving it out.
    members.retain(|_, value| !value.is_null());
    Ok(members)
}

/// A text that is there; an empty one counts as left out.
pub(super) fn text(
    members: &Map<String, Value>,
    name: &str,
    sentence: &'static str,
) -> Result<Option<String>, RegistrationError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|t| !t.trim().is_empty())),
        Some(_) => Err(RegistrationError::metadata(sentence)),
    }
}

pub(super) fn list(
    members: &Map<String, Value>,
    name: &str,
    sentence: &'static str,
) -> Result<Option<Vec<String>>, RegistrationError> {
    let refuse = || RegistrationError::metadata(sentence);
    let Some(value) = members.get(name) else {
        return Ok(None);
    };
    value
        .as_array()
        .ok_or_else(refuse)?
        .iter()
        .map(|item| item.as_str().map(str::to_owned).ok_or_else(refuse))
        .collect::<Result<_, _>>()
        .map(Some)
}

pub(super) fn flag(
    members: &Map<String, Value>,
    name: &str,
    sentence: &'static str,
) -> Result<bool, RegistrationError> {
    match members.get(name) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(RegistrationError::metadata(sentence)),
    }
}

pub(super) fn algorithm(
    members: &Map<String, Value>,
    name: &str,
    sentence: &'static str,
) -> Result<Option<Algorithm>, RegistrationError> {
    let refuse = || RegistrationError::metadata(sentence);
    let named = members.get(name);
    named
        .map(|value| value.as_str().and_then(Algorithm::parse).ok_or_else(refuse))
        .transpose()
}
