//! Https without a proxy, as the binary serves it: a certificate from two files, renewed while people are connected,
//! and the way from http. The listener's side of TLS is tested in `tests/listener/tls.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

#[path = "../world/mod.rs"]
mod world;

mod certified;
mod redirect;
mod renewal;
mod serving;
