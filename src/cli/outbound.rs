//! `doorlight outbound`: hosts that Doorlight itself may call at home.

use super::{Failure, Shared, output, reach};
use crate::server::administration::outbound;
use crate::server::api::control::Command;
use clap::Subcommand;
use serde_json::json;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Allow calls to a host over plain http and at inner addresses.
    Allow {
        /// Without scheme, port and path.
        host: String,
    },
    /// Take that back.
    Deny {
        /// As `outbound list` shows it.
        host: String,
    },
    /// List the hosts that are allowed.
    List,
}

pub(super) fn run(shared: &Shared, verb: Verb) -> Result<(), Failure> {
    let (host, allowed) = match verb {
        Verb::List => return list(shared),
        Verb::Allow { host } => (host, true),
        Verb::Deny { host } => (host, false),
    };
    output::one(
        shared,
        &reach::write(shared, Command::OutboundSet { host, allowed })?,
    );
    Ok(())
}

fn list(shared: &Shared) -> Result<(), Failure> {
    let hosts = reach::read(shared, |view| Ok(outbound::list(view)?))?;
    let hosts: Vec<_> = hosts.iter().map(|host| json!({ "host": host })).collect();
    output::table(shared, &hosts, &["host"]);
    Ok(())
}
