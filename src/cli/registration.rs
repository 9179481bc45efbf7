//! `doorlight registration`: applications that register themselves (RFC 7591).

use super::{Failure, Shared, output, reach};
use crate::model::RegistrationPolicy;
use crate::oauth::registration::initial_token::NewInitialToken;
use crate::server::api::control::Command;
use crate::server::api::describe;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Nobody may register an application but an administrator (the default).
    Off,
    /// Applications may register themselves with a token of `add-token`.
    Token,
    /// Any application may register itself, within limits.
    Open,
    /// Whether an application may be known by the address of a document that describes it: on or off (the default).
    /// Doorlight then fetches addresses that strangers choose.
    Documents {
        /// on or off.
        #[arg(value_parser = ["on", "off"])]
        state: String,
    },
    /// Say who may register, and whether documents are fetched.
    Show,
    /// Make a token for applications to register with; it is printed once.
    #[command(after_help = "Example: doorlight registration add-token --note tablet --days 7")]
    AddToken(AddTokenArguments),
    /// List the tokens.
    ListTokens,
    /// Take a token back; what it registered stays.
    RmToken {
        /// Its id, as `list-tokens` prints it.
        token: String,
    },
}

#[derive(Args)]
pub(super) struct AddTokenArguments {
    /// What it is for.
    #[arg(long, default_value = "")]
    note: String,
    /// Days that it is good for, 1 to 365.
    #[arg(long, default_value_t = 1)]
    days: u32,
    /// Applications that it may register, 1 to 1,000.
    #[arg(long, default_value_t = 1)]
    uses: u32,
}

pub(super) fn run(shared: &Shared, verb: Verb) -> Result<(), Failure> {
    let command = match verb {
        Verb::Off => set(RegistrationPolicy::Off),
        Verb::Token => set(RegistrationPolicy::Token),
        Verb::Open => set(RegistrationPolicy::Open),
        Verb::Documents { state } => Command::RegistrationDocuments { on: state == "on" },
        Verb::Show => return show(shared),
        Verb::ListTokens => return list(shared),
        Verb::AddToken(arguments) => Command::RegistrationAddToken {
            token: NewInitialToken {
                note: arguments.note,
                days: arguments.days,
                uses: arguments.uses,
            },
        },
        Verb::RmToken { token } => Command::RegistrationRemoveToken { token },
    };
    let makes_token = matches!(command, Command::RegistrationAddToken { .. });
    let done = reach::write(shared, command)?;
    if !makes_token {
        output::one(shared, &done);
        return Ok(());
    }
    let leaders = [
        ("token", "shown only now"),
        ("id", ""),
        ("uses_left", ""),
        ("expires", ""),
    ];
    output::to_copy(shared, &done, &leaders);
    if policy(shared)?.0 == RegistrationPolicy::Off {
        output::next(
            shared,
            "Nobody may register an application yet: doorlight registration token lets those who have a token.",
        );
    }
    Ok(())
}

fn set(policy: RegistrationPolicy) -> Command {
    Command::RegistrationSet { policy }
}

/// Who may register, and whether documents are fetched.
fn policy(shared: &Shared) -> Result<(RegistrationPolicy, bool), Failure> {
    let settings = reach::read(shared, |view| Ok(view.settings()?))?;
    Ok(
        settings.map_or((RegistrationPolicy::Off, false), |settings| {
            (settings.registration, settings.client_documents)
        }),
    )
}

fn show(shared: &Shared) -> Result<(), Failure> {
    let (policy, documents) = policy(shared)?;
    output::one(
        shared,
        &json!({ "registration": policy, "client_documents": documents }),
    );
    Ok(())
}

fn list(shared: &Shared) -> Result<(), Failure> {
    let tokens = reach::read(shared, |view| Ok(view.initial_tokens()?))?;
    let tokens: Vec<_> = tokens.iter().map(describe::initial_token).collect();
    output::table(shared, &tokens, &["id", "note", "uses_left", "expires"]);
    Ok(())
}
