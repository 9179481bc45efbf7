//! One connection, from its first byte to its last.
//! RFC 9112 §9. Owns: which deadline applies when, and when a connection ends.
//! Not here: what is a valid request (`head`, `body`), how answers are written (`response`).

mod upload;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use rouille::{Request, Response};
use zeroize::Zeroizing;

use super::body::ChunkedDecoder;
use super::content::Content;
use super::forwarded::{self, Client};
use super::head::{self, Framing, Head, HeadScanner, Version};
use super::input::{Input, SMALL_INPUT};
use super::limits::{Limits, time_for};
use super::memory::{Memory, SMALL, Share};
use super::refusal::Refusal;
use super::registry::{Peer, Registry, Ticket, WasShed};
use super::response::{self, ResponseWriter, Terms, Unsent};
use super::wire::{Arrived, NoHandshake, Wire};
use super::{Handler, Site};

/// The output buffer that a connection keeps.
const SMALL_ANSWER: usize = 4 * 1024;

/// How many answers a client may ask ahead for where connections are many (pipelining, RFC 9112 §9.3.2): more than
/// browsers, proxies and libraries do, which wait for each. Then its connection ends: a crowd that asks for a thousand
/// answers each keeps everybody waiting, and four for each of a thousand newcomers are half of what sixteen cost others.
const MOST_AHEAD: usize = 4;

/// How long a refused client may take to notice.
const LINGER: Duration = Duration::from_secs(2);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) registry: Arc<Registry>,
    pub(super) limits: Limits,
    /// For requests that are large.
    pub(super) large_requests: Memory,
    /// For answers that are.
    pub(super) large_answers: Memory,
    pub(super) trusted_proxies: Vec<IpNet>,
}

/// Serves one connection until it ends.
pub(super) fn run(ticket: Ticket, peer: Client, trusted: bool, site: &Site, context: &Context) {
    let limits = &context.limits;
    let owner = (!trusted).then(|| Peer::of(peer.address.ip()));
    let share = || context.large_requests.nothing_for(owner);
    let Ok(wire) = Wire::new(ticket, limits.write_timeout, site.tls.as_ref(), share()) else {
        return;
    };
    if wire.ticket().idle().is_err() {
        return;
    }
    let mut connection = Connection {
        peer: Client {
            https: wire.is_encrypted(),
            ..peer
        },
        trusted,
        site,
        context,
        wire,
        owner,
        input: Input::new(share()),
        writer: ResponseWriter::default(),
        is_head: false,
        asked_ahead: 0,
    };
    let End::Refused(refusal) = connection.converse() else {
        return;
    };
    connection.refuse(refusal);
}

struct Connection<'a> {
    peer: Client,
    trusted: bool,
    /// Who answers for what a large request takes.
    owner: Option<Peer>,
    site: &'a Site,
    context: &'a Context,
    wire: Wire<'a>,
    input: Input<'a>,
    writer: ResponseWriter,
    /// Whether the request at hand must be answered without a body.
    is_head: bool,
    /// Answers in a row before which the client had already asked for the next.
    asked_ahead: usize,
}

/// What is left of a request once it is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Nothing.
    Read,
    /// A body that nobody wanted.
    Unread,
}

/// How a conversation ends.
enum End {
    /// Nothing more to say.
    Closed,
    /// With an answer of the listener's own.
    Refused(Refusal),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<WasShed> for End {
    fn from(_: WasShed) -> Self {
        Self::Closed
    }
}

impl<'c> Connection<'c> {
    fn converse(&mut self) -> End {
        // A client that shakes hands counts as idle, and is the first to go.
        match self.wire.shake_hands(self.handshake_timeout()) {
            // Whoever got this far has begun something; it is not the longest idle any more.
            Ok(()) if self.wire.is_encrypted() => {
                if self.wire.ticket().idle().is_err() {
                    return End::Closed;
                }
            }
            Ok(()) => {}
            Err(NoHandshake::NotTls) => return Refusal::NotTls.into(),
            Err(NoHandshake::Ended) => return End::Closed,
        }
        loop {
            if let Err(end) = self.exchange() {
                return end;
            }
        }
    }

    /// One request and its answer.
    fn exchange(&mut self) -> Result<(), End> {
        self.is_head = false;
        let (head, head_share) = self.read_head()?;
        self.is_head = head.method == "HEAD";
        if let Some(uploads) = self.site.uploads(&head) {
            return self.exchange_upload(head, uploads);
        }
        let (body, body_share) = self.read_body(&head)?;
        self.wire.ticket().busy()?;

        let (version, keep_alive) = (head.version, head.keep_alive);
        let request = self.request(head);
        let response = handle(&self.site.handler, &request, &body)?;
        drop((request, head_share, body, body_share));
        self.answer(response, version, keep_alive, Rest::Read)
    }

