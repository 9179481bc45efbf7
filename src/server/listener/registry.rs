//! Which connections there are, how busy each is, and which one has to go when room is needed.
//! Owns: the bounds on connections. A lock is taken when a connection opens or closes; a request costs two atomic
//! stores. Not here: accepting (`accept`), deadlines (`connection`).

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{self, IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::counters;
use super::limits::Limits;
use super::socket::Socket;

/// How long a newcomer waits for the thread of a shed connection to end.
const PATIENCE: Duration = Duration::from_millis(250);

/// One of so many connections may be on its way out while another has its place already.
const LEAVING: usize = 64;

/// How long a client may send nothing of a body, or take nothing of an answer, before its connection may be shed like
/// an idle one, in milliseconds.
const GRACE: u64 = 1000;

/// Whose connections are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 /64: what one household or one machine gets.
    V6(u64),
    /// The Unix socket.
    Local,
}

impl Peer {
    /// The peer behind an address; an IPv4 address written as IPv6 is an IPv4 address.
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
        }
    }
}

/// What a connection is doing. The order is the order in which connections are shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Waiting for a request, or for the rest of its head, or for the client to close.
    Idle,
    /// Waiting for the body of a request.
    Receiving,
    /// Waiting for the client to take an answer.
    Sending,
    /// An answer is being made.
    Busy,
    /// Told to go.
    Shed,
}

/// The low bits of a state word that hold its phase.
const PHASE_BITS: u32 = 3;

impl Phase {
    /// A phase and the millisecond at which it began, in one word.
    fn since(self, millisecond: u64) -> u64 {
        let tag = match self {
            Self::Idle => 0,
            Self::Receiving => 1,
            Self::Sending => 2,
            Self::Busy => 3,
            Self::Shed => 4,
        };
        millisecond << PHASE_BITS | tag
    }

    fn of(state: u64) -> Self {
        match state & ((1 << PHASE_BITS) - 1) {
            0 => Self::Idle,
            1 => Self::Receiving,
            2 => Self::Sending,
            3 => Self::Busy,
            _ => Self::Shed,
        }
    }
}

/// One connection.
#[derive(Debug)]
struct Entry {
    id: u64,
    peer: Peer,
    socket: Socket,
    /// Of a trusted proxy, which stands for many.
    exempt: bool,
    /// Connections of its peer that were not told to go. Counted here as well, so that looking for the one that has to go
    /// takes a glance at each: newcomers queue behind it.
    held: Arc<AtomicUsize>,
    state: AtomicU64,
}

/// All connections.
#[derive(Debug)]
pub(super) struct Registry {
    started: Instant,
    capacity: usize,
    per_address: usize,
    draining: AtomicBool,
    live: AtomicUsize,
    connections: Mutex<Connections>,
    one_left: Condvar,
}

#[derive(Debug, Default)]
struct Connections {
    next_id: u64,
    entries: HashMap<u64, Arc<Entry>>,
    /// Connections of each peer that were not told to go.
    of_peer: HashMap<Peer, Arc<AtomicUsize>>,
    /// Connections that were told to go and are still there.
    leaving: usize,
}

