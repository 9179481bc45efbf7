//! People of a document: by their id, or where they have none, by their username.

use super::super::document::Person;
use super::{Before, Planner, called};
use crate::crypto::random;
use crate::identity::arrival::{self, Given};
use crate::model::{AdminError, User};
use crate::server::administration::people;
use crate::store::StoreError;
use crate::types::{GivenSubject, UserId, Username, WireClientId};
use std::collections::BTreeSet;

impl Planner<'_> {
    pub(super) fn people(&mut self, people: Vec<Person>) -> Result<(), StoreError> {
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        let administrators = self.view.admin_count()?;
        let (mut come, mut gone) = (0, 0);
        for (n, person) in people.into_iter().enumerate() {
            let called = called("the person", &person.settings.username, "users", n);
            let name: Username = match person.settings.parsed_username() {
                Ok(name) => name,
                Err(why) => {
                    self.problem(format!("{called}: {why}"));
                    continue;
                }
            };
            let twice =
                !names.insert(name.folded()) | person.record.id.is_some_and(|id| !ids.insert(id));
            if twice {
                self.problem(format!("{called} is in the document twice"));
                continue;
            }
            let Some((old, after)) = self.person(&called, person, &name)? else {
                continue;
            };
            let administers = |user: &User| u64::from(user.admin && !user.disabled);
            gone += old.as_ref().map_or(0, administers);
            come += administers(&after);
        }
        if administrators > 0 && administrators + come <= gone {
            self.problem(AdminError::LastAdministrator.to_string());
        }
        Ok(())
    }

    /// Whether nobody is known by that name, and no application: a token says of its `sub` not which of them it is. From
    /// now on somebody is.
    fn is_free(&mut self, subject: &GivenSubject) -> Result<bool, StoreError> {
        if let Ok(id) = subject.as_str().parse::<WireClientId>()
            && self.view.client_on_wire(&id)?.is_some()
        {
            return Ok(false);
        }
        Ok(self.subjects()?.insert(subject.clone()))
    }

    /// The person before and after; `None` where nothing can come of it.
    fn person(
        &mut self,
        called: &str,
        person: Person,
        name: &Username,
    ) -> Result<Option<(Option<User>, User)>, StoreError> {
        let namesake = self.view.user_by_name(name)?;
        let old = match person.record.id {
            Some(id) => self.view.user(id)?,
            None => namesake.clone(),
        };
        let known = person.record.id.or(old.as_ref().map(|old| old.id));
        let id = known.unwrap_or_else(|| UserId(random::id(self.by.now)));
        let mut around = match old {
            // What they are signed out of, should it come to that.
            Some(_) => people::around(self.view, Some(id), None)?,
            None => Default::default(),
        };
        around.namesake = namesake.map(|user| user.id);
        let mut record = person.record;
        let subject = record.subject.take();
        match (&old, &subject) {
            (Some(old), Some(given)) if old.subject.as_ref() != Some(given) => {
                self.note(format!(
                    "{called} keeps the “sub” that applications know them by here"
                ));
            }
            (None, Some(given)) if !self.is_free(given)? => {
                self.problem(format!(
                    "{called}: somebody or an application has their subject already"
                ));
                return Ok(None);
            }
            _ => {}
        }
        let given = Given {
            id,
            subject,
            created: record.created.map(|moment| moment.0),
            updated: record.updated.map(|moment| moment.0),
            tokens_not_before: record.tokens_not_before.map(|moment| moment.0),
            password: record.password_hash,
        };
        let before = old.as_ref().map_or(Before::Missing, |_| Before::There);
        let taken = arrival::take_in(old.clone(), person.settings, given, &around, self.by);
        let after = match &taken {
            Ok(Some(taken)) => Some(taken.user.clone()),
            Ok(None) => old.clone(),
            Err(_) => None,
        };
        let decided = taken.map(|taken| taken.map(|taken| (taken.changes, taken.events)));
        if let Some(after) = &after
            && (before == Before::Missing || self.replace)
        {
            self.make_groups(&after.groups);
        }
        if !self.take(called, before, decided, |counts| &mut counts.users) {
            return Ok(None);
        }
        if let Some(after) = &after
            && after.password.is_none()
            && before == Before::Missing
        {
            self.note(format!(
                "{called} has no password; a one-time link lets them choose one: doorlight user link {name}"
            ));
        }
        Ok(after.map(|after| (old, after)))
    }
}
