//! Client records that requests asked for lately: read once, then remembered until any client changes, so that an
//! endpoint does not decode the same record a thousand times a second (DESIGN §8).

use crate::model::Client;
use crate::store::{Store, StoreError};
use crate::types::ClientId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A home has dozens; past this the table starts afresh.
const REMEMBERED: usize = 256;

/// The clients seen since the last change of any.
#[derive(Default)]
pub struct Clients(RwLock<Seen>);

#[derive(Default)]
struct Seen {
    /// `Store::client_changes` when they were read.
    changes: u64,
    clients: HashMap<ClientId, Arc<Client>>,
}

impl Clients {
    /// The client as of the latest commit. An id that no client has is not remembered: strangers choose those.
    pub fn get(&self, store: &Store, id: ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        // Read before the snapshot: a change in between makes what is kept older than it is, never newer.
        let changes = store.client_changes();
        {
            let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if seen.changes == changes
                && let Some(client) = seen.clients.get(&id)
            {
                return Ok(Some(client.clone()));
            }
        }
        let Some(client) = store.snapshot()?.view().client(id)?.map(Arc::new) else {
            return Ok(None);
        };
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seen.changes > changes {
            return Ok(Some(client));
        }
        if seen.changes < changes || seen.clients.len() >= REMEMBERED {
            seen.clients.clear();
            seen.changes = changes;
        }
        seen.clients.insert(id, client.clone());
        Ok(Some(client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Decision};
    use crate::oauth::testing::client;
    use crate::store::testing::Folder;

    fn change(store: &Store, change: Change) {
        store
            .submit(move |_| {
                Ok(Decision {
                    changes: vec![change],
                    events: Vec::new(),
                    reply: Ok::<(), ()>(()),
                })
            })
            .unwrap()
            .unwrap();
    }

    /// A secret that was taken away must not open anything for as long as something remembers it.
    #[test]
    fn a_changed_client_is_read_again_and_a_deleted_one_is_gone() {
        let dir = Folder::new("clients");
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        let clients = Clients::default();
        let mut record = client();
        assert_eq!(clients.get(&store, record.id).unwrap(), None);
        change(&store, Change::PutClient(Box::new(record.clone())));
        let known = clients.get(&store, record.id).unwrap().unwrap();
        assert_eq!(*known, record);
        let again = clients.get(&store, record.id).unwrap().unwrap();
        assert!(Arc::ptr_eq(&known, &again), "it was read twice");

        record.disabled = true;
        change(&store, Change::PutClient(Box::new(record.clone())));
        assert!(clients.get(&store, record.id).unwrap().unwrap().disabled);
        change(&store, Change::DeleteClient(record.id));
        assert_eq!(clients.get(&store, record.id).unwrap(), None);
        store.close();
    }
}
