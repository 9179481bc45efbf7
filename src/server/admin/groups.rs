//! `/admin/groups`. In addresses a group's name stands percent-encoded.

use super::desk::{self, Answer, Done};
use super::listing::Listing;
use crate::model::{AdminError, Group as Record};
use crate::server::administration::OperationError;
use crate::server::administration::groups::{self as operations, GroupEdit, Members};
use crate::server::incoming::{Incoming, Visitor};
use crate::server::pages::failure;
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

/// Answers what stands below `/admin/groups`.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form, rest: &str) -> Response {
    let posted = desk::is_post(incoming);
    let desk = Desk { incoming, visitor };
    let answered = match (rest.trim_start_matches('/'), posted) {
        ("", false) => desk.list(),
        ("new", false) => Ok(desk.new_form(views::Form::new(), 200)),
        ("new", true) => desk.add(form),
        (rest, _) => {
            let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
            match (desk.group(id), action, posted) {
                (Err(error), _, _) => Err(error),
                (Ok(group), "", false) => desk.details(&group, None),
                (Ok(group), "", true) => desk.edit(&group, form),
                (Ok(group), "delete", false) => Ok(desk.ask_delete(&group)),
                (Ok(group), "delete", true) => desk.delete(&group),
                _ => Ok(failure::not_found(incoming)),
            }
        }
    };
    answered.unwrap_or_else(|error| desk::failed(incoming, visitor, error))
}

struct Desk<'a> {
    incoming: &'a Incoming<'a>,
    visitor: &'a Visitor,
}

impl Desk<'_> {
    fn group(&self, id: &str) -> Result<Record, OperationError> {
        let name = decoded(id).unwrap_or_default();
        operations::find(&self.incoming.ctx.store.snapshot()?.view(), &name)
    }

    fn page(&self, title: &str, draw: impl FnOnce(views::Page) -> Response) -> Response {
        desk::page(self.incoming, self.visitor, title, DONE, draw)
    }

    fn list(&self) -> Answer {
        let all = operations::list(&self.incoming.ctx.store.snapshot()?.view())?;
        let read = |after: &str, limit: usize| {
            let later = all.iter().filter(|(group, _)| group.name.as_str() > after);
            Ok::<_, OperationError>(later.take(limit).cloned().collect())
        };
        let (groups, list) = Listing::asked(self.incoming, PATH).page(
            read,
            |(group, _)| group.name.to_string(),
            |(group, _)| vec![group.name.to_string(), group.description.clone()],
        )?;
        let rows = groups.into_iter().map(row).collect();
        Ok(self.page("Groups", |page| {
            respond::page(200, Leads::Here, &Groups { page, list, rows })
        }))
    }

    fn new_form(&self, form: views::Form, status: u16) -> Response {
        self.page("Add a group", |page| {
            respond::page(status, Leads::Here, &NewGroup { page, form })
        })
    }

    fn add(&self, form: &Form) -> Answer {
        let (ctx, actor) = (self.incoming.ctx, desk::actor(self.incoming, self.visitor));
        let (name, description) = (form.text("name"), form.text("description"));
        match operations::add(ctx, name, description, &actor) {
            Ok(group) => Ok(desk::go(self.incoming, &path(&group), "added")),
            Err(error) => match desk::refusal(self.incoming, self.visitor, error) {
                Ok(error) => Ok(self.new_form(refused(form, &error), 422)),
                Err(response) => Ok(response),
            },
        }
    }

    fn details(&self, group: &Record, typed: Option<views::Form>) -> Answer {
        let status = if typed.is_some() { 422 } else { 200 };
        let snapshot = self.incoming.ctx.store.snapshot()?;
        let view = snapshot.view();
        let members: BTreeSet<UserId> =
            view.members(&group.name, usize::MAX)?.into_iter().collect();
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
        Ok(self.page(group.name.as_str(), |page| {
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

    fn edit(&self, group: &Record, form: &Form) -> Answer {
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
        let (ctx, actor) = (self.incoming.ctx, desk::actor(self.incoming, self.visitor));
        match operations::edit(ctx, &group.name, edit, &actor) {
            Ok(group) => Ok(desk::go(self.incoming, &path(&group), "saved")),
            Err(error) => match desk::refusal(self.incoming, self.visitor, error) {
                Ok(error) => self.details(group, Some(refused(form, &error))),
                Err(response) => Ok(response),
            },
        }
    }

    fn ask_delete(&self, group: &Record) -> Response {
        let base = self.incoming.ctx.config.issuer.path();
        let back = format!("{base}{}", path(group));
        self.page(&format!("Delete the group {}?", group.name), |page| {
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
        })
    }

    fn delete(&self, group: &Record) -> Answer {
        let actor = desk::actor(self.incoming, self.visitor);
        operations::delete(self.incoming.ctx, &group.name, &actor)?;
        Ok(desk::go(self.incoming, PATH, "deleted"))
    }
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
