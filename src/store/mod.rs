//! The one data file. The only room that knows redb.
//! Owns: the tables (`schema`), the records' encoding (`codec`), reading (`view`, over `rows`), the handle that takes
//! jobs (`handle`), the one writer (`writer`), whom it wakes (`bell`), how it hears that reading failed (`alarm`), its
//! open transaction (`tables`) and what it read lately (`remembered`), applying changes and keeping indexes (`apply`),
//! opening and its refusals (`open`), giving room back (`compact`), what was last used when (`marks`), forgetting what has
//! expired (`sweep`), uses of what may be used once (`replays`), resources with the clients that they name (`resources`),
//! the audit log (`event_log`), what passwords are kept under (`passwords`), copies of the file (`backup`), encrypted ones
//! (`encrypted`), putting one down whole (`placed`), whether one is whole (`verify`, `references`), putting one in place of
//! the file (`restore`), which is held meanwhile (`held`), what a panic of redb means (`panics`).
//! Not here: what may be written (`oauth`, `identity` decide).

mod alarm;
mod apply;
pub mod backup;
mod bell;
mod codec;
mod compact;
mod counters;
#[cfg(test)]
mod crash_tests;
pub mod encrypted;
mod error;
mod event_log;
mod handle;
mod held;
mod marks;
mod migrate;
mod open;
pub mod panics;
mod passwords;
pub mod placed;
mod references;
mod rehearsal;
mod remembered;
mod replays;
mod resources;
pub mod restore;
mod rows;
mod schema;
mod sweep;
mod tables;
#[cfg(test)]
pub(crate) mod testing;
pub mod verify;
mod view;
mod writer;

pub use counters::Counters;
pub use error::{OpenError, StoreError};
pub use event_log::{EventFilter, EventPage};
pub use handle::{Consequences, Store};
pub use open::{ReadOnly, readable};
pub use replays::REMEMBERED_LONGER;
pub use sweep::{EVENTS_MAX, Step, Sweeper};
pub use view::{Snapshot, View};
