//! The setup page's other way: a backup instead of a first administrator. It opens with the setup link, and only while
//! there is no administrator.
//! Owns: what the page asks for, what is said about a backup that cannot be used, and that the link is used up when one is
//! taken, not before. Not here: how the file comes in (`restoring`), what is done to it (`administration::restore`), how it
//! takes the data file's place (`cli::serve`).

use super::link::{self, Stopped};
use super::{failure, frame, setup, sign_in};
use crate::crypto::age::{AgeError, Identity, Key};
use crate::identity::enrolment;
use crate::model::Author;
use crate::ops::clock;
use crate::server::administration::restore::{self, RestoreError, Wishes};
use crate::server::administration::{Actor, Authority, people};
use crate::server::forms;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::multipart::Multipart;
use crate::server::respond::{self, Leads};
use crate::server::restoring::{Fault, LARGEST, Received};
use crate::store::OpenError;
use crate::store::encrypted::{Needs, Source, SourceError};
use crate::store::placed::{self, Placing};
use crate::types::{Form, LinkId, Secret};
use crate::views::{self, Restore, Restored};
use rouille::Response;

/// Why a backup was not taken: the field, and what to say beside it.
struct Unusable(&'static str, String);

/// `GET /setup/restore`.
pub fn show(incoming: &Incoming<'_>) -> Response {
    let query = incoming.query().unwrap_or_default();
    setup::answer(incoming, || {
        setup::is_open(incoming, &query)?;
        let visitor = sign_in::visitor(incoming)?;
        if let Some(way) = failure::under_another_name(incoming, visitor.as_ref()) {
            return Ok(way);
        }
        let form = views::Form::new();
        Ok(page(incoming, visitor.as_ref(), &query, form, 200))
    })
}

/// Whether the body of this request is to be taken, which is decided before a byte of it is read.
pub fn wanted(incoming: &Incoming<'_>) -> Option<Multipart> {
    let query = incoming.query().unwrap_or_default();
    let may = forms::same_origin(incoming) && setup::is_open(incoming, &query).is_ok();
    wanted_type(incoming).filter(|_| may)
}

fn wanted_type(incoming: &Incoming<'_>) -> Option<Multipart> {
    Multipart::of(incoming.request.header("Content-Type")?)
}

/// `POST /setup/restore`. The token of the link is in the query: it counts before there is a body.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    let query = incoming.query().unwrap_or_default();
    setup::answer(incoming, || {
        let visitor = sign_in::visitor(incoming)?;
        let visitor = visitor.as_ref();
        let upload = incoming.upload.take();
        let is_ours = match wanted_type(incoming) {
            Some(_) => forms::same_origin(incoming),
            // A form without a file, from wherever.
            None => incoming
                .form()
                .is_ok_and(|form| forms::is_ours(incoming, visitor, &form)),
        };
        if !is_ours {
            return Ok(failure::stale_form(incoming, visitor));
        }
        setup::is_open(incoming, &query)?;
        match upload {
            Some(Ok(received)) => restored(incoming, visitor, &query, received),
            Some(Err(Fault::Malformed)) => Ok(failure::malformed(incoming)),
            Some(Err(Fault::Write(why))) => {
                let mut form = views::Form::new();
                form.refuse("backup", views::capital(&placed::unwritten(&why)));
                Ok(page(incoming, visitor, &query, form, 422))
            }
            None if wanted(incoming).is_some() => Ok(failure::restore_busy(incoming)),
            None => Ok(failure::malformed(incoming)),
        }
    })
}

fn restored(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    query: &Form,
    received: Received,
) -> Result<Response, Stopped> {
    let sent = received.form.clone();
    if !forms::is_ours(incoming, visitor, &sent) {
        return Ok(failure::stale_form(incoming, visitor));
    }
    match made_ready(incoming, &received) {
        Ok(placing) => {
            use_up(incoming, query)?;
            received.hand_over(placing);
            Ok(done(incoming))
        }
        Err(Unusable(field, why)) => {
            let ticks = ["end_sessions", "replace_keys"];
            let mut form = views::Form::new();
            for name in ticks {
                form = form.with_tick(name, sent.has(name));
            }
            form.refuse(field, why);
            Ok(page(incoming, visitor, query, form, 422))
        }
    }
}

