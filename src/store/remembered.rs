//! Records that the writer read lately, decoded: whatever many jobs ask for is decoded once, and not a thousand times a
//! second (DESIGN §8). A write to a table forgets in the same breath what was read of it, so the next job of the same batch
//! sees what the one before it left; what is not committed takes all that was remembered along.
//! Not here: what requests remember outside the writer's turn (`server::clients`).

use super::schema::Table;
use crate::model::{Client, Settings, User};
use crate::types::{ClientId, UserId};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Of each kind: a home has fewer; past this the kind starts afresh.
const MOST: usize = 64;

/// What is remembered.
#[derive(Default)]
pub(super) struct Remembered {
    pub(super) clients: Kept<ClientId, Client>,
    pub(super) users: Kept<UserId, User>,
    pub(super) settings: Kept<(), Settings>,
}

impl Remembered {
    /// That table is about to be written to.
    pub(super) fn forget(&mut self, table: Table) {
        match table {
            // A client is read with the resources that concern it.
            Table::Clients | Table::Resources | Table::ClientResources => {
                self.clients = Kept::default();
            }
            Table::Users => self.users = Kept::default(),
            Table::Settings => self.settings = Kept::default(),
            _ => {}
        }
    }
}

/// Records of one kind.
pub(super) struct Kept<K, T>(HashMap<K, Arc<T>>);

impl<K, T> Default for Kept<K, T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq, T> Kept<K, T> {
    pub(super) fn get(&self, key: &K) -> Option<Arc<T>> {
        self.0.get(key).cloned()
    }

    pub(super) fn put(&mut self, key: K, record: Arc<T>) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(key, record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Decision, Resource};
    use crate::store::testing::Folder;
    use crate::store::{Store, View};
    use crate::types::{Id, SessionId, Timestamp};
    use serde_json::json;
    use std::sync::mpsc::{Sender, channel};
    use std::time::{Duration, Instant};

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn client() -> Client {
        let record = json!({
            "id": ClientId(Id::new(NOW, [1; 10])), "name": "Notes", "auth_method": "none",
            "grants": ["refresh_token"], "scope": "openid", "id_token_alg": "ES256",
            "access_token_alg": "ES256", "created": NOW, "audiences": ["https://api.example"],
        });
        serde_json::from_value(record).unwrap()
    }

    fn user() -> User {
        let record = json!({ "id": UserId(Id::new(NOW, [2; 10])), "username": "alice", "created": NOW, "updated": NOW });
        serde_json::from_value(record).unwrap()
    }

    fn resource() -> Resource {
        let record = json!({
            "identifier": "https://api.example", "name": "API", "scope": "read",
            "token_seconds": 900, "alg": "ES256", "created": NOW,
        });
        serde_json::from_value(record).unwrap()
    }

    fn settings(audit_days: u32) -> Settings {
        Settings {
            audit_days,
            ..Settings::new(vec![1; 32].into())
        }
    }

    /// What a job sees of all that may be remembered, and whether it is what the rows say.
    fn seen(view: &View<'_>) -> (Option<Arc<Client>>, Option<Arc<User>>, Option<u32>) {
        let (client, user) = (client().id, user().id);
        let shared = view.shared_client(client).unwrap();
        assert_eq!(shared.as_deref(), view.client(client).unwrap().as_ref());
        let person = view.shared_user(user).unwrap();
        assert_eq!(person.as_deref(), view.user(user).unwrap().as_ref());
        let settings = view.shared_settings().unwrap();
        assert_eq!(settings.as_deref(), view.settings().unwrap().as_ref());
        (shared, person, settings.map(|settings| settings.audit_days))
    }

