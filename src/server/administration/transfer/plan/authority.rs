//! Who and what administers this Doorlight after an import, and did not before: nobody overlooks it in a number.
//! Owns: that a file of another server, where such a word means nothing, brings no application that administers this one.

use super::Planner;
use crate::model::{Change, Client, Resource};
use crate::oauth::clients::ClientEdit;
use crate::oauth::protected_resource::{self, Access};
use crate::store::StoreError;
use std::collections::BTreeMap;

/// What Doorlight's own scopes begin with.
const OWN_SCOPES: &str = "doorlight:";

impl Planner<'_> {
    /// Takes away what would let the application administer, and says so.
    pub(super) fn take_authority(&mut self, called: &str, settings: &mut ClientEdit) {
        let (own, others): (Vec<&str>, Vec<&str>) = settings
            .scope
            .split_whitespace()
            .partition(|scope| scope.starts_with(OWN_SCOPES));
        if !own.is_empty() {
            let scope = others.join(" ");
            self.note(format!(
                "{called} does not get Doorlight's own scopes, which administer it: {}",
                own.join(" ")
            ));
            settings.scope = scope;
        }
        let api = protected_resource::identifier(self.issuer);
        let before = settings.audiences.len();
        settings.audiences.retain(|text| text.trim() != api);
        if settings.audiences.len() < before {
            self.note(format!(
                "{called} does not get Doorlight's own API, which administers it: {api}"
            ));
        }
    }

    /// A line for everyone and everything that comes to administer.
    pub(super) fn tell_who_administers(&mut self) -> Result<(), StoreError> {
        let api = protected_resource::identifier(self.issuer);
        let mut told = Vec::new();
        let mut clients = BTreeMap::new();
        let mut record: Option<&Resource> = None;
        for change in &self.plan.changes {
            match change {
                Change::PutUser(user) => {
                    let before = self.view.user(user.id)?;
                    if user.admin && !before.is_some_and(|before| before.admin) {
                        told.push(format!(
                            "the person “{}” is an administrator",
                            user.username
                        ));
                    }
                }
                Change::PutClient(client) => drop(clients.insert(client.id, (**client).clone())),
                Change::PutResource(resource) if resource.identifier == api => {
                    record = Some(resource);
                }
                _ => {}
            }
        }
        // A record of the API lets applications in that are otherwise as they were.
        for id in record.iter().flat_map(|record| &record.clients) {
            if !clients.contains_key(id) {
                clients.extend(self.view.client(*id)?.map(|client| (*id, client)));
            }
        }
        let kept = self.view.resource(&api)?;
        let record = record.or(kept.as_ref());
        for (id, client) in clients {
            let before = self.view.client(id)?;
            let before = before
                .is_some_and(|before| protected_resource::may_administer(&before, self.issuer));
            if !before && administers(&client, record, &api) {
                told.push(format!(
                    "the application “{}” may administer Doorlight",
                    client.name
                ));
            }
        }
        self.plan.report.administers = told;
        Ok(())
    }
}

/// As [`protected_resource::may_administer`], with the record of the API as it will be.
fn administers(client: &Client, record: Option<&Resource>, api: &str) -> bool {
    let may_ask = match record {
        Some(record) => record.clients.contains(&client.id),
        None => client.audiences.iter().any(|audience| audience == api),
    };
    let mut scopes = Access::ALL.into_iter().map(Access::scope);
    may_ask && scopes.any(|scope| client.scope.contains(scope))
}
