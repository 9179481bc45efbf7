//! From the format of the file to today's. Each step is one function from one version to the next, run in one commit.

use super::schema::{SCHEMA, SCHEMA_KEY, Table};
use super::{OpenError, StoreError};
use redb::{Database, ReadableDatabase, TableHandle};
use std::path::Path;

/// What the file says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No tables: new.
    Empty,
    /// A Doorlight file of that format.
    Format(u64),
    /// Tables, but none of ours.
    Foreign,
}

/// Reads the format version without writing.
pub(super) fn found(db: &impl ReadableDatabase) -> Result<Found, StoreError> {
    let txn = db.begin_read()?;
    let tables: Vec<String> = txn.list_tables()?.map(|t| t.name().to_owned()).collect();
    if tables.is_empty() {
        return Ok(Found::Empty);
    }
    if !tables.iter().any(|name| name == Table::Meta.name()) {
        return Ok(Found::Foreign);
    }
    let Ok(meta) = txn.open_table(Table::Meta.definition()) else {
        return Ok(Found::Foreign);
    };
    let version = meta
        .get(SCHEMA_KEY)?
        .and_then(|v| <[u8; 8]>::try_from(v.value()).ok());
    Ok(version.map_or(Found::Foreign, |v| Found::Format(u64::from_be_bytes(v))))
}

/// Refuses what is not ours or newer than ours.
pub(super) fn check(path: &Path, found: &Found) -> Result<(), OpenError> {
    match found {
        Found::Foreign => Err(OpenError::Foreign(path.to_owned())),
        Found::Format(version) if *version > SCHEMA => Err(OpenError::Newer {
            path: path.to_owned(),
            found: *version,
            known: SCHEMA,
        }),
        Found::Empty | Found::Format(_) => Ok(()),
    }
}

/// Brings the file to [`SCHEMA`]: makes every table of a new one, and runs the steps of an older one.
pub(super) fn migrate(db: &Database, found: &Found) -> Result<(), StoreError> {
    if *found == Found::Format(SCHEMA) {
        return Ok(());
    }
    // Format 1 is the first: there is no step yet.
    let txn = db.begin_write()?;
    for table in Table::ALL {
        let _ = txn.open_table(table.definition())?;
    }
    txn.open_table(Table::Meta.definition())?
        .insert(SCHEMA_KEY, SCHEMA.to_be_bytes().as_slice())?;
    txn.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ReplayKey;
    use crate::store::{ReadOnly, Store};

    /// A table that was added made every file from before unreadable where it was asked for.
    #[test]
    fn a_file_from_before_a_table_was_added_reads_as_if_it_were_empty() {
        let dir = std::env::temp_dir().join(format!("doorlight-older-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("doorlight.redb");
        Store::open(&path).unwrap().close();
        let db = Database::open(&path).unwrap();
        let txn = db.begin_write().unwrap();
        for table in [Table::Deliveries, Table::Replays, Table::Events] {
            assert!(txn.delete_table(table.definition()).unwrap());
        }
        txn.commit().unwrap();
        drop(db);
        let empty = |snapshot: crate::store::Snapshot| {
            let view = snapshot.view();
            assert_eq!(view.deliveries(), Ok(Vec::new()));
            assert_eq!(view.was_used(&ReplayKey([7; 32])), Ok(false));
            assert_eq!(view.event_count(), Ok(0));
        };
        empty(ReadOnly::open(&path).unwrap().snapshot().unwrap());
        let store = Store::open(&path).unwrap();
        empty(store.snapshot().unwrap());
        store.close();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
