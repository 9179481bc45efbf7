//! People for table tests.

use crate::model::User;
use crate::types::{Id, Timestamp, UserId};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

pub(crate) fn user(name: &str, n: u8) -> User {
    User {
        id: UserId(Id::new(NOW, [n; 10])),
        subject: None,
        username: name.parse().unwrap(),
        name: None,
        given_name: None,
        family_name: None,
        middle_name: None,
        nickname: None,
        profile: None,
        picture: None,
        website: None,
        gender: None,
        birthdate: None,
        zoneinfo: None,
        locale: None,
        email: None,
        email_verified: false,
        phone_number: None,
        phone_number_verified: false,
        address: None,
        groups: [].into(),
        custom: [].into(),
        admin: false,
        disabled: false,
        password: None,
        created: NOW,
        updated: NOW,
        tokens_not_before: Timestamp::default(),
    }
}
