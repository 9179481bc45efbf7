//! What verbs print: JSON for programs, aligned lines for people. A closed pipe is the reader's wish, not an error.

use super::Shared;
use crate::types::appearance::is_unseen;
use serde_json::{Map, Value};
use std::io::{ErrorKind, Write};

/// Prints one thing: JSON, or `name  value` lines.
pub(super) fn one(shared: &Shared, value: &Value) {
    if shared.json {
        return line(&value.to_string());
    }
    let Value::Object(members) = value else {
        return line(&text(value));
    };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in members {
        line(format!("{name:width$}  {}", text(value)).trim_end());
    }
}

/// Members of what is printed that come before the others, each with a note (empty: none).
pub(super) type Leaders<'a> = &'a [(&'a str, &'a str)];

/// The same with these members first.
pub(super) fn led_by(shared: &Shared, value: &Value, leaders: Leaders<'_>) {
    let Some(members) = value.as_object().filter(|_| !shared.json) else {
        return one(shared, value);
    };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    block(members, leaders, width);
    for (name, value) in members {
        if !leaders.iter().any(|(leader, _)| leader == name) {
            line(format!("{name:width$}  {}", text(value)).trim_end());
        }
    }
}

/// These members alone, for people to copy; in JSON all of them.
pub(super) fn to_copy(shared: &Shared, value: &Value, leaders: Leaders<'_>) {
    let Some(members) = value.as_object().filter(|_| !shared.json) else {
        return one(shared, value);
    };
    let shown = leaders
        .iter()
        .filter(|(name, _)| members.contains_key(*name));
    let width = shown.map(|(name, _)| name.len()).max().unwrap_or(0);
    block(members, leaders, width);
}

fn block(members: &Map<String, Value>, leaders: Leaders<'_>, width: usize) {
    for (name, note) in leaders {
        let Some(value) = members.get(*name) else {
            continue;
        };
        let note = match *note {
            "" => String::new(),
            note => format!("  ({note})"),
        };
        line(format!("{name:width$}  {}{note}", text(value)).trim_end());
    }
}

/// A member as people read it; empty where there is none.
pub(super) fn member(value: &Value, name: &str) -> String {
    value.get(name).map(text).unwrap_or_default()
}

/// Prints a list: a JSON array, or a table of these members.
pub(super) fn table(shared: &Shared, values: &[Value], columns: &[&str]) {
    if shared.json {
        return line(&Value::Array(values.to_vec()).to_string());
    }
    let widths: Vec<usize> = columns
        .iter()
        .map(|column| {
            values
                .iter()
                .map(|v| member(v, column).chars().count())
                .max()
                .unwrap_or(0)
                .max(column.len())
        })
        .collect();
    let row = |cells: Vec<String>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}", width = *width))
            .collect();
        line(padded.join("  ").trim_end());
    };
    row(columns.iter().map(|column| column.to_uppercase()).collect());
    for value in values {
        row(columns.iter().map(|column| member(value, column)).collect());
    }
}

/// Prints, below what was printed, what happened and what to do next: a sentence for people.
pub(super) fn next(shared: &Shared, sentence: &str) {
    if !shared.json {
        line(sentence);
    }
}

/// Prints a whole text as it is. It was meant to be kept, so what could not be written is an error.
pub(super) fn whole(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints one line.
pub(super) fn line(text: &str) {
    // Whoever reads may have gone (`| head`).
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text
            .chars()
            .map(|c| if is_unseen(c) { ' ' } else { c })
            .collect(),
        Value::Array(items) => items.iter().map(text_of_item).collect::<Vec<_>>().join(" "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

fn text_of_item(value: &Value) -> String {
    match value {
        Value::Object(_) => value.to_string(),
        other => text(other),
    }
}
