//! Accepting connections: a loop that nothing but a shutdown ends.
//! Owns: what happens when descriptors, threads or room run out. Not here: who has to go (`registry`).

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{self, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::connection::{self, Context};
use super::counters;
use super::forwarded::{self, Client};
use super::refusal::Refusal;
use super::registry::{Peer, Ticket};
use super::response;
use super::socket::Socket;
use super::{Listener, Service, Shutdown, Site};

/// The stack of a connection's thread, eight times what the hungriest library call of a handler was measured to need:
/// Argon2id 16 KiB, a password-strength estimate 64 KiB, JSON as deep as serde_json reads it 64 KiB (256 KiB in a debug
/// build). Untouched pages cost nothing.
const STACK: usize = if cfg!(debug_assertions) {
    2 * 1024 * 1024
} else {
    512 * 1024
};

/// Refused clients whose sockets are kept open for a moment, so that they see the refusal and not a reset.
const REFUSED_AT_ONCE: usize = 32;

/// How long a refused client has for that.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// How long the loop rests when there is nothing it can do about an error.
const REST: Duration = Duration::from_millis(10);

/// How often a thread is asked for, each time with one idle connection less.
const THREAD_ATTEMPTS: usize = 5;

/// How long an ending thread needs between its last act and the end of its stack.
const STACK_RETURN: Duration = Duration::from_millis(1);

/// At most one complaint in this time.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(5);

/// Accepts on one socket until the shutdown.
pub(super) fn run(service: Service, context: &Arc<Context>, shutdown: &Shutdown) {
    let Service { listener, site } = service;
    let mut acceptor = Acceptor {
        listener,
        site: Arc::new(site),
        context: Arc::clone(context),
        spawn: spawn_thread,
        refused: VecDeque::new(),
        complaints: Complaints::default(),
    };
    while acceptor.wait(shutdown) {
        acceptor.accept_all();
    }
}

/// What a connection's thread does.
type Task = Box<dyn FnOnce() + Send>;

fn spawn_thread(task: Task) -> io::Result<()> {
    let thread = thread::Builder::new()
        .name("connection".to_owned())
        .stack_size(STACK);
    thread.spawn(task).map(drop)
}

struct Acceptor {
    /// Closed as soon as the loop ends, while connections may go on.
    listener: Listener,
    site: Arc<Site>,
    context: Arc<Context>,
    spawn: fn(Task) -> io::Result<()>,
    refused: VecDeque<(Instant, Socket)>,
    complaints: Complaints,
}

impl Acceptor {
    /// Waits for a connection; false when the server shuts down.
    fn wait(&mut self, shutdown: &Shutdown) -> bool {
        let mut ready = [
            PollFd::from_borrowed_fd(shutdown.waiter(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.listener.waiter(), PollFlags::IN),
        ];
        let tick = Timespec::try_from(REFUSED_FOR)
            .ok()
            .filter(|_| !self.refused.is_empty());
        match rustix::event::poll(&mut ready, tick.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => {
                self.complaints
                    .complain(format_args!("waiting for connections: {error}"));
                thread::sleep(REST);
            }
        }
        let [shutdown, _] = ready;
        let goes_on = shutdown.revents().is_empty();
        self.dismiss_refused(false);
        goes_on
    }

    /// Accepts what the kernel holds for us.
    fn accept_all(&mut self) {
        // Bounded, so that a flood cannot keep us from looking at the shutdown.
        for _ in 0..64 {
            match self.listener.accept() {
                Ok((socket, peer, address)) => self.welcome(socket, peer, address),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.recover(&error),
            }
        }
    }

    /// Whatever `accept` reports, the loop goes on. A server that stops here is dead while it seems to live.
    fn recover(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionAborted {
            return;
        }
        self.complaints
            .complain(format_args!("accepting a connection: {error}"));
        let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        let is_exhausted =
            Errno::from_io_error(error).is_some_and(|errno| exhausted.contains(&errno));
        if is_exhausted && self.dismiss_refused(true) {
            return;
        }
        if !(is_exhausted && self.context.registry.make_room()) {
            thread::sleep(REST);
        }
    }

    fn welcome(&mut self, socket: Socket, peer: Peer, address: Option<SocketAddr>) {
        // The Unix socket has no address; its peer is on this machine.
        let address = address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let trusted = forwarded::is_trusted(&self.context.trusted_proxies, address.ip());
        match self.context.registry.admit(socket, peer, trusted) {
            Err(socket) => self.refuse(socket),
            Ok(ticket) => self.start(
                ticket,
                Client {
                    address,
                    https: false,
                },
                trusted,
            ),
        }
    }

    /// Gives a connection its thread. Where there is none to be had, the longest idle connection gives up its own.
    fn start(&mut self, ticket: Ticket, peer: Client, trusted: bool) {
        let ticket = Arc::new(Mutex::new(Some(ticket)));
        for _ in 0..THREAD_ATTEMPTS {
            let (theirs, site, context) = (
                Arc::clone(&ticket),
                Arc::clone(&self.site),
                Arc::clone(&self.context),
            );
            let converse = move || {
                let ticket = theirs.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(ticket) = ticket {
                    connection::run(ticket, peer, trusted, &site, &context);
                }
            };
            match (self.spawn)(Box::new(converse)) {
                Ok(()) => return,
                Err(error) => self
                    .complaints
                    .complain(format_args!("starting a thread: {error}")),
            }
            // Others make room for the newcomer, not the newcomer for itself.
            if let Some(ticket) = &*ticket.lock().unwrap_or_else(PoisonError::into_inner) {
                let _ = ticket.busy();
            }
            self.context.registry.make_room();
            // A thread that left the registry still has to give back its stack.
            thread::sleep(STACK_RETURN);
        }
        let ticket = ticket.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ticket) = ticket
            && self.site.tls.is_none()
        {
            say_overloaded(ticket.socket());
        }
    }

    fn refuse(&mut self, socket: Socket) {
        counters::up(&counters::counters().turned_away);
        self.complaints.complain(format_args!(
            "no room for a connection: every one is at a request"
        ));
        // Before a handshake nothing can be said that a client of TLS would understand: closing says it.
        if self.site.tls.is_some() {
            return;
        }
        say_overloaded(&socket);
        if self.refused.len() >= REFUSED_AT_ONCE {
            self.refused.pop_front();
        }
        self.refused.push_back((Instant::now(), socket));
    }

    /// Closes refused connections whose moment is over, or all; tells whether there were any.
    fn dismiss_refused(&mut self, all: bool) -> bool {
        let before = self.refused.len();
        while self
            .refused
            .front()
            .is_some_and(|(since, _)| all || since.elapsed() >= REFUSED_FOR)
        {
            if let Some((_, socket)) = self.refused.pop_front() {
                // What was sent meanwhile is read, or closing would reset the connection and take back the answer.
                let _ = socket.read(&mut [0; 4096]);
            }
        }
        self.refused.len() < before
    }
}

/// Answers 503 without waiting: the answer fits into the buffer of a fresh socket.
fn say_overloaded(socket: &Socket) {
    if socket.set_nonblocking(true).is_ok() {
        let _ = socket.write(&response::refusal(Refusal::Overloaded, false));
        let _ = socket.read(&mut [0; 4096]);
        socket.shutdown(net::Shutdown::Write);
    }
}

/// Log lines about what may go wrong thousands of times a second.
#[derive(Default)]
struct Complaints {
    last: Option<Instant>,
    swallowed: u64,
}

impl Complaints {
    fn complain(&mut self, what: fmt::Arguments<'_>) {
        if self
            .last
            .is_some_and(|last| last.elapsed() < COMPLAINT_INTERVAL)
        {
            self.swallowed += 1;
            return;
        }
        log::warn!(
            "{what} ({} more lines since the last one like this)",
            self.swallowed
        );
        self.last = Some(Instant::now());
        self.swallowed = 0;
    }
}

#[cfg(test)]
#[path = "accept_tests.rs"]
mod tests;
