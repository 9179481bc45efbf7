//! The audit log, as it is filtered and exported.

use super::{OperationError, clients, people};
use crate::model::{AdminError, Event, EventKind, Outcome};
use crate::server::pages::when::when;
use crate::store::{EventFilter, View};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A filter as it is typed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterText {
    /// A person's name or id.
    pub person: Option<String>,
    /// An application's name or id.
    pub application: Option<String>,
    /// A kind, as stored.
    pub kind: Option<String>,
    /// `success` or `refused`.
    pub outcome: Option<String>,
}

/// Looks the names up.
pub fn filter(view: &View<'_>, text: &FilterText) -> Result<EventFilter, OperationError> {
    let person = given(&text.person)
        .map(|name| people::find(view, name))
        .transpose()?;
    let application = given(&text.application)
        .map(|name| clients::find_in(view, name))
        .transpose()?;
    let kind = given(&text.kind)
        .map(|kind| {
            EventKind::parse(kind)
                .ok_or_else(|| AdminError::invalid("kind", "there is no such kind"))
        })
        .transpose()?;
    let outcome = given(&text.outcome)
        .map(|outcome| match outcome {
            "success" => Ok(Outcome::Success),
            "refused" => Ok(Outcome::Refused),
            _ => Err(AdminError::invalid("outcome", "must be success or refused")),
        })
        .transpose()?;
    Ok(EventFilter {
        user: person.map(|p| p.id),
        client: application.map(|a| a.id),
        kind,
        outcome,
    })
}

/// One event as a line of the export.
pub fn line(key: u64, event: &Event) -> Value {
    let mut line = serde_json::to_value(event).unwrap_or_default();
    line["id"] = json!(key.to_string());
    line["time"] = json!(when(event.time).iso);
    line
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}
