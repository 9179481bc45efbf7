//! `/admin/sessions` and `/admin/grants`: who is signed in, and which application holds tokens for whom.

use super::desk::{self, Answer, Desk, Done};
use super::listing;
use crate::identity::session;
use crate::model::{Grant, Session, Settings, User};
use crate::oauth::standing;
use crate::server::administration::sessions as operations;
use crate::server::incoming::Visitor;
use crate::server::pages::home::browser_name;
use crate::server::pages::when::when;
use crate::server::respond::{self, Leads};
use crate::server::standing::Records;
use crate::store::{StoreError, View};
use crate::types::{GrantId, SessionId, Timestamp, Username};
use crate::views::admin::{GrantRow, SessionRow, Sessions};

const PATH: &str = "/admin/sessions";
/// Records that one page looks at.
const LOOKED_AT: usize = 2_000;

const DONE: &[Done] = &[
    ("session", "The session was ended."),
    ("grant", "The application lost its access."),
];

/// What the page shows: of one person, or of everybody.
struct Shown<'a> {
    view: View<'a>,
    settings: Settings,
    person: Option<User>,
    now: Timestamp,
}

/// `GET /admin/sessions`.
pub fn list(desk: &Desk<'_>) -> Answer {
    let incoming = desk.incoming;
    let query = incoming.query().unwrap_or_default();
    let wanted = query.text("person").trim();
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    let settings = view.settings_made()?;
    let person = match wanted.parse::<Username>() {
        Ok(name) => view.user_by_name(&name)?,
        Err(_) => None,
    };
    let nobody = !wanted.is_empty() && person.is_none();
    let shown = Shown {
        view,
        settings,
        person,
        now: incoming.now,
    };
    let (mut sessions, mut grants) = ((Vec::new(), None), (Vec::new(), None));
    if !nobody {
        sessions = shown.sessions(query.text("sessions").parse().ok(), desk.visitor)?;
        grants = shown.grants(query.text("grants").parse().ok())?;
    }
    let base = desk.base();
    let more = |name: &str, last: Option<String>| {
        last.map(|last| desk::address(base, PATH, &[("person", wanted), (name, &last)]))
    };
    let (more_sessions, more_grants) = (
        more("sessions", sessions.1.map(|id| id.to_string())),
        more("grants", grants.1.map(|id| id.to_string())),
    );
    Ok(desk.page("Sessions and tokens", DONE, |page| {
        let view = Sessions {
            page,
            person: wanted.to_owned(),
            sessions: sessions.0,
            grants: grants.0,
            more_sessions,
            more_grants,
        };
        respond::page(200, Leads::Here, &view)
    }))
}

/// `POST /admin/sessions/*/revoke`.
pub fn revoke(desk: &Desk<'_>) -> Answer {
    let id: Option<SessionId> = desk.named.parse().ok();
    let id = desk::known(id, "session", desk.named)?;
    operations::end_session(desk.ctx(), id, &desk.actor())?;
    Ok(desk.go(PATH, "session"))
}

/// `POST /admin/grants/*/revoke`.
pub fn revoke_grant(desk: &Desk<'_>) -> Answer {
    let id: Option<GrantId> = desk.named.parse().ok();
    let id = desk::known(id, "grant", desk.named)?;
    operations::end_grant(desk.ctx(), id, &desk.actor())?;
    Ok(desk.go(PATH, "grant"))
}

impl Shown<'_> {
    /// Sessions that hold, newest first, and the last one looked at where there may be more.
    fn sessions(
        &self,
        before: Option<SessionId>,
        visitor: &Visitor,
    ) -> Result<(Vec<SessionRow>, Option<SessionId>), StoreError> {
        let records = match &self.person {
            Some(user) => {
                let mut own = self.view.sessions_of(user.id, usize::MAX)?;
                own.retain(|session| before.is_none_or(|before| session.id < before));
                own
            }
            None => self.view.sessions(before, LOOKED_AT)?,
        };
        let (mut rows, mut last) = (Vec::new(), None);
        let whole = records.len() < LOOKED_AT || self.person.is_some();
        for record in records {
            if rows.len() == listing::ROWS {
                return Ok((rows, last));
            }
            last = Some(record.id);
            if let Some(user) = self.view.user(record.user)?
                && session::holds(&record, &user, &self.settings, self.now)
            {
                rows.push(session_row(&record, &user, visitor));
            }
        }
        Ok((rows, last.filter(|_| !whole)))
    }

    /// Grants that stand, likewise.
    fn grants(
        &self,
        before: Option<GrantId>,
    ) -> Result<(Vec<GrantRow>, Option<GrantId>), StoreError> {
        let records = match &self.person {
            Some(user) => {
                let mut own = self.view.grants_of(user.id, usize::MAX)?;
                own.retain(|grant| before.is_none_or(|before| grant.id < before));
                own
            }
            None => self.view.grants(before, LOOKED_AT)?,
        };
        let (mut rows, mut last) = (Vec::new(), None);
        let whole = records.len() < LOOKED_AT || self.person.is_some();
        for record in records {
            if rows.len() == listing::ROWS {
                return Ok((rows, last));
            }
            last = Some(record.id);
            rows.extend(self.grant_row(record)?);
        }
        Ok((rows, last.filter(|_| !whole)))
    }

    fn grant_row(&self, grant: Grant) -> Result<Option<GrantRow>, StoreError> {
        let client = self.view.client(grant.client)?;
        let records = Records::of_grant(&self.view, &grant, self.now)?;
        let ground = records.ground(client.as_ref());
        if standing::of_grant(&grant, ground, self.now).is_err() {
            return Ok(None);
        }
        let user = records.user;
        Ok(Some(GrantRow {
            id: grant.id.to_string(),
            person: user
                .map(|user| user.username.to_string())
                .unwrap_or_default(),
            application: client.map(|client| client.name).unwrap_or_default(),
            scopes: grant.scope.tokens().map(str::to_owned).collect(),
            since: when(grant.created),
            expires: when(grant.expires),
        }))
    }
}

fn session_row(session: &Session, user: &User, visitor: &Visitor) -> SessionRow {
    SessionRow {
        id: session.id.to_string(),
        person: user.username.to_string(),
        browser: browser_name(&session.user_agent),
        address: session.address.map(|a| a.to_string()).unwrap_or_default(),
        since: when(session.created),
        seen: when(session.last_seen),
        current: session.id == visitor.session.id,
    }
}
