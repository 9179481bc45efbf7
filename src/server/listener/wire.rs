//! Bytes to and from one client, with deadlines.
//! Owns: the timeouts of a socket, how long a client may take to accept an answer, and TLS: a `Wire` with a session
//! reads and writes through it, and nothing else of the listener knows. Not here: which deadline applies when
//! (`connection`), the system's calls (`socket`), what TLS speaks (`tls`), what a session may hold (`records`).

use std::io::{self, Read, Write};
use std::net;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustls::{InvalidMessage, ServerConnection};

use super::limits::time_for;
use super::memory::Share;
use super::records::{self, Place, Records};
use super::registry::Ticket;
use super::socket::Socket;
use super::tls::Tls;

/// The shortest timeout that is ever set: the kernel takes zero for "none".
const SHORTEST: Duration = Duration::from_millis(1);

/// RFC 8446 §5.1: what a record with a part of a handshake begins with.
const HANDSHAKE: u8 = 22;

/// What a session holds of an answer until the client has taken it, and where memory is short.
const RECORDS: usize = 64 * 1024;
const FEW_RECORDS: usize = 2 * 1024;

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// At least one byte.
    Bytes(usize),
    /// The client sends no more, or the connection was shed or broke.
    End,
    /// Nothing within the timeout.
    Nothing,
    /// More than there is memory for. What the client still sends is read past.
    TooMuch,
}

/// Why a handshake came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHandshake {
    /// What arrived is no TLS; the wire is plain from here on, so that an answer can be read.
    NotTls,
    /// The client is gone, too slow, or wants what is not spoken here, and was told.
    Ended,
}

/// One side of a conversation.
#[derive(Debug)]
pub(super) struct Wire<'c> {
    ticket: Ticket,
    session: Option<Box<ServerConnection>>,
    records: Records<'c>,
    /// Whether what the client sends is read past.
    deaf: bool,
    /// Until the first record of a handshake is whole: what it will be held with. A session takes several times what
    /// that record does, and strangers who never send it are to cost no more than those who speak plain http.
    awaited: Option<Tls>,
    /// That record.
    first: Vec<u8>,
    read_timeout: Duration,
    write_timeout: Duration,
    answer_timeout: Duration,
}

