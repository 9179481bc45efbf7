//! `doorlight keys`: signing keys.

use super::{Failure, Shared, output, reach};
use crate::model::Algorithm;
use crate::ops::clock;
use crate::server::administration::keys;
use crate::server::api::control::Command;
use crate::server::api::describe;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List keys.
    List,
    /// Make new keys that sign at once.
    Rotate {
        /// Of this algorithm only: ES256, RS256, or EdDSA where an application uses it.
        #[arg(long, value_parser = algorithm)]
        alg: Option<Algorithm>,
    },
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    Algorithm::parse(text).ok_or_else(|| "expected ES256, RS256 or EdDSA".to_owned())
}

pub(super) fn run(shared: &Shared, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::List => {
            let lines = reach::read(shared, |view| Ok(keys::list(view, clock::now())?))?;
            let lines: Vec<_> = lines.iter().map(describe::key).collect();
            output::table(shared, &lines, &["kid", "alg", "state", "until"]);
        }
        Verb::Rotate { alg } => {
            output::one(
                shared,
                &reach::write(shared, Command::KeysRotate { alg: *alg })?,
            );
        }
    }
    Ok(())
}
