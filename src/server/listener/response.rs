//! Writing answers.
//! RFC 9112 §4, §6 and §7.1, RFC 9110 §6.4 and §8.6. Owns: how an answer is framed, and that no header of a handler
//! can break it. Not here: what a handler answers.

use std::io::{self, Read};

use rouille::Response;

use super::super::headers;
use super::date::DateCache;
use super::head::Version;
use super::memory::Memory;
use super::refusal::Refusal;
use super::wire::Wire;

/// Bodies up to this size are sent together with their head; larger ones in pieces of it.
const PIECE: usize = 16 * 1024;

/// The same while those who do not take their answers have the memory for pieces of that size.
const SMALL_PIECE: usize = 4 * 1024;

/// What the request has to say about its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) version: Version,
    pub(super) is_head: bool,
    pub(super) keep_alive: bool,
}

/// Why an answer did not reach the client as the handler meant it.
#[derive(Debug)]
pub(super) enum Unsent {
    /// Nothing was written yet: this can be answered instead.
    Unwritable,
    /// The client is gone, or too slow, or has half an answer.
    Broken,
}

impl From<io::Error> for Unsent {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// Writes answers of one connection, and keeps what can be used again.
#[derive(Debug, Default)]
pub(super) struct ResponseWriter {
    buffer: Vec<u8>,
    date: DateCache,
}

impl ResponseWriter {
    /// Writes a handler's answer; tells whether the connection may go on.
    pub(super) fn send(
        &mut self,
        wire: &mut Wire<'_>,
        response: Response,
        terms: Terms,
        memory: &Memory,
    ) -> Result<bool, Unsent> {
        let sent = self.send_pieces(wire, response, terms, memory);
        self.buffer.clear();
        sent
    }

    /// Gives memory back that a larger answer took.
    pub(super) fn shrink_to(&mut self, kept: usize) {
        self.buffer.shrink_to(kept);
    }

    fn send_pieces(
        &mut self,
        wire: &mut Wire<'_>,
        response: Response,
        terms: Terms,
        memory: &Memory,
    ) -> Result<bool, Unsent> {
        let Response {
            status_code,
            headers,
            data,
            upgrade: _,
        } = response;
        let (mut body, size) = data.into_reader_and_size();
        let framing = Framing::of(status_code, size, terms.version);
        let keep_alive = terms.keep_alive && framing != Framing::UntilClose;

        let out = &mut self.buffer;
        out.clear();
        push_status(out, status_code)?;
        for (name, value) in headers {
            push_field(out, &name, &value)?;
        }
        push(out, &["Date: ", self.date.now(), "\r\n"]);
        match framing {
            Framing::NoBody | Framing::UntilClose => {}
            Framing::Length(size) => {
                push(out, &["Content-Length: ", Decimal::of(size).text(), "\r\n"])
            }
            Framing::Chunked => push(out, &["Transfer-Encoding: chunked\r\n"]),
        }
        match (keep_alive, terms.version) {
            (false, _) => push(out, &["Connection: close\r\n"]),
            (true, Version::Http10) => push(out, &["Connection: keep-alive\r\n"]),
            (true, Version::Http11) => {}
        }
        push(out, &["\r\n"]);

        if terms.is_head {
            body = Box::new(io::empty());
        }
        let piece = size.unwrap_or(PIECE).min(PIECE);
        // Its records stand beside it until the client has taken them.
        let encrypted = if wire.is_encrypted() { piece } else { 0 };
        let share = match piece.saturating_sub(SMALL_PIECE) + encrypted {
            0 => None,
            large => memory.take(large, None),
        };
        let at_once = if share.is_some() { PIECE } else { SMALL_PIECE };

        let mut writer = wire.begin_answer();
        if share.is_none() {
            writer.spare_memory();
        }
        match framing {
            _ if terms.is_head => writer.write_all(out)?,
            Framing::NoBody => writer.write_all(out)?,
            Framing::Length(size) => {
                let mut left = size;
                loop {
                    let piece = left.min(at_once);
                    let at = out.len();
                    out.resize(at + piece, 0);
                    let read = body.read_exact(out.get_mut(at..).unwrap_or_default());
                    if read.is_err() {
                        // A body shorter than it says: if nothing went out yet, it can still become an error.
                        return Err(if at > 0 {
                            Unsent::Unwritable
                        } else {
                            Unsent::Broken
                        });
                    }
                    left -= piece;
                    if left == 0 {
                        // It is in the buffer now, and once is enough while the client is waited for.
                        body = Box::new(io::empty());
                    }
                    writer.write_all(out)?;
                    out.clear();
                    if left == 0 {
                        break;
                    }
                }
            }
            Framing::Chunked | Framing::UntilClose => {
                let mut piece = vec![0; at_once];
                let mut begun = false;
                loop {
                    let read = read_some(&mut body, &mut piece);
                    let count = read.map_err(|_| {
                        if begun {
                            Unsent::Broken
                        } else {
                            Unsent::Unwritable
                        }
                    })?;
                    begun = true;
                    let data = piece.get(..count).unwrap_or_default();
                    if framing == Framing::Chunked {
                        push(out, &[&format!("{count:x}\r\n")]);
                        out.extend_from_slice(data);
                        push(out, &["\r\n"]);
                    } else {
                        out.extend_from_slice(data);
                    }
                    if !out.is_empty() {
                        writer.write_all(out)?;
                    }
                    out.clear();
                    if count == 0 {
                        break;
                    }
                }
            }
        }
        Ok(keep_alive)
    }
}

/// How the client finds the end of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    NoBody,
    Length(usize),
    Chunked,
    UntilClose,
}

