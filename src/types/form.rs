//! `application/x-www-form-urlencoded` (WHATWG URL §5.1), read strictly: forms and query strings of requests.

use std::borrow::Cow;
use std::fmt;
use zeroize::Zeroize as _;

/// Names and values in the order they were sent. Passwords and tokens come in forms: the values are wiped when it is
/// dropped, and not printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Drop for Form {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.write_str("Form ")?;
        f.debug_set().entries(names).finish()
    }
}

/// The bytes are not a form we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// A name or value is not UTF-8 once decoded, or a percent sign stands without two hexadecimal digits.
    Malformed,
    /// More than 1,000 names.
    TooMany,
}

/// A parameter stands twice that may stand once (RFC 6749 §3.1, §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated(pub String);

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the form is not UTF-8 or not encoded rightly",
            Self::TooMany => "the form has too many fields",
        })
    }
}

impl std::error::Error for FormError {}

/// No form of ours comes near it.
const PAIRS_MAX: usize = 1_000;

impl Form {
    /// Parses a body or the part of an address after `?`.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut pairs = Vec::new();
        for piece in bytes
            .split(|byte| *byte == b'&')
            .filter(|piece| !piece.is_empty())
        {
            if pairs.len() >= PAIRS_MAX {
                return Err(FormError::TooMany);
            }
            let mut halves = piece.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// From names and values.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The value of a parameter that may stand once. An empty one counts as left out (RFC 6749 §3.1).
    pub fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Repeated(name.to_owned())),
            None => Ok(first.filter(|value| !value.is_empty())),
        }
    }

    /// The first value, empty when there is none: for forms of our own pages.
    pub fn text(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Whether the name stands in the form.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Every value of a parameter that may be repeated.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// All names and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same form without a name.
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(n, _)| n != name).cloned().collect())
    }

    /// The same form with one pair more.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As the part of an address after `?`.
    pub fn encode(&self) -> String {
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(self.pairs());
        out.finish()
    }
}

/// Decodes one name or value; plus is a space.
pub fn decode(bytes: &[u8]) -> Result<String, FormError> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(FormError::Malformed),
            },
            other => *other,
        });
    }
    String::from_utf8(out).map_err(|_| FormError::Malformed)
}

fn hex(byte: &u8) -> Option<u8> {
    char::from(*byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Appends pairs to an address that may have a query already.
pub fn append_query(address: &str, pairs: &[(&str, Cow<'_, str>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().map(|(name, value)| (*name, value.as_ref())));
    let query = query.finish();
    // The first one begins the query: those after it belong to it (RFC 3986 §3.4).
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, given)) if given.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_repeated_parameter_is_noticed_and_an_empty_one_left_out() {
        let form = Form::parse(b"a=1&b=&c=2&c=3&d").unwrap();
        assert_eq!(form.one("a"), Ok(Some("1")));
        assert_eq!(form.one("b"), Ok(None));
        assert_eq!(form.one("c"), Err(Repeated("c".to_owned())));
        assert_eq!(form.one("e"), Ok(None));
        assert_eq!(form.all("c").collect::<Vec<_>>(), ["2", "3"]);
    }

    #[test]
    fn what_is_not_utf8_or_not_encoded_is_refused() {
        for bad in [
            &b"a=%ff"[..],
            b"a=%",
            b"a=%4",
            b"a=%zz",
            b"\xff=1",
            b"a=%C3",
        ] {
            assert_eq!(Form::parse(bad), Err(FormError::Malformed), "{bad:?}");
        }
        assert_eq!(
            Form::parse("a=1&".repeat(1_001).as_bytes()),
            Err(FormError::TooMany)
        );
    }

    #[test]
    fn a_query_is_appended_to_what_is_there() {
        let pairs = [("code", Cow::Borrowed("a b"))];
        for (address, expected) in [
            ("https://a/cb", "https://a/cb?code=a+b"),
            ("https://a/cb?x=1", "https://a/cb?x=1&code=a+b"),
            ("https://a/cb?", "https://a/cb?code=a+b"),
            ("https://a/cb?x=1&", "https://a/cb?x=1&code=a+b"),
            ("app:/cb", "app:/cb?code=a+b"),
        ] {
            assert_eq!(append_query(address, &pairs), expected);
        }
    }

    /// Fuzzing found that `cb?to=/a?` became `cb?to=/a?code=…`: the client got no code, and `to` held it.
    #[test]
    fn a_question_mark_inside_the_query_does_not_begin_another() {
        let pairs = [("code", Cow::Borrowed("c"))];
        for (address, expected) in [
            ("https://a/cb?to=/a?", "https://a/cb?to=/a?&code=c"),
            ("https://a/cb??", "https://a/cb??&code=c"),
            ("https://a/cb?to=/a?x&", "https://a/cb?to=/a?x&code=c"),
        ] {
            let appended = append_query(address, &pairs);
            assert_eq!(appended, expected);
            let (_, query) = appended.split_once('?').unwrap();
            let form = Form::parse(query.as_bytes()).unwrap();
            assert_eq!(form.one("code"), Ok(Some("c")), "{appended}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(pairs in proptest::collection::vec(("[^\u{0}]{1,8}", ".{0,8}"), 0..6)) {
            let form = Form::from_pairs(pairs);
            prop_assert_eq!(Form::parse(form.encode().as_bytes()), Ok(form));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let _ = Form::parse(&bytes);
        }
    }
}