    fn deciding(changes: Vec<Change>) -> impl FnOnce(&View<'_>) -> Answer + Send + 'static {
        move |view| {
            let reply = Ok(seen(view));
            Ok(Decision {
                changes,
                events: Vec::new(),
                reply,
            })
        }
    }

    /// Holds the writer until it is told to go: what is queued meanwhile is one batch.
    fn held(store: &Store) -> Sender<()> {
        let (go, wait) = channel();
        let (begun, begins) = channel();
        let job = store.hand_over(move |_| {
            begun.send(()).unwrap();
            wait.recv().unwrap();
            Ok(Decision::<(), ()>::reply(Ok(())))
        });
        drop(job.unwrap());
        begins.recv().unwrap();
        go
    }

    type Seen = (Option<Arc<Client>>, Option<Arc<User>>, Option<u32>);
    type Answer = Result<Decision<Seen, ()>, crate::store::StoreError>;

    /// Whoever is shut out must not be let in by what the job before remembered: in one batch as in another.
    #[test]
    fn the_next_job_sees_what_the_one_before_it_changed() {
        let dir = Folder::new("remembered");
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        let disabled_client = Client {
            disabled: true,
            ..client()
        };
        let disabled_user = User {
            disabled: true,
            ..user()
        };
        let put_client = |client: &Client| Change::PutClient(Box::new(client.clone()));
        let put_user = |user: &User| Change::PutUser(Box::new(user.clone()));
        let steps = vec![
            vec![
                put_client(&client()),
                put_user(&user()),
                Change::PutSettings(Box::new(settings(7))),
            ],
            vec![put_client(&disabled_client)],
            vec![put_user(&disabled_user)],
            vec![Change::PutResource(Box::new(resource()))],
            vec![Change::PutSettings(Box::new(settings(8)))],
            vec![Change::DeleteResource(resource().identifier)],
            vec![Change::DeleteUser(user().id)],
            vec![Change::DeleteClient(client().id)],
            vec![],
        ];
        for in_one_batch in [false, true] {
            let go = held(&store);
            if !in_one_batch {
                go.send(()).unwrap();
            }
            let mut pending = Vec::new();
            let mut found = Vec::new();
            for changes in steps.clone() {
                let job = store.hand_over(deciding(changes)).unwrap();
                if in_one_batch {
                    pending.push(job);
                } else {
                    found.push(job.wait().unwrap().unwrap());
                }
            }
            if in_one_batch {
                go.send(()).unwrap();
            }
            found.extend(pending.into_iter().map(|job| job.wait().unwrap().unwrap()));
            let client_is = |at: usize, wanted: Option<(bool, usize)>| {
                let client = found[at].0.as_ref();
                let is = client.map(|client| (client.disabled, client.resources.len()));
                assert_eq!(is, wanted, "{at}");
            };
            let user_is = |at: usize, wanted: Option<bool>| {
                assert_eq!(found[at].1.as_ref().map(|user| user.disabled), wanted);
            };
            client_is(0, None);
            client_is(1, Some((false, 0)));
            client_is(2, Some((true, 0)));
            user_is(2, Some(false));
            user_is(3, Some(true));
            client_is(4, Some((true, 1)));
            assert_eq!((found[4].2, found[5].2), (Some(7), Some(8)));
            client_is(6, Some((true, 0)));
            user_is(7, None);
            client_is(8, None);
            // What did not change was read once.
            let same = |a: &Option<Arc<User>>, b: &Option<Arc<User>>| {
                Arc::ptr_eq(a.as_ref().unwrap(), b.as_ref().unwrap())
            };
            assert!(same(&found[1].1, &found[2].1) && !same(&found[2].1, &found[3].1));
        }
        store.close();
    }

    #[test]
    fn what_was_not_committed_is_not_remembered() {
        let dir = Folder::new("remembered");
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        let bad = SessionId(Id::from_bytes([9; 16]));
        store
            .submit_rows(move |tables| {
                tables.with(Table::Sessions, |t| {
                    t.insert(bad.as_bytes().as_slice(), b"noise".as_slice())?;
                    Ok(())
                })
            })
            .unwrap();
        let first = deciding(vec![Change::PutUser(Box::new(user()))]);
        store.submit(first).unwrap().unwrap();
        let go = held(&store);
        let renamed = User {
            name: Some("Bob".to_owned()),
            ..user()
        };
        let changed = store.hand_over(deciding(vec![Change::PutUser(Box::new(renamed))]));
        let looked = store.hand_over(deciding(Vec::new()));
        let broken = store.hand_over(deciding(vec![Change::DeleteSession(bad)]));
        go.send(()).unwrap();
        for lost in [changed, looked, broken] {
            assert!(lost.unwrap().wait().is_err());
        }
        let begun = Instant::now();
        while !store.is_ready() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        let after = store.submit(deciding(Vec::new())).unwrap().unwrap();
        assert_eq!(after.1.unwrap().name, None);
        store.close();
    }
}
