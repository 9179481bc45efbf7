//! Taking a backup into use: what is checked, and what is done to it before it becomes the data file.
//! Not here: how it takes the file's place (`store::restore`), where it comes from (`cli::restore`, the setup page).

use super::{Actor, OperationError, keys, sessions, submit};
use crate::config::Config;
use crate::crypto::random;
use crate::model::{AdminError, Change, Decision, EventKind, PrivateKey};
use crate::ops::backup::file_name;
use crate::ops::clock;
use crate::ops::inspection::inspect;
use crate::server::context::{Context, StartError};
use crate::store::placed::Placing;
use crate::store::verify::Contents;
use crate::store::{OpenError, restore};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What is to be done to the backup on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Nobody stays signed in, and no token that was issued before is good.
    pub end_sessions: bool,
    /// New signing keys, and the old ones withdrawn; and nothing else of the file that opens a door for whoever read it:
    /// what forms and known browsers are sealed with is new, and the tokens for measurements and for registering
    /// applications are gone.
    pub replace_keys: bool,
    /// Take one with faults too, as long as it opens.
    pub damaged_too: bool,
}

/// Why nothing was restored. The data file is as it was.
#[derive(Debug)]
pub enum RestoreError {
    /// It is no backup, or does not open.
    Unusable(OpenError),
    /// It opens, and is damaged.
    Damaged(Box<Contents>),
    /// It cannot be served.
    Start(StartError),
    /// A wish could not be fulfilled.
    Wish(OperationError),
    /// The file system says no.
    Io(PathBuf, io::Error),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(OpenError::Empty(_)) => f.write_str("this file is empty, and no backup"),
            Self::Unusable(OpenError::Foreign(_)) => f.write_str("this is no backup of Doorlight"),
            Self::Unusable(OpenError::Newer { found, known, .. }) => write!(
                f,
                "the backup was made by a newer Doorlight (format {found}, this one knows {known}): update Doorlight \
                 first"
            ),
            // Not its place: the file is on its way to another.
            Self::Unusable(OpenError::Corrupt(_, why))
            | Self::Start(StartError::Open(OpenError::Corrupt(_, why))) => {
                write!(f, "the backup is damaged: {why}")
            }
            Self::Unusable(error) => error.fmt(f),
            Self::Damaged(contents) => {
                let first = contents.faults.first().map_or("", String::as_str);
                write!(f, "the backup is damaged: {first}")
            }
            Self::Start(error) => error.fmt(f),
            Self::Wish(error) => error.fmt(f),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for RestoreError {}

/// Checks the unfinished file, opens it as a server would, which brings it to the format of this release, and does what is
/// wished. One-time links are not taken along: they may have been used since.
pub fn make_ready(
    config: &Config,
    placing: &Placing,
    wishes: Wishes,
    actor: &Actor,
) -> Result<Contents, RestoreError> {
    let contents = inspect(placing.path()).map_err(RestoreError::Unusable)?;
    if !contents.is_whole() && !wishes.damaged_too {
        return Err(RestoreError::Damaged(Box::new(contents)));
    }
    let ctx = Context::open(Config {
        data: placing.path().to_owned(),
        ..config.clone()
    })
    .map_err(RestoreError::Start)?;
    let done = fulfil(&ctx, wishes, actor);
    ctx.store.close();
    done.map_err(RestoreError::Wish)?;
    Ok(contents)
}

fn fulfil(ctx: &Context, wishes: Wishes, actor: &Actor) -> Result<(), OperationError> {
    let links = ctx.store.snapshot()?.view().links(usize::MAX)?;
    submit(ctx, actor, move |_, by| {
        Ok(Decision {
            changes: links
                .into_iter()
                .map(|link| Change::DeleteLink(link.id))
                .collect(),
            events: vec![by.did(EventKind::Restored)],
            reply: Ok(()),
        })
    })?;
    if wishes.end_sessions {
        sessions::end_everything(ctx, actor)?;
    }
    if wishes.replace_keys {
        keys::replace_all(ctx, actor)?;
        replace_house_secrets(ctx, actor)?;
    }
    Ok(())
}

/// The subject key stays: with another one everybody would be a stranger to the applications.
fn replace_house_secrets(ctx: &Context, actor: &Actor) -> Result<(), OperationError> {
    let seal_key: PrivateKey = random::bytes::<32>().to_vec().into();
    submit(ctx, actor, move |view, by| {
        let before = view.settings_made()?;
        let mut settings = before.clone();
        settings.seal_key = seal_key;
        settings.metrics_token = None;
        let tokens = view.initial_tokens()?;
        let words = format!(
            "restored with new secrets: {}: forms and known browsers of before are forgotten; tokens for \
             registering applications that were removed: {}",
            before.changes_to(&settings),
            tokens.len()
        );
        let mut changes = vec![Change::PutSettings(Box::new(settings))];
        changes.extend(
            tokens
                .iter()
                .map(|token| Change::DeleteInitialToken(token.id)),
        );
        Ok(Decision::<(), AdminError> {
            changes,
            events: vec![by.did(EventKind::SettingsChanged).detail(words)],
            reply: Ok(()),
        })
    })
}

/// Makes it the data file. Returns where the one before is kept.
pub fn put(placing: Placing, data: &Path) -> Result<Option<PathBuf>, RestoreError> {
    let moment = file_name::moment(clock::now());
    restore::put(placing, data, &moment).map_err(|error| RestoreError::Io(data.to_owned(), error))
}
