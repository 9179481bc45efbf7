//! The listener as its clients see it: raw bytes over TCP and Unix sockets, against a toy handler.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, a surprise is a failure"
)]

mod answers;
mod conversation;
mod crowding;
mod deadlines;
mod framing;
mod proxies;
mod shutdown;
mod sockets;
mod tls;
mod uploads;
mod world;
