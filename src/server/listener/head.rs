//! The head of a request: where it ends, and what it says.
//! RFC 9112 §2 to §7, RFC 9110 §7.2 and §10.1.1. Owns: which heads are refused, and how the body is framed. Pure.
//! Not here: reading from the socket (`connection`), the body (`body`), the words of a refusal (`refusal`).

use std::mem::MaybeUninit;
use std::net::Ipv6Addr;

use super::refusal::Refusal;

/// Field lines in one head: three times what browsers behind two proxies send.
const MAX_FIELDS: usize = 100;

/// Finds the end of a head in bytes that arrive piecemeal, and refuses at the first byte that no head may hold,
/// so that a client speaking TLS or ending its lines with a bare line feed is not left to run into a deadline.
#[derive(Debug)]
pub(super) struct HeadScanner {
    limit: usize,
    at: usize,
    after_carriage_return: bool,
    line_is_empty: bool,
    skipped_empty_line: bool,
    begun: bool,
}

impl HeadScanner {
    /// A scanner for a head of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            at: 0,
            after_carriage_return: false,
            line_is_empty: true,
            skipped_empty_line: false,
            begun: false,
        }
    }

    /// Looks at the bytes that were not seen yet; `bytes` always starts at the first byte of the head.
    /// Returns the length of the head, its last empty line included, or `None` while it is not whole.
    pub(super) fn find_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        for &byte in bytes
            .get(self.at..self.limit.min(bytes.len()))
            .unwrap_or_default()
        {
            self.at += 1;
            match byte {
                b'\n' if !self.after_carriage_return => return Err(Refusal::BareLineFeed),
                b'\n' => {
                    self.after_carriage_return = false;
                    if self.line_is_empty {
                        if self.begun {
                            return Ok(Some(self.at));
                        }
                        // RFC 9112 §2.2: one empty line before the request line is forgiven.
                        if self.skipped_empty_line {
                            return Err(Refusal::EmptyLines);
                        }
                        self.skipped_empty_line = true;
                    }
                    self.line_is_empty = true;
                }
                _ if self.after_carriage_return => return Err(Refusal::BareCarriageReturn),
                b'\r' => self.after_carriage_return = true,
                b' ' | b'\t' if self.line_is_empty => return Err(Refusal::FoldedLine),
                b'\t' | b' '..=b'~' | 0x80.. => {
                    self.begun = true;
                    self.line_is_empty = false;
                }
                _ => return Err(Refusal::ControlCharacter),
            }
        }
        if self.at >= self.limit {
            Err(Refusal::HeadTooLarge)
        } else {
            Ok(None)
        }
    }
}

/// The two versions that are spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// HTTP/1.0: one request a connection unless the client asks for more, no chunks.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// How the end of the body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body.
    Empty,
    /// `Content-Length`, more than zero.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// A head that passed every check.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    /// In origin form: starts with `/`, ASCII, no fragment.
    pub(super) target: String,
    pub(super) version: Version,
    /// With exactly one `Host` (HTTP/1.0: at most one), which already is the one of an absolute target.
    pub(super) fields: Vec<(String, String)>,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    pub(super) expects_continue: bool,
}

/// Reads a whole head, as delimited by [`HeadScanner`]. Never a part of its caller: the slots are most of a page, which
/// the stack of every connection would have beneath all that a handler does.
#[inline(never)]
pub(super) fn parse(bytes: &[u8]) -> Result<Head, Refusal> {
    let mut slots = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut slots) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(Refusal::FieldLine),
        Err(error) => return Err(refusal_of(error)),
    }
    let version = match request.version {
        Some(0) => Version::Http10,
        Some(1) => Version::Http11,
        _ => return Err(Refusal::Version),
    };
    let (Some(method), Some(target)) = (request.method, request.path) else {
        return Err(Refusal::RequestLine);
    };
    let (target, authority) = origin_form(target)?;

    let mut seen = Seen::default();
    let mut fields = Vec::with_capacity(request.headers.len() + 1);
    for field in request.headers.iter() {
        let value = text(field.value);
        seen.look_at(field.name, &value)?;
        fields.push((field.name.to_owned(), value));
    }

    if version == Version::Http11 && !seen.host {
        return Err(Refusal::HostMissing);
    }
    if let Some(authority) = authority {
        // RFC 9112 §3.2.2: the authority of an absolute target replaces Host.
        fields.retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
        fields.push(("Host".to_owned(), authority.to_owned()));
    }
    Ok(Head {
        method: method.to_owned(),
        target,
        version,
        fields,
        framing: seen.framing(version)?,
        keep_alive: !seen.close && (version == Version::Http11 || seen.keep_alive),
        expects_continue: seen.expects_continue(version)?,
    })
}

