//! What a power cut cannot do. The real store works on a simulated disk that loses, reorders and tears what was not
//! synced, fails and fills up ([`disk`]), and every file that a cut may leave is opened and compared with a simple model
//! of what the store was told and what it acknowledged ([`model`]): each acknowledged job is there, a batch that was not
//! acknowledged is there whole or not at all, and nothing else is.
//!
//! A failure prints its seed. `DOORLIGHT_CRASH_SEED=N cargo test crash_tests` runs that chain of lives again, and
//! `DOORLIGHT_CRASH_SECONDS=N` runs new ones for so long (`cargo bench --bench power_cuts`). Not here: a real process that
//! is killed (`tests/store/kills.rs`).

mod dice;
mod disk;
mod growth;
mod life;
mod model;
mod work;

use super::open::CACHE_BYTES;
use super::schema::{SETTINGS_KEY, Table};
use super::testing::Folder;
use super::verify::verify;
use super::{Store, StoreError};
use crate::model::{Change, Decision, Event, Group};
use crate::types::Timestamp;
use dice::Dice;
use disk::{Cut, Disk, Fault};
use life::{Life, State, States};
use model::{Model, Rows};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

const BEGUN: Timestamp = Timestamp::from_secs(1_795_000_000);
/// Chains of lives in an ordinary run.
const CHAINS: u64 = 9;
/// Lives of a chain, and rounds of work in each.
const LIVES: usize = 3;
const ROUNDS: usize = 24;
/// The disk is cut at one of so many of its operations.
const CUT_AT_ONE_OF: usize = 8;
/// One of so many cuts is looked at as a file of the machine, by everything that opens one.
const AS_FILE_ONE_OF: usize = 24;

/// What a run came to.
#[derive(Debug, Default)]
struct Tally {
    cuts: usize,
    states: usize,
    failed_batches: usize,
    /// Cuts after which an unacknowledged batch was there.
    kept_unacknowledged: usize,
    as_files: usize,
}

#[test]
fn no_power_cut_loses_what_was_acknowledged_or_keeps_half_a_batch() {
    let variable = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let begun = Instant::now();
    let mut tally = Tally::default();
    let first = u64::from_le_bytes(crate::crypto::random::bytes()) >> 16;
    let seeds: Box<dyn Iterator<Item = u64>> = match (
        variable("DOORLIGHT_CRASH_SEED"),
        variable("DOORLIGHT_CRASH_SECONDS"),
    ) {
        (Some(seed), _) => Box::new(std::iter::once(seed)),
        (None, Some(seconds)) => {
            Box::new((first..).take_while(move |_| begun.elapsed() < Duration::from_secs(seconds)))
        }
        (None, None) => Box::new(first..first + CHAINS),
    };
    for seed in seeds {
        if let Err(why) = chain(seed, &mut tally) {
            panic!("{why}\nagain with DOORLIGHT_CRASH_SEED={seed}");
        }
    }
    println!("{tally:?} in {:?}", begun.elapsed());
    assert!(tally.cuts > 0 && tally.states > 0, "{tally:?}");
}

/// The checker itself: where syncs do nothing, acknowledged jobs are lost, and it says so.
#[test]
fn a_disk_that_lies_about_syncs_is_found_out() {
    let (found, cuts) = found_out(7, 1);
    let lost = |why: &&String| why.ends_with("an acknowledgement is lost");
    assert!(found.len() * 2 > cuts, "{} of {cuts}", found.len());
    assert!(found.iter().filter(lost).count() > 0, "{found:?}");
}

/// One lie in four is enough.
#[test]
fn a_disk_that_lies_now_and_then_is_found_out() {
    let (found, cuts) = found_out(8, 4);
    assert!(!found.is_empty(), "none of {cuts}");
}

/// A life on a disk that lies: what was found out, in how many cuts.
fn found_out(seed: u64, one_of: usize) -> (Vec<String>, usize) {
    let mut dice = Dice::new(seed);
    let (image, mut states) = furnished(&mut dice);
    let disk = Disk::with(image, 0, CUT_AT_ONE_OF, Dice::new(dice.next()));
    disk.lie_about_syncs(one_of);
    let dice = Dice::new(dice.next());
    let mut life = Life::begin(disk.clone(), &mut states, 0, dice, BEGUN).unwrap();
    life.work(ROUNDS, false).unwrap();
    drop(life);
    let cuts = disk.take_cuts();
    let looked = cuts.iter().map(|cut| looked_at(cut, &states, false));
    (looked.filter_map(Result::err).collect(), cuts.len())
}

