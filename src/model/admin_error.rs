//! Why an administrative change did not happen. Shown to administrators only.

use std::fmt;

/// The one error of the admin page, the command line and the control socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminError {
    /// No such thing: what, and by which name it was asked for.
    NotFound {
        /// "person", "application", "group", …
        what: &'static str,
        /// As it was given.
        name: String,
    },
    /// The name is taken.
    NameTaken(String),
    /// A value that cannot be stored: the field's name, and what is wrong with it.
    Invalid {
        /// Lower-snake name, as in forms and flags.
        field: &'static str,
        /// For the person who typed it.
        message: String,
    },
    /// The last enabled administrator would be gone.
    LastAdministrator,
    /// Who asked for it is an administrator no longer, or was signed out.
    NoAdministrator,
    /// It touches an administrator, or an application that may administer, and a token asked for it.
    NotByToken,
    /// The form was filled from something that somebody changed since.
    ChangedMeanwhile,
    /// There is an administrator already.
    AlreadySetUp,
    /// A client has two live secrets already.
    TwoSecrets,
    /// No backup was made: why, in a sentence.
    NoBackup(String),
}

impl AdminError {
    /// A value that cannot be stored.
    pub fn invalid(field: &'static str, message: impl fmt::Display) -> Self {
        Self::Invalid {
            field,
            message: message.to_string(),
        }
    }
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { what, name } => write!(f, "there is no {what} {name:?}"),
            Self::NameTaken(name) => write!(f, "the name {name:?} is taken"),
            Self::Invalid { field, message } => write!(f, "{field}: {message}"),
            Self::LastAdministrator => {
                f.write_str("this is the last administrator; make another one first")
            }
            Self::NoAdministrator => f.write_str("you are an administrator no longer"),
            Self::NotByToken => f.write_str(
                "a token neither makes nor changes an administrator or an application that may administer; sign in to the \
                 admin page for that, or use the command line on the machine",
            ),
            Self::ChangedMeanwhile => f.write_str(
                "this was changed meanwhile, and nothing was saved; below is what is stored now",
            ),
            Self::AlreadySetUp => f.write_str(
                "Doorlight is set up already; for a forgotten password make a link with `doorlight user link NAME`",
            ),
            Self::NoBackup(why) => write!(f, "no backup was made: {why}"),
            Self::TwoSecrets => {
                f.write_str("the application has two secrets already; remove the old one first")
            }
        }
    }
}

impl std::error::Error for AdminError {}