impl Registry {
    /// An empty registry.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            started: Instant::now(),
            capacity: limits.attainable_connections(),
            per_address: limits.connections_per_address,
            draining: AtomicBool::new(false),
            live: AtomicUsize::new(0),
            connections: Mutex::new(Connections::default()),
            one_left: Condvar::new(),
        }
    }

    /// Takes a connection in. Room is made by shedding the longest idle connection: of the same peer, if the peer has
    /// too many and is not `exempt`, or of all (see `shed_for`). Gives the socket back if none may go. The machine's
    /// own socket does not wait for room: strangers must not keep the administrator out.
    pub(super) fn admit(
        self: &Arc<Self>,
        socket: Socket,
        peer: Peer,
        exempt: bool,
    ) -> Result<Ticket, Socket> {
        let deadline = Instant::now() + PATIENCE;
        let mut connections = self.lock();
        if !exempt
            && connections.held_by(peer) >= self.per_address
            && !self.shed(&mut connections, Some(peer), Phase::Sending)
        {
            return Err(socket);
        }
        while peer != Peer::Local && connections.entries.len() >= self.capacity {
            let staying = connections.entries.len() - connections.leaving;
            if staying >= self.capacity && !self.shed_for(&mut connections, peer) {
                return Err(socket);
            }
            // Threads and descriptors stay bounded: beyond a few, a shed connection makes room only once it is gone.
            // Without those few, whoever stands behind a thousand newcomers waits for a thousand threads to end, one
            // by one.
            if connections.leaving <= self.capacity / LEAVING {
                break;
            }
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return Err(socket);
            }
            connections = self.wait(connections, remaining);
        }
        let id = connections.next_id;
        connections.next_id += 1;
        let state = AtomicU64::new(Phase::Idle.since(self.now()));
        let entry = Arc::new(Entry {
            id,
            peer,
            socket,
            exempt,
            held: connections.count(peer),
            state,
        });
        connections.entries.insert(id, Arc::clone(&entry));
        self.live
            .store(connections.entries.len(), Ordering::Relaxed);
        counters::up(&counters::counters().accepted);
        Ok(Ticket {
            entry: Some(entry),
            registry: Arc::clone(self),
        })
    }

    /// Sheds the longest idle connection and waits a moment for its descriptor and its thread.
    pub(super) fn make_room(&self) -> bool {
        let mut connections = self.lock();
        if connections.leaving == 0 && !self.shed(&mut connections, None, Phase::Sending) {
            return false;
        }
        let before = connections.entries.len();
        let deadline = Instant::now() + PATIENCE;
        while connections.entries.len() >= before {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return false;
            }
            connections = self.wait(connections, remaining);
        }
        true
    }

    /// Whether idle connections should go sooner than usual.
    pub(super) fn is_under_pressure(&self) -> bool {
        self.live.load(Ordering::Relaxed) >= self.capacity - self.capacity / 4
    }

    /// Whether there are so many that none may be answered over and over before it listens.
    pub(super) fn is_crowded(&self) -> bool {
        self.live.load(Ordering::Relaxed) > self.capacity / 8
    }

    /// Whether connections end after the request that they are at.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Closes idle connections, lets running requests finish within `timeout`, and then closes those too.
    /// Returns how many requests were cut off.
    pub(super) fn drain(&self, timeout: Duration) -> usize {
        self.draining.store(true, Ordering::Relaxed);
        let deadline = Instant::now() + timeout;
        let mut connections = self.lock();
        loop {
            // Again and again: a connection may have become idle since it last looked at `draining`.
            while self.shed(&mut connections, None, Phase::Receiving) {}
            let remaining = deadline.saturating_duration_since(Instant::now());
            if connections.entries.is_empty() || remaining.is_zero() {
                break;
            }
            connections = self.wait(connections, remaining.min(Duration::from_millis(20)));
        }
        for entry in connections.entries.values() {
            entry.socket.shutdown(net::Shutdown::Both);
        }
        connections.entries.len() - connections.leaving
    }

    /// Closes the connection that has been idle longest; if none is idle, one whose client stalls, in no later phase
    /// than `last`.
    fn shed(&self, connections: &mut Connections, only: Option<Peer>, last: Phase) -> bool {
        let now = self.now();
        self.shed_first(connections, |seen| {
            let of_them = only.is_none_or(|peer| seen.peer == peer);
            let may_go = seen.phase == Phase::Idle || seen.stalls(now);
            (of_them && may_go && seen.phase <= last).then_some((seen.phase, seen.since))
        })
    }

    /// Makes room for a newcomer where every place is taken. A crowd that keeps each of its connections just busy
    /// enough must neither keep out who comes with one, nor take it from them before their request has arrived. So
    /// first goes whoever has been idle or stalling for a second; then, of the peer that holds most, and more than the
    /// newcomer's, the connection whose client has been at it longest; then the longest idle of a peer that holds no
    /// less.
    fn shed_for(&self, connections: &mut Connections, newcomer: Peer) -> bool {
        let now = self.now();
        let own = connections.held_by(newcomer);
        self.shed_first(connections, |seen| {
            if seen.stalls(now) {
                Some((0, Reverse(0), seen.phase, seen.since))
            } else if seen.held > own + 1 && !seen.exempt {
                Some((1, Reverse(seen.held), seen.phase, seen.since))
            } else if seen.held >= own && seen.phase == Phase::Idle {
                Some((2, Reverse(0), seen.phase, seen.since))
            } else {
                None
            }
        })
    }

    /// Closes the connection that `rank` puts first; it gives no rank to those that may not go. Nobody who is being
    /// answered does.
    fn shed_first<R: Ord>(
        &self,
        connections: &mut Connections,
        rank: impl Fn(Seen) -> Option<R>,
    ) -> bool {
        loop {
            let ranked = connections.entries.values().filter_map(|entry| {
                let state = entry.state.load(Ordering::Relaxed);
                let seen = Seen {
                    peer: entry.peer,
                    exempt: entry.exempt,
                    held: entry.held.load(Ordering::Relaxed),
                    phase: Phase::of(state),
                    since: state >> PHASE_BITS,
                };
                let rank = (seen.phase < Phase::Busy).then(|| rank(seen))??;
                Some(((rank, entry.id), state, entry))
            });
            let first = ranked.min_by(|(one, ..), (other, ..)| one.cmp(other));
            let Some((_, state, entry)) = first else {
                return false;
            };
            let shed = Phase::Shed.since(self.now());
            if entry
                .state
                .compare_exchange(state, shed, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                entry.socket.shutdown(net::Shutdown::Both);
                let peer = entry.peer;
                connections.leaving += 1;
                connections.forget(peer);
                counters::up(&counters::counters().shed);
                return true;
            }
        }
    }

    fn leave(&self, entry: Arc<Entry>) {
        let mut connections = self.lock();
        connections.entries.remove(&entry.id);
        match Phase::of(entry.state.load(Ordering::Acquire)) {
            Phase::Shed => connections.leaving -= 1,
            Phase::Idle | Phase::Receiving | Phase::Sending | Phase::Busy => {
                connections.forget(entry.peer)
            }
        }
        // Closes the descriptor, before anyone is told that there is room for another.
        drop(entry);
        self.live
            .store(connections.entries.len(), Ordering::Relaxed);
        drop(connections);
        counters::up(&counters::counters().closed);
        self.one_left.notify_all();
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX >> PHASE_BITS)
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        connections: MutexGuard<'a, Connections>,
        timeout: Duration,
    ) -> MutexGuard<'a, Connections> {
        self.one_left
            .wait_timeout(connections, timeout)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// What a connection is doing, as it is looked at.
