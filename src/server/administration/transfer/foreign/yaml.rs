//! YAML 1.2, as much of it as configuration files need.
//! Owns: its bounds, and what is refused before anything is built of it: anchors and aliases (a few lines of them can stand
//! for gigabytes), tags, documents after the first, keys that stand twice. Not here: the grammar (`saphyr-parser`).

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// Bytes of a document: each may become a value of its own, which takes thirty times as much memory.
pub const LONGEST: usize = 2 * 1024 * 1024;

/// How deep lists and maps may stand in one another.
const DEEPEST: usize = 24;

/// The document. Scalars without quotes are true, false, null or text: a number keeps its spelling, and a name that looks
/// like one is no other name.
pub fn parse(text: &str) -> Result<Value, String> {
    if text.len() > LONGEST {
        let most = LONGEST / (1024 * 1024);
        return Err(format!("it is longer than {most} MiB"));
    }
    let mut parser = Parser::new_from_str(text.trim_start_matches('\u{feff}'));
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|why| {
            let marker = why.marker();
            let place = format!("line {}, column {}", marker.line(), marker.col() + 1);
            format!("it is not YAML that can be read ({place}: {})", why.info())
        })?;
        let refused = builder.take(event);
        refused.map_err(|why| format!("line {}: {why}", span.start.line()))?;
    }
    builder.root.ok_or_else(|| "it is empty".to_owned())
}

/// What is not closed yet.
enum Open {
    List(Vec<Value>),
    /// With the key that waits for its value.
    Map(Map<String, Value>, Option<String>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Value>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err("a second document begins, and one is expected")
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(_) => Err(ANCHORS),
            Event::Scalar(text, style, anchor, tag) => {
                plain(anchor, tag.is_some())?;
                self.scalar(&text, style)
            }
            Event::SequenceStart(anchor, tag) => {
                plain(anchor, tag.is_some())?;
                self.open(Open::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                plain(anchor, tag.is_some())?;
                self.open(Open::Map(Map::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle) -> Result<(), &'static str> {
        if let Some(Open::Map(members, key @ None)) = self.open.last_mut() {
            if members.contains_key(text) {
                return Err("a key stands twice");
            }
            *key = Some(text.to_owned());
            return Ok(());
        }
        let value = match text {
            _ if style != ScalarStyle::Plain => Value::String(text.to_owned()),
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            other => Value::String(other.to_owned()),
        };
        self.put(value)
    }

    fn open(&mut self, what: Open) -> Result<(), &'static str> {
        if self.open.len() >= DEEPEST {
            return Err("it is nested too deep");
        }
        if let Some(Open::Map(_, None)) = self.open.last() {
            return Err("a key must be text; a template such as {{ … }} must be filled in first");
        }
        self.open.push(what);
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let value = match self.open.pop() {
            Some(Open::List(items)) => Value::Array(items),
            Some(Open::Map(members, _)) => Value::Object(members),
            None => return Err("nothing is open"),
        };
        self.put(value)
    }

    fn put(&mut self, value: Value) -> Result<(), &'static str> {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(members, key)) => {
                let key = key.take().ok_or("a key is missing")?;
                members.insert(key, value);
            }
        }
        Ok(())
    }
}

const ANCHORS: &str =
    "anchors and aliases (&name, *name) are not read; write out what they stand for";

fn plain(anchor: usize, tagged: bool) -> Result<(), &'static str> {
    match (anchor, tagged) {
        (0, false) => Ok(()),
        (0, true) => Err("tags (!name) are not read"),
        _ => Err(ANCHORS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_configuration_file_is_read() {
        let text = "---\n# a comment\nusers:\n  john:\n    name: 'John: Doe'\n    off: false\n    nothing: ~\n    id: 0123\n    \
                    folded: >-\n      one\n      two\n    groups: ['a', b]\n    more:\n      - yes\n      - \"true\"\n...\n";
        let read = parse(text).unwrap();
        let john = json!({ "name": "John: Doe", "off": false, "nothing": null, "id": "0123", "folded": "one two",
            "groups": ["a", "b"], "more": ["yes", "true"] });
        assert_eq!(read, json!({ "users": { "john": john } }));
        assert_eq!(parse("\u{feff}a: b"), Ok(json!({ "a": "b" })));
    }

    #[test]
    fn what_these_files_do_not_need_is_refused_with_its_line() {
        for (text, line, told) in [
            ("a: &x b", 1, "anchors"),
            ("a: 1\nb: *x", 2, "anchor"),
            ("a: &x [b]\nc: *x", 1, "anchors"),
            ("&x a: b", 1, "anchors"),
            ("a: !!str b", 1, "tags"),
            ("a: !include b", 1, "tags"),
            ("a: 1\nb: 2\na: 3", 3, "twice"),
            ("a: {b: 1, b: 2}", 1, "twice"),
            ("? [a]\n: b", 1, "a key must be text"),
            ("a: {{ secret \"/x\" }}", 1, "a key must be text"),
            ("a: 1\n---\nb: 2", 2, "second document"),
            ("a: [", 1, ""),
            ("a: b: c", 1, ""),
            ("a:\n\t- b", 1, ""),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(told), "{text:?}: {why}");
            assert!(
                why.contains(&format!("line {line}")) || told.is_empty(),
                "{text:?}: {why}"
            );
        }
        assert!(parse("").unwrap_err().contains("empty"));
        assert!(
            parse(&"#".repeat(LONGEST + 1))
                .unwrap_err()
                .contains("longer")
        );
    }

    /// A billion laughs, a ladder of brackets, and shapes that a careless scanner takes forever for.
    #[test]
    fn hostile_documents_end_soon() {
        let laughs =
            "a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n";
        let ladder = |rung: &str| rung.repeat(LONGEST / rung.len());
        let begun = std::time::Instant::now();
        for text in [
            laughs.to_owned(),
            ladder("["),
            ladder("{"),
            ladder("- "),
            ladder("? "),
            ladder("a: "),
            ladder("\n "),
            ladder("[a,"),
            format!("a: \"{}", ladder("x ")),
            format!("a: |\n{}", ladder(" ")),
        ] {
            let head: String = text.chars().take(12).collect();
            assert!(parse(&text).is_err(), "{head}");
        }
        for text in [
            ladder("a: b\n"),
            ladder("- a\n"),
            format!("[{}]", ladder("a,")),
            ladder("#\n"),
        ] {
            let _ = parse(&text);
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(60));
    }
}
