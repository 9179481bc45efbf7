//! The signal that ends [`serve`](super::serve).

use std::io;
use std::net;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// A handle that ends a running server. Clones end the same one.
#[derive(Clone, Debug)]
pub struct Shutdown {
    pair: Arc<(UnixStream, UnixStream)>,
}

impl Shutdown {
    /// A handle that was not triggered yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            pair: Arc::new(UnixStream::pair()?),
        })
    }

    /// Ends the server: no new connections, idle ones closed, running requests finished. More calls do nothing more.
    pub fn trigger(&self) {
        // Ends one direction, which makes the other end readable for good; the only failure is "already ended".
        let _ = self.pair.0.shutdown(net::Shutdown::Write);
    }

    /// Becomes readable when triggered.
    pub(super) fn waiter(&self) -> BorrowedFd<'_> {
        self.pair.1.as_fd()
    }
}
