use super::*;
use crate::model::{Change, Decision, EventKind, LinkPurpose, PushedRequest, Replay};
use crate::store::EventFilter;
use crate::store::testing::Folder;
use crate::types::{
    DeliveryId, LinkId, RefreshTokenId, Secret, TokenHash, TokenId, UserCode, UserId,
};

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

/// A file with settings, gone at the end.
struct World {
    store: Store,
    _dir: Folder,
}

impl Drop for World {
    fn drop(&mut self) {
        self.store.close();
    }
}

fn world(name: &str) -> World {
    let dir = Folder::new(name);
    let store = Store::open(&dir.join("doorlight.redb")).unwrap();
    let world = World { store, _dir: dir };
    let settings = Settings::new(vec![7; 32].into());
    world.commit(vec![Change::PutSettings(Box::new(settings))], Vec::new());
    world
}

impl World {
    fn commit(&self, changes: Vec<Change>, events: Vec<Event>) {
        let submitted = self.store.submit(|_| {
            Ok(Decision {
                changes,
                events,
                reply: Ok::<(), ()>(()),
            })
        });
        submitted.unwrap().unwrap();
    }

    fn record(&self, events: impl IntoIterator<Item = Event>) {
        self.commit(Vec::new(), events.into_iter().collect());
    }

    fn put_row(&self, table: Table, key: &[u8], value: &'static [u8]) {
        let key = key.to_vec();
        self.store
            .submit_rows(move |tables| {
                tables.with(table, |t| {
                    t.insert(key.as_slice(), value)?;
                    Ok(())
                })
            })
            .unwrap();
    }

    /// Steps until it rests. How many rows it forgot.
    fn sweep(&self, sweeper: &mut Sweeper, now: Timestamp) -> usize {
        let mut forgotten = 0;
        for _ in 0..1_000 {
            match sweeper.step(&self.store, now).unwrap() {
                Step::Rest => return forgotten,
                Step::Looked => {}
                Step::Forgot(count) => {
                    assert!(count <= FORGET);
                    forgotten += count;
                }
            }
        }
        panic!("it does not rest")
    }

    fn count(&self, table: Table) -> usize {
        let snapshot = self.store.snapshot().unwrap();
        let mut count = 0;
        snapshot
            .view()
            .rows_after(table, &[], |_, _| {
                count += 1;
                true
            })
            .unwrap();
        count
    }

    /// Details of the events, oldest first.
    fn details(&self) -> Vec<String> {
        let snapshot = self.store.snapshot().unwrap();
        let page = snapshot
            .view()
            .events(&EventFilter::default(), None, 10_000)
            .unwrap();
        let mut details: Vec<_> = page.events.into_iter().map(|(_, e)| e.detail).collect();
        details.reverse();
        details
    }
}

fn event(time: Timestamp, detail: &str) -> Event {
    Event::success(EventKind::ClientCredentials, time).detail(detail)
}

fn days_ago(days: u32) -> Timestamp {
    NOW.minus(DAY * days)
}

fn device(random: u8, code: u64, expires: Timestamp) -> DeviceAuthorization {
    DeviceAuthorization {
        id: Id::new(expires, [random; 10]),
        hash: TokenHash::of(&Secret::from_random([random; 32])),
        user_code: UserCode::from_random(code),
        client: ClientId(Id::new(NOW, [1; 10])),
        scope: "openid".parse().unwrap(),
        resources: Vec::new(),
        address: None,
        created: expires,
        expires,
        answer: None,
        redeemed: None,
    }
}

