use super::*;
use crate::model::{Decision, Delivery, Settings, User};
use crate::oauth::testing::{client, grant, session, user};
use crate::store::testing::Folder;
use crate::store::{Step, Store, Sweeper};

const DAY: Duration = Duration::from_secs(86_400);

/// A file with a person who is signed in to an application that wants to be told; gone at the end.
struct World {
    store: Store,
    _dir: Folder,
}

impl Drop for World {
    fn drop(&mut self) {
        self.store.close();
    }
}

fn told() -> Client {
    Client {
        backchannel_logout_uri: Some("https://notes.example/out".to_owned()),
        ..client()
    }
}

fn signed_in(now: Timestamp) -> Session {
    Session {
        created: now,
        last_seen: now,
        expires: now.plus(DAY * 90),
        ..session()
    }
}

fn world(name: &str, now: Timestamp) -> World {
    let dir = Folder::new(name);
    let store = Store::open_with(&dir.join("doorlight.redb"), owed_by).unwrap();
    let world = World { store, _dir: dir };
    let at = |seconds| crate::types::Id::new(now.plus(Duration::from_secs(seconds)), [4; 10]);
    // Two sign-ins, without refresh tokens; an hour later their access tokens are over.
    let grants = [1, 2].map(|seconds| {
        Change::PutGrant(Box::new(Grant {
            id: crate::types::GrantId(at(seconds)),
            created: now,
            expires: now.plus(DAY / 24),
            ..grant(&told())
        }))
    });
    let mut changes = vec![
        Change::PutSettings(Box::new(Settings::new(vec![7; 32].into()))),
        Change::PutClient(Box::new(told())),
        Change::PutUser(Box::new(user())),
        Change::PutSession(Box::new(signed_in(now))),
    ];
    changes.extend(grants);
    world.commit(changes);
    world
}

impl World {
    fn commit(&self, changes: Vec<Change>) {
        let submitted = self.store.submit(|_| {
            Ok(Decision {
                changes,
                events: Vec::new(),
                reply: Ok::<(), ()>(()),
            })
        });
        submitted.unwrap().unwrap();
    }

    fn sweep(&self, now: Timestamp) {
        let mut sweeper = Sweeper::default();
        while sweeper.step(&self.store, now).unwrap() != Step::Rest {}
    }

    fn grants(&self) -> usize {
        let snapshot = self.store.snapshot().unwrap();
        snapshot.view().grants_of(user().id, 10).unwrap().len()
    }

    fn deliveries(&self) -> Vec<Delivery> {
        self.store.snapshot().unwrap().view().deliveries().unwrap()
    }
}

/// The story: sessions were swept away like any row, and a sign-in was forgotten with its access token.
#[test]
fn a_session_that_ends_by_itself_is_told_long_after_its_last_token() {
    let now = clock::now();
    let world = world("ends-by-itself", now);
    world.sweep(now.plus(DAY));
    assert_eq!(
        (world.grants(), world.deliveries().len()),
        (1, 0),
        "the last sign-in stays"
    );
    // Idle for too long.
    world.sweep(now.plus(DAY * 30));
    let told = world.deliveries();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].session, told[0].client),
        (session().id, client().id)
    );
    world.sweep(now.plus(DAY * 31));
    assert_eq!((world.grants(), world.deliveries().len()), (0, 1));
}

#[test]
fn nobody_is_kept_for_an_application_that_is_not_told() {
    let now = clock::now();
    let world = world("not-told", now);
    world.commit(vec![Change::PutClient(Box::new(client()))]);
    world.sweep(now.plus(DAY));
    assert_eq!(world.grants(), 0);
}

/// Whoever hands the writer a decision, it is told: nothing here calls the rule.
#[test]
fn every_change_that_ends_a_sign_in_is_told_whoever_decides_it() {
    let now = clock::now();
    let disabled = User {
        disabled: true,
        ..user()
    };
    let closed = Client {
        disabled: true,
        ..told()
    };
    for (name, change) in [
        ("session", Change::DeleteSession(session().id)),
        ("disabled", Change::PutUser(Box::new(disabled))),
        ("deleted", Change::DeleteUser(user().id)),
        ("closed", Change::PutClient(Box::new(closed))),
    ] {
        let world = world(&format!("told-{name}"), now);
        world.commit(vec![change]);
        assert_eq!(world.deliveries().len(), 1, "{name}");
    }
}
