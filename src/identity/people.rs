//! What an administrator may change about a person.
//! Owns: names are unique in any case, somebody enabled always administers, who is reset or switched off loses every
//! session and token. Not here: the form of claims (`validate`), hashing, links' addresses (`server::administration`).

use super::author::Author;
use super::{groups, validate};
use crate::crypto::digest::s256;
use crate::crypto::random::Fresh;
use crate::model::{
    Address, AdminError, Change, Decision, Event, EventKind, Group, Link, LinkPurpose, Session,
    User,
};
use crate::types::{BearerSecret, GroupName, Id, LinkId, Phc, Timestamp, UserId, Username};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a one-time link is good.
pub const LINK_LIFE: Duration = Duration::from_secs(86_400);

/// The few things that a person begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPerson {
    /// The name they sign in with.
    pub username: String,
    /// The full name.
    pub name: Option<String>,
    /// Vouched for by whoever adds the person.
    pub email: Option<String>,
    /// Names of groups; unknown ones are made.
    pub groups: Vec<String>,
    /// Whether they may use the admin page.
    pub admin: bool,
}

/// All that can be edited about a person, as it shall be afterwards. Start from [`PersonEdit::of`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonEdit {
    /// The name they sign in with.
    pub username: String,
    /// Claim of that name, as are the following.
    pub name: Option<String>,
    /// See [`User`].
    pub given_name: Option<String>,
    /// See [`User`].
    pub family_name: Option<String>,
    /// See [`User`].
    pub middle_name: Option<String>,
    /// See [`User`].
    pub nickname: Option<String>,
    /// See [`User`].
    pub profile: Option<String>,
    /// See [`User`].
    pub picture: Option<String>,
    /// See [`User`].
    pub website: Option<String>,
    /// See [`User`].
    pub gender: Option<String>,
    /// See [`User`].
    pub birthdate: Option<String>,
    /// See [`User`].
    pub zoneinfo: Option<String>,
    /// See [`User`].
    pub locale: Option<String>,
    /// See [`User`].
    pub email: Option<String>,
    /// See [`User`].
    pub email_verified: bool,
    /// See [`User`].
    pub phone_number: Option<String>,
    /// See [`User`].
    pub phone_number_verified: bool,
    /// See [`User`].
    pub address: Option<Address>,
    /// Names of groups; unknown ones are made.
    pub groups: Vec<String>,
    /// Further claims.
    pub custom: BTreeMap<String, Value>,
    /// Whether they may use the admin page.
    pub admin: bool,
    /// Whether they are switched off.
    pub disabled: bool,
}

impl From<NewPerson> for PersonEdit {
    fn from(new: NewPerson) -> Self {
        let given = |email: &String| !email.trim().is_empty();
        Self {
            username: new.username,
            name: new.name,
            email_verified: new.email.as_ref().is_some_and(given),
            email: new.email,
            groups: new.groups,
            admin: new.admin,
            ..Self::default()
        }
    }
}

impl PersonEdit {
    /// The person as they are.
    pub fn of(user: &User) -> Self {
        let user = user.clone();
        Self {
            username: user.username.to_string(),
            name: user.name,
            given_name: user.given_name,
            family_name: user.family_name,
            middle_name: user.middle_name,
            nickname: user.nickname,
            profile: user.profile,
            picture: user.picture,
            website: user.website,
            gender: user.gender,
            birthdate: user.birthdate,
            zoneinfo: user.zoneinfo,
            locale: user.locale,
            email: user.email,
            email_verified: user.email_verified,
            phone_number: user.phone_number,
            phone_number_verified: user.phone_number_verified,
            address: user.address,
            groups: user.groups.iter().map(ToString::to_string).collect(),
            custom: user.custom,
            admin: user.admin,
            disabled: user.disabled,
        }
    }

    /// Tells these details from any others: what a form carries, to be held against what is stored when it comes back.
    pub fn version(&self) -> String {
        s256(&format!("{self:?}"))
    }

    /// The name they sign in with, once it is one.
    pub fn parsed_username(&self) -> Result<Username, AdminError> {
        let name = self.username.trim();
        name.parse()
            .map_err(|why| AdminError::invalid("username", why))
    }

    /// `user` with these details, each looked at.
    pub(super) fn on(self, user: User) -> Result<User, AdminError> {
        let email = validate::email(self.email)?;
        let phone_number = validate::phone_number(self.phone_number)?;
        Ok(User {
            name: validate::text("name", self.name)?,
            given_name: validate::text("given_name", self.given_name)?,
            family_name: validate::text("family_name", self.family_name)?,
            middle_name: validate::text("middle_name", self.middle_name)?,
            nickname: validate::text("nickname", self.nickname)?,
            profile: validate::web_address("profile", self.profile)?,
            picture: validate::web_address("picture", self.picture)?,
            website: validate::web_address("website", self.website)?,
            gender: validate::text("gender", self.gender)?,
            birthdate: validate::birthdate(self.birthdate)?,
            zoneinfo: validate::zoneinfo(self.zoneinfo)?,
            locale: validate::locale(self.locale)?,
            email_verified: self.email_verified && email.is_some(),
            email,
            phone_number_verified: self.phone_number_verified && phone_number.is_some(),
            phone_number,
            address: validate::address(self.address)?,
            groups: validate::groups(&self.groups)?,
            custom: validate::custom(self.custom)?,
            admin: self.admin,
            disabled: self.disabled,
            ..user
        })
    }
}

