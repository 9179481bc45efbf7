//! What a check found.

use serde::Serialize;

/// How serious it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// To be known; nothing need be done.
    Note,
    /// It works, and will not always.
    Warning,
    /// People cannot sign in, or secrets are open.
    Fault,
}

/// One line of the doctor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word.
    pub check: &'static str,
    /// How serious it is.
    pub level: Level,
    /// What was found, for people.
    pub found: String,
    /// The line to change, or to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

impl Finding {
    fn new(check: &'static str, level: Level, found: impl Into<String>) -> Self {
        Self {
            check,
            level,
            found: found.into(),
            change: None,
        }
    }

    /// As it should be.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, found)
    }

    /// To be known.
    pub fn note(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Level::Note, found)
    }

    /// To be looked after.
    pub fn warning(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Level::Warning, found)
    }

    /// To be mended.
    pub fn fault(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Level::Fault, found)
    }

    /// Without the line to change: a stranger may have answered, and would have written it.
    pub(super) fn unassured(mut self) -> Self {
        self.found.push_str(
            "; the certificate there does not prove who answered, so no line to change is named",
        );
        self
    }

    /// With the line to change.
    pub fn change(self, line: impl Into<String>) -> Self {
        Self {
            change: Some(line.into()),
            ..self
        }
    }
}

/// What another server said, as far as it can be shown: a terminal obeys some characters, and a line has an end.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let kept = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
    kept.take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_server_said_moves_no_cursor() {
        assert_eq!(shown("a\u{1b}[31m\r\nb\u{202e}c"), "a[31mbc");
        assert_eq!(shown(&"x".repeat(1000)).len(), 200);
    }
}
