//! The log on standard error: one line an event, as text or as JSON, each with the request that it belongs to.
//! Whatever a request contains, it cannot end a line or begin another: control characters are escaped here, in the one
//! place that every line goes through. Levels and targets are chosen by `RUST_LOG`.
//! Not here: what is recorded in the file (`model::Event`).

use crate::store::panics::{self, Meaning};
use crate::types::RequestId;
use crate::types::appearance::is_unseen;
use log::Record;
use log::kv::{self, Key, Value, VisitSource};
use serde_json::{Map, Value as Json};
use std::fmt::Write as _;
use std::io;
use std::panic::PanicHookInfo;
use std::str::FromStr;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json"),
        }
    }
}

/// Logs from now on, panics too. `RUST_LOG` says what; without it `info` and above.
pub fn start(format: LogFormat) {
    let filter = env_logger::Env::default().default_filter_or("info");
    let mut builder = env_logger::Builder::from_env(filter);
    builder.format(move |out, record| {
        let time = out.timestamp_millis().to_string();
        write_line(out, &line(format, &time, record))
    });
    builder.init();
    std::panic::set_hook(Box::new(|what| match panics::meaning() {
        Meaning::Mistake => log::error!("{}", panicked(what)),
        Meaning::Damage => {}
        Meaning::End(last) => {
            log::error!("{last}");
            std::process::exit(1);
        }
    }));
}

/// Where it was, and what is written there. A message that was put together may quote a request, with what is secret in
/// it: that stays out, for the place is enough to find the mistake.
fn panicked(what: &PanicHookInfo<'_>) -> String {
    let message = what.payload().downcast_ref::<&'static str>();
    let message = message
        .copied()
        .unwrap_or("its message may quote a request");
    match what.location() {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    }
}

fn write_line(out: &mut impl io::Write, line: &str) -> io::Result<()> {
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")
}

fn line(format: LogFormat, time: &str, record: &Record<'_>) -> String {
    let mut pairs = Pairs(Map::new());
    // The pairs are texts and numbers of ours, which can be visited.
    let _ = record.key_values().visit(&mut pairs);
    let mut pairs = pairs.0;
    if !pairs.contains_key("request")
        && let Some(id) = RequestId::current()
    {
        pairs.insert("request".to_owned(), Json::from(id.as_str()));
    }
    match format {
        LogFormat::Text => text(time, record, &pairs),
        LogFormat::Json => json(time, record, pairs),
    }
}

fn text(time: &str, record: &Record<'_>, pairs: &Map<String, Json>) -> String {
    let mut line = format!("{time} {:5} {}: ", record.level(), record.target());
    push_escaped(&mut line, &record.args().to_string());
    // The message of an audit event is its kind and outcome.
    for (name, value) in pairs
        .iter()
        .filter(|(name, _)| !["kind", "outcome"].contains(&name.as_str()))
    {
        let _ = match value {
            Json::String(text) => write!(line, " {name}={text:?}"),
            other => write!(line, " {name}={other}"),
        };
    }
    line
}

