//! A record of another server, read member by member.
//! Owns: that no member goes unseen (what nobody asked for is told), that texts are fit to be shown, and that no message
//! holds a value: it may be a secret. Not here: what a member means.

use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Characters of a name or an address that are shown.
const SHOWN: usize = 80;

static NO_MEMBERS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// An object, what it is called, and which of its members were asked for.
pub struct Record<'v> {
    called: String,
    members: &'v Map<String, Value>,
    asked: RefCell<BTreeSet<&'v str>>,
}

impl<'v> Record<'v> {
    /// The record that a value is.
    pub fn of(called: impl Into<String>, value: &'v Value) -> Result<Self, String> {
        let called = called.into();
        match value {
            Value::Object(members) => Ok(Self {
                called,
                members,
                asked: RefCell::default(),
            }),
            _ => Err(format!("{called} must be an object with members")),
        }
    }

    /// With another name, once that is known.
    pub fn called(self, called: impl Into<String>) -> Self {
        Self {
            called: called.into(),
            ..self
        }
    }

    /// The value of a member; null counts as missing.
    pub fn get(&self, member: &str) -> Option<&'v Value> {
        let (name, value) = self.members.get_key_value(member)?;
        self.asked.borrow_mut().insert(name);
        Some(value).filter(|value| !value.is_null())
    }

    /// Text that is shown or compared: one line, left to right. Empty counts as missing.
    pub fn text(&self, member: &str) -> Result<Option<String>, String> {
        let text = self.get(member).map(|value| self.text_of(member, value));
        Ok(text.transpose()?.filter(|text| !text.trim().is_empty()))
    }

    /// Texts; one alone may stand without a list.
    pub fn texts(&self, member: &str) -> Result<Vec<String>, String> {
        match self.get(member) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(n, item)| self.text_of(&format!("{member}[{n}]"), item))
                .collect(),
            Some(one) => Ok(vec![self.text_of(member, one)?]),
        }
    }

    /// True or false.
    pub fn flag(&self, member: &str) -> Result<Option<bool>, String> {
        match self.get(member) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            // Attributes of Keycloak are texts.
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(self.wrong(member, "must be true or false")),
        }
    }

    /// A whole number.
    pub fn number(&self, member: &str) -> Result<Option<u64>, String> {
        let number = match self.get(member) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        let wrong = || self.wrong(member, "must be a whole number");
        number.map(Some).ok_or_else(wrong)
    }

    /// A record in it.
    pub fn record(&self, member: &str) -> Result<Option<Record<'v>>, String> {
        let called = format!("{}: {member}", self.called);
        self.get(member)
            .map(|value| Record::of(called, value))
            .transpose()
    }

    /// The same, and one without members where there is none.
    pub fn record_or_empty(&self, member: &str) -> Result<Record<'v>, String> {
        let found = self.record(member)?;
        Ok(found.unwrap_or_else(|| Record {
            called: format!("{}: {member}", self.called),
            members: &NO_MEMBERS,
            asked: RefCell::default(),
        }))
    }

    /// The records of a list in it.
    pub fn records(&self, member: &str) -> Result<Vec<Record<'v>>, String> {
        let called = |n: usize| format!("{}: {member}[{n}]", self.called);
        match self.get(member) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(n, item)| Record::of(called(n), item))
                .collect(),
            Some(_) => Err(self.wrong(member, "must be a list")),
        }
    }

    /// The records that stand in it under names of their own.
    pub fn entries(&self) -> Result<Vec<(&'v str, Record<'v>)>, String> {
        let entry = |(name, value): (&'v String, &'v Value)| {
            fit(name).map_err(|why| format!("{}: a name {why}", self.called))?;
            let record = Record::of(format!("{}: {}", self.called, shown(name)), value)?;
            Ok((name.as_str(), record))
        };
        self.members.iter().map(entry).collect()
    }

    /// Members that mean nothing here, and need not be told.
    pub fn pass_over(&self, members: &[&str]) {
        for member in members {
            let _ = self.get(member);
        }
    }

    /// The names of members that say something and that nobody asked for.
    pub fn left(&self) -> Vec<String> {
        let asked = self.asked.borrow();
        let left = self
            .members
            .iter()
            .filter(|(name, value)| !asked.contains(name.as_str()) && !says_nothing(value));
        left.map(|(name, _)| shown(name)).collect()
    }

    fn text_of(&self, member: &str, value: &Value) -> Result<String, String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(self.wrong(member, "must be text")),
        };
        fit(&text).map_err(|why| self.wrong(member, why))?;
        Ok(text)
    }

    /// A message about a member.
    pub fn wrong(&self, member: &str, why: &str) -> String {
        format!("{}: {member} {why}", self.called)
    }
}

/// Whether a text may be shown, and means what stands there.
fn fit(text: &str) -> Result<(), &'static str> {
    if text.contains("{{") || text.contains("${") {
        return Err("is a template that the other server fills in; write its value there instead");
    }
    if text.chars().any(char::is_control) {
        return Err("has control characters in it");
    }
    if text.chars().any(turns) {
        return Err("has characters in it that turn the direction of text around");
    }
    Ok(())
}

/// Bidirectional embeddings, overrides and isolates (UAX #9 §2): with them a text shows another one than it is.
const fn turns(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of a stranger's in a line of ours.
pub fn shown(text: &str) -> String {
    let line: String = text
        .chars()
        .filter(|c| !c.is_control() && !turns(*c))
        .take(SHOWN)
        .collect();
    if text.chars().count() > SHOWN {
        format!("{line}…")
    } else {
        line
    }
}

/// A value that is there and changes nothing.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => matches!(text.as_str(), "" | "false" | "none"),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_nobody_asked_for_is_told_and_no_value_ever() {
        let value = json!({ "a": "b", "secret": "hush", "list": [], "off": false, "none": null, "deep": { "x": 1 } });
        let record = Record::of("it", &value).unwrap();
        assert_eq!(record.text("a"), Ok(Some("b".to_owned())));
        record.pass_over(&["deep"]);
        assert_eq!(record.left(), ["secret"]);
        for why in [
            record.flag("secret").unwrap_err(),
            record.number("secret").unwrap_err(),
            record.records("secret").map(|_| ()).unwrap_err(),
            record.record("secret").map(|_| ()).unwrap_err(),
        ] {
            assert!(why.starts_with("it: ") && !why.contains("hush"), "{why}");
        }
    }

    #[test]
    fn texts_that_show_something_else_are_refused() {
        for (text, told) in [
            ("a\u{1b}[2J", "control"),
            ("a\nb", "control"),
            ("\u{202e}nimda", "direction"),
            ("a\u{2066}b", "direction"),
            ("{{ secret \"/x\" }}", "template"),
            ("${X_SECRET}", "template"),
        ] {
            let value = json!({ "name": text, "names": [text], text: {} });
            let record = Record::of("it", &value).unwrap();
            for why in [
                record.text("name").unwrap_err(),
                record.texts("names").unwrap_err(),
            ] {
                assert!(why.contains(told), "{why}");
            }
            assert!(!shown(text).chars().any(|c| c.is_control() || turns(c)));
            let value = json!({ text: {} });
            let names = Record::of("it", &value).unwrap();
            let why = names.entries().map(|_| ()).unwrap_err();
            assert!(why.contains(told), "{why}");
        }
        // Right-to-left names are names.
        let value = json!({ "name": "שרה" });
        assert!(Record::of("it", &value).unwrap().text("name").is_ok());
    }
}
