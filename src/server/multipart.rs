//! `multipart/form-data` as its bytes arrive. RFC 7578, RFC 2046 §5.1.1. Pure: the parts are told one after another,
//! and nothing of them is held but the head of one and what may be the beginning of a delimiter.
//! Owns: which bodies are refused. It is strict: browsers write neither a preamble, nor an epilogue, nor white space after
//! a delimiter, nor names in another form than `name="…"`. The name of a file is read past; nothing is ever called so.
//! Not here: what the parts are for (`restoring`).

/// Parts of one body.
const MOST_PARTS: usize = 16;

/// Bytes of the head of one part: a file name of 255 letters may take 9 bytes each.
const LONGEST_HEAD: usize = 4 * 1024;

/// RFC 2046 §5.1.1.
const LONGEST_BOUNDARY: usize = 70;

/// What a body says, in this order for each part: one `Begin`, any number of `Data`, one `End`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// A part begins.
    Begin {
        /// Its `name`.
        name: String,
        /// Whether it has a `filename`, be it empty.
        is_file: bool,
    },
    /// Some of its content.
    Data(&'a [u8]),
    /// It is whole.
    End,
}

/// The body is none of the kind, or breaks its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Takes a body apart.
#[derive(Debug)]
pub struct Multipart {
    delimiter: Vec<u8>,
    held: Vec<u8>,
    parts: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first delimiter must stand here.
    Start,
    /// Behind a delimiter: another part, or the end.
    Delimited,
    Head,
    /// Behind a head: content must stand here, be it empty.
    Headed,
    Content,
    /// Behind the last delimiter.
    Tail,
    Broken,
}

impl Multipart {
    /// For a body of that `Content-Type`; nothing, if it is of another kind or names no boundary.
    pub fn of(content_type: &str) -> Option<Self> {
        let boundary = boundary(content_type)?;
        Some(Self {
            delimiter: [b"\r\n--", boundary.as_bytes()].concat(),
            // A delimiter begins a line: so does the body.
            held: b"\r\n".to_vec(),
            parts: 0,
            state: State::Start,
        })
    }

    /// Whether the body is whole.
    pub fn is_done(&self) -> bool {
        self.state == State::Tail
    }

    /// Tells what the next bytes say. After an error there is nothing more to say.
    pub fn take(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Said<'_>)) -> Result<(), Malformed> {
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let mut rest = held.as_slice();
        let taken = loop {
            match self.step(rest, tell) {
                Ok(Step::On(used)) => rest = rest.get(used..).unwrap_or_default(),
                Ok(Step::Wait(used)) => break Ok(rest.get(used..).unwrap_or_default()),
                Err(malformed) => break Err(malformed),
            }
        };
        match taken {
            Ok(rest) => self.held = rest.to_vec(),
            Err(malformed) => {
                self.state = State::Broken;
                return Err(malformed);
            }
        }
        Ok(())
    }

