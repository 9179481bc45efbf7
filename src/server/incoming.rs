//! One request on its way through the server: where it is going, where it comes from, and who is asking.

use super::context::Context;
use super::cookies;
use super::restoring::{Fault, Received};
use super::routes::Route;
use crate::identity::session;
use crate::model::{Session, Settings, User};
use crate::store::{StoreError, View};
use crate::types::{Form, FormError, SessionId, Timestamp};
use rouille::Request;
use std::cell::Cell;
use std::net::IpAddr;

/// A request, its path below the issuer's, and the moment it was taken up.
pub struct Incoming<'a> {
    /// What every handler shares.
    pub ctx: &'a Context,
    /// As it came, but for its body.
    pub request: &'a Request,
    /// What came with it; the listener wipes it.
    pub body: &'a [u8],
    /// Below the issuer's path; begins with a slash.
    pub path: &'a str,
    /// Now, for all that this request decides.
    pub now: Timestamp,
    /// The row of the table that answers it, once it is found.
    pub route: Cell<Option<&'static Route>>,
    /// What was taken in of a body that is too large for memory.
    pub upload: Cell<Option<Result<Received, Fault>>>,
}

/// A browser with a session that holds.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who.
    pub user: User,
    /// Their session.
    pub session: Session,
}

impl<'a> Incoming<'a> {
    /// Takes a request up.
    pub fn new(
        ctx: &'a Context,
        request: &'a Request,
        body: &'a [u8],
        path: &'a str,
        now: Timestamp,
    ) -> Self {
        Self {
            ctx,
            request,
            body,
            path,
            now,
            route: Cell::new(None),
            upload: Cell::new(None),
        }
    }

    /// The client's address, as a trusted proxy reports it.
    pub fn address(&self) -> IpAddr {
        self.request.remote_addr().ip()
    }

    /// The method, of those that have a name here.
    pub fn known_method(&self) -> &'static str {
        let method = self.request.method();
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
        known
            .into_iter()
            .find(|known| *known == method)
            .unwrap_or("other")
    }

    /// The query.
    pub fn query(&self) -> Result<Form, FormError> {
        let query = self
            .request
            .raw_url()
            .split_once('?')
            .map_or("", |(_, query)| query);
        Form::parse(query.as_bytes())
    }

    /// The form in the body. Another media type is no form (RFC 6749 §3.2).
    pub fn form(&self) -> Result<Form, FormError> {
        if !self.has_media_type("application/x-www-form-urlencoded") {
            return if self.body.is_empty() {
                Ok(Form::default())
            } else {
                Err(FormError::Malformed)
            };
        }
        Form::parse(self.body)
    }

    /// Whether the body is said to be that. Parameters of a media type change nothing for those that are read here.
    pub fn has_media_type(&self, media_type: &str) -> bool {
        let media = self.request.header("Content-Type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case(media_type)
    }

    /// One of our cookies.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookies::read(self.request, name)
    }

    /// Who is signed in in this browser. Notes that the session was used; writes nothing.
    pub fn visitor(
        &self,
        view: &View<'_>,
        settings: &Settings,
    ) -> Result<Option<Visitor>, StoreError> {
        let Some(secret) = cookies::session_secret(self) else {
            return Ok(None);
        };
        let Some(session) = view.session(SessionId(secret.selector))? else {
            return Ok(None);
        };
        if session.hash != secret.hash() {
            return Ok(None);
        }
        let Some(user) = view.user(session.user)? else {
            return Ok(None);
        };
        if !session::holds(&session, &user, settings, self.now) {
            return Ok(None);
        }
        self.ctx.store.mark_seen(session.id, self.now);
        Ok(Some(Visitor { user, session }))
    }
}
