//! `doorlight restore`: puts a backup in place of the data file.

use super::lock::KeyArguments;
use super::socket::Socket;
use super::verify::describe;
use super::{Failure, Shared, complain, output};
use crate::crypto::age::Key;
use crate::model::BackupSettings;
use crate::server::administration::restore::{self, RestoreError, Wishes};
use crate::server::api::control;
use crate::store::ReadOnly;
use crate::store::encrypted::{Source, SourceError};
use crate::store::placed::{self, Placing};
use crate::store::restore::hold;
use clap::ArgAction;
use serde_json::json;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The backup.
    file: PathBuf,
    /// End all sessions and grants: everybody signs in again. Asked at a terminal where it is not given.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, action = ArgAction::Set)]
    end_sessions: Option<bool>,
    /// Make new signing keys and withdraw the old ones: for a backup that others may have seen. Asked at a terminal
    /// where it is not given.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, action = ArgAction::Set)]
    rotate_keys: Option<bool>,
    /// Take a backup in which verify finds faults, as long as it opens.
    #[arg(long)]
    damaged_too: bool,
    #[command(flatten)]
    key: KeyArguments,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failure> {
    // Where the name leads: the file itself is replaced, not a link to it.
    let mut config = shared.config.clone();
    let socket = config.socket();
    if let Ok(data) = std::fs::canonicalize(&config.data) {
        config.data = data;
    }
    if Socket::connect(&socket).is_some() {
        return Err(Failure(format!(
            "a server runs on {}: stop it first",
            config.data.display()
        )));
    }
    let (source, key) = arguments.key.opened(&arguments.file)?;
    let _held = hold(&config.data)?;
    let placing = opened(source, key.as_ref(), &config.data).map_err(|why| {
        let file = arguments.file.display();
        Failure(format!("{file}: {why}; nothing was restored"))
    })?;
    let wishes = Wishes {
        end_sessions: wished(
            arguments.end_sessions,
            "End all sessions, so that everybody signs in again?",
        )?,
        replace_keys: wished(
            arguments.rotate_keys,
            "Replace the signing keys, because others may have seen the backup?",
        )?,
        damaged_too: arguments.damaged_too,
    };
    let contents = restore::make_ready(&config, &placing, wishes, &control::command_line())
        .map_err(|error| {
            let file = arguments.file.display();
            Failure(match error {
                RestoreError::Damaged(_) => format!(
                    "{error}; nothing was restored: doorlight verify {file} tells all, and --damaged-too takes it anyway"
                ),
                error => format!("{file}: {error}; nothing was restored"),
            })
        })?;
    let backups = backups(placing.path())?;
    let kept = restore::put(placing, &config.data)?;
    if !shared.json {
        complain(&match &kept {
            Some(kept) => format!("the file before is kept as {}", kept.display()),
            None => {
                let path = std::path::absolute(&config.data)?;
                format!(
                    "there was no file before: the server has to be told --data {}",
                    path.display()
                )
            }
        });
    }
    if let Some(folder) = &backups.folder
        && !shared.json
    {
        complain(&who_reads(folder, &backups.recipients));
    }
    let carried_out = [
        (
            wishes.end_sessions,
            "all sessions and grants that the backup holds were ended: everybody signs in again",
        ),
        (
            wishes.replace_keys,
            "the signing keys of the backup were withdrawn, and new ones made",
        ),
    ];
    for (_, what) in carried_out
        .iter()
        .filter(|(wished, _)| *wished && !shared.json)
    {
        complain(what);
    }
    let mut done = describe(&contents);
    done["sessions_ended"] = json!(wishes.end_sessions);
    done["keys_replaced"] = json!(wishes.replace_keys);
    done["file"] = json!(config.data);
    done["replaced"] = json!(kept);
    done["backups_to"] = json!(backups.folder);
    done["backups_encrypted_to"] = json!(backups.recipients);
    output::one(shared, &done);
    output::next(
        shared,
        "The backup is the data file now: start the server, and sign in to see that all is there.",
    );
    Ok(())
}

/// The daily backups, as they came back with the file.
fn backups(data: &Path) -> Result<BackupSettings, Failure> {
    let settings = ReadOnly::open(data)?.snapshot()?.view().settings()?;
    Ok(settings
        .map(|settings| settings.backups)
        .unwrap_or_default())
}

/// Somebody whose key was taken out since reads them again.
fn who_reads(folder: &str, recipients: &[String]) -> String {
    let to = match recipients {
        [] => "not encrypted".to_owned(),
        some => format!("encrypted to {}", some.join(" ")),
    };
    format!(
        "daily backups go to {folder} as they did then, {to}; \"doorlight backups set\" changes that"
    )
}

/// The backup in the clear, on its way beside the data file.
fn opened(source: Source, key: Option<&Key>, data: &Path) -> Result<Placing, SourceError> {
    let beside = |error| SourceError::Scratch(placed::folder(data).to_owned(), error);
    let placing = Placing::beside(data).map_err(beside)?;
    match source.open_into(key, placing.file()) {
        Ok(_) => Ok(placing),
        Err(SourceError::Write(error)) => Err(beside(error)),
        Err(error) => Err(error),
    }
}

/// What the flag says, or the person at the terminal; else no.
fn wished(flag: Option<bool>, question: &str) -> Result<bool, Failure> {
    if let Some(wish) = flag {
        return Ok(wish);
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(false);
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}