impl<'c> Wire<'c> {
    /// Prepares the socket of `ticket`. An answer may take `answer_timeout`, and longer if it is large. A session's
    /// memory is taken into `share`.
    pub(super) fn new(
        ticket: Ticket,
        answer_timeout: Duration,
        tls: Option<&Tls>,
        share: Share<'c>,
    ) -> io::Result<Self> {
        let socket = ticket.socket();
        socket.set_nonblocking(false)?;
        socket.set_nodelay()?;
        let mut wire = Self {
            session: None,
            records: Records::new(share),
            deaf: false,
            awaited: tls.cloned(),
            first: Vec::new(),
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
        self.session.is_some() || self.awaited.is_some()
    }

    /// Agrees on keys, within `timeout` from its beginning to its end, however the bytes trickle in. Nothing to do on a
    /// plain wire.
    pub(super) fn shake_hands(&mut self, timeout: Duration) -> Result<(), NoHandshake> {
        let Some(tls) = self.awaited.take() else {
            return Ok(());
        };
        let deadline = Instant::now() + timeout;
        self.begin_session(&tls, deadline)?;
        while let Some(session) = self.session.as_deref()
            && session.is_handshaking()
        {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoHandshake::Ended);
            }
            match self.receive(left) {
                Ok(Arrived::Bytes(_)) => {}
                Ok(Arrived::End | Arrived::Nothing | Arrived::TooMuch) => {
                    return Err(NoHandshake::Ended);
                }
                Err(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                    self.session = None;
                    return Err(NoHandshake::NotTls);
                }
                Err(error) => {
                    log::debug!("a TLS handshake failed: {error}");
                    return Err(NoHandshake::Ended);
                }
            }
        }
        self.records.handshake_is_over();
        Ok(())
    }

    /// Makes the session once its first record is there. Never a part of its caller, on whose stack a session that is
    /// being made would stay while the connection lasts.
    #[inline(never)]
    fn begin_session(&mut self, tls: &Tls, deadline: Instant) -> Result<(), NoHandshake> {
        self.first = self.first_record(deadline)?;
        let session = tls.session().map_err(|error| {
            log::warn!("no TLS session: {error}");
            NoHandshake::Ended
        })?;
        self.session = Some(Box::new(session));
        Ok(())
    }

    /// The bytes of the first record, or those that show that it is none (RFC 8446 §5.1).
    fn first_record(&mut self, deadline: Instant) -> Result<Vec<u8>, NoHandshake> {
        let mut record = Vec::new();
        loop {
            let whole = match record.as_slice() {
                [HANDSHAKE, _, _, high, low, ..] => {
                    records::HEADER + usize::from(u16::from_be_bytes([*high, *low]))
                }
                [] | [HANDSHAKE, ..] => records::HEADER,
                _ => return Ok(record),
            };
            if record.len() >= whole || whole > records::LONGEST {
                return Ok(record);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoHandshake::Ended);
            }
            let room = self.records.room().ok_or(NoHandshake::Ended)?;
            let mut piece = [0; 512];
            let wanted = (whole - record.len()).min(piece.len()).min(room);
            let piece = piece.get_mut(..wanted).unwrap_or_default();
            match self.read_socket(left, |socket| socket.read(piece)) {
                Arrived::Bytes(count) => {
                    let piece = piece.get(..count).unwrap_or_default();
                    record.reserve_exact(count);
                    record.extend_from_slice(piece);
                    let mut place = self.records.place();
                    place.pass(piece);
                    self.records.took(count, place, 0);
                }
                Arrived::End | Arrived::Nothing | Arrived::TooMuch => {
                    return Err(NoHandshake::Ended);
                }
            }
        }
    }

    /// Reads what there is, waiting no longer than `timeout` for the first byte.
    pub(super) fn read(&mut self, into: &mut [u8], timeout: Duration) -> Arrived {
        if self.session.is_none() || self.deaf {
            return self.read_socket(timeout, |socket| socket.read(into));
        }
        let deadline = Instant::now() + timeout;
        let mut left = timeout;
        while let Some(session) = self.session.as_deref_mut() {
            match session.reader().read(into) {
                Ok(0) => return Arrived::End,
                Ok(count) => {
                    self.records.gave(count);
                    return Arrived::Bytes(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // RFC 8446 §6.1: it ended without saying so.
                Err(_) => return Arrived::End,
            }
            if left.is_zero() {
                return Arrived::Nothing;
            }
            match self.receive(left) {
                // Bytes of a record that may not be whole yet: the time goes on.
                Ok(Arrived::Bytes(_)) => left = deadline.saturating_duration_since(Instant::now()),
                Ok(Arrived::Nothing) => return Arrived::Nothing,
                Ok(Arrived::TooMuch) => {
                    self.deaf = true;
                    return Arrived::TooMuch;
                }
                Ok(Arrived::End) | Err(_) => return Arrived::End,
            }
        }
        Arrived::End
    }

    /// Takes what the client sent into the session, and sends what that asks for: a part of the handshake, an alert.
    fn receive(&mut self, timeout: Duration) -> Result<Arrived, rustls::Error> {
        let Some(mut session) = self.session.take() else {
            return Ok(Arrived::End);
        };
        let first = std::mem::take(&mut self.first);
        let mut place = self.records.place();
        let arrived = match (first.is_empty(), self.records.room()) {
            // It is on the account already.
            (false, _) => take_in(&mut session, &first),
            (true, None) => Arrived::TooMuch,
            (true, Some(room)) => self.read_socket(timeout, |socket| {
                let place = &mut place;
                session.read_tls(&mut Portion {
                    socket,
                    room,
                    place,
                })
            }),
        };
        let processed = match arrived {
            Arrived::Bytes(count) => session.process_new_packets().map(|state| {
                let count = if first.is_empty() { count } else { 0 };
                let plain = state.plaintext_bytes_to_read();
                if self.records.took(count, place, plain) {
                    // It gives its room back when it is to read more.
                    let _ = session.read_tls(&mut Nothing);
                }
            }),
            Arrived::End | Arrived::Nothing | Arrived::TooMuch => Ok(()),
        };
        // Where no TLS was spoken, an alert would stand before the answer.
        let not_tls = matches!(
            processed,
            Err(rustls::Error::InvalidMessage(
                InvalidMessage::InvalidContentType
            ))
        );
        let mut sent = Ok(());
        if session.wants_write() && !not_tls {
            sent = self.limit_write(timeout.min(self.answer_timeout));
            while sent.is_ok() && session.wants_write() {
                sent = match session.write_tls(&mut self.ticket.socket()) {
                    Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                    Ok(_) => Ok(()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                    Err(error) => Err(error),
                };
            }
            sent = sent.and(self.limit_write(self.answer_timeout));
        }
        self.session = Some(session);
        processed?;
        Ok(sent.map_or(Arrived::End, |()| arrived))
    }

    /// What comes now is an upload that was admitted.
    pub(super) fn admit(&mut self) {
        self.records.admit();
    }

    /// Whether more arrived than was read, or the end. Does not wait.
    pub(super) fn has_more(&self) -> bool {
        if self.records.has_unread() {
            return true;
        }
        let mut ready = [PollFd::from_borrowed_fd(
            self.ticket.socket().as_fd(),
            PollFlags::IN,
        )];
        rustix::event::poll(&mut ready, Some(&Timespec::default())).is_ok_and(|count| count > 0)
    }

    fn read_socket(
        &mut self,
        timeout: Duration,
        mut read: impl FnMut(&Socket) -> io::Result<usize>,
    ) -> Arrived {
        let timeout = timeout.max(SHORTEST);
        // A request whose bytes are all there costs one system call: the timeout of most reads is the last one's.
        if timeout != self.read_timeout {
            if self.ticket.socket().set_read_timeout(timeout).is_err() {
                return Arrived::End;
            }
            self.read_timeout = timeout;
        }
        loop {
            return match read(self.ticket.socket()) {
                Ok(0) => Arrived::End,
                Ok(count) => Arrived::Bytes(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_timeout(&error) => Arrived::Nothing,
                Err(_) => Arrived::End,
            };
        }
    }

    /// Starts an answer: its deadline counts from here.
    pub(super) fn begin_answer(&mut self) -> AnswerWriter<'_, 'c> {
        AnswerWriter {
            wire: self,
            started: Instant::now(),
            sent: 0,
        }
    }

    /// Tells the client that nothing more will be sent, and that what was sent is whole (RFC 8446 §6.1). Does not wait.
    pub(super) fn end_sending(&mut self) {
        let socket = self.ticket.socket();
        if let Some(session) = self.session.as_deref_mut() {
            session.send_close_notify();
            // A client whose buffer is full does not learn it; it is gone, or reads nothing.
            if socket.set_nonblocking(true).is_ok() {
                let mut sending: &Socket = socket;
                let _ = session.write_tls(&mut sending);
                let _ = socket.set_nonblocking(false);
            }
        }
        socket.shutdown(net::Shutdown::Write);
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
pub(super) struct AnswerWriter<'a, 'c> {
    wire: &'a mut Wire<'c>,
    started: Instant,
    sent: usize,
}

impl AnswerWriter<'_, '_> {
    /// The client makes progress: its second of grace begins anew.
    fn still_sending(&self) -> io::Result<()> {
        let shed = |_| io::ErrorKind::ConnectionAborted.into();
        self.wire.ticket.sending().map_err(shed)
    }

    /// From here on as little of the answer as may be is there twice.
    pub(super) fn spare_memory(&mut self) {
        if let Some(session) = self.wire.session.as_deref_mut() {
            session.set_buffer_limit(Some(FEW_RECORDS));
        }
    }

    /// Writes all of `bytes`, or fails because the client is gone or takes them too slowly.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The client took the piece before this one.
        if self.sent > 0 {
            self.still_sending()?;
        }
        let mut left = bytes;
        while !left.is_empty() {
            let Some(session) = self.wire.session.as_deref_mut() else {
                return self.take(|socket, _| {
                    let count = socket.write(left)?;
                    left = left.get(count..).unwrap_or_default();
                    Ok((count, left.is_empty()))
                });
            };
            // As much as a session may hold; the records of one piece are encrypted together.
            let accepted = session.writer().write(left)?;
            left = left.get(accepted..).unwrap_or_default();
            if accepted == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.take(|mut socket, session| {
                let Some(session) = session else {
                    return Err(io::ErrorKind::NotConnected.into());
                };
                let count = session.write_tls(&mut socket)?;
                Ok((count, !session.wants_write()))
            })?;
        }
        Ok(())
    }

    /// Calls `write`, which says how much the client took and whether that was all, until it was.
    fn take(
        &mut self,
        mut write: impl FnMut(&Socket, Option<&mut ServerConnection>) -> io::Result<(usize, bool)>,
    ) -> io::Result<()> {
        loop {
            // Before the first bytes it has its time anyway.
            if self.sent > 0 {
                self.hurry()?;
            }
            let wire = &mut *self.wire;
            match write(wire.ticket.socket(), wire.session.as_deref_mut()) {
                Ok((count, is_all)) => {
                    self.sent = self.sent.saturating_add(count);
                    if is_all {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            self.still_sending()?;
        }
    }

    /// The answer has one deadline, however its pieces fit into what the client takes; what it took adds to it.
    fn hurry(&mut self) -> io::Result<()> {
        let allowed = self.wire.answer_timeout + time_for(self.sent);
        let remaining = allowed.saturating_sub(self.started.elapsed());
        if remaining.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.wire
            .limit_write(remaining.min(self.wire.answer_timeout))
    }
}

impl Drop for AnswerWriter<'_, '_> {
    fn drop(&mut self) {
        if let Some(session) = self.wire.session.as_deref_mut() {
            session.set_buffer_limit(Some(RECORDS));
        }
        // A socket that refuses the timeout is broken, and the next read or write says so.
        let _ = self.wire.limit_write(self.wire.answer_timeout);
    }
}

/// What a session may read of a socket now.
struct Portion<'a> {
    socket: &'a Socket,
    room: usize,
    place: &'a mut Place,
}

impl Read for Portion<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = self.room.min(into.len());
        let into = into.get_mut(..room).unwrap_or_default();
        let count = self.socket.read(into)?;
        self.place.pass(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// What a session reads where it is not to read.
struct Nothing;

impl Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// Gives the session what was read before there was one.
fn take_in(session: &mut ServerConnection, bytes: &[u8]) -> Arrived {
    let mut left = bytes;
    while !left.is_empty() {
        if session.read_tls(&mut left).is_err() {
            return Arrived::End;
        }
    }
    Arrived::Bytes(bytes.len())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
