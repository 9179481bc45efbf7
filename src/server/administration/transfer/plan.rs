//! What an import would do to the data file: every record of the document held against the rules and against what is
//! there. Reads the writer's view, and writes nothing.
//! Owns: which records are the same one, that nothing that is there is overwritten unasked, that every reference leads
//! somewhere, that somebody still administers, and that whoever and whatever comes to administer is told. Not here: what
//! may stand in a record (`identity::arrival`, `oauth::clients::arrival`, `oauth::resources`).

mod applications;
mod authority;
mod house;
mod people;
mod resources;

use super::document::{Document, GroupEntry};
use super::report::{Counts, Report};
use crate::identity::groups;
use crate::model::{AdminError, Author, Change, Event, EventKind, Group, SigningKey};
use crate::store::{StoreError, View};
use crate::types::{GivenSubject, GroupName, Issuer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What whoever imports wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Records that are there already become what the document says.
    pub replace: bool,
    /// Only look.
    pub dry_run: bool,
    /// It is another server's file: what there says nothing gives nobody leave to administer this one.
    #[serde(default)]
    pub foreign: bool,
}

/// What would be written.
#[derive(Debug)]
pub struct Plan {
    /// In order.
    pub changes: Vec<Change>,
    /// What is recorded of it.
    pub events: Vec<Event>,
    /// The signing keys afterwards.
    pub keys: Vec<SigningKey>,
    /// In numbers and lines. With a problem in it, nothing may be written.
    pub report: Report,
}

/// Makes the plan.
pub fn of(
    view: &View<'_>,
    document: Document,
    wish: Wish,
    issuer: &Issuer,
    by: &Author,
) -> Result<Plan, StoreError> {
    let mut planner = Planner {
        view,
        by,
        issuer,
        replace: wish.replace,
        foreign: wish.foreign,
        groups: view.groups()?.into_iter().map(|group| group.name).collect(),
        subjects: None,
        plan: Plan {
            changes: Vec::new(),
            events: Vec::new(),
            keys: view.signing_keys()?,
            report: Report::default(),
        },
    };
    // Before anything else is planned: whether anybody has used this file yet.
    let settings = planner.house(document.settings, document.signing_keys)?;
    planner.take_groups(document.groups)?;
    planner.people(document.users)?;
    let clients = planner.applications(document.clients, &settings)?;
    planner.resources(document.resources, &clients)?;
    planner.tell_who_administers()?;
    Ok(planner.plan)
}

/// What is to be written of one record, and what is recorded of it.
type Decided = (Vec<Change>, Vec<Event>);

/// The plan as it grows, and what it is held against.
struct Planner<'v> {
    view: &'v View<'v>,
    by: &'v Author,
    issuer: &'v Issuer,
    replace: bool,
    foreign: bool,
    /// Those that are there, and those that came.
    groups: BTreeSet<GroupName>,
    /// The names of people that came from other servers, now or before; looked up when the first is asked for.
    subjects: Option<BTreeSet<GivenSubject>>,
    plan: Plan,
}

/// What a record was before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Missing,
    There,
}

impl Planner<'_> {
    /// The names of people that came from other servers.
    fn subjects(&mut self) -> Result<&mut BTreeSet<GivenSubject>, StoreError> {
        let known = match self.subjects.take() {
            Some(known) => known,
            None => {
                let people = self.view.users_by_name("", usize::MAX)?.into_iter();
                people.filter_map(|user| user.subject).collect()
            }
        };
        Ok(self.subjects.insert(known))
    }

    fn problem(&mut self, why: impl Into<String>) {
        self.plan.report.problems.push(why.into());
    }

    fn note(&mut self, what: impl Into<String>) {
        self.plan.report.notes.push(what.into());
    }

    /// Plans what was decided of one record, if it may be; `None` stands for one that is as it shall be. Whether it may.
    fn take(
        &mut self,
        called: &str,
        before: Before,
        decided: Result<Option<Decided>, AdminError>,
        count: impl Fn(&mut Counts) -> &mut usize,
    ) -> bool {
        let (changes, events) = match decided {
            Err(why) => {
                self.problem(format!("{called}: {why}"));
                return false;
            }
            Ok(None) => {
                *count(&mut self.plan.report.unchanged) += 1;
                return true;
            }
            Ok(Some(decided)) => decided,
        };
        let counts = match before {
            Before::There if !self.replace => {
                self.problem(format!(
                    "{called} is here already and differs; --replace makes it what the document says"
                ));
                return false;
            }
            Before::There => &mut self.plan.report.changed,
            Before::Missing => &mut self.plan.report.added,
        };
        *count(counts) += 1;
        self.plan.changes.extend(changes);
        self.plan.events.extend(events);
        true
    }

    fn take_groups(&mut self, groups: Vec<GroupEntry>) -> Result<(), StoreError> {
        let mut seen = BTreeSet::new();
        for entry in groups {
            let called = format!("the group “{}”", entry.name);
            if !seen.insert(entry.name.clone()) {
                self.problem(format!("{called} is in the document twice"));
                continue;
            }
            let old = self.view.group(&entry.name)?;
            let before = old.as_ref().map_or(Before::Missing, |_| Before::There);
            let decided = self.group(entry.clone(), old);
            if self.take(&called, before, decided, |counts| &mut counts.groups) {
                self.groups.insert(entry.name);
            }
        }
        Ok(())
    }

    fn group(&self, entry: GroupEntry, old: Option<Group>) -> Result<Option<Decided>, AdminError> {
        if old.is_none()
            && let Some(other) = groups::look_alike(&entry.name, &self.groups)
        {
            return Err(AdminError::invalid("name", taken_for(other)));
        }
        let created = entry.created.map(|moment| moment.0);
        let group = Group {
            description: groups::description(&entry.description)?,
            created: created.unwrap_or_else(|| old.as_ref().map_or(self.by.now, |old| old.created)),
            name: entry.name,
        };
        if old.as_ref() == Some(&group) {
            return Ok(None);
        }
        let event = self.by.did(EventKind::GroupChanged);
        let events = vec![event.detail(format!("import: {}", group.name))];
        Ok(Some((vec![Change::PutGroup(group)], events)))
    }

    /// Makes the groups that a person is in and that nobody made.
    fn make_groups(&mut self, names: &BTreeSet<GroupName>) {
        for name in names {
            if self.groups.contains(name) {
                continue;
            }
            if let Some(other) = groups::look_alike(name, &self.groups) {
                let why = taken_for(other);
                self.problem(format!("the group “{name}”: {why}"));
                continue;
            }
            self.groups.insert(name.clone());
            let group = Group {
                name: name.clone(),
                description: String::new(),
                created: self.by.now,
            };
            self.plan.report.added.groups += 1;
            let event = self.by.did(EventKind::GroupChanged);
            self.plan
                .events
                .push(event.detail(format!("import: {name}")));
            self.plan.changes.push(Change::PutGroup(group));
        }
    }
}

/// A record in a message: by its name, or where it has none, by its place in the document.
fn called(what: &str, name: &str, list: &str, n: usize) -> String {
    match name.trim() {
        "" => format!("{list}[{n}]"),
        name => format!("{what} “{name}”"),
    }
}

fn taken_for(other: &GroupName) -> String {
    format!("it would be taken for the group “{other}”")
}
