//! Groups: adding, describing, filling, renaming and deleting them.
//! Membership stands with the person. Who leaves a group needs nothing more: standing is asked when a token is used.

use super::author::Author;
use crate::model::{AdminError, Change, Decision, EventKind, Group, User};
use crate::types::appearance::is_plain_line;
use crate::types::{GroupName, UserId};
use std::collections::BTreeSet;

/// Characters in a description.
const DESCRIPTION_MAX: usize = 255;

/// What shall become of a group; `None` leaves things as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupEdit {
    /// Another name.
    pub name: Option<String>,
    /// For the administrator.
    pub description: Option<String>,
    /// Who comes and who goes.
    pub members: Option<Members>,
}

/// A choice among the people that were shown; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Who was shown.
    pub among: BTreeSet<UserId>,
    /// Who of them shall be a member.
    pub chosen: BTreeSet<UserId>,
}

/// A group's name.
pub fn name(typed: &str) -> Result<GroupName, AdminError> {
    let typed = typed.trim();
    typed
        .parse()
        .map_err(|why| AdminError::invalid("name", why))
}

/// The one of these that a name would be taken for: groups open doors, and an application must not be given another
/// than the administrator sees.
pub fn look_alike<'g>(
    wanted: &GroupName,
    known: impl IntoIterator<Item = &'g GroupName>,
) -> Option<&'g GroupName> {
    let mut known = known.into_iter();
    known.find(|name| *name != wanted && name.folded() == wanted.folded())
}

/// What is said of a group.
pub fn description(typed: &str) -> Result<String, AdminError> {
    let typed = typed.trim();
    if typed.chars().count() > DESCRIPTION_MAX || !is_plain_line(typed) {
        return Err(AdminError::invalid(
            "description",
            format!("use one line of at most {DESCRIPTION_MAX} visible characters"),
        ));
    }
    Ok(typed.to_owned())
}

/// Adds a group; `namesake` is the one that has the name, or looks as if it had.
pub fn add(
    wanted: GroupName,
    text: &str,
    namesake: Option<&Group>,
    by: &Author,
) -> Decision<Group, AdminError> {
    if namesake.is_some() {
        return Decision::reply(Err(AdminError::NameTaken(wanted.to_string())));
    }
    let description = match description(text) {
        Ok(description) => description,
        Err(error) => return Decision::reply(Err(error)),
    };
    let group = Group {
        name: wanted,
        description,
        created: by.now,
    };
    Decision {
        changes: vec![Change::PutGroup(group.clone())],
        events: vec![by.did(EventKind::GroupChanged).detail(group.name.as_str())],
        reply: Ok(group),
    }
}

/// What the edit of a group looks at beside the group.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The group that has the wanted name, or looks as if it had, and is not the group itself.
    pub namesake: Option<Group>,
    /// Members now, and whoever was shown.
    pub people: Vec<User>,
}

/// Edits a group. A new name is a new group to applications: members move, and the old name ends.
pub fn edit(
    old: Group,
    edit: &GroupEdit,
    around: Around,
    by: &Author,
) -> Decision<Group, AdminError> {
    let group = match changed(&old, edit, &around) {
        Ok(group) => group,
        Err(error) => return Decision::reply(Err(error)),
    };
    let (mut changes, mut moved) = (Vec::new(), Vec::new());
    for user in around.people {
        let was = user.groups.contains(&old.name);
        let is = match &edit.members {
            Some(members) if members.among.contains(&user.id) => members.chosen.contains(&user.id),
            _ => was,
        };
        let mut new = user.clone();
        new.groups.remove(&old.name);
        if is {
            new.groups.insert(group.name.clone());
        }
        if new.groups != user.groups {
            new.updated = by.now;
            if was != is {
                moved.push((new.clone(), if is { "joined" } else { "left" }));
            }
            changes.push(Change::PutUser(Box::new(new)));
        }
    }
    let renamed = group.name != old.name;
    if changes.is_empty() && group == old {
        return Decision::reply(Ok(group));
    }
    // After the members have moved: deleting a group takes it from whoever is left in it.
    if renamed {
        changes.push(Change::DeleteGroup(old.name.clone()));
    }
    changes.push(Change::PutGroup(group.clone()));
    let detail = if renamed {
        format!("{} renamed to {}", old.name, group.name)
    } else {
        group.name.to_string()
    };
    let mut events = vec![by.did(EventKind::GroupChanged).detail(detail)];
    events.extend(moved.iter().map(|(user, how)| {
        by.did(EventKind::UserChanged)
            .user(user)
            .detail(format!("{how} the group {}", group.name))
    }));
    Decision {
        changes,
        events,
        reply: Ok(group),
    }
}

fn changed(old: &Group, edit: &GroupEdit, around: &Around) -> Result<Group, AdminError> {
    let wanted = match &edit.name {
        Some(typed) => name(typed)?,
        None => old.name.clone(),
    };
    if wanted != old.name && around.namesake.is_some() {
        return Err(AdminError::NameTaken(wanted.to_string()));
    }
    Ok(Group {
        name: wanted,
        description: match &edit.description {
            Some(typed) => description(typed)?,
            None => old.description.clone(),
        },
        created: old.created,
    })
}

