//! Pages through a real server: headers, cookies, forms that come from elsewhere, guessing, lists, administrators.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

#[path = "../world/mod.rs"]
mod world;

mod forms;
mod guessing;
mod headers;
mod lists;
mod people;
