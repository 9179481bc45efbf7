//! People of Authelia: its file of users (authentication backend “file”), as of 4.39.
//! Authelia keeps the `sub` of people in its database and not here, so applications see new ones.

use super::reading::{Record, shown};
use super::{Foreign, Left, hashes};
use crate::identity::people::PersonEdit;
use crate::model::Address;
use crate::server::administration::transfer::document::{Person, PersonRecord};
use crate::types::Phc;
use serde_json::Value;

/// Reads the file.
pub fn read(file: &Value) -> Result<Foreign, String> {
    let file = Record::of("the file", file)?;
    let Some(users) = file.record("users")? else {
        return Err(
            "it has no users; a file of Authelia's users begins with \"users:\"".to_owned(),
        );
    };
    let mut foreign = Foreign::empty();
    let mut left = Left::default();
    for member in file.left() {
        left.behind("not read in the file", &member);
    }
    for (username, record) in users.called("users").entries()? {
        let record = record.called(format!("the person “{}”", shown(username)));
        match person(username, &record, &mut left) {
            Ok(person) => foreign.document.users.push(person),
            Err(why) => foreign.problems.push(why),
        }
        for member in record.left() {
            left.behind(
                format!("“{member}” of people does not come along"),
                username,
            );
        }
    }
    left.told(&mut foreign.notes);
    if !foreign.document.users.is_empty() {
        foreign.notes.push(
            "applications see a new “sub” for everybody: Authelia's is in its database and not in this file".to_owned(),
        );
    }
    Ok(foreign)
}

fn person(username: &str, record: &Record<'_>, left: &mut Left) -> Result<Person, String> {
    let email = match record.texts("email")?.as_slice() {
        [] => None,
        [email] => Some(email.clone()).filter(|email| !email.trim().is_empty()),
        [email, ..] => {
            left.behind("of several email addresses the first comes along", username);
            Some(email.clone())
        }
    };
    let phone_number = match (
        record.text("phone_number")?,
        record.text("phone_extension")?,
    ) {
        // RFC 3966 §5.3, as OpenID Connect Core §5.1 has it.
        (Some(number), Some(extension)) => Some(format!("{number};ext={extension}")),
        (number, _) => number,
    };
    let settings = PersonEdit {
        username: username.to_owned(),
        name: record.text("displayname")?,
        given_name: record.text("given_name")?,
        middle_name: record.text("middle_name")?,
        family_name: record.text("family_name")?,
        nickname: record.text("nickname")?,
        gender: record.text("gender")?,
        birthdate: record.text("birthdate")?,
        website: record.text("website")?,
        profile: record.text("profile")?,
        picture: record.text("picture")?,
        zoneinfo: record.text("zoneinfo")?,
        locale: record.text("locale")?,
        // Authelia vouches for the addresses of this file.
        email_verified: email.is_some(),
        email,
        phone_number_verified: false,
        phone_number,
        address: address(record)?,
        groups: record.texts("groups")?,
        disabled: record.flag("disabled")?.unwrap_or(false),
        ..PersonEdit::default()
    };
    Ok(Person {
        record: PersonRecord {
            password_hash: password(username, record, left)?,
            ..PersonRecord::default()
        },
        settings,
    })
}

fn password(username: &str, record: &Record<'_>, left: &mut Left) -> Result<Option<Phc>, String> {
    let Some(digest) = record.text("password")? else {
        return Ok(None);
    };
    match hashes::authelia(&digest) {
        Ok(phc) => Ok(Some(phc)),
        Err(kind) => {
            let what = format!("passwords that are hashed with {kind} do not come along");
            left.behind(what, username);
            Ok(None)
        }
    }
}

fn address(record: &Record<'_>) -> Result<Option<Address>, String> {
    let Some(address) = record.record("address")? else {
        return Ok(None);
    };
    Ok(Some(Address {
        formatted: None,
        street_address: address.text("street_address")?,
        locality: address.text("locality")?,
        region: address.text("region")?,
        postal_code: address.text("postal_code")?,
        country: address.text("country")?,
    }))
}
