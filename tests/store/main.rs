//! The data file under a real process that is killed, and on a disk that is full.

#[path = "../world/mod.rs"]
mod world;

mod first_start;
mod full_disk;
mod idle;
mod kills;
