//! People: the list, adding one, their details and their way in.
//!
//! Fields of the details (`new` and `edit`): `username`, `full_name`, `given_name`, `middle_name`, `family_name`,
//! `nickname`, `email`, `email_verified`, `phone_number`, `phone_number_verified`, `profile`, `picture`, `website`,
//! `gender`, `birthdate`, `zoneinfo`, `locale`, `street_address`, `locality`, `region`, `postal_code`, `country`,
//! `group` (several), `more_groups` (new names, separated by commas), `custom_claims` (a JSON object),
//! `administrator`, `disabled` (edit only). Checkboxes send `on`.

use super::ListHead;
use crate::views::{Choice, Form, Page, When};
use askama::Template;
use url::form_urlencoded;

/// `{base}/admin/people`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/people.html", config = "assets/askama.toml")]
pub struct People {
    /// The frame.
    pub page: Page,
    /// Search and paging.
    pub list: ListHead,
    /// The people.
    pub rows: Vec<PersonRow>,
}

/// A person in the list.
#[derive(Debug, Clone)]
pub struct PersonRow {
    /// Id, part of the address `{base}/admin/people/{id}`.
    pub id: String,
    /// Name that they sign in with.
    pub username: String,
    /// Full name, or empty.
    pub full_name: String,
    /// Email, or empty.
    pub email: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Whether they may open these pages.
    pub administrator: bool,
    /// Whether they are switched off.
    pub disabled: bool,
    /// Last sign-in.
    pub last_sign_in: Option<When>,
}

/// `{base}/admin/people/new`. `POST` to the same address with the fields of this module and `way_in` = `link` |
/// `password`, `password`, `password_again` (read only with `way_in=password`).
#[derive(Debug, Clone, Template)]
#[template(path = "admin/person_new.html", config = "assets/askama.toml")]
pub struct NewPerson {
    /// The frame.
    pub page: Page,
    /// What was typed; start with `email_verified` ticked and `way_in` = `link`.
    pub form: Form,
    /// Groups to choose from.
    pub groups: Vec<Choice>,
    /// The server's judgement of the password that was refused.
    pub strength: Option<String>,
}

impl NewPerson {
    /// The further details are opened when one of them was refused.
    pub fn open_more(&self) -> bool {
        let shown = [
            "",
            "username",
            "full_name",
            "email",
            "group",
            "more_groups",
            "password",
            "password_again",
            "way_in",
        ];
        self.form.errors().any(|(name, _)| !shown.contains(&name))
    }
}

/// `{base}/admin/people/{id}`. `POST` to the same address with the fields of this module. Further forms:
/// `POST …/link` (`csrf`) makes a one-time sign-in link; `GET` and `POST …/password` set a password; `GET …/delete`
/// asks, `POST …/delete` does it.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/person.html", config = "assets/askama.toml")]
pub struct Person {
    /// The frame.
    pub page: Page,
    /// The details as stored, or what was typed.
    pub form: Form,
    /// Groups to choose from.
    pub groups: Vec<Choice>,
    /// Id.
    pub id: String,
    /// Sign-in name as stored.
    pub username: String,
    /// The `sub` that applications know this person by.
    pub subject: String,
    /// When they were added.
    pub created: When,
    /// Last sign-in.
    pub last_sign_in: Option<When>,
    /// Whether it is the administrator who reads this page (who cannot switch off or delete themselves).
    pub is_self: bool,
    /// Whether they have a password.
    pub has_password: bool,
}

impl Person {
    /// The filter of other lists for this person.
    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("person", &self.username)
            .finish()
    }
}

/// `{base}/admin/people/{id}/password`. `POST` to the same address with `password`, `password_again`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/person_password.html", config = "assets/askama.toml")]
pub struct SetPassword {
    /// The frame.
    pub page: Page,
    /// Errors: `password`, `password_again`.
    pub form: Form,
    /// Id.
    pub id: String,
    /// Sign-in name.
    pub username: String,
    /// The server's judgement of the password that was refused.
    pub strength: Option<String>,
}
