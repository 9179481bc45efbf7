//! A realm of Keycloak, as `kc.sh export` writes it, as of 26: one file, or the realm and its people in files of their own.
//! Owns: groups, people and their passwords. Not here: its applications (`keycloak_clients`).

use super::reading::{Record, shown};
use super::{Foreign, Known, Left, hashes, keycloak_clients};
use crate::identity::people::PersonEdit;
use crate::server::administration::transfer::document::{
    self, GroupEntry, Moment, Person, PersonRecord,
};
use crate::types::{GroupName, Phc, Timestamp, strict_json};
use serde_json::Value;

/// Groups in groups, and what stands around them.
const DEEPEST: usize = 64;
/// Of the JSON that stands as text in a credential.
const DEEPEST_CREDENTIAL: usize = 8;
/// The last moment of the year 9999, in milliseconds.
const LAST_MOMENT: u64 = 253_402_300_799_999;

/// Members of a person that have nothing to do here.
const PASSED_OVER: &[&str] = &[
    "access",
    "disableableCredentialTypes",
    "notBefore",
    "origin",
    "self",
    "totp",
];

/// Roles that Keycloak gives to everybody.
fn is_everybodys(role: &str) -> bool {
    role.starts_with("default-roles-") || matches!(role, "offline_access" | "uma_authorization")
}

/// Reads the file.
pub fn read(bytes: &[u8], known: &Known) -> Result<Foreign, String> {
    let members = match strict_json::parse(bytes, DEEPEST) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err("it is not a JSON object; a file has one realm in it".to_owned()),
        Err(why) => return Err(document::not_read(bytes, &why)),
    };
    let file = Value::Object(members);
    let realm = Record::of("the realm", &file)?;
    if realm.text("realm")?.is_none() {
        return Err("it has no member \"realm\", as every export of Keycloak does".to_owned());
    }
    let mut foreign = Foreign::empty();
    let mut left = Left::default();
    for group in realm.records("groups")? {
        groups(&group, "", &mut foreign, &mut left);
    }
    for record in realm.records("users")? {
        // The application itself, as Keycloak sees it.
        if record.get("serviceAccountClientId").is_some() {
            continue;
        }
        let record = match record.text("username") {
            Ok(Some(name)) => record.called(format!("the person “{}”", shown(&name))),
            _ => record,
        };
        match person(&record, &mut left) {
            Ok(person) => foreign.document.users.push(person),
            Err(why) => foreign.problems.push(why),
        }
    }
    keycloak_clients::read(&realm, known, &mut foreign, &mut left)?;
    for provider in realm.records("identityProviders")? {
        let alias = provider.text("alias")?.unwrap_or_default();
        left.behind(
            "signing in through another server does not come along",
            &alias,
        );
    }
    left.told(&mut foreign.notes);
    Ok(foreign)
}

/// A group and those in it. They have no groups in groups here: the path is the name.
fn groups(record: &Record<'_>, above: &str, foreign: &mut Foreign, left: &mut Left) {
    let read = || -> Result<(GroupName, Vec<Record<'_>>), String> {
        let name = record.text("name")?.unwrap_or_default();
        let path = format!("{above}{name}");
        let parsed = path
            .parse()
            .map_err(|why| format!("the group “{}”: {why}", shown(&path)))?;
        Ok((parsed, record.records("subGroups")?))
    };
    let (name, below) = match read() {
        Ok(read) => read,
        Err(why) => return foreign.problems.push(why),
    };
    if !above.is_empty() {
        left.behind(
            "groups in groups become groups beside them, with their path as the name",
            name.as_str(),
        );
    }
    if record
        .get("attributes")
        .is_some_and(|value| value.as_object().is_some_and(|m| !m.is_empty()))
    {
        left.behind("attributes of groups do not come along", name.as_str());
    }
    let inside = format!("{name}/");
    foreign.document.groups.push(GroupEntry {
        name,
        description: String::new(),
        created: None,
    });
    for group in below {
        groups(&group, &inside, foreign, left);
    }
}

