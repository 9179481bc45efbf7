//! Resources, and which clients they name.
//!
//! A client is read together with the records that concern it, so that no endpoint can forget to look at them: those that
//! name it, those of the audiences that it lists, and where it introduced itself, those that are open to such ones.

use super::apply::{mark, remove};
use super::schema::Table;
use super::tables::{Tables, put};
use super::{StoreError, View};
use crate::model::{Client, Resource};
use crate::types::{ClientId, Id};

/// Stands in the index for all clients that introduced themselves. No client has it: ids begin with the time.
const SELF_REGISTERED: ClientId = ClientId(Id::from_bytes([0; 16]));

impl View<'_> {
    /// One resource.
    pub fn resource(&self, identifier: &str) -> Result<Option<Resource>, StoreError> {
        self.get(Table::Resources, identifier.as_bytes())
    }

    /// All resources by identifier.
    pub fn resources(&self) -> Result<Vec<Resource>, StoreError> {
        self.all(Table::Resources)
    }

    /// The client with the records that concern it.
    pub fn with_resources(&self, mut client: Client) -> Result<Client, StoreError> {
        self.add_resources(&mut client)?;
        Ok(client)
    }

    pub(super) fn add_resources(&self, client: &mut Client) -> Result<(), StoreError> {
        client.resources.clear();
        // Most houses have none, and clients are read at every token.
        if self.count(Table::Resources)? == 0 {
            return Ok(());
        }
        let mut identifiers = self.resources_naming(client.id)?;
        let open = match client.registered {
            Some(_) => self.resources_naming(SELF_REGISTERED)?,
            None => Vec::new(),
        };
        for more in client.audiences.iter().chain(&open) {
            if !identifiers.contains(more) {
                identifiers.push(more.clone());
            }
        }
        for identifier in identifiers {
            client.resources.extend(self.resource(&identifier)?);
        }
        Ok(())
    }

    fn resources_naming(&self, client: ClientId) -> Result<Vec<String>, StoreError> {
        let mut identifiers = Vec::new();
        self.prefixed_up(Table::ClientResources, client.as_bytes(), |key| {
            let text = key
                .get(16..)
                .and_then(|rest| std::str::from_utf8(rest).ok());
            identifiers.extend(text.map(str::to_owned));
        })?;
        Ok(identifiers)
    }
}

pub(super) fn put_resource(tables: &Tables<'_>, resource: &Resource) -> Result<(), StoreError> {
    delete_resource(tables, &resource.identifier)?;
    let identifier = resource.identifier.as_bytes();
    put(tables, Table::Resources, identifier, resource)?;
    for row in index_rows(resource) {
        mark(tables, Table::ClientResources, &row, &[])?;
    }
    Ok(())
}

pub(super) fn delete_resource(tables: &Tables<'_>, identifier: &str) -> Result<(), StoreError> {
    if let Some(old) = View::of_writer(tables).resource(identifier)? {
        remove(tables, Table::Resources, identifier.as_bytes())?;
        for row in index_rows(&old) {
            remove(tables, Table::ClientResources, &row)?;
        }
    }
    Ok(())
}

/// No record names a client that is gone.
pub(super) fn forget_client(tables: &Tables<'_>, client: ClientId) -> Result<(), StoreError> {
    let view = View::of_writer(tables);
    for identifier in view.resources_naming(client)? {
        if let Some(resource) = view.resource(&identifier)? {
            let mut kept = resource.clone();
            kept.clients.remove(&client);
            kept.servers.remove(&client);
            // The old rows go by the old record, which is still there.
            put_resource(tables, &kept)?;
        }
    }
    Ok(())
}

/// Its rows in the index.
pub(super) fn index_rows(resource: &Resource) -> impl Iterator<Item = Vec<u8>> {
    let open = resource.registered_clients.then_some(SELF_REGISTERED);
    let clients = resource.named_clients().into_iter().chain(open);
    clients.map(|client| [client.as_bytes().as_slice(), resource.identifier.as_bytes()].concat())
}
