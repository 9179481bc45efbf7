//! People for table tests.

use crate::model::User;
use crate::types::{Id, Timestamp, UserId};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

pub(crate) fn user(name: &str, n: u8) -> User {
    let id = UserId(Id::new(NOW, [n; 10]));
    User::blank(id, name.parse().unwrap(), NOW)
}