/// What the fields say about the message itself.
#[derive(Default)]
struct Seen {
    host: bool,
    length: Option<u64>,
    coding: Option<bool>,
    close: bool,
    keep_alive: bool,
    expectation: Option<bool>,
}

impl Seen {
    fn look_at(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        if name.eq_ignore_ascii_case("host") {
            // RFC 9112 §3.2: more than one Host, or one that is no host, is answered 400.
            if std::mem::replace(&mut self.host, true) {
                return Err(Refusal::HostRepeated);
            }
            if !is_authority(value) {
                return Err(Refusal::HostMalformed);
            }
        } else if name.eq_ignore_ascii_case("content-length") {
            // RFC 9110 §8.6 lets equal repetitions pass; whoever sends them has nothing good in mind.
            if self.length.replace(length(value)?).is_some() {
                return Err(Refusal::LengthRepeated);
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            let known = self.coding.is_none() && value.eq_ignore_ascii_case("chunked");
            self.coding = Some(known);
        } else if name.eq_ignore_ascii_case("connection") {
            for option in value.split(',').map(str::trim) {
                self.close |= option.eq_ignore_ascii_case("close");
                self.keep_alive |= option.eq_ignore_ascii_case("keep-alive");
            }
        } else if name.eq_ignore_ascii_case("expect") {
            let known =
                self.expectation != Some(false) && value.eq_ignore_ascii_case("100-continue");
            self.expectation = Some(known);
        }
        Ok(())
    }

    /// RFC 9112 §6: the only place where the end of a body is decided.
    fn framing(&self, version: Version) -> Result<Framing, Refusal> {
        match (self.coding, self.length) {
            (Some(_), Some(_)) => Err(Refusal::LengthAndCoding),
            (Some(_), None) if version == Version::Http10 => Err(Refusal::CodingInHttp10),
            (Some(false), None) => Err(Refusal::CodingUnknown),
            (Some(true), None) => Ok(Framing::Chunked),
            (None, None | Some(0)) => Ok(Framing::Empty),
            (None, Some(length)) => Ok(Framing::Length(length)),
        }
    }

    /// RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored.
    fn expects_continue(&self, version: Version) -> Result<bool, Refusal> {
        match self.expectation {
            Some(false) if version == Version::Http11 => Err(Refusal::ExpectationUnknown),
            Some(known) => Ok(known && version == Version::Http11),
            None => Ok(false),
        }
    }
}

fn refusal_of(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::Version => Refusal::Version,
        httparse::Error::TooManyHeaders => Refusal::TooManyFields,
        httparse::Error::HeaderName | httparse::Error::HeaderValue => Refusal::FieldLine,
        httparse::Error::NewLine | httparse::Error::Status | httparse::Error::Token => {
            Refusal::RequestLine
        }
    }
}

/// RFC 9112 §3.2: the target in origin form, and the authority that an absolute one carries.
fn origin_form(target: &str) -> Result<(String, Option<&str>), Refusal> {
    if !target
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        return Err(Refusal::Target);
    }
    if target.starts_with('/') {
        return Ok((target.to_owned(), None));
    }
    let rest = match target.split_once("://") {
        Some((scheme, rest))
            if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") =>
        {
            rest
        }
        _ => return Err(Refusal::Target),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if !is_authority(authority) {
        return Err(Refusal::Target);
    }
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    Ok((path, Some(authority)))
}

/// RFC 3986 §3.2 without user information: a name or an address, and perhaps a port.
fn is_authority(value: &str) -> bool {
    if let Some(rest) = value.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        return address.parse::<Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (name, port) = value.split_once(':').unwrap_or((value, ""));
    let is_name_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte);
    !name.is_empty() && name.bytes().all(is_name_byte) && is_port(port)
}

fn is_port(port: &str) -> bool {
    port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// RFC 9110 §8.6: digits and nothing else.
fn length(value: &str) -> Result<u64, Refusal> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::LengthMalformed);
    }
    value.parse().map_err(|_| Refusal::LengthMalformed)
}

/// A field value as text: UTF-8 where it is UTF-8, ISO-8859-1 (as RFC 9110 §5.5 remembers) where it is not.
fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
