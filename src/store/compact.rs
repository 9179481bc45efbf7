//! Giving room back to the disk. redb uses free pages again and cuts a file off only where its end is free: one that held
//! much once, a flood of events perhaps, keeps its size.
//!
//! So a file that is opened for writing is compacted where more than half of it is dead. redb's own compaction does it: it
//! moves pages to the front by ordinary transactions, each committed in two phases, and changes no row. A power cut finds
//! the file before one of them or after it (`crash_tests`), and no room for a second file is needed.
//!
//! Counting what is dead reads all of the file. That is done only for one of some size which has doubled since it was
//! counted, so that an ordinary start reads nothing.

use super::schema::{COUNTED_KEY, Table};
use super::{OpenError, StoreError, open, panics};
use redb::{Database, ReadableDatabase};
use std::path::Path;
use std::time::Instant;

/// Smaller files are left alone.
const LEAST: u64 = 32 * 1024 * 1024;
const MEGABYTE: u64 = 1_000_000;

/// The file that was opened, compacted where that is worth it.
pub(super) fn where_worthwhile(path: &Path, db: Database) -> Result<Database, OpenError> {
    from_size(path, db, LEAST)
}

fn from_size(path: &Path, mut db: Database, least: u64) -> Result<Database, OpenError> {
    let length = || {
        let found = std::fs::metadata(path).map_err(|e| OpenError::Io(path.to_owned(), e))?;
        Ok::<u64, OpenError>(found.len())
    };
    let failed = |error: StoreError| {
        OpenError::Io(path.to_owned(), std::io::Error::other(error.to_string()))
    };
    let before = length()?;
    if before < least || before / 2 < counted(&db).map_err(failed)? {
        return Ok(db);
    }
    // First: a page that cannot be read stops this try, and no later start.
    note(&db, before).map_err(failed)?;
    let begun = Instant::now();
    let tried = panics::told(path, move || {
        if dead(&db, before)? > before / 2 {
            give_back(&mut db)?;
        }
        Ok::<_, StoreError>(db)
    });
    let db = match tried {
        Some(Ok(db)) => db,
        Some(Err(error)) => return left(path, &error),
        // redb may panic on a damaged file.
        None => return left(path, &StoreError::Panicked),
    };
    let after = length()?;
    if after < before {
        note(&db, after).map_err(failed)?;
        log::info!(
            "{}: {} MB became {} MB in {} ms; the rest was dead",
            path.display(),
            before / MEGABYTE,
            after / MEGABYTE,
            begun.elapsed().as_millis()
        );
    }
    Ok(db)
}

/// The file as it is, for it serves as well without.
fn left(path: &Path, error: &StoreError) -> Result<Database, OpenError> {
    log::warn!("{} was not made smaller: {error}", path.display());
    open::guarded(path, || open::builder().open(path))
}

/// Moves all pages to the front, and cuts the file off behind them.
pub(super) fn give_back(db: &mut Database) -> Result<(), StoreError> {
    db.compact()
        .map(|_| ())
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// How many of so many bytes no row and no table needs.
fn dead(db: &Database, length: u64) -> Result<u64, StoreError> {
    let txn = db.begin_write()?;
    let stats = txn.stats()?;
    txn.abort()?;
    let page = u64::try_from(stats.page_size()).unwrap_or(u64::MAX);
    Ok(length.saturating_sub(stats.allocated_pages().saturating_mul(page)))
}

/// How long the file was when it was last counted; 0: never.
fn counted(db: &Database) -> Result<u64, StoreError> {
    let txn = db.begin_read()?;
    let meta = txn.open_table(Table::Meta.definition())?;
    let length = meta.get(COUNTED_KEY)?;
    let length = length.and_then(|value| <[u8; 8]>::try_from(value.value()).ok());
    Ok(length.map_or(0, u64::from_be_bytes))
}

fn note(db: &Database, length: u64) -> Result<(), StoreError> {
    let txn = db.begin_write()?;
    txn.open_table(Table::Meta.definition())?
        .insert(COUNTED_KEY, length.to_be_bytes().as_slice())?;
    Ok(txn.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Decision, Group};
    use crate::store::Store;
    use crate::store::testing::Folder;
    use crate::store::verify::verify;
    use crate::types::Timestamp;

    fn commit(store: &Store, changes: Vec<Change>) {
        let submitted = store.submit(move |_| {
            Ok(Decision {
                changes,
                events: Vec::new(),
                reply: Ok::<(), ()>(()),
            })
        });
        submitted.unwrap().unwrap();
    }

    fn groups(numbers: std::ops::Range<u32>, bytes: usize) -> Vec<Change> {
        let group = |number| Group {
            name: format!("g{number}").parse().unwrap(),
            description: "x".repeat(bytes),
            created: Timestamp::from_secs(1_795_000_000),
        };
        numbers.map(|n| Change::PutGroup(group(n))).collect()
    }

    /// A flood of refused sign-ins once left a file of its size for ever.
    #[test]
    fn a_file_that_is_mostly_dead_is_made_small_at_the_next_start_and_counted_once() {
        let dir = Folder::new("compact");
        let path = dir.join("doorlight.redb");
        let store = Store::open(&path).unwrap();
        for round in 0..20 {
            commit(&store, groups(round * 100..round * 100 + 100, 4_000));
        }
        let names = (100..2_000).map(|n| Change::DeleteGroup(format!("g{n}").parse().unwrap()));
        commit(&store, names.collect());
        store.close();
        drop(store);
        let length = || std::fs::metadata(&path).unwrap().len();
        let before = length();
        assert!(before > 8_000_000, "{before}");

        let opened = || open::writable(&path).unwrap();
        let db = from_size(&path, opened(), before * 2).unwrap();
        assert_eq!(counted(&db).unwrap(), 0);
        drop(db);
        let db = from_size(&path, opened(), 1_000_000).unwrap();
        let after = length();
        assert!(after < before / 4, "{before} became {after}");
        let once = counted(&db).unwrap();
        assert!((after / 2..=after).contains(&once), "{once} of {after}");
        drop(db);

        let store = Store::open(&path).unwrap();
        let there = store.snapshot().unwrap().view().groups().unwrap();
        assert_eq!(there.len(), 100);
        // Counted again when it has doubled, and then it is not dead but full.
        for round in 20..30 {
            commit(&store, groups(round * 100..round * 100 + 100, 4_000));
        }
        store.close();
        drop((store, there));
        let full = length();
        assert!(full > after * 2);
        let db = from_size(&path, opened(), 1_000_000).unwrap();
        assert!(length() >= full && counted(&db).unwrap() >= full);
        drop(db);
        assert_eq!(verify(&path).unwrap().count("groups"), Some(1_100));
    }
}
