//! Whether a data file is whole: every page, every record, every row that belongs to another, every signing key.
//! The file is only read: what redb would write while it looks stays in memory (`rehearsal`).
//! Not here: what a record must say beyond that it reads (`oauth`, `identity` see to that when it is written).

use super::codec::decode;
use super::migrate::{self, Found};
use super::open::{self, CACHE_BYTES};
use super::panics;
use super::references;
use super::rehearsal::Rehearsal;
use super::schema::Table;
use super::view::{Snapshot, View};
use super::{OpenError, ReadOnly, StoreError};
use crate::crypto::keyring::LoadedKey;
use crate::model::{Algorithm, Settings, SigningKey};
use redb::{Builder, ReadableDatabase};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where redb writes what it never checks again, and what that is in every file of ours, as 32-bit numbers from the least
/// byte on: a page has 4,096 bytes, the head of a region no page, and a region 2^20 pages.
const GEOMETRY_AT: u64 = 12;
const GEOMETRY: [u8; 12] = [0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0];

/// Faults that are told singly; the others are counted.
const FAULTS_TOLD: usize = 20;

/// What a file holds, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether the checksum of every page was checked.
    pub checksums: bool,
    /// How many records of which kind, in words of people.
    pub counts: Vec<(String, u64)>,
    /// The signing keys that sign: `kid` and algorithm.
    pub keys: Vec<(String, Algorithm)>,
    /// What is wrong, the first ones in words; empty when it is whole.
    pub faults: Vec<String>,
    /// How many more there are.
    pub more_faults: u64,
}

impl Contents {
    /// Whether nothing is wrong with it.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    /// How many records of that kind it holds.
    pub fn count(&self, kind: &str) -> Option<u64> {
        let found = self.counts.iter().find(|(name, _)| name == kind);
        found.map(|(_, count)| *count)
    }

    pub(super) fn fault(&mut self, text: String) {
        if self.faults.len() < FAULTS_TOLD {
            self.faults.push(text);
        } else {
            self.more_faults += 1;
        }
    }
}

/// Kinds of records that a person would look for after a restore.
const COUNTED: &[(&str, Table)] = &[
    ("people", Table::Users),
    ("groups", Table::Groups),
    ("applications", Table::Clients),
    ("apis", Table::Resources),
    ("sessions", Table::Sessions),
    ("grants", Table::Grants),
    ("refresh_tokens", Table::RefreshTokens),
    ("signing_keys", Table::SigningKeys),
    ("events", Table::Events),
];

/// The same for a file by its name, as unit tests look.
#[cfg(test)]
pub(crate) fn verify(path: &Path) -> Result<Contents, OpenError> {
    verify_open(&open::readable(path)?, path)
}

/// Looks at every byte that counts. A file that is not Doorlight's, that is newer than this Doorlight, or whose damage
/// hides everything else, is an error; other damage stands in the answer. Nobody may be writing the file: see
/// [`verify_beside_writer`]. `place` is what it is called where something is wrong: it may have no name. Its position
/// stays where it is.
pub fn verify_open(file: &File, place: &Path) -> Result<Contents, OpenError> {
    open::refuse_without_magic(place, file)?;
    open::refuse_unservable(place, file)?;
    let io = |error| OpenError::Io(place.to_owned(), error);
    let backend = file.try_clone().and_then(Rehearsal::of).map_err(io)?;
    let mut contents = look(place, backend)?;
    let mut geometry = [0; GEOMETRY.len()];
    file.read_exact_at(&mut geometry, GEOMETRY_AT).map_err(io)?;
    if geometry != GEOMETRY {
        contents.fault("the head of the file is damaged".to_owned());
    }
    Ok(contents)
}