/// The checker itself: a row less, a row more, a row that is another.
#[test]
fn a_file_that_differs_in_one_row_is_found_out() {
    let (image, states) = furnished(&mut Dice::new(8));
    let looked = |image: Vec<u8>| {
        let cut = Cut {
            image,
            candidates: vec![0],
            operations: 0,
        };
        looked_at(&cut, &states, true)
    };
    assert_eq!(looked(image.clone()), Ok(0));
    for (key, value) in [
        (b"0".as_slice(), Some(b"".as_slice())),
        (SETTINGS_KEY, Some(b"")),
        (SETTINGS_KEY, None),
    ] {
        let disk = Disk::with(image.clone(), 0, usize::MAX, Dice::new(9));
        let store = life::opened(&disk, CACHE_BYTES).unwrap();
        let written = store.submit_rows(move |tables| {
            tables.with(Table::Settings, |table| {
                match value {
                    Some(value) => drop(table.insert(key, value)?),
                    None => drop(table.remove(key)?),
                }
                Ok(())
            })
        });
        written.unwrap();
        store.close();
        let why = looked(disk.cut_now().image).unwrap_err();
        assert!(
            why.starts_with("it holds no state that there ever was"),
            "{why}"
        );
    }
}

/// A read that failed once left a server that nobody wrote to without its file until it was started anew: every read
/// failed from then on, and only the writer opens the file again.
#[test]
fn one_read_that_fails_is_enough_to_have_the_file_opened_again() {
    let (image, _) = furnished(&mut Dice::new(9));
    let disk = Disk::with(image, 0, usize::MAX, Dice::new(10));
    let store = life::opened(&disk, CACHE_BYTES).unwrap();
    // More than is kept of what is read when the file is opened.
    let changes = (0..200).map(|number| {
        Change::PutGroup(Group {
            name: format!("group{number}").parse().unwrap(),
            description: "x".repeat(500),
            created: BEGUN,
        })
    });
    submit(&store, changes.collect(), Vec::new());
    let before = rows_of(&store).unwrap();
    store.close();
    drop(store);

    let store = life::opened(&disk, life::NO_CACHE).unwrap();
    disk.fail(Fault::Down(0));
    assert!(matches!(rows_of(&store), Err(StoreError::Unavailable(_))));
    assert!(!store.is_ready());
    disk.mend();
    await_ready(&store);
    assert_eq!(rows_of(&store).unwrap(), before);
    store.close();
}

fn await_ready(store: &Store) {
    let begun = Instant::now();
    while !store.is_ready() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it stays down");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whoever was shut out in the file that lies there now must not be let in by what the writer remembered of the one before.
#[test]
fn a_file_that_is_opened_again_is_read_anew() {
    let (image, _) = furnished(&mut Dice::new(11));
    let days = |store: &Store| {
        let read = store.submit(|view| {
            let settings = view.shared_settings()?.unwrap();
            Ok(Decision::<u32, ()>::reply(Ok(settings.audit_days)))
        });
        read.unwrap().unwrap()
    };
    let disk = Disk::with(image.clone(), 0, usize::MAX, Dice::new(12));
    let store = life::opened(&disk, life::NO_CACHE).unwrap();
    let before = days(&store);

    let other = Disk::with(image, 0, usize::MAX, Dice::new(13));
    let changing = life::opened(&other, CACHE_BYTES).unwrap();
    let mut settings = changing.snapshot().unwrap().view().settings_made().unwrap();
    settings.audit_days = before + 1;
    submit(
        &changing,
        vec![Change::PutSettings(Box::new(settings))],
        Vec::new(),
    );
    changing.close();

    disk.fail(Fault::Down(0));
    assert!(matches!(rows_of(&store), Err(StoreError::Unavailable(_))));
    disk.replace(other.cut_now().image);
    disk.mend();
    await_ready(&store);
    assert_eq!(days(&store), before + 1);
    store.close();
}

/// Lives one after the other: each begins on what a cut of the one before has left.
fn chain(seed: u64, tally: &mut Tally) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let mut now = BEGUN;
    let (mut image, mut states) = furnished(&mut dice);
    let mut current = 0;
    for number in 0..LIVES {
        let disk = Disk::with(image, current, CUT_AT_ONE_OF, Dice::new(dice.next()));
        let lived = {
            let mut life = Life::begin(
                disk.clone(),
                &mut states,
                current,
                Dice::new(dice.next()),
                now,
            )
            .map_err(|why| format!("life {number}: {why}"))?;
            let lived = life.work(ROUNDS, dice.once_in(2));
            // Some end as they should.
            if dice.once_in(2) {
                life.close();
            }
            tally.failed_batches += life.failed;
            lived
        };
        now = lived.map_err(|why| format!("life {number}: {why}"))?;
        let mut cuts = disk.take_cuts();
        cuts.push(disk.cut_now());
        let chosen = dice.below(cuts.len());
        let mut found = current;
        for (index, cut) in cuts.iter().enumerate() {
            let as_file = dice.once_in(AS_FILE_ONE_OF);
            let state = looked_at(cut, &states, as_file).map_err(|why| {
                format!("life {number}, cut at operation {}: {why}", cut.operations)
            })?;
            tally.cuts += 1;
            tally.as_files += usize::from(as_file);
            tally.kept_unacknowledged += usize::from(cut.candidates.first() != Some(&state));
            if index == chosen {
                found = state;
            }
        }
        image = cuts.swap_remove(chosen).image;
        current = found;
    }
    tally.states += states.len();
    Ok(())
}

