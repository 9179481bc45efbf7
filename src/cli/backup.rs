//! `doorlight backup`: a copy of the data file as it is now, while the server goes on.

use super::lock::LockArguments;
use super::{Failure, Shared, backups, complain, output, reach};
use crate::crypto::age::Lock;
use crate::ops::backup::file_name::{self, Form};
use crate::ops::backup::folder;
use crate::ops::clock;
use crate::server::administration::backups::OTHERS_READ;
use crate::store::backup::{self, BackupError};
use crate::store::placed;
use clap::Subcommand;
use serde_json::json;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where to: a file, whose older backup is replaced once the new one is whole; a folder, for a name with the date; or
    /// - for standard output.
    file: PathBuf,
    #[command(flatten)]
    lock: LockArguments,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failure> {
    mistaken(&arguments.file)?;
    let lock = arguments.lock.lock()?;
    let lock = lock.as_ref();
    if arguments.file == Path::new("-") {
        return to_output(shared, lock);
    }
    let target = if arguments.file.is_dir() {
        let form = match lock {
            Some(_) => Form::Encrypted,
            None => Form::Plain,
        };
        arguments.file.join(file_name::by_hand(clock::now(), form))
    } else {
        arguments.file.clone()
    };
    let data = &shared.config.data;
    let bytes = reach::read_whole(shared, |snapshot| {
        Ok(backup::to_file(snapshot, data, &target, lock, &|| true)?)
    })?;
    let found = std::fs::metadata(&target);
    if lock.is_none() && found.is_ok_and(|found| folder::others_read(&found)) {
        complain(&format!("{}: {OTHERS_READ}", target.display()));
    }
    output::one(
        shared,
        &json!({ "file": target, "bytes": bytes, "encrypted": lock.is_some() }),
    );
    Ok(())
}

/// `backup run` would make a copy called `run`, with every key in it, where `backups run` was meant.
fn mistaken(file: &Path) -> Result<(), Failure> {
    let verb = file
        .to_str()
        .filter(|name| backups::Verb::has_subcommand(name));
    let Some(verb) = verb.filter(|_| !file.exists()) else {
        return Ok(());
    };
    Err(Failure(format!(
        "did you mean doorlight backups {verb}? For a copy of that name say doorlight backup ./{verb}"
    )))
}

fn to_output(shared: &Shared, lock: Option<&Lock>) -> Result<(), Failure> {
    let mut out = stdout().lock();
    if out.is_terminal() {
        return Err(Failure(
            "a backup is no text: send it on, as in doorlight backup - > doorlight-backup.redb"
                .to_owned(),
        ));
    }
    let folder = placed::folder(&shared.config.data);
    reach::read_whole(shared, |snapshot| {
        match backup::write_to(snapshot, folder, &mut out, lock, &|| true) {
            Err(BackupError::Target(_, why)) => {
                Err(Failure(format!("the backup did not get through: {why}")))
            }
            done => Ok(done.map(|_| ())?),
        }
    })
}
