//! `doorlight backups`: the backups that Doorlight makes by itself. One by hand: `backup`.

use super::{Failure, Shared, output, reach};
use crate::ops::clock;
use crate::server::administration::backups::{self, BackupChanges, Recorded};
use crate::server::api::control::Command;
use crate::server::api::describe;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Say what is set, what became of it and when the next one is due.
    Show,
    /// Set where to, when and how many are kept: what is given changes. The folder is tried out first.
    #[command(after_help = "Example: doorlight backups set --folder /mnt/usb/doorlight --at 04:30")]
    Set(SetArguments),
    /// Make no more backups; those that there are stay.
    Off,
    /// Make one now, as the schedule would.
    Run,
}

#[derive(Args)]
pub(super) struct SetArguments {
    /// The folder that they go to, best on another disk than the data file.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// When, each day: hours and minutes in UTC [as long as nothing is set: 03:00].
    #[arg(long, value_name = "HH:MM")]
    at: Option<String>,
    /// Days of which the latest backup is kept [as long as nothing is set: 7].
    #[arg(long)]
    daily: Option<u32>,
    /// The same for weeks [as long as nothing is set: 4].
    #[arg(long)]
    weekly: Option<u32>,
    /// The same for months [as long as nothing is set: 12].
    #[arg(long)]
    monthly: Option<u32>,
    /// Encrypt them to this public key (age1…); more than once for several, "" for none.
    #[arg(long, value_name = "KEY")]
    recipient: Vec<String>,
}

pub(super) fn run(shared: &Shared, verb: Verb) -> Result<(), Failure> {
    let command = match verb {
        Verb::Show => return show(shared),
        Verb::Set(arguments) => Command::BackupsSet {
            given: changes(arguments)?,
        },
        Verb::Off => Command::BackupsOff {},
        Verb::Run => Command::BackupsRun {},
    };
    tell(shared, &reach::write(shared, command)?);
    Ok(())
}

fn tell(shared: &Shared, state: &Value) {
    let leaders =
        ["folder", "next", "last_good", "last_good_file", "warning"].map(|name| (name, ""));
    output::led_by(shared, state, &leaders);
    if state.get("folder") == Some(&Value::Null) {
        output::next(
            shared,
            "Doorlight makes no backups by itself. To begin: doorlight backups set --folder FOLDER",
        );
    }
}

fn show(shared: &Shared) -> Result<(), Failure> {
    let data = &shared.config.data;
    let recorded = reach::read(shared, |view| Ok(Recorded::read(view)?))?;
    let state = backups::state(recorded, data, clock::now());
    tell(shared, &describe::backups(&state));
    Ok(())
}

/// A path of this shell's folder is another one for the server.
fn changes(arguments: SetArguments) -> Result<BackupChanges, Failure> {
    let folder = arguments
        .folder
        .map(|folder| {
            let whole = std::path::absolute(&folder)?;
            whole.into_os_string().into_string().map_err(|_| {
                Failure("the path of the folder has letters that are no UTF-8".to_owned())
            })
        })
        .transpose()?;
    let recipients = Some(arguments.recipient).filter(|recipients| !recipients.is_empty());
    Ok(BackupChanges {
        folder,
        at: arguments.at,
        daily: arguments.daily,
        weekly: arguments.weekly,
        monthly: arguments.monthly,
        recipients,
    })
}
