//! Https without a proxy, as the binary serves it: a certificate from two files, renewed while people are connected,
//! and the way from http. The listener's side of TLS is tested in `tests/listener/tls.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

#[allow(dead_code, reason = "shared with the tests of the pages")]
#[path = "../pages/walk.rs"]
mod walk;
#[path = "../world/mod.rs"]
mod world;

mod certified;
mod doctor;
mod headers;
mod redirect;
mod renewal;
mod serving;
