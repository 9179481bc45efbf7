//! Rows of bytes, from a snapshot and from the writer's open transaction alike. Not here: what they mean (`view`).

use super::StoreError;
use super::remembered::Remembered;
use super::schema::Table;
use super::tables::Tables;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, TableError};
use std::cell::RefCell;
use std::ops::Bound;

/// Rows, from wherever they come.
pub(super) trait Rows {
    fn row(&self, table: Table, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<(), StoreError>;
    fn count(&self, table: Table) -> Result<u64, StoreError>;
    /// Visits rows until `visit` says stop.
    fn scan(
        &self,
        table: Table,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError>;
    /// What the writer remembers of them; a snapshot has nothing.
    fn remembered(&self) -> Option<&RefCell<Remembered>> {
        None
    }
}

impl Rows for ReadTransaction {
    fn row(&self, table: Table, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        let Some(table) = opened(self, table)? else {
            return Ok(());
        };
        if let Some(guard) = table.get(key)? {
            read(guard.value());
        }
        Ok(())
    }

    fn count(&self, table: Table) -> Result<u64, StoreError> {
        Ok(opened(self, table)?.map_or(Ok(0), |table| table.len())?)
    }

    fn scan(
        &self,
        table: Table,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        match opened(self, table)? {
            Some(table) => walk(&table, range, order, visit),
            None => Ok(()),
        }
    }
}

/// A table that came with a later release is not in an older file until something is written to it.
fn opened(txn: &ReadTransaction, table: Table) -> Result<Option<ReadOnlyRows>, StoreError> {
    match txn.open_table(table.definition()) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

type ReadOnlyRows = ReadOnlyTable<&'static [u8], &'static [u8]>;

impl Rows for Tables<'_> {
    fn row(&self, table: Table, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        self.read(table, |table| {
            if let Some(guard) = table.get(key)? {
                read(guard.value());
            }
            Ok(())
        })
    }

    fn count(&self, table: Table) -> Result<u64, StoreError> {
        self.read(table, |table| Ok(table.len()?))
    }

    fn scan(
        &self,
        table: Table,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.read(table, |table| walk(table, range, order, visit))
    }

    fn remembered(&self) -> Option<&RefCell<Remembered>> {
        Some(Tables::remembered(self))
    }
}

/// Which way to walk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Up,
    Down,
}

fn walk(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    range: (Bound<&[u8]>, Bound<&[u8]>),
    order: Order,
    visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), StoreError> {
    let mut range = table.range::<&[u8]>(range)?;
    while let Some(row) = if order == Order::Up {
        range.next()
    } else {
        range.next_back()
    } {
        let (key, value) = row?;
        if !visit(key.value(), value.value()) {
            break;
        }
    }
    Ok(())
}