    fn request(&self, mut head: Head) -> Request {
        let client = if self.trusted {
            forwarded::client_behind(self.peer, &self.context.trusted_proxies, &head.fields)
        } else {
            forwarded::strip(&mut head.fields);
            self.peer
        };
        let build = if client.https {
            Request::fake_https_from
        } else {
            Request::fake_http_from
        };
        let no_body = Vec::new();
        build(
            client.address,
            head.method,
            head.target,
            head.fields,
            no_body,
        )
    }

    fn answer(
        &mut self,
        response: Response,
        version: Version,
        keep_alive: bool,
        rest: Rest,
    ) -> Result<(), End> {
        self.wire.ticket().sending()?;
        let registry = &self.context.registry;
        // A thousand idle connections share what a few busy ones need.
        let (input, output) = if registry.is_under_pressure() {
            (0, 0)
        } else {
            (SMALL_INPUT, SMALL_ANSWER)
        };
        let asks_ahead = self.input.asks_ahead(&self.wire);
        self.asked_ahead = if asks_ahead { self.asked_ahead + 1 } else { 0 };
        let too_far_ahead = self.asked_ahead >= MOST_AHEAD && registry.is_crowded();
        let keep_alive = keep_alive && !too_far_ahead && !registry.is_draining();
        let terms = Terms {
            version,
            is_head: self.is_head,
            keep_alive,
        };
        self.input.shrink_to(input);
        let memory = &self.context.large_answers;
        let sent = self.writer.send(&mut self.wire, response, terms, memory);
        self.writer.shrink_to(output);
        let goes_on = match sent {
            Ok(goes_on) => goes_on,
            Err(Unsent::Unwritable) => return Err(Refusal::AnswerUnwritable.into()),
            Err(Unsent::Broken) => return Err(End::Closed),
        };
        if !goes_on {
            if rest == Rest::Read && !asks_ahead {
                self.wire.end_sending();
            } else {
                self.linger();
            }
            return Err(End::Closed);
        }
        self.wire.ticket().idle()?;
        Ok(())
    }

    fn read_head(&mut self) -> Result<(Head, Share<'c>), End> {
        let limits = &self.context.limits;
        let mut scanner = HeadScanner::new(limits.head);
        let mut deadline = None;
        let length = loop {
            let unread = self.input.unread();
            if let Some(length) = scanner.find_end(unread)? {
                break length;
            }
            let timeout = if unread.is_empty() {
                self.idle_timeout()
            } else {
                // From its first byte on the head has one deadline, however its bytes trickle in.
                let deadline: Instant =
                    *deadline.get_or_insert_with(|| Instant::now() + limits.head_timeout);
                remaining(deadline).ok_or(Refusal::HeadTooSlow)?
            };
            match self.input.fill(&mut self.wire, timeout) {
                Arrived::Bytes(_) => {}
                Arrived::Nothing if deadline.is_some() => return Err(Refusal::HeadTooSlow.into()),
                Arrived::Nothing => {
                    self.wire.end_sending();
                    return Err(End::Closed);
                }
                Arrived::End => return Err(End::Closed),
                Arrived::TooMuch => return Err(Refusal::Overloaded.into()),
            }
        };
        let head = head::parse(self.input.unread().get(..length).unwrap_or_default())?;
        self.input.consume(length);
        // Its fields are copies: the bytes that they came in go first.
        let share = match length.saturating_sub(SMALL) {
            0 => self.share(),
            large => self.input.hand_over(large),
        };
        Ok((head, share))
    }

    /// Nothing yet of what large requests may take.
    fn share(&self) -> Share<'c> {
        self.context.large_requests.nothing_for(self.owner)
    }

    /// The time of a head, and no longer than a connection may say nothing.
    fn handshake_timeout(&self) -> Duration {
        self.context.limits.head_timeout.min(self.idle_timeout())
    }

    fn idle_timeout(&self) -> Duration {
        let limits = &self.context.limits;
        if self.context.registry.is_under_pressure() {
            limits.idle_timeout_under_pressure
        } else {
            limits.idle_timeout
        }
    }