#[test]
fn devices_that_waited_for_too_long_are_forgotten_with_their_codes_and_the_others_stay() {
    let world = world("sweep-devices");
    let put = |device| Change::PutDeviceAuthorization(Box::new(device));
    let (old, young) = (device(1, 1, NOW.minus(HOUR)), device(2, 2, NOW));
    world.commit(vec![put(old.clone()), put(young.clone())], Vec::new());
    // Answered: the same record under the same codes.
    world.commit(vec![put(young.clone())], Vec::new());
    let found = |code| {
        let snapshot = world.store.snapshot().unwrap();
        snapshot.view().device_authorization_of(code).unwrap()
    };
    assert_eq!(found(old.user_code), Some(old.clone()));
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 1);
    assert_eq!(found(old.user_code), None);
    assert_eq!(found(young.user_code), Some(young));
    assert_eq!(world.count(Table::DeviceAuthorizations), 1);
    assert_eq!(world.count(Table::UserCodes), 1);
}

/// The sweep once forgot 200 events and slept for as long as seven other tables had nothing: fewer a day than one token
/// a second leaves.
#[test]
fn ten_thousand_old_events_go_in_one_round_and_the_young_stay() {
    let world = world("sweep-many");
    world.record((0..10_000).map(|_| event(days_ago(91), "old")));
    world.record([event(days_ago(89), "young"), event(NOW, "now")]);
    let mut sweeper = Sweeper::default();
    assert_eq!(world.sweep(&mut sweeper, NOW), 10_000);
    assert_eq!(world.details(), ["young", "now"]);
}

/// A clock that was wrong for a while gave an event a time to come. The first living row ends the walk; that one never
/// died, and nothing behind it was ever forgotten.
#[test]
fn a_future_dated_event_does_not_keep_those_behind_it() {
    let world = world("sweep-future");
    let next_century = NOW.plus(DAY * 36_500);
    world.record([event(next_century, "of a time to come")]);
    world.record((0..1_000).map(|_| event(days_ago(100), "old")));
    world.record([event(days_ago(1), "young")]);
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 1_000);
    assert_eq!(world.details(), ["of a time to come", "young"]);
}

/// An event that did not read stood at the head of the log for ever, with all that came after it.
#[test]
fn an_unreadable_event_goes_by_the_time_of_its_key() {
    let world = world("sweep-unreadable");
    let key = |time| View::event_key(time).to_be_bytes();
    world.put_row(Table::Events, &key(days_ago(92)), b"noise");
    world.record((0..1_000).map(|_| event(days_ago(91), "old")));
    world.put_row(Table::Events, &key(days_ago(2)), b"noise");
    world.record([event(days_ago(1), "young")]);
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 1_001);
    assert_eq!(world.count(Table::Events), 2);
}

#[test]
fn an_unreadable_code_is_kept_and_keeps_nothing_else() {
    let world = world("sweep-code");
    world.put_row(Table::Codes, &[0; 16], b"noise");
    world.put_row(Table::Revocations, &[0; 16], b"noise");
    let expires = days_ago(8);
    let token = TokenId(Id::new(expires, [1; 10]));
    world.commit(
        vec![Change::PutRevocation(Revocation { token, expires })],
        Vec::new(),
    );
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 1);
    assert_eq!(world.count(Table::Codes), 1);
    assert_eq!(world.count(Table::Revocations), 1);
}

fn token(at: Timestamp, random: u16, expires: Timestamp) -> Change {
    let mut bytes = [0; 10];
    bytes[..2].copy_from_slice(&random.to_be_bytes());
    Change::PutRefreshToken(Box::new(RefreshToken {
        id: RefreshTokenId(Id::new(at, bytes)),
        hash: TokenHash::of(&Secret::from_random([7; 32])),
        grant: GrantId(Id::new(at, [1; 10])),
        created: at,
        expires,
        rotated: None,
    }))
}