/// What a decision about a person looks at beside the person.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Who has the wanted name.
    pub namesake: Option<UserId>,
    /// The groups that there are.
    pub groups: Vec<Group>,
    /// How many enabled administrators there are.
    pub admins: u64,
    /// The person's sessions.
    pub sessions: Vec<Session>,
    /// Links that are not used yet, of anybody.
    pub links: Vec<Link>,
}

/// Adds a person. `password` is a hash of one that was found acceptable.
pub fn add(
    details: PersonEdit,
    password: Option<Phc>,
    around: &Around,
    id: UserId,
    by: &Author,
) -> Decision<User, AdminError> {
    let made = details.parsed_username().and_then(|username| {
        if around.namesake.is_some() {
            return Err(AdminError::NameTaken(username.to_string()));
        }
        let user = details.on(User::blank(id, username, by.now))?;
        groups_apart(&user, around)?;
        Ok(user)
    });
    let mut user = match made {
        Ok(user) => user,
        Err(error) => return Decision::reply(Err(error)),
    };
    let mut events = vec![by.did(EventKind::UserAdded).user(&user)];
    if password.is_some() {
        events.push(by.did(EventKind::PasswordSet).user(&user));
    }
    user.password = password;
    let (mut changes, made) = missing_groups(&user, around, by);
    events.extend(made);
    changes.push(Change::PutUser(Box::new(user.clone())));
    Decision {
        changes,
        events,
        reply: Ok(user),
    }
}

/// Edits a person as they were seen: where somebody changed them since, the form would undo that unseen, and let in
/// again who was switched off.
pub fn edit_as_seen(
    old: User,
    seen: &str,
    details: PersonEdit,
    around: &Around,
    by: &Author,
) -> Decision<User, AdminError> {
    if PersonEdit::of(&old).version() != seen {
        return Decision::reply(Err(AdminError::ChangedMeanwhile));
    }
    edit(old, details, around, by)
}

/// Edits a person: all details at once.
pub fn edit(
    old: User,
    details: PersonEdit,
    around: &Around,
    by: &Author,
) -> Decision<User, AdminError> {
    let made = details.parsed_username().and_then(|username| {
        if around.namesake.is_some_and(|id| id != old.id) {
            return Err(AdminError::NameTaken(username.to_string()));
        }
        let user = details.on(User {
            username,
            ..old.clone()
        })?;
        groups_apart(&user, around)?;
        Ok(user)
    });
    let mut user = match made {
        Ok(user) if is_last(&old, around) && (user.disabled || !user.admin) => {
            return Decision::reply(Err(AdminError::LastAdministrator));
        }
        Ok(user) if user == old => return Decision::reply(Ok(old)),
        Ok(user) => user,
        Err(error) => return Decision::reply(Err(error)),
    };
    user.updated = by.now;
    let (mut changes, mut events) = missing_groups(&user, around, by);
    let changed = changed_names(&old, &user);
    if !changed.is_empty() {
        events.push(
            by.did(EventKind::UserChanged)
                .user(&user)
                .detail(changed.join(", ")),
        );
    }
    match (old.disabled, user.disabled) {
        (false, true) => {
            changes.extend(cut_off(&mut user, around, by.now));
            events.push(by.did(EventKind::UserDisabled).user(&user));
        }
        (true, false) => events.push(by.did(EventKind::UserEnabled).user(&user)),
        _ => {}
    }
    changes.push(Change::PutUser(Box::new(user.clone())));
    Decision {
        changes,
        events,
        reply: Ok(user),
    }
}

/// Switches a person off or on. Looks at nothing else in the record: whatever is in it, this must work.
pub fn set_disabled(
    mut user: User,
    disabled: bool,
    around: &Around,
    by: &Author,
) -> Decision<(), AdminError> {
    if user.disabled == disabled {
        return Decision::reply(Ok(()));
    }
    if disabled && is_last(&user, around) {
        return Decision::reply(Err(AdminError::LastAdministrator));
    }
    user.disabled = disabled;
    let (mut changes, kind) = if disabled {
        (cut_off(&mut user, around, by.now), EventKind::UserDisabled)
    } else {
        (Vec::new(), EventKind::UserEnabled)
    };
    let event = by.did(kind).user(&user);
    changes.push(Change::PutUser(Box::new(user)));
    Decision {
        changes,
        events: vec![event],
        reply: Ok(()),
    }
}

/// Sets a password; `hash` is of one that was found acceptable. Whoever knew the old one is thrown out.
pub fn set_password(
    mut user: User,
    hash: Phc,
    around: &Around,
    by: &Author,
) -> Decision<(), AdminError> {
    user.password = Some(hash);
    let mut changes = cut_off(&mut user, around, by.now);
    let event = by.did(EventKind::PasswordSet).user(&user);
    changes.push(Change::PutUser(Box::new(user)));
    Decision {
        changes,
        events: vec![event],
        reply: Ok(()),
    }
}