fn look(path: &Path, backend: Rehearsal) -> Result<Contents, OpenError> {
    let bytes = backend.size();
    let looked = || {
        let mut db = open::guarded(path, || {
            Builder::new()
                .set_cache_size(CACHE_BYTES)
                .create_with_backend(backend)
        })?;
        // First: a damaged page may say anything of whose the file is, and of how new.
        let is_sound = open::guarded(path, || db.check_integrity())?;
        let found = open::found(path, &db)?;
        migrate::check(path, &found)?;
        if found == Found::Empty {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        let mut contents = Contents {
            bytes,
            checksums: true,
            ..Contents::default()
        };
        if !is_sound {
            contents.fault("pages of the file are damaged".to_owned());
        }
        let failed = |error: StoreError| OpenError::Corrupt(path.to_owned(), error.to_string());
        let snapshot = db.begin_read().map(Snapshot::new);
        let snapshot = snapshot.map_err(|error| failed(error.into()))?;
        records(&snapshot.view(), &mut contents).map_err(failed)?;
        Ok(contents)
    };
    // redb may panic on a damaged file, also while it lets go of it.
    panics::told(path, looked).unwrap_or_else(|| Err(OpenError::contradicting(path)))
}

/// The same for a file that a server is writing, without the checksums: redb uses pages of its own again at once, so that
/// they cannot be checked meanwhile. Every record is read.
pub fn verify_beside_writer(path: &Path) -> Result<Contents, OpenError> {
    let io = |error| OpenError::Io(path.to_owned(), error);
    let looked = || {
        let file = ReadOnly::open(path)?;
        let failed = |error: StoreError| OpenError::Corrupt(path.to_owned(), error.to_string());
        let mut contents = Contents {
            bytes: std::fs::metadata(path).map_err(io)?.len(),
            ..Contents::default()
        };
        let snapshot = file.snapshot().map_err(failed)?;
        records(&snapshot.view(), &mut contents).map_err(failed)?;
        Ok(contents)
    };
    panics::told(path, looked).unwrap_or_else(|| Err(OpenError::contradicting(path)))
}

fn records(view: &View<'_>, contents: &mut Contents) -> Result<(), StoreError> {
    for (name, table) in COUNTED {
        let count = view.count(*table)?;
        contents.counts.push(((*name).to_owned(), count));
    }
    settings(view, contents)?;
    keys(view, contents)?;
    references::check(view, contents)
}

fn settings(view: &View<'_>, contents: &mut Contents) -> Result<(), StoreError> {
    match view.settings() {
        Ok(Some(Settings { seal_key, .. })) if seal_key.bytes().len() == 32 => {}
        Ok(Some(_)) => contents.fault("settings: the key that seals forms is damaged".to_owned()),
        Ok(None) => contents.fault("settings: they are missing".to_owned()),
        Err(StoreError::BadRecord(_)) => contents.fault("settings: they do not read".to_owned()),
        Err(error) => return Err(error),
    }
    for (what, read) in [
        ("what became of backups", view.backup_record().map(drop)),
        (
            "the address of the last start",
            view.issuer_record().map(drop),
        ),
    ] {
        match read {
            Err(StoreError::BadRecord(_)) => {
                contents.fault(format!("settings: {what} does not read"));
            }
            read => read?,
        }
    }
    Ok(())
}

/// Each key must load, be the one that its name says, and sign so that its public half says yes.
fn keys(view: &View<'_>, contents: &mut Contents) -> Result<(), StoreError> {
    each(
        view,
        Table::SigningKeys,
        contents,
        |key, record: SigningKey, contents| {
            let name = named(key);
            let message = b"doorlight verify";
            match LoadedKey::load(&record) {
                Ok(loaded) if record.kid.as_bytes() != key => {
                    contents.fault(format!(
                        "signing_keys: {name} stands under another name than {}",
                        loaded.kid
                    ));
                }
                Ok(loaded) if loaded.verifies(message, &loaded.sign(message)) => {
                    contents.keys.push((record.kid, record.algorithm));
                }
                Ok(_) => contents.fault(format!("signing_keys: {name} does not sign")),
                Err(_) => contents.fault(format!("signing_keys: {name} is damaged")),
            }
            Ok(())
        },
    )
}

/// Visits the records of a table; one that does not read is a fault.
pub(super) fn each<T: DeserializeOwned>(
    view: &View<'_>,
    table: Table,
    contents: &mut Contents,
    mut visit: impl FnMut(&[u8], T, &mut Contents) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut failed = None;
    view.rows_after(table, &[], |key, value| {
        match decode(value) {
            Ok(record) => failed = visit(key, record, contents).err(),
            // What the decoder has to say may quote the record, and secrets in it.
            Err(_) => contents.fault(format!("{}: {} does not read", table.name(), named(key))),
        }
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)
}

/// A key of the file as a person may read it.
pub(super) fn named(key: &[u8]) -> String {
    if let Ok(id) = <[u8; 16]>::try_from(key) {
        return crate::types::Id::from_bytes(id).to_string();
    }
    match std::str::from_utf8(key) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => key.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