/// Refresh tokens die in the order that their applications' settings say, not in that of their keys.
#[test]
fn the_dead_among_the_living_go_and_a_long_round_rests_on_the_way() {
    let world = world("sweep-tokens");
    let tokens = (0..10_000).map(|i| token(days_ago(40), i, NOW.plus(DAY)));
    world.commit(tokens.collect(), Vec::new());
    let dead = (0..2_000).map(|i| token(days_ago(30), i, NOW));
    world.commit(dead.collect(), Vec::new());
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 2_000);
    assert_eq!(world.count(Table::RefreshTokens), 10_000);

    let dead = (0..100).map(|i| token(days_ago(20), i, NOW));
    world.commit(dead.collect(), Vec::new());
    let mut hasty = Sweeper {
        patience: LOOK,
        ..Sweeper::default()
    };
    assert_eq!(world.sweep(&mut hasty, NOW), 0);
    assert_eq!(world.sweep(&mut hasty, NOW), 0);
    assert_eq!(world.sweep(&mut hasty, NOW), 100, "it began anew");
}

#[test]
fn a_delivery_that_was_given_up_is_shown_for_a_week_and_one_that_waits_is_never_forgotten() {
    let world = world("sweep-deliveries");
    let delivery = |n: u8, given_up: Option<Timestamp>| {
        let id = Id::new(days_ago(400), [n; 10]);
        Change::PutDelivery(Box::new(Delivery {
            id: DeliveryId(id),
            client: ClientId(id),
            user: UserId(id),
            session: SessionId(id),
            sub: None,
            sid: None,
            uri: String::new(),
            created: days_ago(400),
            attempts: 1,
            due: days_ago(399),
            problem: None,
            given_up,
        }))
    };
    let old = delivery(1, Some(days_ago(7)));
    let young = delivery(2, Some(days_ago(6)));
    world.commit(vec![old, young, delivery(3, None)], Vec::new());
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 1);
    assert_eq!(world.count(Table::Deliveries), 2);
}

/// DESIGN §8: no disk writes in ten idle minutes.
#[test]
fn a_round_that_finds_nothing_dead_writes_nothing() {
    let world = world("sweep-idle");
    world.record((0..5_000).map(|_| event(days_ago(89), "young")));
    world.commit(vec![token(NOW, 1, NOW.plus(DAY))], Vec::new());
    let before = world.store.commits();
    let mut sweeper = Sweeper::default();
    for _ in 0..3 {
        assert_eq!(world.sweep(&mut sweeper, NOW), 0);
    }
    assert_eq!(world.store.commits(), before);
}

/// Strangers could fill the file with refusals for 90 days.
#[test]
fn too_many_events_lose_the_oldest_refusals_of_strangers_and_then_the_oldest() {
    let world = world("sweep-surplus");
    let refusal = |detail: &str| Event::refused(EventKind::TokenRequest, NOW, detail);
    world.record([event(NOW, "first"), event(NOW, "second")]);
    world.record([refusal("an administrator's").actor("root")]);
    world.record((0..2_000).map(|_| refusal("a stranger's")));
    world.record((0..8).map(|i| event(NOW, &format!("done {i}"))));
    let mut sweeper = Sweeper {
        most_events: 10,
        ..Sweeper::default()
    };
    // Eleven are no strangers' refusals: those all go, and then the oldest.
    assert_eq!(world.sweep(&mut sweeper, NOW), 2_001);
    let mut kept = vec!["second".to_owned(), "an administrator's".to_owned()];
    kept.extend((0..8).map(|i| format!("done {i}")));
    assert_eq!(world.details(), kept);

    // Later ones too, though the round has been there before.
    world.record([refusal("a stranger's"), event(NOW, "done 8")]);
    assert_eq!(world.sweep(&mut sweeper, NOW), 2);
    kept.remove(0);
    kept.push("done 8".to_owned());
    assert_eq!(world.details(), kept);
    let before = world.store.commits();
    assert_eq!(world.sweep(&mut sweeper, NOW), 0);
    assert_eq!(world.store.commits(), before);
}

