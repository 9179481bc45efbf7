//! The data file under a real process that is killed, and on a disk that is full.

#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test target uses its own part, and a test that cannot go on panics"
)]
#[path = "../oauth/receiver.rs"]
mod receiver;
#[path = "../world/mod.rs"]
mod world;

mod first_start;
mod full_disk;
mod idle;
mod kills;
mod kills_beside;
mod old_files;
