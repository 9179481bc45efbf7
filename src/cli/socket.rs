//! A few lines of HTTP to a running server: over the control socket, and over TCP for `health`. Not a client for
//! anything else.

use super::Failure;
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longer than the slowest verb: RSA keys on a small machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// More than any verb answers.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// An open connection to a running server.
pub(super) struct Socket(UnixStream);

impl Socket {
    /// Connects; `None` when no server listens there.
    pub(super) fn connect(path: &Path) -> Option<Self> {
        let stream = UnixStream::connect(path).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        Some(Self(stream))
    }

    /// Sends one request and reads the whole answer: status and JSON.
    pub(super) fn ask(
        self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<(u16, Value), Failure> {
        let (status, body) = exchange(self.0, method, path, body)?;
        Ok((status, serde_json::from_str(&body).unwrap_or(Value::Null)))
    }
}

impl Socket {
    /// The same, where the answer is a text.
    pub(super) fn ask_text(
        self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<(u16, String), Failure> {
        exchange(self.0, method, path, body)
    }
}

/// One request on a connection of its own: status and body of the answer.
pub(super) fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<(u16, String), Failure> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    parse(&answer)
        .ok_or_else(|| Failure("the running server gave no answer that can be read".to_owned()))
}

fn parse(answer: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
