//! The client's side of HTTP/1.1: requests as bytes, answers as slices.
//! Only what an answer of Doorlight needs: a status, a head, a body with a `Content-Length` or none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

/// A request without a body.
pub fn get(host: &str, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    head("GET", host, target, headers, "\r\n").into_bytes()
}

/// As above.
pub fn delete(host: &str, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    head("DELETE", host, target, headers, "\r\n").into_bytes()
}

/// A request with a JSON document as its body.
pub fn post_json(host: &str, target: &str, authorization: &str, body: &str) -> Vec<u8> {
    let end = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let headers = [("Authorization", authorization)];
    head("POST", host, target, &headers, &end).into_bytes()
}

/// A request with a form as its body.
pub fn post(
    host: &str,
    target: &str,
    headers: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> Vec<u8> {
    post_form(host, target, headers, &form(fields))
}

/// The same with a form that is encoded already.
pub fn post_form(host: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let end = format!(
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    head("POST", host, target, headers, &end).into_bytes()
}

fn head(method: &str, host: &str, target: &str, headers: &[(&str, &str)], end: &str) -> String {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + end
}

pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// `Authorization: Basic` with both parts form-encoded (RFC 6749 §2.3.1).
pub fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)))
    )
}

/// One whole answer, as it lies in the buffer.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
    /// The server ends the connection after this answer.
    pub closes: bool,
    head: &'a [u8],
}

pub enum Parsed<'a> {
    Partial,
    Whole(Answer<'a>),
    Broken(&'static str),
}

impl<'a> Answer<'a> {
    /// Reads the one answer that `bytes` should hold: more than that is an error too, because the
    /// next request has not been sent yet.
    pub fn parse(bytes: &'a [u8]) -> Parsed<'a> {
        let mut at = 0;
        let (mut status, mut length, mut closes) = (None, None, false);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Parsed::Partial;
            };
            let line = rest.get(..end).unwrap_or_default().trim_ascii_end();
            at += end + 1;
            if status.is_none() {
                match status_of(line) {
                    Some(code) => status = Some(code),
                    None => return Parsed::Broken("no HTTP/1.1 status line"),
                }
            } else if line.is_empty() {
                break;
            } else if let Some(value) = value_of(line, "content-length") {
                length = std::str::from_utf8(value)
                    .ok()
                    .and_then(|text| text.parse::<usize>().ok());
            } else if let Some(value) = value_of(line, "connection") {
                closes = value.eq_ignore_ascii_case(b"close");
            }
        }
        // RFC 9110 §8.6: a 204 has none.
        let length = length.or((status == Some(204)).then_some(0));
        let (Some(status), Some(length)) = (status, length) else {
            return Parsed::Broken("no Content-Length");
        };
        let (head, body) = bytes.split_at(at);
        if body.len() < length {
            return Parsed::Partial;
        }
        if body.len() > length {
            return Parsed::Broken("bytes after the answer");
        }
        Parsed::Whole(Answer {
            status,
            body,
            closes,
            head,
        })
    }

    /// Every value of a header, in order.
    pub fn headers(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.head
            .split(|byte| *byte == b'\n')
            .filter_map(move |line| value_of(line.trim_ascii_end(), name))
            .filter_map(|value| std::str::from_utf8(value).ok())
    }

    pub fn redirects_to(&self) -> Option<&'a str> {
        if matches!(self.status, 302 | 303) {
            self.headers("location").next()
        } else {
            None
        }
    }

    /// For a message about a wrong answer.
    pub fn summary(&self) -> String {
        let body: String = String::from_utf8_lossy(self.body)
            .chars()
            .take(160)
            .collect();
        let place = self
            .headers("location")
            .next()
            .map(|to| format!(" to {to}"));
        format!("{}{} {:?}", self.status, place.unwrap_or_default(), body)
    }
}

fn status_of(line: &[u8]) -> Option<u16> {
    let code = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

fn value_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    if !start.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    Some(rest.strip_prefix(b":")?.trim_ascii())
}

/// What stands after `"key":` in a JSON text. A search and not a parser: it runs once an answer,
/// on documents whose values do not contain their own keys.
pub fn member<'a>(json: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let key = key.as_bytes();
    let at = json.windows(key.len() + 2).position(|window| {
        window.first() == Some(&b'"')
            && window.last() == Some(&b'"')
            && window.get(1..=key.len()) == Some(key)
    })?;
    let rest = json.get(at + key.len() + 2..)?.trim_ascii_start();
    Some(rest.strip_prefix(b":")?.trim_ascii_start())
}

/// A string member without escapes, as tokens and identifiers are.
pub fn string_member<'a>(json: &'a [u8], key: &str) -> Option<&'a str> {
    let rest = member(json, key)?.strip_prefix(b"\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(rest.get(..end)?)
        .ok()
        .filter(|text| !text.is_empty())
}