fn json(time: &str, record: &Record<'_>, pairs: Map<String, Json>) -> String {
    let mut line = Map::new();
    for (name, value) in [
        ("time", time),
        ("level", record.level().as_str()),
        ("target", record.target()),
        ("message", &record.args().to_string()),
    ] {
        line.insert(name.to_owned(), Json::from(value));
    }
    for (name, value) in pairs {
        line.entry(name).or_insert(value);
    }
    // JSON may hold what a terminal obeys; inside its strings, where alone such characters stand, it can be escaped.
    let mut safe = String::new();
    for c in Json::Object(line).to_string().chars() {
        if is_unseen(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Written as Rust writes it: what could end a line, move a cursor, colour a terminal or turn the text round.
fn push_escaped(line: &mut String, text: &str) {
    for c in text.chars() {
        if is_unseen(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
}

/// Pairs by their names, in order.
struct Pairs(Map<String, Json>);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let value = match (value.to_u64(), value.to_borrowed_str()) {
            (Some(number), _) => Json::from(number),
            (None, Some(text)) => Json::from(text),
            (None, None) => Json::from(value.to_string()),
        };
        self.0.insert(key.to_string(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, EventKind};
    use crate::types::Timestamp;
    use log::Level;
    use std::cell::RefCell;

    fn of(format: LogFormat, message: &str, pairs: &dyn kv::Source) -> String {
        line(
            format,
            "2026-11-29T02:00:00.000Z",
            &Record::builder()
                .level(Level::Warn)
                .target("audit")
                .args(format_args!("{message}"))
                .key_values(&pairs)
                .build(),
        )
    }

    #[test]
    fn no_text_breaks_out_of_its_line() {
        let forged = "a\n2026-11-29T02:00:00.000Z INFO audit: sign_in success\r\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}\0";
        let event = Event::refused(EventKind::SignIn, Timestamp::default(), forged).actor(forged);
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = of(format, forged, &event);
            assert!(!line.chars().any(char::is_control), "{line:?}");
            assert_eq!(line.lines().count(), 1);
        }
        let text = of(LogFormat::Text, forged, &event);
        assert!(!text.contains(['\u{2028}', '\u{202e}']), "{text:?}");
    }

    #[test]
    fn a_line_in_json_has_what_it_is_about_in_members_of_their_own() {
        let id = RequestId::next();
        let mut event =
            Event::refused(EventKind::SignIn, Timestamp::default(), "a \"quoted\" word");
        event.address = Some([192, 0, 2, 7].into());
        event.request = Some(id);
        let line: Json =
            serde_json::from_str(&of(LogFormat::Json, "sign_in refused", &event)).unwrap();
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["target"], "audit");
        assert_eq!(line["message"], "sign_in refused");
        assert_eq!(line["kind"], "sign_in");
        assert_eq!(line["outcome"], "refused");
        assert_eq!(line["address"], "192.0.2.7");
        assert_eq!(line["detail"], "a \"quoted\" word");
        assert_eq!(line["request"], id.as_str());
        assert_eq!(
            of(LogFormat::Text, "sign_in refused", &event),
            format!(
                "2026-11-29T02:00:00.000Z WARN  audit: sign_in refused address=\"192.0.2.7\" \
                 detail=\"a \\\"quoted\\\" word\" request=\"{id}\""
            )
        );
    }

    /// A message such as "byte index 1 is not a char boundary of `…`" quotes what it was about.
    #[test]
    fn a_panic_tells_its_place_and_quotes_nothing() {
        thread_local!(static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(|what| {
            TOLD.with_borrow_mut(|told| told.push(panicked(what)));
        }));
        let secret = String::from("hunter2é");
        let cut = secret.len() - 1;
        let quoting = std::panic::catch_unwind(|| secret.split_at(cut).0.len());
        let written = std::panic::catch_unwind(|| panic!("nobody is at home"));
        std::panic::set_hook(before);
        assert!(quoting.is_err() && written.is_err());
        let told = TOLD.take();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("panicked at "), "{told:?}");
        assert!(!told[0].contains("hunter2"), "{told:?}");
        assert!(
            told[1].contains("logging.rs:") && told[1].ends_with("nobody is at home"),
            "{told:?}"
        );
    }

    #[test]
    fn every_line_of_a_request_has_its_id() {
        let id = RequestId::next();
        RequestId::set_current(Some(id));
        let empty: [(&str, u64); 1] = [("bytes", 7)];
        let with = of(LogFormat::Text, "m", &empty);
        RequestId::set_current(None);
        assert!(
            with.ends_with(&format!("m bytes=7 request=\"{id}\"")),
            "{with}"
        );
        assert!(of(LogFormat::Text, "m", &empty).ends_with("m bytes=7"));
    }
}
