//! The audit log, as an administrator reads it: what to show, and the lines of an export.

use super::OperationError;
use crate::model::{AdminError, Event, EventKind, Outcome, quoted};
use crate::store::{EventFilter, EventPage, Store, StoreError, View};
use crate::types::{UserId, Username, WireClientId};
use serde_json::{Value, json};
use std::io::{self, Read};

/// What to show, as it is asked for; empty texts ask for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A person's name or id.
    pub person: String,
    /// An application's name or id.
    pub application: String,
    /// A kind as it is stored.
    pub kind: String,
    /// `success`, or `refused` or `failure`.
    pub outcome: String,
    /// The id of a request.
    pub request: String,
}

impl Wanted {
    /// Looks names up, of which there may be events still where nobody has them any more. A kind, an outcome or a request
    /// that there cannot be is refused: an empty list would say that nothing had happened.
    pub fn filter(&self, view: &View<'_>) -> Result<EventFilter, OperationError> {
        let mut filter = EventFilter::default();
        let person = self.person.trim();
        if let Ok(id) = person.parse::<UserId>() {
            filter.user = Some(id);
        } else if !person.is_empty() {
            let known = match person.parse::<Username>() {
                Ok(name) => view.user_by_name(&name)?,
                Err(_) => None,
            };
            match known {
                Some(user) => filter.user = Some(user.id),
                None => filter.username = Some(person.to_owned()),
            }
        }
        let application = self.application.trim();
        // A name of an application reads like a client id that another server gave.
        let id = application.parse::<WireClientId>().ok();
        if let Some(id) = id.filter(|id| id.given().is_none()) {
            filter.client = Some(id.key());
        } else if !application.is_empty() {
            match super::clients::find_in(view, application) {
                Ok(client) => filter.client = Some(client.id),
                Err(OperationError::Admin(_)) => filter.client_name = Some(application.to_owned()),
                Err(other) => return Err(other),
            }
        }
        if !self.kind.is_empty() {
            filter.kind = Some(EventKind::parse(&self.kind).ok_or_else(|| no_kind(&self.kind))?);
        }
        if !self.request.trim().is_empty() {
            let id = self.request.trim().parse();
            filter.request = Some(id.map_err(|why| AdminError::invalid("request", why))?);
        }
        filter.outcome = match self.outcome.as_str() {
            "" => None,
            "success" => Some(Outcome::Success),
            "refused" | "failure" => Some(Outcome::Refused),
            other => {
                let why = format!("there is no “{}”, only success and refused", quoted(other));
                return Err(AdminError::invalid("outcome", why).into());
            }
        };
        Ok(filter)
    }

    /// One page of events, newest first, from before `before`.
    pub fn page(
        &self,
        view: &View<'_>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<EventPage, OperationError> {
        Ok(view.events(&self.filter(view)?, before, limit)?)
    }
}

fn no_kind(asked: &str) -> AdminError {
    let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let (asked, kinds) = (quoted(asked), kinds.join(", "));
    AdminError::invalid("kind", format!("there is no “{asked}”; there are {kinds}"))
}

/// One event as one JSON value: as stored, with its key and its time for people and machines alike (RFC 3339).
pub fn line(key: u64, event: &Event) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    let moment = i64::try_from(event.time.millis())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    if let (Some(object), Some(moment)) = (value.as_object_mut(), moment) {
        // Above 2^53: a number would lose its end in many readers.
        object.insert("id".to_owned(), json!(key.to_string()));
        object.insert(
            "time".to_owned(),
            json!(moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
        );
    }
    value
}

/// Events that an export reads at a time: it holds no snapshot while a slow reader takes its time.
const AT_A_TIME: usize = 500;

/// JSON lines, newest first, read from the file page by page.
pub struct Export {
    store: Store,
    filter: EventFilter,
    before: Option<u64>,
    is_over: bool,
    ready: io::Cursor<Vec<u8>>,
}

impl Export {
    /// Of the events that the filter admits.
    pub fn new(store: Store, filter: EventFilter) -> Self {
        Self {
            store,
            filter,
            before: None,
            is_over: false,
            ready: io::Cursor::default(),
        }
    }

    fn fill(&mut self) -> Result<bool, StoreError> {
        if self.is_over {
            return Ok(false);
        }
        let page = self
            .store
            .snapshot()?
            .view()
            .events(&self.filter, self.before, AT_A_TIME)?;
        let mut text = String::new();
        for (key, event) in &page.events {
            text.push_str(&line(*key, event).to_string());
            text.push('\n');
        }
        self.ready = io::Cursor::new(text.into_bytes());
        self.before = page.next;
        self.is_over = page.next.is_none();
        Ok(true)
    }
}

impl Read for Export {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if !self.fill().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
    }
}
