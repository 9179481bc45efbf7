//! What passwords and client secrets are kept under, read without the rest of their records.

use super::codec::decode;
use super::rows::Order;
use super::schema::Table;
use super::{StoreError, View};
use crate::model::ClientSecret;
use crate::types::Phc;
use serde::Deserialize;
use std::ops::Bound;

/// What is read of a person.
#[derive(Deserialize)]
struct Person {
    #[serde(default)]
    password: Option<Phc>,
}

/// What is read of an application.
#[derive(Deserialize)]
struct Application {
    #[serde(default)]
    secrets: Vec<ClientSecret>,
}

impl View<'_> {
    /// The slow hashes of `most` people and as many applications; the rest of a larger house is not looked at.
    pub fn slow_hashes(&self, most: usize) -> Result<Vec<Phc>, StoreError> {
        let mut hashes = Vec::new();
        self.each(Table::Users, most, |person: Person| {
            hashes.extend(person.password);
        })?;
        self.each(Table::Clients, most, |application: Application| {
            let slow = application
                .secrets
                .iter()
                .filter_map(|kept| kept.hash.slow());
            hashes.extend(slow.map(|phc| Phc::new(phc.to_owned())));
        })?;
        Ok(hashes)
    }

    fn each<T: for<'d> Deserialize<'d>>(
        &self,
        table: Table,
        most: usize,
        mut take: impl FnMut(T),
    ) -> Result<(), StoreError> {
        let (mut seen, mut failed) = (0, None);
        self.scan(
            table,
            Bound::Unbounded,
            Bound::Unbounded,
            Order::Up,
            |_, value| {
                seen += 1;
                match decode(value) {
                    Ok(record) => take(record),
                    Err(error) => failed = Some(error),
                }
                failed.is_none() && seen < most
            },
        )?;
        failed.map_or(Ok(()), Err)
    }
}
