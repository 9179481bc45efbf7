use super::super::clock::{Watch, Way};
use super::*;
use crate::model::{
    Authentication, Change, Decision, Event, EventKind, RefreshToken, Replay, Revocation, Session,
    Settings,
};
use crate::store::testing::Folder;
use crate::types::{GrantId, Id, RefreshTokenId, Secret, SessionId, TokenHash, TokenId, UserId};

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// A store with a machine's two clocks.
struct House {
    _dir: Folder,
    store: Store,
    forgetting: Forgetting,
    watch: Watch,
    counted: Duration,
    wall: Timestamp,
}

impl Drop for House {
    fn drop(&mut self) {
        self.store.close();
    }
}

impl House {
    fn new(test: &str) -> Self {
        let dir = Folder::new(test);
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        let house = Self {
            _dir: dir,
            store,
            forgetting: Forgetting::default(),
            watch: Watch::begin(None, NOW, Duration::ZERO),
            counted: Duration::ZERO,
            wall: NOW,
        };
        let settings = Settings::new(vec![7; 32].into());
        house.commit(vec![Change::PutSettings(Box::new(settings))]);
        house
    }

    fn commit(&self, changes: Vec<Change>) {
        let now = self.wall;
        let submitted = self.store.submit(move |_| {
            Ok(Decision {
                changes,
                events: vec![Event::success(EventKind::SignIn, now)],
                reply: Ok::<(), ()>(()),
            })
        });
        submitted.unwrap().unwrap();
    }

    /// Time passes, as the wall clock and everybody else knows it, and the sweep does its round.
    fn pass(&mut self, span: Duration) {
        self.counted += span;
        self.wall = self.wall.plus(span);
        let doubt = self.watch.look(self.wall, self.counted);
        let step = |house: &mut Self| house.forgetting.step(&house.store, doubt, house.wall);
        while step(self).unwrap() != Step::Rest {}
    }

    /// Another process takes the file over.
    fn restart(&mut self) {
        let sure = self.store.snapshot().unwrap().view().sure().unwrap();
        self.watch = Watch::begin(sure, self.wall, self.counted);
        self.forgetting = Forgetting::default();
    }

    /// Somebody signs in and gets tokens, one of which is revoked. The ids hold the time of the wall.
    fn sign_in(&self, number: u8) -> (SessionId, RefreshTokenId, TokenId) {
        let id = Id::new(self.wall, [number; 10]);
        let hash = TokenHash::of(&Secret::from_random([number; 32]));
        let session = Session {
            id: SessionId(id),
            hash,
            user: UserId(id),
            authentication: Authentication {
                time: self.wall,
                amr: Vec::new(),
            },
            created: self.wall,
            last_seen: self.wall,
            expires: self.wall.plus(DAY * 90),
            address: None,
            user_agent: String::new(),
        };
        let token = RefreshToken {
            id: RefreshTokenId(id),
            hash,
            grant: GrantId(id),
            created: self.wall,
            expires: self.wall.plus(DAY * 30),
            rotated: None,
        };
        let revoked = Revocation {
            token: TokenId(id),
            expires: self.wall.plus(15 * MINUTE),
        };
        let used = Replay {
            key: [number; 32],
            expires: self.wall.plus(2 * MINUTE),
        };
        self.commit(vec![
            Change::PutSession(Box::new(session)),
            Change::PutRefreshToken(Box::new(token)),
            Change::PutRevocation(revoked),
            Change::PutReplay(used),
        ]);
        (SessionId(id), RefreshTokenId(id), TokenId(id))
    }

    fn is_signed_in(&self, (session, token, _): (SessionId, RefreshTokenId, TokenId)) -> bool {
        let snapshot = self.store.snapshot().unwrap();
        let view = snapshot.view();
        let there = (
            view.session(session).unwrap().is_some(),
            view.refresh_token(token).unwrap().is_some(),
        );
        assert_eq!(there.0, there.1);
        there.0
    }

    fn events(&self) -> u64 {
        self.store.snapshot().unwrap().view().event_count().unwrap()
    }

    fn uses(&self) -> u64 {
        self.store
            .snapshot()
            .unwrap()
            .view()
            .replay_count()
            .unwrap()
    }
}

