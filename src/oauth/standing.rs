//! Whether what was granted still stands. One rule, asked at every refresh, introspection and userinfo request:
//! nothing has to be hunted down when a session ends or a person is disabled (PROTOCOL, Logout, last line).

use crate::model::{Client, Grant, Session, User};
use crate::types::Timestamp;

/// Why a grant no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallen {
    /// Revoked, replayed, or past its end.
    Ended,
    /// The application is gone, disabled, or its tokens were called back.
    Client,
    /// The person is gone, disabled, or their tokens were called back.
    User,
    /// The person left the groups that may use the application.
    Group,
    /// The session it hung on is over.
    Session,
}

impl Fallen {
    /// For the audit log.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ended => "the grant has ended",
            Self::Client => "the application is gone, disabled or was reset",
            Self::User => "the person is gone, disabled or was reset",
            Self::Group => "the person is in no group that may use the application",
            Self::Session => "the session is over",
        }
    }
}

/// What a grant hangs on.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Its client, if there is one.
    pub client: Option<&'a Client>,
    /// Its user, if there is one.
    pub user: Option<&'a User>,
    /// Its session, if it lives.
    pub session: Option<&'a Session>,
}

/// Whether the grant holds at `now`.
pub fn of_grant(grant: &Grant, ground: Ground<'_>, now: Timestamp) -> Result<(), Fallen> {
    if grant.ended.is_some() || now >= grant.expires {
        return Err(Fallen::Ended);
    }
    let client = ground
        .client
        .filter(|client| client.id == grant.client)
        .ok_or(Fallen::Client)?;
    of_client(client, grant.created)?;
    let user = ground
        .user
        .filter(|user| user.id == grant.user)
        .ok_or(Fallen::User)?;
    of_user(user, grant.created)?;
    if !may_use(user, client) {
        return Err(Fallen::Group);
    }
    if !grant.offline
        && ground
            .session
            .is_none_or(|session| session.id != grant.session || now >= session.expires)
    {
        return Err(Fallen::Session);
    }
    Ok(())
}

/// Whether a client's tokens from `issued` hold.
pub fn of_client(client: &Client, issued: Timestamp) -> Result<(), Fallen> {
    if client.disabled || issued < client.tokens_not_before {
        Err(Fallen::Client)
    } else {
        Ok(())
    }
}

/// Whether a person's tokens from `issued` hold.
pub fn of_user(user: &User, issued: Timestamp) -> Result<(), Fallen> {
    if user.disabled || issued < user.tokens_not_before {
        Err(Fallen::User)
    } else {
        Ok(())
    }
}

/// Whether the person is in a group that may use the application.
pub fn may_use(user: &User, client: &Client) -> bool {
    client.allowed_groups.is_empty() || !client.allowed_groups.is_disjoint(&user.groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GrantEnd;
    use crate::oauth::testing::{NOW, client, grant, session, user};
    use std::time::Duration;

    #[test]
    fn a_grant_falls_with_each_thing_it_hangs_on() {
        let (c, u, s) = (client(), user(), session());
        let g = grant(&c);
        let check = |g: &Grant, c: Option<&Client>, u: Option<&User>, s: Option<&Session>| {
            of_grant(
                g,
                Ground {
                    client: c,
                    user: u,
                    session: s,
                },
                NOW,
            )
        };
        assert_eq!(check(&g, Some(&c), Some(&u), Some(&s)), Ok(()));
        assert_eq!(check(&g, None, Some(&u), Some(&s)), Err(Fallen::Client));
        assert_eq!(check(&g, Some(&c), None, Some(&s)), Err(Fallen::User));
        assert_eq!(check(&g, Some(&c), Some(&u), None), Err(Fallen::Session));

        let later = g.created.plus(Duration::from_millis(1));
        let ended = Grant {
            ended: Some((NOW, GrantEnd::RevokedByClient)),
            ..g.clone()
        };
        assert_eq!(
            check(&ended, Some(&c), Some(&u), Some(&s)),
            Err(Fallen::Ended)
        );
        let disabled = Client {
            disabled: true,
            ..c.clone()
        };
        assert_eq!(
            check(&g, Some(&disabled), Some(&u), Some(&s)),
            Err(Fallen::Client)
        );
        let reset = User {
            tokens_not_before: later,
            ..u.clone()
        };
        assert_eq!(
            check(&g, Some(&c), Some(&reset), Some(&s)),
            Err(Fallen::User)
        );
        let closed = Client {
            allowed_groups: ["staff".parse().unwrap()].into(),
            ..c.clone()
        };
        assert_eq!(
            check(&g, Some(&closed), Some(&u), Some(&s)),
            Err(Fallen::Group)
        );
        let over = Session {
            expires: NOW,
            ..s.clone()
        };
        assert_eq!(
            check(&g, Some(&c), Some(&u), Some(&over)),
            Err(Fallen::Session)
        );
        let offline = Grant { offline: true, ..g };
        assert_eq!(check(&offline, Some(&c), Some(&u), None), Ok(()));
    }
}
