//! `doorlight user`: people.

use super::{Failure, Shared, output, password, reach};
use crate::server::administration::people::{self, NewPerson};
use crate::server::api::control::{Command, Password};
use crate::server::api::describe;
use clap::Subcommand;
use serde_json::Value;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Add a person.
    #[command(
        after_help = "Example: doorlight user add anna --no-password --email anna@example.org --group family"
    )]
    Add {
        /// The name they sign in with.
        name: String,
        /// Their email address; taken as verified.
        #[arg(long)]
        email: Option<String>,
        /// Their full name.
        #[arg(long)]
        full_name: Option<String>,
        /// A group; may be repeated.
        #[arg(long = "group")]
        groups: Vec<String>,
        /// May use the admin page.
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
        /// Set no password: make a one-time link afterwards (`user link`).
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
    },
    /// List people.
    List,
    /// Show one person.
    Show {
        /// Name or id.
        name: String,
    },
    /// Set a password; ends the person's sessions.
    Passwd {
        /// Name or id.
        name: String,
        /// Read it from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Shut a person out, without deleting anything.
    Disable {
        /// Name or id.
        name: String,
    },
    /// Let them in again.
    Enable {
        /// Name or id.
        name: String,
    },
    /// Delete a person.
    Rm {
        /// Name or id.
        name: String,
    },
    /// Make a one-time link with which a person chooses a password.
    Link {
        /// Name or id.
        name: String,
    },
}

pub(super) fn run(shared: &Shared, verb: Verb) -> Result<(), Failure> {
    let command = match verb {
        Verb::List => return list(shared),
        Verb::Show { name } => return show(shared, &name),
        Verb::Add {
            name,
            email,
            full_name,
            groups,
            admin,
            password_stdin,
            no_password,
        } => {
            let password = if no_password {
                None
            } else {
                Some(Password(password::read(password_stdin)?))
            };
            let person = NewPerson {
                username: name,
                name: full_name,
                email,
                groups,
                admin,
            };
            Command::UserAdd { person, password }
        }
        Verb::Passwd {
            name,
            password_stdin,
        } => Command::UserPasswd {
            user: name,
            password: Password(password::read(password_stdin)?),
        },
        Verb::Disable { name } => Command::UserDisable { user: name },
        Verb::Enable { name } => Command::UserEnable { user: name },
        Verb::Rm { name } => Command::UserRemove { user: name },
        Verb::Link { name } => Command::UserLink { user: name },
    };
    let (adds, makes_link) = (
        matches!(command, Command::UserAdd { .. }),
        matches!(command, Command::UserLink { .. }),
    );
    let said = said(&command);
    let done = reach::write(shared, command)?;
    let name = output::member(&done, "username");
    match said {
        _ if shared.json => output::one(shared, &done),
        Some(said) => output::line(&format!("{name} {said}")),
        None if makes_link => {
            output::line(&output::member(&done, "url"));
            output::line(&format!(
                "Send {name} this link: it works once, within 24 hours, and whoever opens it chooses the password."
            ));
        }
        None => {
            output::one(shared, &done);
            if adds && done.get("has_password") == Some(&Value::Bool(false)) {
                output::line(&format!(
                    "{name} has no password yet: doorlight user link {name} makes a link to choose one."
                ));
            }
        }
    }
    Ok(())
}

/// What a verb did that has nothing else to show.
fn said(command: &Command) -> Option<&'static str> {
    Some(match command {
        Command::UserDisable { .. } => {
            "is switched off: nobody can sign in with that name, and its sessions and tokens have ended."
        }
        Command::UserEnable { .. } => "can sign in again.",
        Command::UserPasswd { .. } => "has the new password, and was signed out everywhere.",
        Command::UserRemove { .. } => "was deleted, with all sessions and tokens.",
        _ => return None,
    })
}

fn list(shared: &Shared) -> Result<(), Failure> {
    let users = reach::read(shared, |view| Ok(view.users_by_name("", usize::MAX)?))?;
    let users: Vec<_> = users.iter().map(describe::user).collect();
    output::table(
        shared,
        &users,
        &["username", "name", "email", "groups", "admin", "disabled"],
    );
    Ok(())
}

fn show(shared: &Shared, name: &str) -> Result<(), Failure> {
    let value = reach::read(shared, |view| {
        let user = people::find(view, name)?;
        let sessions = view.sessions_of(user.id, 1_000)?;
        Ok(describe::user_in_full(&user, &sessions))
    })?;
    output::one(shared, &value);
    Ok(())
}
