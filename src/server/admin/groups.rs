//! `/admin/groups`. In addresses a group's name stands percent-encoded.

use super::desk::{self, Answer, Desk, Done};
use super::listing::Listing;
use crate::model::{AdminError, Group as Record};
use crate::server::administration::OperationError;
use crate::server::administration::groups::{self as operations, GroupEdit, Members};
use crate::server::respond::{self, Leads};
use crate::types::{Form, UserId};
use crate::views::admin::{Confirm, Group, GroupRow, Groups, NewGroup};
use crate::views::{self, Choice};
use rouille::Response;
use std::collections::BTreeSet;

const PATH: &str = "/admin/groups";
/// People that the page of a group shows to choose from; members always.
const PEOPLE: usize = 300;

const DONE: &[Done] = &[
    ("added", "The group was added."),
    ("saved", "The group was saved."),
    ("deleted", "The group was deleted."),
];

/// The group that the address names, as it is now.
fn group(desk: &Desk<'_>) -> Result<Record, OperationError> {
    let name = decoded(desk.named).unwrap_or_default();
    operations::find(&desk.ctx().store.snapshot()?.view(), &name)
}

/// `GET /admin/groups`.
pub fn list(desk: &Desk<'_>) -> Answer {
    let all = operations::list(&desk.ctx().store.snapshot()?.view())?;
    let read = |after: &str, limit: usize| {
        let later = all.iter().filter(|(group, _)| group.name.as_str() > after);
        Ok::<_, OperationError>(later.take(limit).cloned().collect())
    };
    let (groups, list) = Listing::asked(desk.incoming, PATH).page(
        read,
        |(group, _)| group.name.to_string(),
        |(group, _)| vec![group.name.to_string(), group.description.clone()],
    )?;
    let rows = groups.into_iter().map(row).collect();
    Ok(desk.page("Groups", DONE, |page| {
        respond::page(200, Leads::Here, &Groups { page, list, rows })
    }))
}

/// `GET /admin/groups/new`.
pub fn new(desk: &Desk<'_>) -> Answer {
    Ok(new_form(desk, views::Form::new(), 200))
}

fn new_form(desk: &Desk<'_>, form: views::Form, status: u16) -> Response {
    desk.page("Add a group", DONE, |page| {
        respond::page(status, Leads::Here, &NewGroup { page, form })
    })
}

/// `POST /admin/groups/new`.
pub fn add(desk: &Desk<'_>) -> Answer {
    let form = desk.form;
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let (name, description) = (form.text("name"), form.text("description"));
    match operations::add(ctx, name, description, &actor) {
        Ok(group) => Ok(desk.go(&path(&group), "added")),
        Err(error) => {
            let form = refused(form, &desk::refusal(error)?);
            Ok(new_form(desk, form, 422))
        }
    }
}

/// `GET /admin/groups/*`.
pub fn show(desk: &Desk<'_>) -> Answer {
    drawn(desk, &group(desk)?, None)
}

fn drawn(desk: &Desk<'_>, group: &Record, typed: Option<views::Form>) -> Answer {
    let status = if typed.is_some() { 422 } else { 200 };
    let snapshot = desk.ctx().store.snapshot()?;
    let view = snapshot.view();
    let members: BTreeSet<UserId> = view.members(&group.name, usize::MAX)?.into_iter().collect();
    let mut people = Vec::new();
    for id in members.iter().take(PEOPLE) {
        people.extend(view.user(*id)?);
    }
    let room = PEOPLE.saturating_sub(people.len());
    let others = view.users_by_name("", PEOPLE)?;
    let others = others
        .into_iter()
        .filter(|user| !members.contains(&user.id));
    people.extend(others.take(room));
    people.sort_by_key(|user| user.username.folded());
    let shown = u64::try_from(people.len()).unwrap_or(u64::MAX);
    let hidden = view.user_count()?.saturating_sub(shown);
    let form = typed.unwrap_or_else(|| {
        let ids = members.iter().map(ToString::to_string);
        views::Form::new()
            .with("name", group.name.as_str())
            .with("description", group.description.as_str())
            .with_all("member", ids)
    });
    let people = people.into_iter().map(|user| Choice {
        value: user.id.to_string(),
        label: match &user.name {
            Some(name) => format!("{} ({name})", user.username),
            None => user.username.to_string(),
        },
    });
    let people = people.collect();
    Ok(desk.page(group.name.as_str(), DONE, |page| {
        let view = Group {
            page,
            form,
            id: encoded(group.name.as_str()),
            name: group.name.to_string(),
            people,
            hidden,
        };
        respond::page(status, Leads::Here, &view)
    }))
}