impl Framing {
    fn of(status: u16, size: Option<usize>, version: Version) -> Self {
        match (status, size, version) {
            // RFC 9112 §6.3: these never have a body, whatever their fields say.
            (204 | 304, ..) => Self::NoBody,
            (_, Some(size), _) => Self::Length(size),
            (_, None, Version::Http11) => Self::Chunked,
            (_, None, Version::Http10) => Self::UntilClose,
        }
    }
}

/// The whole answer to a refused request; after it the connection is closed.
pub(super) fn refusal(refusal: Refusal, is_head: bool) -> Vec<u8> {
    let (status, text) = refusal.wire();
    let mut out = Vec::with_capacity(512);
    // Every status of a refusal has three digits.
    let _ = push_status(&mut out, status);
    push(
        &mut out,
        &[
            "Date: ",
            DateCache::default().now(),
            "\r\nContent-Type: text/plain; charset=utf-8\r\n",
        ],
    );
    for (name, value) in headers::ALWAYS {
        push(&mut out, &[name, ": ", value, "\r\n"]);
    }
    if status == 503 {
        push(&mut out, &["Retry-After: 1\r\n"]);
    }
    push(
        &mut out,
        &[
            "Content-Length: ",
            Decimal::of(text.len() + 1).text(),
            "\r\nConnection: close\r\n\r\n",
        ],
    );
    if !is_head {
        push(&mut out, &[text, "\n"]);
    }
    out
}

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn push_status(out: &mut Vec<u8>, status: u16) -> Result<(), Unsent> {
    // 1xx announces another answer, which a handler does not have.
    if !(200..=999).contains(&status) {
        return Err(Unsent::Unwritable);
    }
    push(
        out,
        &[
            "HTTP/1.1 ",
            Decimal::of(usize::from(status)).text(),
            " ",
            reason(status),
            "\r\n",
        ],
    );
    Ok(())
}

/// A handler's header, unless the listener decides it; one that would break out of its line is an error.
fn push_field(out: &mut Vec<u8>, name: &str, value: &str) -> Result<(), Unsent> {
    const OURS: [&str; 7] = [
        "connection",
        "content-length",
        "transfer-encoding",
        "trailer",
        "upgrade",
        "keep-alive",
        "date",
    ];
    if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        return Ok(());
    }
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_safe = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    if name.is_empty() || !name.bytes().all(is_token) || !value.bytes().all(is_safe) {
        log::error!("a handler answered with a header field that cannot be written: {name:?}");
        return Err(Unsent::Unwritable);
    }
    push(out, &[name, ": ", value, "\r\n"]);
    Ok(())
}

fn read_some(body: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match body.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// A number in digits, without a detour through the heap.
struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    fn of(mut number: usize) -> Self {
        let mut decimal = Self {
            digits: [b'0'; 20],
            start: 20,
        };
        for slot in decimal.digits.iter_mut().rev() {
            *slot = b'0' + u8::try_from(number % 10).unwrap_or(0);
            decimal.start -= 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        decimal
    }

    fn text(&self) -> &str {
        self.digits
            .get(self.start..)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .unwrap_or_default()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
