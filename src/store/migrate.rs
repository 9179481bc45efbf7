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

/// Brings the file to [`SCHEMA`]: makes every table that it lacks, and runs the steps of an older one. A table more is
/// no new format: programs that do not know it leave it alone.
pub(super) fn migrate(db: &Database, found: &Found) -> Result<(), StoreError> {
    if *found == Found::Format(SCHEMA) && has_every_table(db)? {
        return Ok(());
    }
    let txn = db.begin_write()?;
    for table in Table::ALL {
        let _ = txn.open_table(table.definition())?;
    }
    txn.open_table(Table::Meta.definition())?
        .insert(SCHEMA_KEY, SCHEMA.to_be_bytes().as_slice())?;
    txn.commit()?;
    Ok(())
}

fn has_every_table(db: &Database) -> Result<bool, StoreError> {
    let txn = db.begin_read()?;
    let tables: Vec<String> = txn.list_tables()?.map(|t| t.name().to_owned()).collect();
    Ok(Table::ALL
        .iter()
        .all(|table| tables.iter().any(|name| name == table.name())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Folder;
    use crate::store::{ReadOnly, Store};
    use redb::ReadableDatabase;

    /// A file of the format of today that lacks a table was opened as it was, and failed when the table was first read.
    #[test]
    fn a_file_from_before_a_table_is_read_without_it_and_gets_it_when_it_is_written() {
        let dir = Folder::new("tables");
        let path = dir.join("doorlight.redb");
        Store::open(&path).unwrap().close();
        let late = Table::InitialTokens;
        let db = redb::Database::open(&path).unwrap();
        let txn = db.begin_write().unwrap();
        assert!(txn.delete_table(late.definition()).unwrap());
        txn.commit().unwrap();
        drop(db);

        let tokens = |path| {
            let file = ReadOnly::open(path).unwrap();
            file.snapshot().unwrap().view().initial_tokens().unwrap()
        };
        assert_eq!(tokens(&path), []);
        Store::open(&path).unwrap().close();
        let db = redb::Database::open(&path).unwrap();
        assert!(
            db.begin_read()
                .unwrap()
                .open_table(late.definition())
                .is_ok()
        );
        drop(db);
    }
}
