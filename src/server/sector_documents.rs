//! The document of a sector, fetched before a client is saved (OpenID Connect Dynamic Client Registration §5). Not here:
//! when it is needed and what it must say (`oauth::clients::sector`), how a call is bounded (`ops::outbound`).

use super::context::Context;
use crate::model::{AdminError, Event, EventKind, Settings};
use crate::oauth::clients::sector::{self, Document, Sectors};
use crate::ops::clock;
use crate::ops::outbound::{self, OutboundError};
use crate::store::{StoreError, View};

/// Why there is no document.
pub enum Missing {
    /// A rule said no, or the call failed; beside the setting.
    Invalid(AdminError),
    /// The file could not be read.
    Store(StoreError),
}

/// Fetches it. A call that our own rules refuse is recorded; `of` says on whose behalf it was.
pub fn fetch(
    ctx: &Context,
    uri: &str,
    of: impl FnOnce(Event) -> Event,
) -> Result<Document, Missing> {
    let settings = ctx.settings().map_err(Missing::Store)?;
    let allowed = &settings.outbound_hosts;
    sector::host_of(uri, allowed).map_err(Missing::Invalid)?;
    match outbound::get_texts(uri, allowed) {
        Ok(lists) => Ok(Document {
            uri: uri.to_owned(),
            lists,
        }),
        Err(error) => {
            if let OutboundError::Refused(why) = &error {
                let detail = format!("{uri}: {why}");
                ctx.record_refusal(of(Event::refused(
                    EventKind::OutboundCall,
                    clock::now(),
                    detail,
                )));
            }
            let why = format!("the document there could not be used: {error}");
            Err(Missing::Invalid(AdminError::invalid(
                "sector_identifier_uri",
                why,
            )))
        }
    }
}

/// What a sector is made with, as of a view.
pub fn sectors(view: &View<'_>, document: Option<Document>) -> Result<Sectors, StoreError> {
    let settings: Option<Settings> = view.settings()?;
    let (key, allowed) = match settings {
        Some(settings) => (settings.subject_key, settings.outbound_hosts),
        None => Default::default(),
    };
    Ok(Sectors {
        key,
        document,
        allowed,
    })
}