    fn read_body(&mut self, head: &Head) -> Result<(Zeroizing<Vec<u8>>, Option<Share<'c>>), End> {
        let own_limit = self.site.body_limit(&head.method, &head.target);
        let limit = own_limit.unwrap_or(self.context.limits.body);
        let length = match head.framing {
            Framing::Empty => return Ok((Zeroizing::default(), None)),
            Framing::Length(length) => {
                let length = usize::try_from(length).ok();
                let length = length.filter(|length| *length <= limit);
                Some(length.ok_or(Refusal::BodyTooLarge)?)
            }
            Framing::Chunked => None,
        };
        // What a service takes for itself, it answers for.
        let share = own_limit.is_none().then(|| self.share());
        let content = Content::new(length.unwrap_or(limit), share);
        self.begin_body(head.expects_continue)?;
        let content = match length {
            Some(length) => self.read_sized(length, content),
            None => self.read_chunked(limit, content),
        };
        Ok(content?.into_parts())
    }

    /// RFC 9110 §10.1.1: the client that waits for permission gets it once it is known that its body will be read,
    /// and not if it did not wait.
    fn begin_body(&mut self, expects_continue: bool) -> Result<(), End> {
        self.wire.ticket().receiving()?;
        if expects_continue && self.input.unread().is_empty() {
            let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
            self.wire
                .begin_answer()
                .write_all(go_on)
                .map_err(|_| End::Closed)?;
        }
        Ok(())
    }

    fn read_sized(&mut self, length: usize, mut content: Content<'c>) -> Result<Content<'c>, End> {
        let started = Instant::now();
        loop {
            let unread = self.input.unread();
            let wanted = length.saturating_sub(content.len()).min(unread.len());
            content.push(unread.get(..wanted).unwrap_or_default())?;
            self.input.consume(wanted);
            if content.len() >= length {
                return Ok(content);
            }
            self.await_body(started, content.len())?;
        }
    }

    fn read_chunked(&mut self, limit: usize, mut content: Content<'c>) -> Result<Content<'c>, End> {
        let started = Instant::now();
        let mut decoder = ChunkedDecoder::new(limit);
        loop {
            let unread = self.input.unread();
            let used = decoder.decode(unread, content.room_for(unread.len())?)?;
            self.input.consume(used);
            if decoder.is_done() {
                return Ok(content);
            }
            self.await_body(started, content.len())?;
        }
    }

    /// Waits for more of a body that began to arrive at `started`; a large one has longer.
    fn await_body(&mut self, started: Instant, received: usize) -> Result<(), End> {
        let deadline = started + self.context.limits.body_timeout + time_for(received);
        let timeout = remaining(deadline).ok_or(Refusal::BodyTooSlow)?;
        match self.input.fill(&mut self.wire, timeout) {
            Arrived::Bytes(_) => Ok(()),
            Arrived::Nothing => Err(Refusal::BodyTooSlow.into()),
            Arrived::End => Err(End::Closed),
            Arrived::TooMuch => Err(Refusal::Overloaded.into()),
        }
    }

    #[cold]
    fn refuse(&mut self, refusal: Refusal) {
        // What led to it is not kept while the client takes note.
        self.input = Input::new(self.share());
        let answer = response::refusal(refusal, self.is_head);
        if self.wire.begin_answer().write_all(&answer).is_ok() {
            self.linger();
        }
    }

    /// Reads and forgets what the client still sends. Closing at once would reset the connection, and the reset would
    /// overtake the answer (RFC 9112 §9.6). The connection counts as idle meanwhile.
    fn linger(&mut self) {
        if self.wire.ticket().idle().is_err() {
            return;
        }
        self.wire.end_sending();
        let deadline = Instant::now() + LINGER;
        while let Some(timeout) = remaining(deadline) {
            self.input.discard();
            match self.input.fill(&mut self.wire, timeout) {
                Arrived::Bytes(_) | Arrived::TooMuch => {}
                Arrived::Nothing | Arrived::End => return,
            }
        }
    }
}

/// Calls the handler; a panic ends the connection and nothing else.
fn handle(handler: &Handler, request: &Request, body: &[u8]) -> Result<Response, Refusal> {
    catch_unwind(AssertUnwindSafe(|| handler(request, body))).map_err(|_| panicked(request))
}

fn panicked(request: &Request) -> Refusal {
    // The query may hold secrets.
    let path = request.raw_url().split('?').next().unwrap_or_default();
    log::error!("the handler of {} {path} panicked", request.method());
    Refusal::HandlerPanicked
}

fn remaining(deadline: Instant) -> Option<Duration> {
    Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}
