//! Slow and hostile clients against the program as it is released: whatever they do, people from elsewhere are answered
//! within a second, and the server's memory stays within its budget (DESIGN §7, §8; RFC 9110 §17, RFC 6749 §10).
//! `cargo test --release --test hostile`: a debug build is another program, so that there is nothing to test in it.
//!
//! | file | what |
//! |---|---|
//! | `crowd` | many connections from many addresses, and how each behaves |
//! | `siege` | a server, a crowd around it, and the visitor who is to be answered |
//! | `witness` | how long the machine stood still meanwhile |
//! | `plain`, `encrypted` | the attacks |
#![cfg(any(not(debug_assertions), clippy))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

#[allow(dead_code, reason = "shared with the tests of https")]
#[path = "../tls/certified.rs"]
mod certified;
#[path = "../world/mod.rs"]
mod world;

mod crowd;
mod encrypted;
mod plain;
mod siege;
mod witness;
