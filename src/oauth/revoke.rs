//! Revocation. RFC 7009 §2: always 200, unless the client is wrong.
//! Owns: that a refresh token takes its family along, and an access token goes alone.

use super::introspect::AccessToken;
use super::token::code::end;
use crate::model::{
    Change, Client, Decision, Event, EventKind, Grant, GrantEnd, RefreshToken, Revocation,
};
use crate::oauth::error::TokenError;
use crate::types::{BearerSecret, Timestamp};

/// What the presented text turned out to be.
#[derive(Clone, Debug)]
pub enum Presented {
    /// A refresh token with its grant.
    Refresh(BearerSecret, RefreshToken, Box<Grant>),
    /// An access token whose signature holds, and whether it is revoked already.
    Access {
        /// The token.
        token: AccessToken,
        /// Its id is on the list.
        revoked: bool,
    },
    /// Nothing of ours (RFC 7009 §2.2: 200 all the same).
    Unknown,
}

/// Decides.
pub fn decide(client: &Client, presented: Presented, now: Timestamp) -> Decision<(), TokenError> {
    let done = |detail: &str| {
        Event::success(EventKind::TokenRevoked, now)
            .client(client)
            .detail(detail)
    };
    match presented {
        Presented::Unknown => Decision::reply(Ok(())),
        Presented::Refresh(secret, token, _) if token.hash != secret.hash() => {
            Decision::reply(Ok(()))
        }
        Presented::Refresh(_, _, grant) if grant.client != client.id => foreign(client, now),
        Presented::Refresh(_, _, grant) if grant.ended.is_some() => Decision::reply(Ok(())),
        Presented::Refresh(_, _, grant) => {
            let event = done("refresh token, with its whole family").user_id(grant.user);
            let changes = vec![end(*grant, GrantEnd::RevokedByClient, now)];
            Decision {
                changes,
                events: vec![event],
                reply: Ok(()),
            }
        }
        Presented::Access { token, .. } if !token.is_of(client) => foreign(client, now),
        Presented::Access { token, revoked } if revoked || now >= token.expires => {
            Decision::reply(Ok(()))
        }
        Presented::Access { token, .. } => {
            let entry = Revocation {
                token: token.token,
                expires: token.expires,
            };
            let event = done(&format!("access token {}", token.token));
            Decision {
                changes: vec![Change::PutRevocation(entry)],
                events: vec![event],
                reply: Ok(()),
            }
        }
    }
}

/// RFC 7009 §2.1: the token of another client is left alone, and the client is told.
fn foreign(client: &Client, now: Timestamp) -> Decision<(), TokenError> {
    let event = Event::refused(
        EventKind::TokenRevoked,
        now,
        "the token was issued to another application",
    );
    Decision::refuse(TokenError::ForeignToken, event.client(client))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{NOW, client, grant};
    use crate::types::{ClientId, Id, RefreshTokenId};

    fn presented(client: &Client) -> Presented {
        let secret = BearerSecret::new(Id::new(NOW, [1; 10]), [1; 32]);
        let token = RefreshToken {
            id: RefreshTokenId(secret.selector),
            hash: secret.hash(),
            grant: grant(client).id,
            created: NOW,
            expires: NOW,
            rotated: None,
        };
        Presented::Refresh(secret, token, Box::new(grant(client)))
    }

    #[test]
    fn a_refresh_token_takes_its_family_along() {
        let client = client();
        let decision = decide(&client, presented(&client), NOW);
        let [Change::PutGrant(grant)] = &decision.changes[..] else {
            panic!()
        };
        assert_eq!(grant.ended, Some((NOW, GrantEnd::RevokedByClient)));
        assert_eq!(decision.reply, Ok(()));
    }

    /// Every repetition once wrote the entry and its event again.
    #[test]
    fn what_is_revoked_already_is_not_revoked_again() {
        let Presented::Refresh(secret, token, grant) = presented(&client()) else {
            panic!()
        };
        let ended = Box::new(Grant {
            ended: Some((NOW, GrantEnd::RevokedByClient)),
            ..*grant
        });
        let access = |revoked| {
            let claims = serde_json::json!({
                "iss": "https://id.example", "client_id": client().id, "iat": NOW.secs(), "exp": NOW.secs() + 900,
                "jti": Id::new(NOW, [1; 10]).to_string(),
            });
            let claims = claims.as_object().unwrap().clone();
            let issuer = "https://id.example".parse().unwrap();
            let token = AccessToken::from_claims("at+jwt", claims, &issuer).unwrap();
            Presented::Access { token, revoked }
        };
        for again in [Presented::Refresh(secret, token, ended), access(true)] {
            let decision = decide(&client(), again, NOW);
            assert!(decision.changes.is_empty() && decision.events.is_empty());
            assert_eq!(decision.reply, Ok(()));
        }
        let first = decide(&client(), access(false), NOW);
        assert!(matches!(first.changes[..], [Change::PutRevocation(_)]));
    }

    #[test]
    fn rfc7009_section_2_1_another_clients_token_is_left_alone() {
        let other = Client {
            id: ClientId(Id::new(NOW, [50; 10])),
            ..client()
        };
        let decision = decide(&other, presented(&client()), NOW);
        assert!(decision.changes.is_empty());
        assert_eq!(decision.reply, Err(TokenError::ForeignToken));
    }

    #[test]
    fn rfc7009_section_2_2_an_unknown_token_is_no_error() {
        assert_eq!(decide(&client(), Presented::Unknown, NOW).reply, Ok(()));
        let Presented::Refresh(secret, token, grant) = presented(&client()) else {
            panic!()
        };
        let wrong = BearerSecret::new(secret.selector, [9; 32]);
        let decision = decide(&client(), Presented::Refresh(wrong, token, grant), NOW);
        assert!(decision.changes.is_empty() && decision.reply == Ok(()));
    }
}
