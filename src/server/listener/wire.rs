//! Bytes to and from one client, with deadlines.
//! Owns: the timeouts of a socket, and how long a client may take to accept an answer.
//! This is the seam for TLS: a `Wire` that also holds a TLS session reads and writes through it, and nothing else of
//! the listener changes. Not here: which deadline applies when (`connection`).

use std::io::{self, Read, Write};
use std::net::{self, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::limits::time_for;
use super::registry::Ticket;

/// The shortest timeout that is ever set: the kernel takes zero for "none".
const SHORTEST: Duration = Duration::from_millis(1);

/// An accepted socket. It is shared by the connection's thread and the registry, which only ever shuts it down.
#[derive(Debug)]
pub(super) enum Socket {
    /// From [`Listener::bind_tcp`](super::Listener::bind_tcp).
    Tcp(TcpStream),
    /// From [`Listener::bind_unix`](super::Listener::bind_unix).
    Unix(UnixStream),
}

impl Socket {
    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&*stream).read(into),
            Self::Unix(stream) => (&*stream).read(into),
        }
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&*stream).write(bytes),
            Self::Unix(stream) => (&*stream).write(bytes),
        }
    }

    pub(super) fn shutdown(&self, how: net::Shutdown) {
        // The one failure is that the peer was faster, which is what was wanted.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
        };
    }

    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nonblocking(nonblocking),
            Self::Unix(stream) => stream.set_nonblocking(nonblocking),
        }
    }

    fn set_nodelay(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(true),
            Self::Unix(_) => Ok(()),
        }
    }

    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(timeout)),
            Self::Unix(stream) => stream.set_read_timeout(Some(timeout)),
        }
    }

    fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_write_timeout(Some(timeout)),
            Self::Unix(stream) => stream.set_write_timeout(Some(timeout)),
        }
    }
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// At least one byte.
    Bytes(usize),
    /// The client sends no more, or the connection was shed or broke.
    End,
    /// Nothing within the timeout.
    Nothing,
}

/// One side of a conversation.
#[derive(Debug)]
pub(super) struct Wire {
    ticket: Ticket,
    read_timeout: Duration,
    write_timeout: Duration,
    answer_timeout: Duration,
}

impl Wire {
    /// Prepares the socket of `ticket`. An answer may take `answer_timeout`, and longer if it is large.
    pub(super) fn new(ticket: Ticket, answer_timeout: Duration) -> io::Result<Self> {
        let socket = ticket.socket();
        socket.set_nonblocking(false)?;
        socket.set_nodelay()?;
        let mut wire = Self {
            ticket,
            read_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            answer_timeout,
        };
        wire.limit_write(answer_timeout)?;
        Ok(wire)
    }

    /// The connection's place in the registry.
    pub(super) fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Whether the bytes are encrypted on the way.
    pub(super) fn is_encrypted(&self) -> bool {
        false
    }

    /// Reads what there is, waiting no longer than `timeout` for the first byte.
    pub(super) fn read(&mut self, into: &mut [u8], timeout: Duration) -> Arrived {
        let timeout = timeout.max(SHORTEST);
        // A request whose bytes are all there costs one system call: the timeout of most reads is the last one's.
        if timeout != self.read_timeout {
            if self.ticket.socket().set_read_timeout(timeout).is_err() {
                return Arrived::End;
            }
            self.read_timeout = timeout;
        }
        loop {
            return match self.ticket.socket().read(into) {
                Ok(0) => Arrived::End,
                Ok(count) => Arrived::Bytes(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_timeout(&error) => Arrived::Nothing,
                Err(_) => Arrived::End,
            };
        }
    }

    /// Starts an answer: its deadline counts from here.
    pub(super) fn begin_answer(&mut self) -> AnswerWriter<'_> {
        AnswerWriter {
            wire: self,
            started: Instant::now(),
            sent: 0,
        }
    }

    /// Tells the client that nothing more will be sent.
    pub(super) fn end_sending(&mut self) {
        self.ticket.socket().shutdown(net::Shutdown::Write);
    }

    fn limit_write(&mut self, timeout: Duration) -> io::Result<()> {
        let timeout = timeout.max(SHORTEST);
        if timeout != self.write_timeout {
            self.ticket.socket().set_write_timeout(timeout)?;
            self.write_timeout = timeout;
        }
        Ok(())
    }
}

/// Writes one answer within its deadline.
#[derive(Debug)]
pub(super) struct AnswerWriter<'a> {
    wire: &'a mut Wire,
    started: Instant,
    sent: usize,
}

impl AnswerWriter<'_> {
    /// The client makes progress: its second of grace begins anew.
    fn still_sending(&self) -> io::Result<()> {
        let shed = |_| io::ErrorKind::ConnectionAborted.into();
        self.wire.ticket.sending().map_err(shed)
    }

    /// Writes all of `bytes`, or fails because the client is gone or takes them too slowly.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The client took the piece before this one.
        if self.sent > 0 {
            self.still_sending()?;
        }
        let mut left = bytes;
        loop {
            match self.wire.ticket.socket().write(left) {
                Ok(count) => {
                    self.sent = self.sent.saturating_add(count);
                    left = left.get(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if left.is_empty() {
                return Ok(());
            }
            self.still_sending()?;
            let allowed = self.wire.answer_timeout + time_for(self.sent);
            let remaining = allowed.saturating_sub(self.started.elapsed());
            if remaining.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.wire
                .limit_write(remaining.min(self.wire.answer_timeout))?;
        }
    }
}

impl Drop for AnswerWriter<'_> {
    fn drop(&mut self) {
        // A socket that refuses the timeout is broken, and the next read or write says so.
        let _ = self.wire.limit_write(self.wire.answer_timeout);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
