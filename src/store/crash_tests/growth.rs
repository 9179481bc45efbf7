//! How large a file becomes: a month and more of ordinary use, with the sweep and a clock of its own, on the simulated
//! disk; and compaction, with the power cut meanwhile.

use super::dice::Dice;
use super::disk::Disk;
use super::life::{self, State};
use super::model::{Model, Rows};
use super::{BEGUN, furnished, looked_at, submit, work};
use crate::model::{Change, Settings};
use crate::store::compact;
use crate::store::open::CACHE_BYTES;
use crate::store::{Step, Store, Sweeper};
use crate::types::Timestamp;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// A house in which much is done, and what it holds.
struct House {
    store: Store,
    model: Model,
    dice: Dice,
    now: Timestamp,
}

impl House {
    /// One on a disk of its own.
    fn furnished(seed: u64) -> (Disk, Self) {
        let mut dice = Dice::new(seed);
        let (image, states) = furnished(&mut dice);
        let disk = Disk::with(image, 0, usize::MAX, Dice::new(seed + 1));
        let house = Self {
            store: life::opened(&disk, CACHE_BYTES).unwrap(),
            model: states.into_iter().next().unwrap().model,
            dice,
            now: BEGUN,
        };
        (disk, house)
    }

    /// An hour: sign-ins, tokens, renewals, revocations, people and groups that come and go.
    fn hour(&mut self) {
        self.now = self.now.plus(HOUR);
        for _ in 0..2 {
            let (mut changes, mut events) = (Vec::new(), Vec::new());
            for _ in 0..4 {
                let job = work::job(&self.model, &mut self.dice, self.now);
                self.model.take(&job.0, &job.1);
                changes.extend(job.0);
                events.extend(job.1);
            }
            submit(&self.store, changes, events);
        }
    }

    fn sweep(&mut self) {
        let mut sweeper = Sweeper::default();
        while sweeper.step(&self.store, self.now).unwrap() != Step::Rest {}
        if let Some((left, _)) = self.model.swept(self.now).pop() {
            self.model = left;
        }
    }
}

#[test]
fn a_month_of_ordinary_use_does_not_let_the_file_grow_without_bound() {
    let (disk, mut house) = House::furnished(11);
    // Events are kept for a week, so that a month sees many of them come and go.
    let settings = Settings {
        audit_days: 7,
        ..Settings::new(vec![7; 32].into())
    };
    let changes = vec![Change::PutSettings(Box::new(settings))];
    house.model.take(&changes, &[]);
    submit(&house.store, changes, Vec::new());
    let mut lengths = Vec::new();
    for _ in 0..42 {
        for _ in 0..24 {
            house.hour();
        }
        house.sweep();
        lengths.push(disk.length());
    }
    assert!(super::rows_of(&house.store).unwrap() == house.model.rows());
    house.store.close();
    drop(house);

    let full = disk.length();
    let mut db = life::database(&disk, CACHE_BYTES).unwrap();
    compact::give_back(&mut db).unwrap();
    drop(db);
    let live = disk.length();
    println!("{full} bytes, {live} when compacted; by day {lengths:?}");
    assert!(full <= 3 * live, "{full} bytes for {live}: {lengths:?}");
    // From the second week on as much goes as comes, but for renewals, which are kept for a month.
    let (half, end) = (lengths[20], lengths[41]);
    assert!(end <= 2 * half, "{lengths:?}");
}

#[test]
fn a_power_cut_while_the_file_is_compacted_changes_no_row() {
    let (disk, mut house) = House::furnished(13);
    for _ in 0..200 {
        house.hour();
    }
    house.now = house.now.plus(HOUR * 24 * 200);
    house.sweep();
    let rows: Rows = house.model.rows();
    assert!(super::rows_of(&house.store).unwrap() == rows);
    house.store.close();

    let image = disk.cut_now().image;
    let length = image.len();
    let states = vec![State::new(house.model.clone())];
    let mut cuts = 0;
    for seed in 0..6 {
        let disk = Disk::with(image.clone(), 0, 3, Dice::new(seed));
        let mut db = life::database(&disk, CACHE_BYTES).unwrap();
        compact::give_back(&mut db).unwrap();
        drop(db);
        assert!(disk.length() < length / 2, "{} of {length}", disk.length());
        for cut in disk.take_cuts().iter().chain([&disk.cut_now()]) {
            cuts += 1;
            if let Err(why) = looked_at(cut, &states, false) {
                panic!("seed {seed}, operation {}: {why}", cut.operations);
            }
        }
    }
    assert!(cuts > 50, "{cuts}");
}
