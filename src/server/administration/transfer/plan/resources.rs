//! Resources of a document: by their identifier.

use super::super::document::ResourceEntry;
use super::{Before, Planner, called};
use crate::model::{Change, Resource};
use crate::oauth::resources::{self, ResourceEdit};
use crate::store::StoreError;
use crate::types::{ClientId, WireClientId};
use std::collections::BTreeSet;

impl Planner<'_> {
    pub(super) fn resources(
        &mut self,
        entries: Vec<ResourceEntry>,
        clients: &BTreeSet<ClientId>,
    ) -> Result<(), StoreError> {
        let mut there = self.view.resources()?.len();
        let mut seen = BTreeSet::new();
        for (n, entry) in entries.into_iter().enumerate() {
            let called = called("the API", &entry.identifier, "resources", n);
            if !seen.insert(entry.identifier.trim().to_owned()) {
                self.problem(format!("{called} is in the document twice"));
                continue;
            }
            let Some(details) = self.details(&called, &entry, clients) else {
                continue;
            };
            let old = self.view.resource(entry.identifier.trim())?;
            let before = old.as_ref().map_or(Before::Missing, |_| Before::There);
            there += usize::from(before == Before::Missing);
            let created = entry.created.map(|moment| moment.0);
            let decision = match old.clone() {
                Some(old) => resources::edit(old, None, &details, clients, self.by),
                None => resources::add(
                    &entry.identifier,
                    &details,
                    None,
                    there.saturating_sub(1),
                    clients,
                    self.by,
                ),
            };
            let events = decision.events;
            let decided = decision.reply.map(|resource| {
                let created = created.unwrap_or(resource.created);
                let resource = Resource {
                    created,
                    ..resource
                };
                let change = Change::PutResource(Box::new(resource.clone()));
                (old.as_ref() != Some(&resource)).then(|| (vec![change], events))
            });
            self.take(&called, before, decided, |counts| &mut counts.resources);
        }
        Ok(())
    }

    /// Its settings; `None` where it names an application that there is not.
    fn details(
        &mut self,
        called: &str,
        entry: &ResourceEntry,
        clients: &BTreeSet<ClientId>,
    ) -> Option<ResourceEdit> {
        let mut found = true;
        let mut ids = |names: &BTreeSet<String>| -> BTreeSet<ClientId> {
            let mut ids = BTreeSet::new();
            for name in names {
                let id = name.parse::<WireClientId>().ok().map(|wire| wire.key());
                match id.filter(|id| clients.contains(id)) {
                    Some(id) => {
                        ids.insert(id);
                    }
                    None => {
                        found = false;
                        self.problem(format!(
                            "{called} names the application “{name}”, which there is not"
                        ));
                    }
                }
            }
            ids
        };
        let (may_ask, servers) = (ids(&entry.clients), ids(&entry.servers));
        found.then(|| ResourceEdit {
            name: entry.name.clone(),
            scope: entry.scope.clone(),
            token_seconds: entry.token_seconds,
            alg: entry.alg,
            clients: may_ask,
            servers,
            registered_clients: entry.registered_clients,
        })
    }
}
