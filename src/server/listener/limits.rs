//! The bounds of the listener, and the process limit that they live within.

use std::io;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

/// File descriptors that connections never take: the data file, the sockets that listen, outbound calls.
const RESERVED_DESCRIPTORS: u64 = 64;

/// Bytes a second below which a client that is still making progress is given up.
const SLOWEST_RATE: usize = 4096;

/// Bounds on what clients may hold and how long they may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once; fewer when the process may not open as many files.
    pub connections: usize,
    /// Connections at once from one IPv4 address or one IPv6 /64. Trusted proxies are exempt.
    pub connections_per_address: usize,
    /// Bytes of a request head, its last empty line included.
    pub head: usize,
    /// Time for a whole request head, from its first byte.
    pub head_timeout: Duration,
    /// Bytes of a request body; a [`Service`](super::Service) may allow more for some requests.
    pub body: usize,
    /// Bytes that all heads and bodies, and records of TLS, together may have beyond the first 4 KiB of each, and those
    /// of one address a quarter of it. Past it a large request is answered 503.
    pub large_requests: usize,
    /// Bytes that the pieces of all answers that are being sent may have together beyond the first 4 KiB of each;
    /// encrypted ones are there twice. Past it a large answer leaves in more and smaller ones.
    pub large_answers: usize,
    /// Time for a whole request body; each 4 KiB received add a second. Of one that is taken piece by piece
    /// ([`Upload`](super::Upload)) 4 KiB a second must arrive within each time of this length.
    pub body_timeout: Duration,
    /// Time for a whole answer to be taken; each 4 KiB sent add a second.
    pub write_timeout: Duration,
    /// Time that a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// The same once three quarters of the connections are taken.
    pub idle_timeout_under_pressure: Duration,
    /// Time that running requests are given after a shutdown began.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 128,
            head: 16 * 1024,
            head_timeout: Duration::from_secs(10),
            body: 64 * 1024,
            large_requests: 4 * 1024 * 1024,
            large_answers: 2 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            idle_timeout_under_pressure: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// `connections`, or what the process's file descriptors leave room for.
    pub(super) fn attainable_connections(&self) -> usize {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let room = descriptors
            .saturating_sub(RESERVED_DESCRIPTORS)
            .max(descriptors / 2)
            .max(1);
        self.connections
            .min(usize::try_from(room).unwrap_or(usize::MAX))
    }
}

/// Time that `bytes` add to a deadline.
pub(super) fn time_for(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes / SLOWEST_RATE).unwrap_or(u64::MAX))
}

/// What the slowest client sends in that time.
pub(super) fn bytes_in(time: Duration) -> usize {
    let bytes = u128::try_from(SLOWEST_RATE).unwrap_or(0) * time.as_millis() / 1000;
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Raises the process's soft limit on open files to its hard limit, and returns the limit that now holds.
pub fn raise_nofile_limit() -> io::Result<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(limit.current.unwrap_or(u64::MAX))
}