fn person(record: &Record<'_>, left: &mut Left) -> Result<Person, String> {
    let Some(username) = record.text("username")? else {
        return Err(record.wrong("username", "is missing"));
    };
    let (given_name, family_name) = (record.text("firstName")?, record.text("lastName")?);
    let names: Vec<&str> = [&given_name, &family_name]
        .into_iter()
        .filter_map(|name| name.as_deref().map(str::trim))
        .collect();
    let name = Some(names.join(" ")).filter(|name| !name.is_empty());
    let groups = record.texts("groups")?;
    let groups = groups
        .iter()
        .map(|path| path.trim_start_matches('/').to_owned());
    let email = record.text("email")?;
    let mut settings = PersonEdit {
        name,
        given_name,
        family_name,
        email_verified: email.is_some() && record.flag("emailVerified")?.unwrap_or(false),
        email,
        groups: groups.collect(),
        disabled: !record.flag("enabled")?.unwrap_or(true),
        ..PersonEdit::default()
    };
    attributes(record, &username, &mut settings, left)?;
    let subject = match record.text("id")?.map(|id| id.parse()) {
        Some(Err(_)) => {
            left.behind(
                "ids that are no UUID are not kept, and applications see a new “sub”",
                &username,
            );
            None
        }
        Some(Ok(subject)) => Some(subject),
        None => None,
    };
    let created = record.number("createdTimestamp")?;
    let created = created.filter(|millis| *millis <= LAST_MOMENT);
    let password_hash = credentials(record, &username, left)?;
    for role in record.texts("realmRoles")? {
        if !is_everybodys(&role) {
            let what = format!(
                "the role “{}” does not come along; a group can stand for it",
                shown(&role)
            );
            left.behind(what, &username);
        }
    }
    for action in record.texts("requiredActions")? {
        left.behind(
            format!("the required action {} does not come along", shown(&action)),
            &username,
        );
    }
    record.pass_over(PASSED_OVER);
    for member in record.left() {
        left.behind(
            format!("“{member}” of people does not come along"),
            &username,
        );
    }
    settings.username = username;
    Ok(Person {
        record: PersonRecord {
            subject,
            created: created.map(|millis| Moment(Timestamp::from_millis(millis))),
            password_hash,
            ..PersonRecord::default()
        },
        settings,
    })
}

/// Those that are claims of OpenID Connect; each is a list, of which one is expected.
fn attributes(
    record: &Record<'_>,
    username: &str,
    settings: &mut PersonEdit,
    left: &mut Left,
) -> Result<(), String> {
    let Some(attributes) = record.record("attributes")? else {
        return Ok(());
    };
    for (names, place) in [
        (["locale", "locale"], &mut settings.locale),
        (["phone_number", "phoneNumber"], &mut settings.phone_number),
        (["nickname", "nickname"], &mut settings.nickname),
        (["middle_name", "middleName"], &mut settings.middle_name),
        (["picture", "picture"], &mut settings.picture),
        (["website", "website"], &mut settings.website),
        (["profile", "profile"], &mut settings.profile),
        (["gender", "gender"], &mut settings.gender),
        (["birthdate", "birthdate"], &mut settings.birthdate),
        (["zoneinfo", "zoneinfo"], &mut settings.zoneinfo),
    ] {
        for name in names {
            let value = attributes.texts(name)?.into_iter().next();
            *place = place.take().or(value);
        }
    }
    for name in attributes.left() {
        left.behind(
            format!("the attribute “{name}” of people does not come along"),
            username,
        );
    }
    Ok(())
}

/// The hash of the password, if it is one that can be checked here.
fn credentials(
    record: &Record<'_>,
    username: &str,
    left: &mut Left,
) -> Result<Option<Phc>, String> {
    let mut kept = None;
    for credential in record.records("credentials")? {
        match credential.text("type")?.as_deref() {
            Some("password") => match password(&credential) {
                Ok(phc) => kept = kept.or(Some(phc)),
                Err(kind) => {
                    left.behind(
                        format!("passwords that are hashed with {kind} do not come along"),
                        username,
                    );
                }
            },
            other => {
                let other = shown(other.unwrap_or_default());
                left.behind(
                    format!("second factors and the like ({other}) do not come along"),
                    username,
                );
            }
        }
    }
    Ok(kept)
}

fn password(credential: &Record<'_>) -> Result<Phc, hashes::Kind> {
    let inside = |member: &str| {
        let text = credential
            .get(member)
            .and_then(Value::as_str)
            .ok_or(hashes::UNKNOWN)?;
        let members = strict_json::parse_object_within(text.as_bytes(), DEEPEST_CREDENTIAL);
        members.map(Value::Object).map_err(|_| hashes::UNKNOWN)
    };
    let (data, secret) = (inside("credentialData")?, inside("secretData")?);
    hashes::keycloak(&data, &secret)
}