/// Deletes a group; its members lose it.
pub fn delete(group: &Group, by: &Author) -> Decision<(), AdminError> {
    Decision {
        changes: vec![Change::DeleteGroup(group.name.clone())],
        events: vec![by.did(EventKind::GroupDeleted).detail(group.name.as_str())],
        reply: Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::{NOW, by, user};

    fn group(name: &str) -> Group {
        Group {
            name: name.parse().unwrap(),
            description: String::new(),
            created: NOW,
        }
    }

    fn member(name: &str, n: u8, groups: &[&str]) -> User {
        User {
            groups: groups.iter().map(|name| name.parse().unwrap()).collect(),
            ..user(name, n)
        }
    }

    /// Whoever is written, with their groups.
    fn people(decision: &Decision<Group, AdminError>) -> Vec<(String, Vec<String>)> {
        let users = decision.changes.iter().filter_map(|change| match change {
            Change::PutUser(user) => Some(user),
            _ => None,
        });
        users
            .map(|user| {
                let groups = user.groups.iter().map(ToString::to_string).collect();
                (user.username.to_string(), groups)
            })
            .collect()
    }

    #[test]
    fn a_name_is_given_once() {
        let cooks = group("cooks");
        let taken = Err(AdminError::NameTaken("cooks".to_owned()));
        let decision = add(cooks.name.clone(), "", Some(&cooks), &by());
        assert_eq!(decision.reply, taken);
        let rename = GroupEdit {
            name: Some("cooks".to_owned()),
            ..GroupEdit::default()
        };
        let around = Around {
            namesake: Some(cooks),
            ..Around::default()
        };
        assert_eq!(edit(group("chefs"), &rename, around, &by()).reply, taken);
        assert!(name(" a/b ").is_ok() && name("").is_err());
    }

    #[test]
    fn a_name_that_would_be_taken_for_another_is_found() {
        let known: Vec<GroupName> = ["Night shift", "cooks"].map(|n| n.parse().unwrap()).into();
        for (wanted, found) in [
            ("night  Shift", Some("Night shift")),
            ("COOKS", Some("cooks")),
            ("cooks", None),
            ("nightshift", None),
        ] {
            let wanted = wanted.parse().unwrap();
            let found = found.map(|name| name.parse().unwrap());
            assert_eq!(look_alike(&wanted, &known), found.as_ref(), "{wanted}");
        }
    }

    #[test]
    fn only_those_who_were_shown_come_and_go() {
        let (anna, bob, cleo) = (
            member("anna", 1, &["cooks"]),
            member("bob", 2, &["family"]),
            member("cleo", 3, &["cooks"]),
        );
        let members = Members {
            among: [anna.id, bob.id].into(),
            chosen: [bob.id].into(),
        };
        let wanted = GroupEdit {
            members: Some(members),
            ..GroupEdit::default()
        };
        let around = Around {
            namesake: None,
            people: vec![anna, bob, cleo],
        };
        let decision = edit(group("cooks"), &wanted, around, &by());
        let expected = [
            ("anna".to_owned(), vec![]),
            (
                "bob".to_owned(),
                vec!["cooks".to_owned(), "family".to_owned()],
            ),
        ];
        assert_eq!(people(&decision), expected);
        let details: Vec<_> = decision.events.iter().map(|e| e.detail.as_str()).collect();
        assert_eq!(
            details,
            ["cooks", "left the group cooks", "joined the group cooks"]
        );
    }

    #[test]
    fn members_move_with_a_new_name_before_the_old_one_ends() {
        let wanted = GroupEdit {
            name: Some("chefs".to_owned()),
            ..GroupEdit::default()
        };
        let around = Around {
            namesake: None,
            people: vec![member("anna", 1, &["cooks"])],
        };
        let decision = edit(group("cooks"), &wanted, around, &by());
        assert_eq!(
            people(&decision),
            [("anna".to_owned(), vec!["chefs".to_owned()])]
        );
        let gone = Change::DeleteGroup("cooks".parse().unwrap());
        assert_eq!(decision.changes.get(1), Some(&gone));
        assert_eq!(decision.reply.unwrap().name.as_str(), "chefs");
    }

    #[test]
    fn an_edit_that_changes_nothing_writes_nothing() {
        let same = GroupEdit {
            name: Some("cooks".to_owned()),
            description: Some(" ".to_owned()),
            ..GroupEdit::default()
        };
        let around = Around {
            namesake: Some(group("cooks")),
            people: vec![member("anna", 1, &["cooks"])],
        };
        let decision = edit(group("cooks"), &same, around, &by());
        assert!(decision.changes.is_empty() && decision.events.is_empty());
        let long = GroupEdit {
            description: Some("x".repeat(256)),
            ..GroupEdit::default()
        };
        let decision = edit(group("cooks"), &long, Around::default(), &by());
        assert!(decision.reply.is_err());
    }
}
