//! `doorlight verify`: whether a backup, or the data file, is whole, and what it holds.

use super::lock::KeyArguments;
use super::socket::Socket;
use super::{Failure, Shared, output};
use crate::ops::inspection::{inspect, inspect_open};
use crate::store::OpenError;
use crate::store::placed;
use crate::store::verify::{Contents, verify_beside_writer};
use serde_json::{Map, Value, json};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The backup; without it, the data file. While a server writes a file its checksums cannot be checked: every record
    /// is.
    file: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArguments,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failure> {
    let path = arguments.file.as_ref().unwrap_or(&shared.config.data);
    let contents = looked_at(shared, path, &arguments.key)?;
    output::one(shared, &describe(&contents));
    let is_backup = arguments.file.is_some();
    if contents.is_whole() {
        output::next(shared, well(&contents, is_backup));
        return Ok(());
    }
    let path = path.display();
    let found = match faults(&contents) {
        1 => "one fault".to_owned(),
        faults => format!("{faults} faults"),
    };
    let advice = match is_backup {
        true => "keep another backup; doorlight restore --damaged-too takes what this one has",
        false => "put a backup that is whole in its place with doorlight restore",
    };
    Err(Failure(format!("{path} is damaged: {found}; {advice}")))
}

/// What to do with a file that is whole.
fn well(contents: &Contents, is_backup: bool) -> &'static str {
    match (is_backup, contents.checksums) {
        (true, true) => {
            "This file is whole: doorlight restore can put it in place of the data file."
        }
        (false, true) => "The data file is whole: doorlight backup makes a copy of it.",
        (_, false) => {
            "Every record is whole: stop the server and verify again to have the checksums looked at too."
        }
    }
}

fn looked_at(shared: &Shared, path: &Path, key: &KeyArguments) -> Result<Contents, Failure> {
    // A socket beside another file says nothing of it.
    let is_served = || {
        is_same(path, &shared.config.data)
            && Socket::connect(&path.with_extension("sock")).is_some()
    };
    let looked = match key.opened(path)? {
        (source, Some(key)) => {
            let scratch = placed::folder(&shared.config.data);
            let plain = source
                .open_nameless(Some(&key), scratch)
                .map_err(|error| Failure(format!("{}: {error}", path.display())))?;
            inspect_open(&plain, path)
        }
        (_, None) if is_served() => verify_beside_writer(path),
        (_, None) => inspect(path),
    };
    looked.map_err(|error| match error {
        OpenError::Corrupt(path, why) => Failure(format!("{} is damaged: {why}", path.display())),
        OpenError::Empty(path) if !is_same(&path, &shared.config.data) => Failure(format!(
            "{} is empty, and no backup; keep another one",
            path.display()
        )),
        other => other.into(),
    })
}

/// Whether two names lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| std::fs::metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
}

fn faults(contents: &Contents) -> u64 {
    contents
        .more_faults
        .saturating_add(u64::try_from(contents.faults.len()).unwrap_or(u64::MAX))
}

/// As `--json` prints it.
pub(super) fn describe(contents: &Contents) -> Value {
    let counts = contents.counts.iter();
    let mut members: Map<String, Value> = counts
        .map(|(name, count)| (name.clone(), json!(count)))
        .collect();
    let keys = contents.keys.iter();
    let keys: Vec<String> = keys
        .map(|(kid, alg)| format!("{kid} ({})", alg.as_str()))
        .collect();
    members.insert("whole".to_owned(), json!(contents.is_whole()));
    members.insert("checksums".to_owned(), json!(contents.checksums));
    members.insert("bytes".to_owned(), json!(contents.bytes));
    members.insert("keys_that_sign".to_owned(), json!(keys));
    if !contents.is_whole() {
        members.insert("faults".to_owned(), json!(contents.faults));
        members.insert("more_faults".to_owned(), json!(contents.more_faults));
    }
    Value::Object(members)
}