/// RFC 9449 §11.1: forgotten when it is over, and not before.
#[test]
fn uses_of_proofs_go_a_minute_after_they_are_over_and_the_others_stay() {
    let world = world("sweep-replays");
    let used = |n: u8, seconds: u64| {
        Change::PutReplay(Replay {
            key: [n; 32],
            expires: NOW.plus(Duration::from_secs(seconds)),
        })
    };
    let ends = [0, 1, 59, 60, 119, 120, 121];
    let uses = (9..).zip(ends).map(|(n, seconds)| used(n, seconds));
    world.commit(uses.collect(), Vec::new());
    let mut sweeper = Sweeper::default();
    // A clock may go back by a minute without any doubt.
    for second in 0..=240 {
        world.sweep(&mut sweeper, NOW.plus(Duration::from_secs(second)));
        let left = world.count(Table::Replays);
        let living = ends.iter().filter(|end| **end + 60 >= second).count();
        let young = ends.iter().filter(|end| **end + 120 > second).count();
        assert!((living..=young).contains(&left), "{second}: {left}");
    }
    world.sweep(&mut sweeper, NOW.plus(Duration::from_secs(241)));
    assert_eq!(world.count(Table::Replays), 0);
}

#[test]
fn the_readme_says_how_many_events_are_kept() {
    assert_eq!(EVENTS_MAX, 500_000);
    assert!(include_str!("../../README.md").contains("at most 500,000 events"));
}

/// RFC 9126 §2.2: a minute to begin, ten to sign in, and then it is gone.
#[test]
fn pushed_requests_go_when_nobody_can_go_on_with_them() {
    let world = world("sweep-pushed");
    let pushed = |number: u8, expires: Timestamp| {
        Change::PutPushedRequest(Box::new(PushedRequest {
            id: Id::new(NOW, [number; 10]),
            hash: TokenHash::of(&Secret::from_random([number; 32])),
            client: ClientId(Id::default()),
            parameters: String::new(),
            created: NOW,
            expires,
        }))
    };
    let last = NOW.minus(PushedRequest::SIGN_IN_LIFE);
    let changes = vec![pushed(1, last), pushed(2, last.just_after())];
    world.commit(changes, Vec::new());
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 1);
    assert_eq!(world.count(Table::PushedRequests), 1);
    let later = NOW.just_after();
    assert_eq!(world.sweep(&mut Sweeper::default(), later), 1);
    assert_eq!(world.count(Table::PushedRequests), 0);
}

/// A client that was made so many days ago and registered itself, with a token or as a stranger; or an administrator's.
fn client(id: u8, days: u32, registered: Option<bool>, used: Option<u32>) -> Client {
    let mut record = serde_json::json!({
        "id": ClientId(Id::new(days_ago(days), [id; 10])), "name": format!("Client {id}"), "auth_method": "none",
        "grants": ["authorization_code"], "scope": "openid", "id_token_alg": "RS256", "access_token_alg": "ES256",
        "created": days_ago(days),
    });
    if let Some(token) = registered {
        record["registered"] = serde_json::json!({
            "hash": TokenHash::of(&Secret::from_random([id; 32])),
            "token": token.then(|| Id::new(NOW, [9; 10])),
            "last_used": used.map(days_ago),
        });
    }
    serde_json::from_value(record).unwrap()
}

#[test]
fn a_registered_client_that_nobody_uses_is_forgotten_and_the_log_says_so() {
    let world = world("sweep-clients");
    let (stranger, with_token) = (Some(false), Some(true));
    let clients = [
        client(1, 400, None, None),
        client(2, 6, stranger, None),
        client(3, 7, stranger, None),
        client(4, 89, with_token, None),
        client(5, 90, with_token, None),
        client(6, 400, stranger, Some(89)),
        client(7, 400, stranger, Some(90)),
        client(8, 400, with_token, Some(90)),
    ];
    let puts = clients.map(|client| Change::PutClient(Box::new(client)));
    world.commit(puts.to_vec(), Vec::new());
    let changes = world.store.client_changes();
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 4);
    assert!(world.store.client_changes() > changes, "it is remembered");
    let snapshot = world.store.snapshot().unwrap();
    let left = snapshot.view().clients(None, usize::MAX).unwrap();
    let mut names: Vec<_> = left.into_iter().map(|client| client.name).collect();
    names.sort();
    assert_eq!(names, ["Client 1", "Client 2", "Client 4", "Client 6"]);
    assert_eq!(world.details(), ["it was not used"; 4]);
}

