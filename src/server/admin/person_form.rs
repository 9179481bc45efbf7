//! The fields of a person's form, between the record and what is typed. Their names stand in `views::admin::people`.

use crate::identity::people::PersonEdit;
use crate::identity::validate;
use crate::model::{Address, AdminError, User};
use crate::store::{StoreError, View};
use crate::types::Form;
use crate::views::{self, Choice};

/// The groups to choose from.
pub(super) fn groups(view: &View<'_>) -> Result<Vec<Choice>, StoreError> {
    let groups = view.groups()?;
    Ok(groups
        .into_iter()
        .map(|group| Choice {
            value: group.name.to_string(),
            label: group.name.to_string(),
        })
        .collect())
}

/// The form of a person as they are.
pub(super) fn of(user: &User) -> views::Form {
    let version = PersonEdit::of(user).version();
    let user = user.clone();
    let address = user.address.unwrap_or_default();
    let texts = [
        ("username", Some(user.username.to_string())),
        ("full_name", user.name),
        ("given_name", user.given_name),
        ("middle_name", user.middle_name),
        ("family_name", user.family_name),
        ("nickname", user.nickname),
        ("email", user.email),
        ("phone_number", user.phone_number),
        ("profile", user.profile),
        ("picture", user.picture),
        ("website", user.website),
        ("gender", user.gender),
        ("birthdate", user.birthdate),
        ("zoneinfo", user.zoneinfo),
        ("locale", user.locale),
        ("street_address", address.street_address),
        ("locality", address.locality),
        ("region", address.region),
        ("postal_code", address.postal_code),
        ("country", address.country),
    ];
    let given = texts
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)));
    let custom = if user.custom.is_empty() {
        String::new()
    } else {
        serde_json::to_string_pretty(&user.custom).unwrap_or_default()
    };
    views::Form::from_pairs(given)
        .with("version", version)
        .with("custom_claims", custom)
        .with_all("group", user.groups.iter().map(ToString::to_string))
        .with_tick("email_verified", user.email_verified)
        .with_tick("phone_number_verified", user.phone_number_verified)
        .with_tick("administrator", user.admin)
        .with_tick("disabled", user.disabled)
}

/// What was typed. `stored` is the person as they are, where there is one.
pub(super) fn details(form: &Form, stored: Option<&User>) -> Result<PersonEdit, AdminError> {
    let text = |name: &str| Some(form.text(name).trim().to_owned()).filter(|t| !t.is_empty());
    let more = form.text("more_groups").split(',');
    let parts = Address {
        formatted: None,
        street_address: text("street_address").map(|text| text.replace("\r\n", "\n")),
        locality: text("locality"),
        region: text("region"),
        postal_code: text("postal_code"),
        country: text("country"),
    };
    Ok(PersonEdit {
        username: form.text("username").to_owned(),
        name: text("full_name"),
        given_name: text("given_name"),
        family_name: text("family_name"),
        middle_name: text("middle_name"),
        nickname: text("nickname"),
        profile: text("profile"),
        picture: text("picture"),
        website: text("website"),
        gender: text("gender"),
        birthdate: text("birthdate"),
        zoneinfo: text("zoneinfo"),
        locale: text("locale"),
        email: text("email"),
        email_verified: form.has("email_verified"),
        phone_number: text("phone_number"),
        phone_number_verified: form.has("phone_number_verified"),
        address: Some(keep_formatted(parts, stored)),
        groups: form.all("group").chain(more).map(str::to_owned).collect(),
        custom: validate::custom_text(form.text("custom_claims"))?,
        admin: form.has("administrator"),
        disabled: form.has("disabled"),
    })
}

/// The form has no field for the whole address; it stays for as long as the parts do.
fn keep_formatted(parts: Address, stored: Option<&User>) -> Address {
    let Some(old) = stored.and_then(|user| user.address.clone()) else {
        return parts;
    };
    let bare = Address {
        formatted: None,
        ..old.clone()
    };
    if bare == parts { old } else { parts }
}

/// Says beside its field what was wrong.
pub(super) fn refuse(form: &mut views::Form, error: &AdminError) {
    match error {
        AdminError::Invalid { field, message } => {
            let name = match *field {
                "name" => "full_name",
                "groups" => "more_groups",
                "custom" => "custom_claims",
                "formatted" => "street_address",
                other => other,
            };
            form.refuse(name, views::capital(message));
        }
        AdminError::NameTaken(_) => {
            form.refuse("username", "Somebody has this name already.");
        }
        AdminError::LastAdministrator => form.refuse(
            "administrator",
            "This is the last administrator. Make another one first.",
        ),
        other => form.refuse("", views::capital(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Id, Timestamp, UserId};

    #[test]
    fn a_form_that_is_sent_as_it_was_shown_changes_nothing() {
        let now = Timestamp::from_secs(1_795_000_000);
        let user = User {
            name: Some("Anna".to_owned()),
            email: Some("anna@example.org".to_owned()),
            email_verified: true,
            address: Some(Address {
                formatted: Some("Main Street 1\nTown".to_owned()),
                locality: Some("Town".to_owned()),
                ..Address::default()
            }),
            groups: ["cooks".parse().unwrap()].into(),
            custom: [("department".to_owned(), serde_json::json!(["garden"]))].into(),
            ..User::blank(UserId(Id::default()), "anna".parse().unwrap(), now)
        };
        let shown = of(&user);
        let names = [
            "username",
            "full_name",
            "email",
            "email_verified",
            "locality",
            "group",
            "custom_claims",
        ];
        let sent = names
            .iter()
            .flat_map(|name| {
                shown
                    .values(name)
                    .iter()
                    .map(|v| ((*name).to_owned(), v.clone()))
            })
            .collect();
        let details = details(&Form::from_pairs(sent), Some(&user)).unwrap();
        let details = PersonEdit {
            groups: details
                .groups
                .into_iter()
                .filter(|g| !g.is_empty())
                .collect(),
            ..details
        };
        assert_eq!(details, PersonEdit::of(&user));
    }
}
