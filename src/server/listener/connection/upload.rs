//! A request whose body is taken piece by piece (`upload`): admitted on its head, read at a pace.
//! RFC 9110 §10.1.1: a client that asks whether its body is wanted learns it before it sends one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rouille::Request;

use super::super::body::ChunkedDecoder;
use super::super::head::{Framing, Head};
use super::super::limits::bytes_in;
use super::super::refusal::Refusal;
use super::super::upload::{Upload, Uploads};
use super::super::wire::Arrived;
use super::{Connection, End, Rest, panicked, remaining};

/// What is read at once: a large body in small pieces costs a system call each.
const PIECE: usize = 64 * 1024;

impl Connection<'_> {
    /// One request with such a body, and its answer.
    pub(super) fn exchange_upload(&mut self, head: Head, uploads: &dyn Uploads) -> Result<(), End> {
        let framing = head.framing;
        let (expects_continue, version) = (head.expects_continue, head.version);
        let keep_alive = head.keep_alive;
        let request = self.request(head);
        self.wire.ticket().busy()?;
        let mut upload = match caught(&request, || uploads.admit(&request))? {
            Ok(upload) => upload,
            Err(response) => return self.answer(response, version, false, Rest::Unread),
        };
        let limit = upload.limit();
        match framing {
            Framing::Length(length) if length > limit => return Err(Refusal::BodyTooLarge.into()),
            _ => self.begin_body(expects_continue)?,
        }
        self.input.widen(PIECE);
        self.wire.admit();
        match framing {
            Framing::Empty => {}
            Framing::Length(length) => self.take_sized(length, &mut *upload)?,
            Framing::Chunked => self.take_chunked(limit, &mut *upload)?,
        }
        self.wire.ticket().busy()?;
        let response = caught(&request, || upload.answer(&request))?;
        self.answer(response, version, keep_alive, Rest::Read)
    }

    fn take_sized(&mut self, length: u64, upload: &mut dyn Upload) -> Result<(), End> {
        let mut pace = Pace::begin();
        let mut left = length;
        loop {
            let unread = self.input.unread();
            let wanted = usize::try_from(left).map_or(unread.len(), |left| left.min(unread.len()));
            if let Some(piece) = unread.get(..wanted).filter(|piece| !piece.is_empty()) {
                upload.take(piece);
            }
            self.input.consume(wanted);
            left = left.saturating_sub(u64::try_from(wanted).unwrap_or(u64::MAX));
            if left == 0 {
                return Ok(());
            }
            self.await_piece(&mut pace)?;
        }
    }

    fn take_chunked(&mut self, limit: u64, upload: &mut dyn Upload) -> Result<(), End> {
        let mut pace = Pace::begin();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut decoder = ChunkedDecoder::new(limit);
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            let used = decoder.decode(self.input.unread(), &mut piece)?;
            self.input.consume(used);
            if !piece.is_empty() {
                upload.take(&piece);
            }
            if decoder.is_done() {
                return Ok(());
            }
            self.await_piece(&mut pace)?;
        }
    }

    /// Waits for more. A client that makes progress is not one that stalls, where room is needed for others.
    fn await_piece(&mut self, pace: &mut Pace) -> Result<(), End> {
        let within = self.context.limits.body_timeout;
        let timeout = remaining(pace.since + within).ok_or(Refusal::BodyTooSlow)?;
        match self.input.fill(&mut self.wire, timeout) {
            Arrived::Bytes(count) => pace.note(count, within),
            Arrived::Nothing => return Err(Refusal::BodyTooSlow.into()),
            Arrived::End => return Err(End::Closed),
            Arrived::TooMuch => return Err(Refusal::Overloaded.into()),
        }
        Ok(self.wire.ticket().receiving()?)
    }
}

/// In the time of a small body, as much must arrive as the slowest client sends in it; and so again and again. A fast
/// beginning buys no long silence, so a body takes no longer than its size at the slowest rate.
struct Pace {
    since: Instant,
    received: usize,
}

impl Pace {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            received: 0,
        }
    }

    fn note(&mut self, count: usize, within: Duration) {
        self.received = self.received.saturating_add(count);
        if self.received >= bytes_in(within) {
            *self = Self::begin();
        }
    }
}

/// A panic ends the connection and nothing else.
fn caught<T>(request: &Request, act: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|_| panicked(request))
}
