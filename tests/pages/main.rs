//! Pages through a real server: headers, cookies, forms from elsewhere, guessing, and what administrators see and set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

#[path = "../world/mod.rs"]
mod world;

mod applications;
mod backups;
mod forgery;
mod forms;
mod guessing;
mod headers;
mod lists;
mod people;
mod registration;
mod request_ids;
mod resources;
mod restore;
mod secrets;
mod try_it;
mod walk;