/// A file with a few people in it that was closed well, and its state.
fn furnished(dice: &mut Dice) -> (Vec<u8>, States) {
    let disk = Disk::with(Vec::new(), 0, usize::MAX, Dice::new(dice.next()));
    let store = life::opened(&disk, CACHE_BYTES).unwrap();
    let (changes, events) = work::furniture(dice, BEGUN);
    let mut model = Model::default();
    model.take(&changes, &events);
    submit(&store, changes, events);
    store.close();
    (disk.cut_now().image, vec![State::new(model)])
}

fn submit(store: &Store, changes: Vec<Change>, events: Vec<Event>) {
    let submitted = store.submit(|_| {
        Ok(Decision {
            changes,
            events,
            reply: Ok::<(), ()>(()),
        })
    });
    submitted.unwrap().unwrap();
}

/// Which of its candidates the file holds that a cut has left.
fn looked_at(cut: &Cut, states: &States, as_file: bool) -> Result<usize, String> {
    let disk = Disk::with(cut.image.clone(), 0, usize::MAX, Dice::new(0));
    let rows = catch_unwind(AssertUnwindSafe(|| {
        let store = life::opened(&disk, CACHE_BYTES).map_err(|e| e.to_string())?;
        let rows = rows_of(&store).map_err(|e| e.to_string());
        store.close();
        rows
    }))
    .unwrap_or_else(|_| Err("opening it panics".to_owned()))?;
    let same = cut
        .candidates
        .iter()
        .copied()
        .find(|number| *states[*number].rows() == rows);
    let Some(state) = same else {
        return Err(differs(cut, states, &rows));
    };
    if as_file {
        as_a_file(&cut.image, states[state].rows())?;
    }
    Ok(state)
}

fn rows_of(store: &Store) -> Result<Rows, StoreError> {
    Rows::of(&store.snapshot()?.view())
}

fn differs(cut: &Cut, states: &States, rows: &Rows) -> String {
    // One that it might have been earlier is a lost acknowledgement.
    if let Some(older) = states.iter().position(|state| state.rows() == rows) {
        return format!(
            "it holds state {older}, and not one of {:?}: an acknowledgement is lost",
            cut.candidates
        );
    }
    let expected = cut.candidates.first().map(|number| states[*number].rows());
    let expected = expected.cloned().unwrap_or_default();
    format!(
        "it holds no state that there ever was: too much: {}; too little: {}",
        rows.unlike(&expected),
        expected.unlike(rows)
    )
}

/// The same by the front door: `verify`, which only reads, and `Store::open`, which rehearses the repair.
fn as_a_file(image: &[u8], expected: &Rows) -> Result<(), String> {
    let place = Folder::new("crash");
    let path = place.join("doorlight.redb");
    std::fs::write(&path, image).map_err(|e| e.to_string())?;
    let contents = verify(&path).map_err(|e| format!("verify: {e}"))?;
    if !contents.is_whole() {
        return Err(format!("verify: {:?}", contents.faults));
    }
    let store = Store::open(&path).map_err(|e| format!("as a file: {e}"))?;
    let rows = rows_of(&store).map_err(|e| e.to_string());
    store.close();
    if rows? == *expected {
        Ok(())
    } else {
        Err("as a file it holds something else".to_owned())
    }
}