/// The backup in the clear beside the data file, checked, and with what is wished done to it.
fn made_ready(incoming: &Incoming<'_>, received: &Received) -> Result<Placing, Unusable> {
    if received.size == 0 {
        return Err(Unusable("backup", "Choose the backup.".to_owned()));
    }
    let config = &incoming.ctx.config;
    // Where the name leads: the file itself is replaced, not a link to it.
    let data = std::fs::canonicalize(&config.data).unwrap_or_else(|_| config.data.clone());
    let file = received
        .file
        .try_clone()
        .map_err(|error| unread(&SourceError::Read(error)))?;
    let source = Source::new(file).map_err(|error| unread(&error))?;
    let key = key(&received.form, source.needs())?;
    let placing = Placing::beside(&data).map_err(|error| unread(&SourceError::Write(error)))?;
    source
        .open_into(key.as_ref(), placing.file())
        .map_err(|error| match (&error, &key) {
            (SourceError::Age(AgeError::WrongKey), Some(Key::Passphrase(_))) => {
                Unusable("passphrase", "This is not its passphrase.".to_owned())
            }
            (SourceError::Age(AgeError::WrongKey), _) => {
                Unusable("identity", "This is not the key that opens it.".to_owned())
            }
            _ => unread(&error),
        })?;
    let wishes = Wishes {
        end_sessions: received.form.has("end_sessions"),
        replace_keys: received.form.has("replace_keys"),
        damaged_too: false,
    };
    let actor = Actor {
        name: NAME.to_owned(),
        address: Some(incoming.address()),
        authority: Authority::File,
    };
    restore::make_ready(config, &placing, wishes, &actor).map_err(|error| {
        log::warn!("a backup was not restored: {error}");
        Unusable(
            "backup",
            match error {
                // Not the backup's fault, and the place is the machine's.
                RestoreError::Unusable(OpenError::Io(..) | OpenError::Exposed(..))
                | RestoreError::Start(_)
                | RestoreError::Wish(_)
                | RestoreError::Io(..) => {
                    "It cannot be used; the log of the server says why.".to_owned()
                }
                error => views::capital(&format!("{error}.")),
            },
        )
    })?;
    Ok(placing)
}

/// Nobody's name stands for it yet.
const NAME: &str = "setup link";

fn unread(error: &SourceError) -> Unusable {
    Unusable("backup", views::capital(&format!("{error}.")))
}

/// What opens the backup: of the two fields the one that it asks for.
fn key(form: &Form, needs: Needs) -> Result<Option<Key>, Unusable> {
    let (passphrase, identity) = (form.text("passphrase"), form.text("identity").trim());
    let is_missing = |field, what: &str| Unusable(field, format!("The backup is encrypted {what}"));
    match (passphrase.is_empty(), identity.is_empty(), needs) {
        (true, true, Needs::Nothing) => Ok(None),
        (_, true, Needs::Identity) => Err(is_missing("identity", "to a key: it is needed here.")),
        (true, _, Needs::Passphrase) => Err(is_missing(
            "passphrase",
            "with a passphrase: it is needed here.",
        )),
        (false, _, Needs::Passphrase) => {
            Ok(Some(Key::Passphrase(Secret::new(passphrase.to_owned()))))
        }
        (_, false, Needs::Identity) => Identity::read_file(identity)
            .map(|identities| Some(Key::Identities(identities)))
            .map_err(|why| Unusable("identity", views::capital(&format!("{why}.")))),
        // Somebody may have put a plain one in its place.
        (_, _, Needs::Nothing) => Err(unread(&SourceError::NotEncrypted)),
    }
}

/// In the writer's turn, so that of two browsers with one link only one goes on.
fn use_up(incoming: &Incoming<'_>, query: &Form) -> Result<(), Stopped> {
    let token = link::token(query)?;
    let address = incoming.address();
    incoming.ctx.store.submit(move |view| {
        let by = Author {
            name: NAME.to_owned(),
            address: Some(address),
            now: clock::now(),
        };
        let link = view.link(LinkId(token.selector))?;
        let opened = enrolment::open(link.as_ref(), &token, by.now);
        let around = people::around(view, None, None)?;
        Ok(enrolment::give_way(opened, &around, &by))
    })??;
    Ok(())
}

fn page(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    query: &Form,
    form: views::Form,
    status: u16,
) -> Response {
    frame::with(incoming, visitor, "Restore a backup", |page| {
        let view = Restore {
            page,
            form,
            token: query.text("token").to_owned(),
            most_gib: LARGEST / (1024 * 1024 * 1024),
        };
        respond::page(status, Leads::Here, &view)
    })
}

fn done(incoming: &Incoming<'_>) -> Response {
    let page = frame::bare(incoming, "Restored");
    respond::page(200, Leads::Here, &Restored { page })
}
