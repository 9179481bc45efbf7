//! `doorlight restore`: puts a backup in place of the data file.

use super::socket::Socket;
use super::verify::describe;
use super::{Failure, Shared, complain, output};
use crate::server::administration::restore::{self, RestoreError, Wishes};
use crate::server::api::control;
use crate::store::placed::Placing;
use crate::store::restore::hold;
use clap::ArgAction;
use serde_json::json;
use std::fs::File;
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
    let _held = hold(&config.data)?;
    let placing = copied(&arguments.file, &config.data)?;
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
    let kept = restore::put(placing, &config.data)?;
    if let Some(kept) = &kept
        && !shared.json
    {
        complain(&format!("the file before is kept as {}", kept.display()));
    }
    let mut done = describe(&contents);
    done["file"] = json!(config.data);
    done["replaced"] = json!(kept);
    output::one(shared, &done);
    Ok(())
}

/// The backup, on its way beside the data file.
fn copied(file: &Path, data: &Path) -> Result<Placing, Failure> {
    let from = |error: io::Error| Failure(format!("{}: {error}", file.display()));
    let to = |error: io::Error| Failure(format!("{}: {error}", data.display()));
    let mut source = File::open(file).map_err(from)?;
    let placing = Placing::beside(data).map_err(to)?;
    io::copy(&mut source, &mut placing.file()).map_err(to)?;
    Ok(placing)
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
