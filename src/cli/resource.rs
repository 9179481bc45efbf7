//! `doorlight resource`: services that take access tokens (RFC 8707).

use super::{Failure, Shared, output, reach};
use crate::model::Algorithm;
use crate::server::administration::resources::{self, ResourceChanges};
use crate::server::api::control::Command;
use crate::server::api::describe;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List the services that tokens are for.
    List,
    /// Show one.
    Show {
        /// Its identifier.
        identifier: String,
    },
    /// Add one; nobody may ask for it until an application is named.
    #[command(
        after_help = "Example: doorlight resource add https://files.example.org --client Photos"
    )]
    Add(GivenArguments),
    /// Change one; what is not given stays.
    #[command(
        after_help = "Example: doorlight resource edit https://files.example.org --client Photos"
    )]
    Edit(GivenArguments),
    /// Remove one; no application gets tokens for it any more.
    Remove {
        /// Its identifier.
        identifier: String,
    },
}

#[derive(Args)]
pub(super) struct GivenArguments {
    /// What stands in tokens as their audience: an address without #, or a word.
    identifier: String,
    /// Shown to administrators, and to people whom an application that registered itself asks for it.
    #[arg(long)]
    name: Option<String>,
    /// Scopes that it knows, separated by spaces; empty: it takes any.
    #[arg(long)]
    scope: Option<String>,
    /// How long access tokens for it are good, 300 to 3600 (900 when it is added).
    #[arg(long, value_name = "SECONDS")]
    token_seconds: Option<u32>,
    /// What they are signed with: ES256 (when it is added) or RS256.
    #[arg(long, value_parser = algorithm)]
    alg: Option<Algorithm>,
    /// An application that may ask for it, by name or id; may be repeated; "" alone: none.
    #[arg(long = "client", value_name = "CLIENT")]
    clients: Vec<String>,
    /// An application that is this service: it may exchange tokens that it was sent; may be repeated; "" alone: none.
    #[arg(long = "server", value_name = "CLIENT")]
    servers: Vec<String>,
    /// Applications that registered themselves may ask for it too, once a person agrees: for an MCP server; "false": not.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true",
        require_equals = true
    )]
    registered_clients: Option<bool>,
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    Algorithm::parse(text).ok_or_else(|| "expected ES256 or RS256".to_owned())
}

pub(super) fn run(shared: &Shared, verb: Verb) -> Result<(), Failure> {
    let command = match verb {
        Verb::List => return list(shared),
        Verb::Show { identifier } => return show(shared, &identifier),
        Verb::Add(arguments) => {
            let (identifier, given) = given(arguments);
            Command::ResourceAdd { identifier, given }
        }
        Verb::Edit(arguments) => {
            let (identifier, given) = given(arguments);
            Command::ResourceEdit { identifier, given }
        }
        Verb::Remove { identifier } => Command::ResourceRemove { identifier },
    };
    let adds = matches!(command, Command::ResourceAdd { .. });
    let done = reach::write(shared, command)?;
    tell(shared, &done);
    if adds && done.get("clients") == Some(&json!([])) {
        let identifier = output::member(&done, "identifier");
        output::next(
            shared,
            &format!(
                "No application may ask for it yet: doorlight resource edit {identifier} --client NAME lets one."
            ),
        );
    }
    Ok(())
}

fn tell(shared: &Shared, resource: &Value) {
    let leaders = ["identifier", "name", "scope", "clients"].map(|name| (name, ""));
    output::led_by(shared, resource, &leaders);
}

fn given(arguments: GivenArguments) -> (String, ResourceChanges) {
    let some = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
    let given = ResourceChanges {
        name: arguments.name,
        scope: arguments.scope,
        token_seconds: arguments.token_seconds,
        alg: arguments.alg,
        clients: some(arguments.clients),
        servers: some(arguments.servers),
        registered_clients: arguments.registered_clients,
    };
    (arguments.identifier, given)
}

fn list(shared: &Shared) -> Result<(), Failure> {
    let resources = reach::read(shared, |view| Ok(view.resources()?))?;
    let resources: Vec<_> = resources.iter().map(describe::resource).collect();
    let columns = ["identifier", "name", "scope", "token_seconds", "alg"];
    output::table(shared, &resources, &columns);
    Ok(())
}

fn show(shared: &Shared, identifier: &str) -> Result<(), Failure> {
    let value = reach::read(shared, |view| {
        Ok(describe::resource(&resources::find(view, identifier)?))
    })?;
    tell(shared, &value);
    Ok(())
}
