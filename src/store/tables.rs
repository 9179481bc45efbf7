//! The tables of the transaction that the writer has open: what jobs, changes and the sweep write through.

use super::StoreError;
use super::codec::encode;
use super::remembered::Remembered;
use super::schema::Table;
use redb::WriteTransaction;
use std::cell::RefCell;

/// The tables of the open transaction, each opened when first touched.
pub(super) struct Tables<'a> {
    txn: &'a WriteTransaction,
    open: Vec<RefCell<Option<OpenTable<'a>>>>,
    remembered: RefCell<Remembered>,
}

pub(super) type OpenTable<'a> = redb::Table<'a, &'static [u8], &'static [u8]>;

impl<'a> Tables<'a> {
    pub(super) fn new(txn: &'a WriteTransaction, remembered: Remembered) -> Self {
        Self {
            txn,
            open: Table::ALL.iter().map(|_| RefCell::new(None)).collect(),
            remembered: RefCell::new(remembered),
        }
    }

    /// What was read in this transaction and those before it. It holds once this one is committed.
    pub(super) fn into_remembered(self) -> Remembered {
        self.remembered.into_inner()
    }

    /// The same while it is open.
    pub(super) fn remembered(&self) -> &RefCell<Remembered> {
        &self.remembered
    }

    /// Gives one table to `act`, which writes to it.
    pub(super) fn with<T>(
        &self,
        table: Table,
        act: impl FnOnce(&mut OpenTable<'a>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.remembered.borrow_mut().forget(table);
        self.opened(table, act)
    }

    /// Gives one table to `act`, which reads it.
    pub(super) fn read<T>(
        &self,
        table: Table,
        act: impl FnOnce(&OpenTable<'a>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.opened(table, |table| act(table))
    }

    fn opened<T>(
        &self,
        table: Table,
        act: impl FnOnce(&mut OpenTable<'a>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let cell = self.open.get(table as usize);
        let cell = cell.ok_or_else(|| StoreError::BadRecord("no such table".to_owned()))?;
        let mut cell = cell.borrow_mut();
        if cell.is_none() {
            *cell = Some(self.txn.open_table(table.definition())?);
        }
        match cell.as_mut() {
            Some(open) => act(open),
            None => Err(StoreError::BadRecord("no such table".to_owned())),
        }
    }
}

/// Writes one record.
pub(super) fn put<T: serde::Serialize>(
    tables: &Tables<'_>,
    table: Table,
    key: &[u8],
    record: &T,
) -> Result<(), StoreError> {
    let bytes = encode(record)?;
    tables.with(table, |t| {
        t.insert(key, bytes.as_slice())?;
        Ok(())
    })
}