/// `POST /admin/groups/*`.
pub fn edit(desk: &Desk<'_>) -> Answer {
    let (group, form) = (group(desk)?, desk.form);
    let chosen: BTreeSet<UserId> = form
        .all("member")
        .filter_map(|id| id.parse().ok())
        .collect();
    let edit = GroupEdit {
        name: Some(form.text("name").to_owned()),
        description: Some(form.text("description").to_owned()),
        members: Some(Members {
            among: form.all("shown").filter_map(|id| id.parse().ok()).collect(),
            chosen,
        }),
    };
    let (ctx, actor) = (desk.ctx(), desk.actor());
    match operations::edit(ctx, &group.name, edit, &actor) {
        Ok(group) => Ok(desk.go(&path(&group), "saved")),
        Err(error) => {
            let form = refused(form, &desk::refusal(error)?);
            drawn(desk, &group, Some(form))
        }
    }
}

/// `GET /admin/groups/*/delete`.
pub fn ask_delete(desk: &Desk<'_>) -> Answer {
    let group = group(desk)?;
    let base = desk.base();
    let back = format!("{base}{}", path(&group));
    Ok(
        desk.page(&format!("Delete the group {}?", group.name), DONE, |page| {
            let view = Confirm {
                page,
                section: "groups",
                consequences: vec![
                    "Its members stay, but lose what applications let this group do.".to_owned(),
                    "Applications that are open to this group only let nobody in.".to_owned(),
                ],
                action: format!("{back}/delete"),
                fields: Vec::new(),
                button: format!("Delete {}", group.name),
                back: back.clone(),
            };
            respond::page(200, Leads::Here, &view)
        }),
    )
}

/// `POST /admin/groups/*/delete`.
pub fn delete(desk: &Desk<'_>) -> Answer {
    let group = group(desk)?;
    let actor = desk.actor();
    operations::delete(desk.ctx(), &group.name, &actor)?;
    Ok(desk.go(PATH, "deleted"))
}

fn row((group, members): (Record, u64)) -> GroupRow {
    GroupRow {
        id: encoded(group.name.as_str()),
        name: group.name.to_string(),
        description: group.description,
        members,
    }
}

fn refused(form: &Form, error: &AdminError) -> views::Form {
    let mut typed = desk::typed(form);
    match error {
        AdminError::Invalid { field, message } => typed.refuse(field, views::capital(message)),
        AdminError::NameTaken(_) => typed.refuse("name", "There is a group of this name already."),
        other => typed.refuse("", views::capital(&other.to_string())),
    }
    typed
}

fn path(group: &Record) -> String {
    format!("{PATH}/{}", encoded(group.name.as_str()))
}

/// A name as one part of a path. A group may be called `new`, `.` or `..`, or have a slash in it: encoded with a
/// leading tilde, no name means anything else there.
pub(super) fn encoded(name: &str) -> String {
    let mut out = "~".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(super) fn decoded(id: &str) -> Option<String> {
    // A plus is a plus in a path.
    let name = id.strip_prefix('~').unwrap_or(id).replace('+', "%2B");
    crate::types::form_decode(name.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_part_of_a_path_and_back() {
        for name in ["family", "new", "..", "a/b", "a b", "a+b@c:d", "-_."] {
            let part = encoded(name);
            assert!(
                !part.contains(['/', ' ', '+', '.']) && part != "new",
                "{part}"
            );
            assert_eq!(decoded(&part).as_deref(), Some(name));
        }
        assert_eq!(decoded("family").as_deref(), Some("family"));
        assert_eq!(decoded("a+b").as_deref(), Some("a+b"));
        assert_eq!(decoded("%ff"), None);
    }
}