/// Without the doubt a clock that was a year ahead for a minute cost every session, refresh token and event.
#[test]
fn a_year_forwards_and_back_costs_nobody_a_session_a_token_or_an_event() {
    let mut house = House::new("clock-year");
    let alice = house.sign_in(1);
    house.pass(MINUTE);
    house.wall = house.wall.plus(YEAR);
    for _ in 0..60 {
        house.pass(MINUTE);
    }
    // Whoever signs in meanwhile is in the time to come.
    house.sign_in(2);
    house.wall = house.wall.minus(YEAR);
    house.pass(MINUTE);
    assert!(house.is_signed_in(alice));
    assert_eq!(house.events(), 3);
    // And in their time they end as ever.
    for _ in 0..31 {
        house.pass(DAY);
    }
    let snapshot = house.store.snapshot().unwrap();
    assert_eq!(snapshot.view().refresh_token(alice.1).unwrap(), None);
    assert_eq!(snapshot.view().session(alice.0).unwrap(), None);
}

/// A use that is forgotten while the clock is ahead could be used again once it is right.
#[test]
fn a_short_jump_forwards_forgets_no_use_that_still_counts() {
    let mut house = House::new("clock-short");
    house.sign_in(1);
    house.wall = house.wall.plus(HOUR);
    house.pass(Duration::from_secs(30));
    house.wall = house.wall.minus(HOUR);
    house.pass(Duration::from_secs(30));
    assert_eq!(house.uses(), 1);
    house.pass(3 * MINUTE);
    assert_eq!(house.uses(), 0);
    // A doubt that lasts does not keep them all.
    house.sign_in(2);
    house.wall = house.wall.plus(YEAR);
    house.pass(MINUTE);
    assert_eq!(house.uses(), 1);
    for _ in 0..25 {
        house.pass(MINUTE);
    }
    assert_eq!(house.uses(), 0);
}

#[test]
fn a_clock_that_stays_ahead_is_believed_after_a_week() {
    let mut house = House::new("clock-week");
    let alice = house.sign_in(1);
    house.wall = house.wall.plus(YEAR);
    for day in 0..7 {
        house.pass(DAY);
        assert!(house.is_signed_in(alice), "{day}");
    }
    house.pass(DAY);
    assert!(!house.is_signed_in(alice));
}

/// Otherwise a machine that restarts with a wrong clock forgets everything.
#[test]
fn a_restart_does_not_make_a_clock_sure() {
    let mut house = House::new("clock-restart");
    let alice = house.sign_in(1);
    house.pass(MINUTE);
    house.wall = house.wall.plus(YEAR);
    for _ in 0..5 {
        house.restart();
        house.pass(HOUR);
        // What the server records at such a time is no proof of it.
        house.commit(Vec::new());
        assert!(house.is_signed_in(alice));
    }
    house.wall = house.wall.minus(YEAR);
    house.restart();
    house.pass(HOUR);
    assert!(house.is_signed_in(alice));
}

/// The list once forgot a revoked token an hour after its end, and a clock that was set back made it good again.
#[test]
fn a_token_that_was_revoked_stays_revoked_when_the_clock_goes_back() {
    let mut house = House::new("clock-revoked");
    let (_, _, token) = house.sign_in(1);
    for _ in 0..6 {
        house.pass(DAY);
    }
    house.wall = house.wall.minus(6 * DAY);
    house.pass(MINUTE);
    let snapshot = house.store.snapshot().unwrap();
    assert!(snapshot.view().is_revoked(token).unwrap());
}

#[test]
fn the_file_is_told_of_a_clock_that_is_sure_at_a_start_and_by_what_others_write() {
    let mut house = House::new("clock-noted");
    let sure = |house: &House| house.store.snapshot().unwrap().view().sure().unwrap();
    house.pass(MINUTE);
    let first = house.wall;
    assert_eq!(sure(&house), Some(first));
    let commits = house.store.commits();
    for _ in 0..300 {
        house.pass(MINUTE);
    }
    assert_eq!(house.store.commits(), commits);
    let last = house.wall;
    house.commit(Vec::new());
    assert_eq!(sure(&house), Some(last));
    // What is written while it is in doubt says nothing new of it.
    house.wall = house.wall.plus(YEAR);
    house.pass(MINUTE);
    house.commit(Vec::new());
    house.pass(MINUTE);
    house.commit(Vec::new());
    assert_eq!(sure(&house), Some(last));
}

/// The file was told once an hour: a clock that went back by less while the server was off was believed, and a proof that was
/// used within that hour, and forgotten, was good again.
#[test]
fn a_start_doubts_a_clock_that_stands_before_the_last_minutes_that_others_wrote_in() {
    let mut house = House::new("clock-back-off");
    for _ in 0..50 {
        house.pass(MINUTE);
        house.sign_in(1);
    }
    house.pass(10 * MINUTE);
    assert_eq!(house.uses(), 0);
    house.wall = house.wall.minus(40 * MINUTE);
    house.restart();
    let doubt = house.watch.look(house.wall, house.counted);
    assert_eq!(doubt.map(|doubt| doubt.way), Some(Way::Behind));
}
