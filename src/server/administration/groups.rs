//! Groups, as an administrator handles them. The rules stand in `identity::groups`.

use super::{Actor, OperationError, submit};
use crate::identity::groups::{self, Around};
use crate::model::{AdminError, Decision, Group};
use crate::server::context::Context;
use crate::store::{StoreError, View};
use crate::types::GroupName;
use std::collections::BTreeSet;

pub use crate::identity::groups::{GroupEdit, Members};

/// All groups by name, each with how many people it has.
pub fn list(view: &View<'_>) -> Result<Vec<(Group, u64)>, OperationError> {
    let mut counted = Vec::new();
    for group in view.groups()? {
        let members = view.members(&group.name, usize::MAX)?.len();
        counted.push((group, u64::try_from(members).unwrap_or(u64::MAX)));
    }
    Ok(counted)
}

/// The group with exactly that name.
pub fn find(view: &View<'_>, name: &str) -> Result<Group, OperationError> {
    let group = match name.parse::<GroupName>() {
        Ok(name) => view.group(&name)?,
        Err(_) => None,
    };
    Ok(group.ok_or_else(|| missing(name))?)
}

/// Adds a group.
pub fn add(
    ctx: &Context,
    name: &str,
    description: &str,
    actor: &Actor,
) -> Result<Group, OperationError> {
    let (name, description) = (groups::name(name)?, description.to_owned());
    submit(ctx, actor, move |view, by| {
        let namesake = namesake(view, &name)?;
        Ok(groups::add(name, &description, namesake.as_ref(), by))
    })
}

/// Edits a group: its name, its description, its members.
pub fn edit(
    ctx: &Context,
    name: &GroupName,
    edit: GroupEdit,
    actor: &Actor,
) -> Result<Group, OperationError> {
    let name = name.clone();
    submit(ctx, actor, move |view, by| {
        Ok(match view.group(&name)? {
            Some(group) => {
                let around = around(view, &group, &edit)?;
                groups::edit(group, &edit, around, by)
            }
            None => Decision::reply(Err(missing(name))),
        })
    })
}

/// Deletes a group; its members lose it.
pub fn delete(ctx: &Context, name: &GroupName, actor: &Actor) -> Result<(), OperationError> {
    let name = name.clone();
    submit(ctx, actor, move |view, by| {
        Ok(match view.group(&name)? {
            Some(group) => groups::delete(&group, by),
            None => Decision::reply(Err(missing(name))),
        })
    })
}

fn around(view: &View<'_>, group: &Group, edit: &GroupEdit) -> Result<Around, StoreError> {
    let namesake = match edit.name.as_deref().map(groups::name) {
        Some(Ok(name)) => namesake(view, &name)?.filter(|other| other.name != group.name),
        _ => None,
    };
    let mut ids: BTreeSet<_> = view.members(&group.name, usize::MAX)?.into_iter().collect();
    ids.extend(edit.members.iter().flat_map(|members| &members.among));
    let mut people = Vec::with_capacity(ids.len());
    for id in ids {
        people.extend(view.user(id)?);
    }
    Ok(Around { namesake, people })
}

/// The group of that name, or one that would be taken for it.
fn namesake(view: &View<'_>, name: &GroupName) -> Result<Option<Group>, StoreError> {
    let mut groups = view.groups()?.into_iter();
    Ok(groups.find(|group| group.name.folded() == name.folded()))
}

fn missing(name: impl ToString) -> AdminError {
    AdminError::NotFound {
        what: "group",
        name: name.to_string(),
    }
}
