//! Loads what a grant hangs on, in the same way for every endpoint; whether it stands is `oauth::standing`'s to say.

use crate::identity::session;
use crate::model::{Client, Grant, Session, User};
use crate::oauth::standing::Ground;
use crate::store::{StoreError, View};
use crate::types::{SessionId, Timestamp, UserId};
use std::sync::Arc;

/// The person and their session, as of one view.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// The person.
    pub user: Option<Arc<User>>,
    session: Option<Session>,
}

impl Records {
    /// Those of a grant. One that lasts beyond its session does not ask for it.
    pub fn of_grant(view: &View<'_>, grant: &Grant, now: Timestamp) -> Result<Self, StoreError> {
        let session = (!grant.offline).then_some(grant.session);
        Self::load(view, grant.user, session, now)
    }

    /// Those named. A session that is idle for too long, or over in another way, is none.
    pub fn load(
        view: &View<'_>,
        user: UserId,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let user = view.shared_user(user)?;
        let session = match (session, &user) {
            (Some(id), Some(user)) => match (view.session(id)?, view.shared_settings()?) {
                (Some(session), Some(settings)) => {
                    Some(session).filter(|s| session::holds(s, user, &settings, now))
                }
                _ => None,
            },
            _ => None,
        };
        Ok(Self { user, session })
    }

    /// With their client, for the pure rooms.
    pub fn ground<'a>(&'a self, client: Option<&'a Client>) -> Ground<'a> {
        Ground {
            client,
            user: self.user.as_deref(),
            session: self.session.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Decision, Settings};
    use crate::oauth::standing::{Fallen, of_grant};
    use crate::oauth::testing::{NOW, client, grant, session, user};
    use crate::store::Store;
    use crate::store::testing::Folder;
    use std::time::Duration;

    /// Once, a session that was idle for too long still carried tokens until it was swept: the page said "over" while
    /// they worked.
    #[test]
    fn an_idle_session_carries_no_tokens() {
        let dir = Folder::new("standing");
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        let settings = Settings::new(vec![1; 32].into());
        let idle = Duration::from_secs(86_400) * settings.session_idle_days;
        let mut session = session();
        session.last_seen = NOW;
        session.expires = NOW.plus(idle * 3);
        let changes = vec![
            Change::PutSettings(Box::new(settings)),
            Change::PutUser(Box::new(user())),
            Change::PutSession(Box::new(session)),
        ];
        store
            .submit(move |_| {
                Ok(Decision {
                    changes,
                    events: Vec::new(),
                    reply: Ok::<(), ()>(()),
                })
            })
            .unwrap()
            .unwrap();
        let client = client();
        let mut grant = grant(&client);
        grant.expires = NOW.plus(idle * 3);
        let holds = |grant: &Grant, now: Timestamp| {
            let snapshot = store.snapshot().unwrap();
            let records = Records::of_grant(&snapshot.view(), grant, now).unwrap();
            of_grant(grant, records.ground(Some(&client)), now)
        };
        let before = NOW.plus(idle - Duration::from_secs(1));
        assert_eq!(holds(&grant, before), Ok(()));
        assert_eq!(holds(&grant, NOW.plus(idle)), Err(Fallen::Session));
        grant.offline = true;
        assert_eq!(holds(&grant, NOW.plus(idle)), Ok(()));
        store.close();
    }
}
