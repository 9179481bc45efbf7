//! People and groups.

use crate::types::{GivenSubject, GroupName, Phc, Timestamp, UserId, Username};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The parts of an address (OpenID Connect Core §5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The whole, as on a letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// A person. Field names are the claims of OpenID Connect Core §5.1 where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The `sub` of their tokens, stable for ever, unless they brought one along.
    pub id: UserId,
    /// The `sub` that applications knew them by at another server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<GivenSubject>,
    /// The name they sign in with; the `preferred_username` claim.
    pub username: Username,
    /// The full name.
    #[serde(default)]
    pub name: Option<String>,
    /// Claim of that name.
    #[serde(default)]
    pub given_name: Option<String>,
    /// Claim of that name.
    #[serde(default)]
    pub family_name: Option<String>,
    /// Claim of that name.
    #[serde(default)]
    pub middle_name: Option<String>,
    /// Claim of that name.
    #[serde(default)]
    pub nickname: Option<String>,
    /// Claim of that name: a page about the person.
    #[serde(default)]
    pub profile: Option<String>,
    /// Claim of that name: the address of a picture.
    #[serde(default)]
    pub picture: Option<String>,
    /// Claim of that name.
    #[serde(default)]
    pub website: Option<String>,
    /// Claim of that name.
    #[serde(default)]
    pub gender: Option<String>,
    /// Claim of that name: `YYYY-MM-DD`, `0000-MM-DD` or `YYYY`.
    #[serde(default)]
    pub birthdate: Option<String>,
    /// Claim of that name: an IANA time zone.
    #[serde(default)]
    pub zoneinfo: Option<String>,
    /// Claim of that name: a BCP 47 tag.
    #[serde(default)]
    pub locale: Option<String>,
    /// Claim of that name.
    #[serde(default)]
    pub email: Option<String>,
    /// Claim of that name: an administrator vouches for the address.
    #[serde(default)]
    pub email_verified: bool,
    /// Claim of that name.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// Claim of that name.
    #[serde(default)]
    pub phone_number_verified: bool,
    /// Claim of that name.
    #[serde(default)]
    pub address: Option<Address>,
    /// The `groups` claim.
    #[serde(default)]
    pub groups: BTreeSet<GroupName>,
    /// Further claims, given with the `profile` scope.
    #[serde(default)]
    pub custom: BTreeMap<String, Value>,
    /// Whether they may use the admin page.
    #[serde(default)]
    pub admin: bool,
    /// Cannot sign in, and their tokens are dead, while set.
    #[serde(default)]
    pub disabled: bool,
    /// A PHC string; none until a password is set.
    #[serde(default)]
    pub password: Option<Phc>,
    /// When they were added.
    pub created: Timestamp,
    /// When a claim last changed: the `updated_at` claim.
    pub updated: Timestamp,
    /// Sessions and tokens from before this moment are dead.
    #[serde(default)]
    pub tokens_not_before: Timestamp,
}

impl User {
    /// A record with nothing but its name.
    pub fn blank(id: UserId, username: Username, now: Timestamp) -> Self {
        Self {
            id,
            subject: None,
            username,
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
            custom: BTreeMap::new(),
            admin: false,
            disabled: false,
            password: None,
            created: now,
            updated: now,
            tokens_not_before: Timestamp::default(),
        }
    }

    /// The `sub` of their tokens, where applications share one name for them (`oauth::subject` has the others).
    pub fn sub(&self) -> String {
        match &self.subject {
            Some(given) => given.to_string(),
            None => self.id.to_string(),
        }
    }

    /// What a person is called on pages.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.username.as_str())
    }
}

/// A group. Membership stands with the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name, as applications see it.
    pub name: GroupName,
    /// For the administrator.
    #[serde(default)]
    pub description: String,
    /// When it was added.
    pub created: Timestamp,
}
