//! `doorlight clock`: the administrator's word on the clock of the machine.

use super::{Failure, Shared, output, reach};
use crate::server::api::control::Command;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Say that the clock is right, where Doorlight doubts it: what has expired by it is deleted then.
    Trust,
}

pub(super) fn run(shared: &Shared, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Trust => {
            output::one(shared, &reach::write(shared, Command::ClockTrust {})?);
            Ok(())
        }
    }
}