    fn step(&mut self, rest: &[u8], tell: &mut dyn FnMut(Said<'_>)) -> Result<Step, Malformed> {
        match self.state {
            State::Start if rest.starts_with(&self.delimiter) => {
                self.state = State::Delimited;
                Ok(Step::On(self.delimiter.len()))
            }
            State::Start if self.delimiter.starts_with(rest) => Ok(Step::Wait(0)),
            State::Start => Err(Malformed),
            State::Delimited => self.delimited(rest),
            State::Head => self.head(rest, tell),
            State::Headed => self.headed(rest),
            State::Content => Ok(self.content(rest, tell)),
            State::Tail if b"\r\n".starts_with(rest) => Ok(Step::Wait(0)),
            State::Tail | State::Broken => Err(Malformed),
        }
    }

    fn delimited(&mut self, rest: &[u8]) -> Result<Step, Malformed> {
        match rest.get(..2) {
            Some(b"\r\n") if self.parts < MOST_PARTS => {
                self.parts += 1;
                self.state = State::Head;
                Ok(Step::On(2))
            }
            // A form without a field is no form.
            Some(b"--") if self.parts > 0 => {
                self.state = State::Tail;
                Ok(Step::On(2))
            }
            Some(_) => Err(Malformed),
            None => Ok(Step::Wait(0)),
        }
    }

    fn head(&mut self, rest: &[u8], tell: &mut dyn FnMut(Said<'_>)) -> Result<Step, Malformed> {
        const END: &[u8] = b"\r\n\r\n";
        let within = rest.get(..LONGEST_HEAD + END.len()).unwrap_or(rest);
        let Some(length) = find(within, END) else {
            return match within.len() < LONGEST_HEAD + END.len() {
                true => Ok(Step::Wait(0)),
                false => Err(Malformed),
            };
        };
        let (name, is_file) = part_head(rest.get(..length).unwrap_or_default())?;
        tell(Said::Begin { name, is_file });
        self.state = State::Headed;
        Ok(Step::On(length + END.len()))
    }

    /// RFC 2046 §5.1.1: no line of a content begins with a delimiter. Others might take the end of the head for the line
    /// break before one, and the part for empty.
    fn headed(&mut self, rest: &[u8]) -> Result<Step, Malformed> {
        let line = self.delimiter.get(2..).unwrap_or_default();
        if rest.starts_with(line) {
            return Err(Malformed);
        }
        if line.starts_with(rest) {
            return Ok(Step::Wait(0));
        }
        self.state = State::Content;
        Ok(Step::On(0))
    }

    fn content(&mut self, rest: &[u8], tell: &mut dyn FnMut(Said<'_>)) -> Step {
        let mut say = |length: usize| {
            let data = rest.get(..length).unwrap_or_default();
            if !data.is_empty() {
                tell(Said::Data(data));
            }
        };
        if let Some(length) = find(rest, &self.delimiter) {
            say(length);
            tell(Said::End);
            self.state = State::Delimited;
            return Step::On(length + self.delimiter.len());
        }
        // The last bytes may be the beginning of a delimiter.
        let certain = rest.len().saturating_sub(self.delimiter.len() - 1);
        say(certain);
        Step::Wait(certain)
    }
}

/// How many bytes were used.
enum Step {
    /// And there is more to see.
    On(usize),
    /// And the rest says nothing without the bytes behind it.
    Wait(usize),
}

/// Where `wanted` begins.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The one `boundary` of a `multipart/form-data`, plain or quoted.
fn boundary(content_type: &str) -> Option<&str> {
    let mut pieces = content_type.split(';').map(str::trim);
    if !pieces.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut found = None;
    for piece in pieces {
        let (name, value) = piece.split_once('=')?;
        if name.eq_ignore_ascii_case("boundary") && found.replace(value).is_some() {
            return None;
        }
    }
    let value = found?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    (1..=LONGEST_BOUNDARY)
        .contains(&value.len())
        .then_some(value)
        .filter(|value| value.bytes().all(is_one))
}

/// The name in the head of a part, and whether it is a file.
fn part_head(head: &[u8]) -> Result<(String, bool), Malformed> {
    let head = std::str::from_utf8(head).map_err(|_| Malformed)?;
    let mut found = None;
    for line in head.split("\r\n") {
        let (field, value) = line.split_once(':').ok_or(Malformed)?;
        // A line that looks like a delimiter is none of a head.
        let is_name = field.starts_with(|first: char| first.is_ascii_alphabetic());
        if !is_name || value.chars().any(char::is_control) {
            return Err(Malformed);
        }
        if field.eq_ignore_ascii_case("content-disposition") {
            if found.replace(disposition(value.trim())?).is_some() {
                return Err(Malformed);
            }
        } else if field.eq_ignore_ascii_case("content-transfer-encoding") {
            // RFC 7578 §4.7: nobody writes it, and it would make other bytes of these.
            return Err(Malformed);
        }
    }
    found.ok_or(Malformed)
}

/// `form-data; name="…"`, and perhaps `filename="…"`, each once. RFC 7578 §4.2 has no other form of either.
fn disposition(value: &str) -> Result<(String, bool), Malformed> {
    let mut rest = value.strip_prefix("form-data").ok_or(Malformed)?;
    let (mut name, mut is_file) = (None, false);
    while !rest.is_empty() {
        let piece = rest.strip_prefix(';').ok_or(Malformed)?.trim_start();
        let (key, after) = piece.split_once("=\"").ok_or(Malformed)?;
        let (value, after) = after.split_once('"').ok_or(Malformed)?;
        match key {
            "name" if name.is_none() => name = Some(value.to_owned()),
            "filename" if !is_file => is_file = true,
            _ => return Err(Malformed),
        }
        rest = after.trim_start();
    }
    Ok((name.ok_or(Malformed)?, is_file))
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
