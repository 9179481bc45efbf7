//! `doorlight clock`: the administrator's word on the clock of the machine.

use super::{Failure, Shared, output, reach};
use crate::server::api::control::Command;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Say that the clock is right, where Doorlight doubts it: what has expired by it is deleted then, and where it has gone
    /// back, what applications proved at that time before could be played again.
    Trust,
}

pub(super) fn run(shared: &Shared, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Trust => {
            let done = reach::write(shared, Command::ClockTrust {})?;
            output::one(shared, &done);
            if done["doubted"].is_null() {
                output::next(
                    shared,
                    "The clock was not in doubt: there was nothing to do.",
                );
            }
            Ok(())
        }
    }
}
