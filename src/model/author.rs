//! Who changes something and when: what every administrative decision writes into the audit log.

use super::{Event, EventKind};
use crate::types::Timestamp;
use std::net::IpAddr;

/// The hand behind a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// An administrator's name, or `command line`.
    pub name: String,
    /// Where they are, where that is known.
    pub address: Option<IpAddr>,
    /// The moment of the change.
    pub now: Timestamp,
}

impl Author {
    /// Something that this author did.
    pub fn did(&self, kind: EventKind) -> Event {
        Event::success(kind, self.now)
            .actor(self.name.clone())
            .from(self.address)
    }
}