/// Use alone writes nothing, and the next commit takes it along.
#[test]
fn a_used_client_is_marked_once_a_day_by_another_commit_and_lives_on() {
    let world = world("sweep-marks");
    let record = client(1, 7, Some(false), None);
    let id = record.id;
    world.commit(vec![Change::PutClient(Box::new(record))], Vec::new());
    let last_used = || {
        let snapshot = world.store.snapshot().unwrap();
        let client = snapshot.view().client(id).unwrap().unwrap();
        client.registered.unwrap().last_used
    };
    let before = world.store.commits();
    world.store.mark_used(id, NOW);
    assert_eq!((world.store.commits(), last_used()), (before, None));
    world.record([event(NOW, "another")]);
    assert_eq!(last_used(), Some(NOW));
    world.store.mark_used(id, NOW.plus(HOUR));
    world.record([event(NOW, "another")]);
    assert_eq!(last_used(), Some(NOW), "once a day is enough");
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 0);
    world.store.mark_used(id, NOW.plus(DAY));
    world.record([event(NOW, "another")]);
    assert_eq!(last_used(), Some(NOW.plus(DAY)));
}

#[test]
fn an_expired_initial_access_token_is_forgotten() {
    let world = world("sweep-initial-tokens");
    let token = |id: u8, expires| {
        let id = Id::new(days_ago(2), [id; 10]);
        Change::PutInitialToken(Box::new(InitialAccessToken {
            id: crate::types::InitialTokenId(id),
            hash: TokenHash::of(&Secret::from_random([7; 32])),
            note: String::new(),
            created: days_ago(2),
            expires,
            uses_left: 1,
        }))
    };
    world.commit(vec![token(1, NOW), token(2, NOW.plus(DAY))], Vec::new());
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 1);
    assert_eq!(world.count(Table::InitialTokens), 1);
}

/// A code that ended unused lived again when the clock was set back to its minute.
#[test]
fn codes_and_devices_of_a_time_to_come_are_thrown_away() {
    let world = world("sweep-future");
    let put = |device| Change::PutDeviceAuthorization(Box::new(device));
    let made = [
        device(1, 1, NOW.minus(HOUR / 2)),
        device(2, 2, NOW.plus(HOUR / 20)),
        device(3, 3, NOW.plus(HOUR)),
        device(4, 4, NOW.plus(DAY * 365)),
    ];
    world.commit(made.iter().cloned().map(put).collect(), Vec::new());
    world.put_row(Table::DeviceAuthorizations, &[0xFF; 16], b"noise");
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 2);
    let snapshot = world.store.snapshot().unwrap();
    let there = made.map(|device| {
        let found = snapshot.view().device_authorization_of(device.user_code);
        found.unwrap().is_some()
    });
    assert_eq!(there, [true, true, false, false]);
    // One that does not read is kept, for `verify` to find.
    assert_eq!(world.count(Table::DeviceAuthorizations), 3);
}

/// A link that was made while the clock was a year ahead was good for that year when the clock was right again.
#[test]
fn links_of_a_time_to_come_are_thrown_away() {
    let world = world("sweep-future-links");
    let link = |number: u8, created: Timestamp| {
        Change::PutLink(Link {
            id: LinkId(Id::new(created, [number; 10])),
            hash: TokenHash::of(&Secret::from_random([number; 32])),
            purpose: LinkPurpose::Setup,
            created,
            expires: created.plus(DAY),
        })
    };
    world.commit(
        vec![link(1, NOW.minus(HOUR)), link(2, NOW.plus(DAY * 365))],
        Vec::new(),
    );
    assert_eq!(world.sweep(&mut Sweeper::default(), NOW), 1);
    let left = world.store.snapshot().unwrap().view().links(9).unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].created < NOW);
}