#[derive(Clone, Copy, Debug)]
struct Seen {
    peer: Peer,
    exempt: bool,
    /// How many its peer has.
    held: usize,
    phase: Phase,
    since: u64,
}

impl Seen {
    /// Whether its client, for whom nothing is being done, has said nothing of a request, or taken nothing of an answer, for
    /// a second.
    fn stalls(self, now: u64) -> bool {
        self.since.saturating_add(GRACE) <= now
    }
}

impl Connections {
    fn held_by(&self, peer: Peer) -> usize {
        self.of_peer
            .get(&peer)
            .map_or(0, |held| held.load(Ordering::Relaxed))
    }

    /// Counts one more of a peer.
    fn count(&mut self, peer: Peer) -> Arc<AtomicUsize> {
        let held = self.of_peer.entry(peer).or_default();
        held.fetch_add(1, Ordering::Relaxed);
        Arc::clone(held)
    }

    fn forget(&mut self, peer: Peer) {
        if let Some(held) = self.of_peer.get(&peer)
            && held.fetch_sub(1, Ordering::Relaxed) == 1
        {
            self.of_peer.remove(&peer);
        }
    }
}

/// A connection's place in the registry; dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Ticket {
    /// Taken only by `drop`.
    entry: Option<Arc<Entry>>,
    registry: Arc<Registry>,
}

/// The connection was told to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct WasShed;

impl Ticket {
    /// The connection's socket.
    pub(super) fn socket(&self) -> &Socket {
        &self.entry().socket
    }

    /// A request's head is whole, and its body is awaited.
    pub(super) fn receiving(&self) -> Result<(), WasShed> {
        self.enter(Phase::Receiving)
    }

    /// A request is whole.
    pub(super) fn busy(&self) -> Result<(), WasShed> {
        self.enter(Phase::Busy)
    }

    /// An answer is whole, and its client is to take it, or has just taken some of it.
    pub(super) fn sending(&self) -> Result<(), WasShed> {
        self.enter(Phase::Sending)
    }

    /// The next request is awaited, or the end.
    pub(super) fn idle(&self) -> Result<(), WasShed> {
        self.enter(Phase::Idle)
    }

    fn enter(&self, phase: Phase) -> Result<(), WasShed> {
        let state = &self.entry().state;
        let current = state.load(Ordering::Relaxed);
        if Phase::of(current) == Phase::Shed {
            return Err(WasShed);
        }
        // Only this thread and the shedding one write the state, so a lost exchange means one thing.
        let next = phase.since(self.registry.now());
        state
            .compare_exchange(current, next, Ordering::AcqRel, Ordering::Relaxed)
            .map(|_| ())
            .map_err(|_| WasShed)
    }

    #[expect(clippy::expect_used, reason = "the entry is taken by drop alone")]
    fn entry(&self) -> &Entry {
        self.entry
            .as_ref()
            .expect("a ticket holds its entry until it is dropped")
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.registry.leave(entry);
        }
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
