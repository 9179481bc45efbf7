//! A few lines of HTTP over the control socket. Not a client for anything else.

use super::Failure;
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longer than the slowest verb: RSA keys on a small machine.
const PATIENCE: Duration = Duration::from_secs(120);

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
        mut self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<(u16, Value), Failure> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.write_all(head.as_bytes())?;
        self.0.write_all(body)?;
        let mut answer = Vec::new();
        self.0.read_to_end(&mut answer)?;
        parse(&answer)
            .ok_or_else(|| Failure("the running server gave no answer that can be read".to_owned()))
    }
}

fn parse(answer: &[u8]) -> Option<(u16, Value)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}