/// Deletes a person, with all that is theirs.
pub fn delete(user: &User, around: &Around, by: &Author) -> Decision<(), AdminError> {
    if is_last(user, around) {
        return Decision::reply(Err(AdminError::LastAdministrator));
    }
    let mut changes = withdraw(around, LinkPurpose::SignIn(user.id));
    changes.push(Change::DeleteUser(user.id));
    Decision {
        changes,
        events: vec![by.did(EventKind::UserDeleted).user(user)],
        reply: Ok(()),
    }
}

/// Makes a link with which a person chooses a password; an earlier one of theirs ends.
pub fn link(
    user: &User,
    around: &Around,
    fresh: Fresh,
    by: &Author,
) -> Decision<BearerSecret, AdminError> {
    if user.disabled {
        return Decision::reply(Err(AdminError::invalid(
            "disabled",
            "this person is switched off; switch them on first",
        )));
    }
    let event = by.did(EventKind::LinkMade).user(user);
    let decision = make_link(LinkPurpose::SignIn(user.id), around, fresh, by.now);
    Decision {
        events: vec![event],
        ..decision
    }
}

/// Makes the link to the first administrator; earlier ones end.
pub fn setup_link(
    around: &Around,
    fresh: Fresh,
    by: &Author,
) -> Decision<BearerSecret, AdminError> {
    if around.admins > 0 {
        return Decision::reply(Err(AdminError::AlreadySetUp));
    }
    let event = by.did(EventKind::LinkMade).detail("setup");
    let decision = make_link(LinkPurpose::Setup, around, fresh, by.now);
    Decision {
        events: vec![event],
        ..decision
    }
}

fn make_link(
    purpose: LinkPurpose,
    around: &Around,
    fresh: Fresh,
    now: Timestamp,
) -> Decision<BearerSecret, AdminError> {
    let secret = BearerSecret::new(Id::new(now, fresh.id), fresh.secret);
    let mut changes = withdraw(around, purpose);
    changes.push(Change::PutLink(Link {
        id: LinkId(secret.selector),
        hash: secret.hash(),
        purpose,
        created: now,
        expires: now.plus(LINK_LIFE),
    }));
    Decision {
        changes,
        events: Vec::new(),
        reply: Ok(secret),
    }
}

/// Ends every session and token of a person, and the link that would let them in again. `now` is the writer's turn: of
/// what was committed before, nothing is younger, and what is just as old ends too.
pub fn cut_off(user: &mut User, around: &Around, now: Timestamp) -> Vec<Change> {
    user.tokens_not_before = now.just_after();
    let sessions = around
        .sessions
        .iter()
        .map(|session| Change::DeleteSession(session.id));
    let mut changes: Vec<Change> = sessions.collect();
    changes.extend(withdraw(around, LinkPurpose::SignIn(user.id)));
    changes
}

/// Ends the links for that purpose.
pub fn withdraw(around: &Around, purpose: LinkPurpose) -> Vec<Change> {
    let links = around.links.iter().filter(|link| link.purpose == purpose);
    links.map(|link| Change::DeleteLink(link.id)).collect()
}

fn is_last(user: &User, around: &Around) -> bool {
    user.admin && !user.disabled && around.admins <= 1
}

/// A new group must not look like another: the person would be in one that nobody meant.
fn groups_apart(user: &User, around: &Around) -> Result<(), AdminError> {
    let known: Vec<&GroupName> = around.groups.iter().map(|group| &group.name).collect();
    for name in user.groups.iter().filter(|name| !known.contains(name)) {
        let others = known.iter().copied().chain(&user.groups);
        if let Some(other) = groups::look_alike(name, others) {
            let why = format!("there is a group {other} already: write {name} like that");
            return Err(AdminError::invalid("groups", why));
        }
    }
    Ok(())
}

/// The groups that the person is in and that do not exist yet.
fn missing_groups(user: &User, around: &Around, by: &Author) -> (Vec<Change>, Vec<Event>) {
    let known = |name: &GroupName| around.groups.iter().any(|group| group.name == *name);
    let made = user.groups.iter().filter(|name| !known(name));
    made.map(|name| {
        let group = Group {
            name: name.clone(),
            description: String::new(),
            created: by.now,
        };
        let event = by.did(EventKind::GroupChanged).detail(name.as_str());
        (Change::PutGroup(group), event)
    })
    .unzip()
}

/// Which fields changed, for the audit log: names only, never values.
pub(super) fn changed_names(old: &User, new: &User) -> Vec<String> {
    let fields = |user: &User| match serde_json::to_value(PersonEdit::of(user)) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (old, new) = (fields(old), fields(new));
    new.iter()
        .filter(|(name, value)| *name != "disabled" && old.get(*name) != Some(*value))
        .map(|(name, _)| name.clone())
        .collect()
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
