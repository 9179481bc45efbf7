//! Refresh grant: rotation and replay detection. RFC 6749 §6, RFC 9700 §4.14.2, RFC 9449 §5.
//! Owns: when a family of refresh tokens dies. Not here: what a token looks like (`issue`), how it is stored
//! (`store::apply`).
//!
//! A family has one token that is not rotated, its leaf. Using the leaf makes a new one. A token that was rotated less
//! than 30 s ago, and whose successor is still the unused leaf, gets a fresh leaf too, because answers are lost; any
//! other use of a rotated token ends the family. A strict client's token is of no use without its key, and stays
//! (`sender`).

use super::code::{days, end};
use super::issue::Issued;
use super::{one, sender};
use crate::crypto::random::Fresh;
use crate::model::{
    Change, Client, Decision, Event, EventKind, Grant, GrantEnd, RefreshToken, Rotated,
};
use crate::oauth::error::TokenError;
use crate::oauth::standing::{self, Ground};
use crate::oauth::target;
use crate::types::{BearerSecret, Form, Id, RefreshTokenId, Scope, Thumbprint, Timestamp};
use std::time::Duration;

/// How long a rotated token may be presented again while its successor is unused (PROTOCOL, Token endpoint).
pub const GRACE: Duration = Duration::from_secs(30);

/// The form's parameters.
#[derive(Clone, Debug)]
pub struct Request {
    /// The token, split; `None` when it cannot be one of ours.
    pub token: Option<BearerSecret>,
    scope: Option<Scope>,
    resources: Vec<String>,
    /// What its sender proved.
    pub(super) key: Option<Thumbprint>,
}

impl Request {
    pub(super) fn parse(form: &Form) -> Result<Self, TokenError> {
        let token =
            one(form, "refresh_token")?.ok_or(TokenError::MissingParameter("refresh_token"))?;
        let scope = one(form, "scope")?
            .map(str::parse)
            .transpose()
            .map_err(|_| TokenError::InvalidScope)?;
        Ok(Self {
            token: BearerSecret::parse(token),
            scope,
            resources: form.all("resource").map(str::to_owned).collect(),
            key: None,
        })
    }
}

/// What the store knows of the presented token.
#[derive(Clone, Debug)]
pub struct Family {
    /// The record of the presented selector.
    pub token: RefreshToken,
    /// The record of its successor, where it was rotated.
    pub successor: Option<RefreshToken>,
    /// Its grant.
    pub grant: Grant,
}

/// Random values for one refresh.
#[derive(Clone, Copy)]
pub struct FreshTokens {
    /// For the access token's id.
    pub access: [u8; 10],
    /// For the new leaf.
    pub refresh: Fresh,
}

/// Decides over a refresh token.
pub fn decide(
    family: Option<Family>,
    ground: Ground<'_>,
    client: &Client,
    request: &Request,
    fresh: FreshTokens,
    now: Timestamp,
) -> Decision<Issued, TokenError> {
    let event = |why: &str| Event::refused(EventKind::TokenRefreshed, now, why).client(client);
    let refuse = |error: TokenError, why: &str| Decision::refuse(error, event(why));

    let (Some(family), Some(presented)) = (family, &request.token) else {
        return refuse(
            TokenError::InvalidRefreshToken("unknown"),
            "unknown refresh token",
        );
    };
    let Family {
        token,
        successor,
        grant,
    } = family;
    if token.hash != presented.hash() {
        return refuse(
            TokenError::InvalidRefreshToken("unknown"),
            "unknown refresh token",
        );
    }
    // RFC 6749 §10.4: bound to the client it was issued to; another's presentation changes nothing.
    if grant.client != client.id {
        return refuse(
            TokenError::InvalidRefreshToken("foreign"),
            "the token was issued to another application",
        );
    }
    // Whoever does not hold the key may not touch it either, also where it was used before.
    if let Err(error) = sender::may_refresh(&grant, request.key) {
        return refuse(error, "the token is bound to a key that was not proved");
    }
    if let Some(rotated) = token.rotated
        && !in_grace(rotated, successor.as_ref(), now)
    {
        // Once the family has ended, whoever repeats the token finds nothing to end and changes nothing.
        if grant.ended.is_some() {
            return refuse(
                TokenError::InvalidRefreshToken("fallen"),
                "a used refresh token came back; its sign-in has ended already",
            );
        }
        let events = vec![
            event("a used refresh token came back; all tokens of this sign-in are revoked")
                .user_id(grant.user),
        ];
        let changes = vec![end(grant, GrantEnd::RefreshTokenReplayed, now)];
        return Decision {
            changes,
            events,
            reply: Err(TokenError::RefreshTokenReplayed),
        };
    }
    if now >= token.expires {
        return refuse(
            TokenError::InvalidRefreshToken("expired"),
            "the refresh token has expired",
        );
    }
    if let Err(fallen) = standing::of_grant(&grant, ground, now) {
        return refuse(TokenError::InvalidRefreshToken("fallen"), fallen.words());
    }
    let Some(user) = ground.user else {
        return refuse(
            TokenError::InvalidRefreshToken("fallen"),
            "the person is gone",
        );
    };
    // What the application may ask for today bounds what it was granted once.
    let granted = grant
        .scope
        .common_with(&target::scopes_of(client, &grant.resources));
    // RFC 6749 §6: the scope may narrow, never widen. The family keeps all of it.
    let scope = match &request.scope {
        Some(scope) if !scope.is_within(&granted) => {
            return refuse(TokenError::InvalidScope, "more scope than was granted");
        }
        Some(scope) if !scope.is_empty() => scope.clone(),
        _ => granted,
    };
    let Ok(resources) = target::granted(&request.resources, &grant.resources, client) else {
        return refuse(TokenError::InvalidTarget, "a resource that was not granted");
    };

    let mut changes = Vec::new();
    let bound = sender::of_family(client, grant.dpop_jkt, request.key);
    if bound != grant.dpop_jkt {
        changes.push(Change::PutGrant(Box::new(Grant {
            dpop_jkt: bound,
            ..grant.clone()
        })));
    }
    let expires = now.plus(days(client.refresh_idle_days)).min(grant.expires);
    let secret = if sender::rotates(client) || token.rotated.is_some() {
        let (secret, rotation) = rotate(token, successor, expires, fresh.refresh, now);
        changes.extend(rotation);
        Some(secret)
    } else {
        // Used, so it lasts on; the client keeps what it has.
        changes.push(Change::PutRefreshToken(Box::new(RefreshToken {
            expires,
            ..token
        })));
        None
    };

    let narrowed = Grant {
        scope,
        resources,
        ..grant
    };
    let issued = Issued::for_grant(&narrowed, user, client, fresh.access, now)
        .with_refresh(secret)
        .bound_to(request.key);
    let event = Event::success(EventKind::TokenRefreshed, now)
        .client(client)
        .user(user)
        .detail(issued.summary());
    Decision {
        changes,
        events: vec![event],
        reply: Ok(issued),
    }
}

/// A fresh leaf, and what becomes of the token that was presented and of its unused successor.
fn rotate(
    token: RefreshToken,
    successor: Option<RefreshToken>,
    expires: Timestamp,
    fresh: Fresh,
    now: Timestamp,
) -> (BearerSecret, Vec<Change>) {
    let secret = BearerSecret::new(Id::new(now, fresh.id), fresh.secret);
    let leaf = RefreshToken {
        id: RefreshTokenId(secret.selector),
        hash: secret.hash(),
        grant: token.grant,
        created: now,
        expires,
        rotated: None,
    };
    let rotated = |at| {
        Some(Rotated {
            at,
            successor: leaf.id,
        })
    };
    let at = token.rotated.map_or(now, |rotated| rotated.at);
    // In the grace window the unused successor gives way to the fresh leaf.
    let gone = [
        successor.map(|unused| RefreshToken {
            rotated: rotated(now),
            ..unused
        }),
        Some(RefreshToken {
            rotated: rotated(at),
            ..token
        }),
    ];
    let written = [leaf].into_iter().chain(gone.into_iter().flatten());
    let changes = written.map(|token| Change::PutRefreshToken(Box::new(token)));
    (secret, changes.collect())
}

fn in_grace(rotated: Rotated, successor: Option<&RefreshToken>, now: Timestamp) -> bool {
    let unused = successor.is_some_and(|s| s.id == rotated.successor && s.rotated.is_none());
    unused && now.is_within(GRACE, rotated.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Profile, User};
    use crate::oauth::testing::{NOW, client, grant, public_client, session, user};
    use std::collections::HashMap;

    /// A family played through by presenting tokens in turn.
    struct World {
        tokens: HashMap<RefreshTokenId, RefreshToken>,
        grant: Grant,
        user: User,
        client: Client,
        key: Option<Thumbprint>,
        drawn: u8,
        /// Of the last decision.
        changes: usize,
    }

    impl World {
        fn new() -> (Self, BearerSecret) {
            let first = BearerSecret::new(Id::new(NOW, [100; 10]), [100; 32]);
            let token = RefreshToken {
                id: RefreshTokenId(first.selector),
                hash: first.hash(),
                grant: grant(&client()).id,
                created: NOW,
                expires: NOW.plus(days(30)),
                rotated: None,
            };
            let world = Self {
                tokens: [(token.id, token)].into(),
                grant: grant(&client()),
                user: user(),
                client: client(),
                key: None,
                drawn: 0,
                changes: 0,
            };
            (world, first)
        }

        fn present(
            &mut self,
            secret: &BearerSecret,
            seconds: u64,
        ) -> Result<BearerSecret, TokenError> {
            self.ask(secret, None, seconds)
                .map(|issued| issued.refresh.unwrap())
        }

        fn ask(
            &mut self,
            secret: &BearerSecret,
            scope: Option<&str>,
            seconds: u64,
        ) -> Result<Issued, TokenError> {
            let now = NOW.plus(Duration::from_secs(seconds));
            self.drawn += 1;
            let fresh = FreshTokens {
                access: [self.drawn; 10],
                refresh: Fresh {
                    id: [self.drawn; 10],
                    secret: [self.drawn; 32],
                },
            };
            let token = self.tokens.get(&RefreshTokenId(secret.selector)).cloned();
            let family = token.map(|token| Family {
                successor: token
                    .rotated
                    .and_then(|r| self.tokens.get(&r.successor).cloned()),
                token,
                grant: self.grant.clone(),
            });
            let request = Request {
                token: Some(secret.clone()),
                scope: scope.map(|s| s.parse().unwrap()),
                resources: Vec::new(),
                key: self.key,
            };
            let (client, session) = (&self.client, session());
            let ground = Ground {
                client: Some(client),
                user: Some(&self.user),
                session: Some(&session),
            };
            let decision = decide(family, ground, client, &request, fresh, now);
            self.changes = decision.changes.len();
            for change in decision.changes {
                match change {
                    Change::PutRefreshToken(token) => drop(self.tokens.insert(token.id, *token)),
                    Change::PutGrant(grant) => self.grant = *grant,
                    other => panic!("{other:?}"),
                }
            }
            let leaves = self.tokens.values().filter(|t| t.rotated.is_none()).count();
            assert_eq!(leaves, 1, "a family has exactly one leaf");
            decision.reply
        }
    }

    #[test]
    fn replayed_refresh_token_revokes_its_family() {
        let (mut world, first) = World::new();
        let second = world.present(&first, 0).unwrap();
        let third = world.present(&second, 1).unwrap();
        assert_eq!(
            world.present(&first, 2).unwrap_err(),
            TokenError::RefreshTokenReplayed
        );
        assert_eq!(world.grant.ended.unwrap().1, GrantEnd::RefreshTokenReplayed);
        assert!(world.present(&third, 3).is_err());
    }

    /// Whoever had a rotated token and a public `client_id` could make the server rewrite the grant with every request.
    #[test]
    fn a_token_replayed_again_changes_nothing_once_its_family_has_ended() {
        let (mut world, first) = World::new();
        let second = world.present(&first, 0).unwrap();
        let _ = world.present(&second, 1).unwrap();
        assert_eq!(
            world.present(&first, 2).unwrap_err(),
            TokenError::RefreshTokenReplayed
        );
        assert_eq!(world.changes, 1);
        for seconds in [3, 4] {
            assert_eq!(
                world.present(&first, seconds).unwrap_err(),
                TokenError::InvalidRefreshToken("fallen")
            );
            assert_eq!(world.changes, 0);
        }
    }

    #[test]
    fn a_lost_answer_is_asked_for_again_within_the_grace_window() {
        let (mut world, first) = World::new();
        let lost = world.present(&first, 0).unwrap();
        let again = world.present(&first, 30).unwrap();
        assert!(world.present(&again, 31).is_ok());
        // The lost one was superseded by a token that has been used since: it is a replay.
        assert_eq!(
            world.present(&lost, 32).unwrap_err(),
            TokenError::RefreshTokenReplayed
        );
    }

    #[test]
    fn two_tabs_that_refresh_at_once_both_go_on() {
        let (mut world, first) = World::new();
        let one = world.present(&first, 0).unwrap();
        let _other = world.present(&first, 0).unwrap();
        assert!(world.present(&one, 10).is_ok());
        assert!(world.grant.ended.is_none());
    }

    #[test]
    fn the_grace_window_closes_after_thirty_seconds_or_with_the_successors_use() {
        let (mut world, first) = World::new();
        let _ = world.present(&first, 0).unwrap();
        assert_eq!(
            world.present(&first, 31).unwrap_err(),
            TokenError::RefreshTokenReplayed
        );
        let (mut world, first) = World::new();
        let second = world.present(&first, 0).unwrap();
        let _ = world.present(&second, 1).unwrap();
        assert_eq!(
            world.present(&first, 2).unwrap_err(),
            TokenError::RefreshTokenReplayed
        );
    }

    /// Until the clock came to where it had been, the window stood open: whoever stole a rotated
    /// token had all that time for it.
    #[test]
    fn the_grace_window_does_not_open_again_when_the_clock_is_set_back() {
        let (mut world, first) = World::new();
        let _ = world.present(&first, 3_600).unwrap();
        assert_eq!(
            world.present(&first, 0).unwrap_err(),
            TokenError::RefreshTokenReplayed
        );
    }

    #[test]
    fn rfc9449_section_5_a_public_clients_first_key_is_kept_and_another_changes_nothing() {
        let (one, other) = (
            Thumbprint::from_digest([1; 32]),
            Thumbprint::from_digest([2; 32]),
        );
        let (mut world, first) = World::new();
        world.client = public_client();
        world.key = Some(one);
        let second = world.present(&first, 0).unwrap();
        assert_eq!(world.grant.dpop_jkt, Some(one));
        for wrong in [None, Some(other)] {
            world.key = wrong;
            for (token, seconds) in [(&second, 1), (&first, 1), (&first, 100)] {
                let refused = world.present(token, seconds).unwrap_err();
                assert_eq!(refused, TokenError::OtherKey);
                assert_eq!(world.changes, 0);
            }
        }
        world.key = Some(one);
        assert!(world.present(&second, 100).is_ok());
    }

    #[test]
    fn a_strict_clients_token_stays_and_is_used_for_as_long_as_it_is_used() {
        let (mut world, first) = World::new();
        world.grant.offline = true;
        world.client.profile = Profile::Strict;
        world.key = Some(Thumbprint::from_digest([1; 32]));
        for day in [0, 20, 40, 60] {
            let issued = world.ask(&first, None, day * 86_400).unwrap();
            assert!(issued.refresh.is_none());
        }
        assert!(world.ask(&first, None, 91 * 86_400).is_err());
        assert_eq!(world.grant.dpop_jkt, None, "a confidential client's");
    }

    #[test]
    fn a_client_that_becomes_strict_keeps_the_rules_of_what_was_rotated() {
        let (mut world, first) = World::new();
        let _lost = world.present(&first, 0).unwrap();
        world.client.profile = Profile::Strict;
        // Nobody knows the verifier of a successor whose answer was lost: there must be another.
        let again = world.present(&first, 1).unwrap();
        assert!(world.ask(&again, None, 2).unwrap().refresh.is_none());
        assert_eq!(
            world.present(&first, 100).unwrap_err(),
            TokenError::RefreshTokenReplayed
        );
    }

    #[test]
    fn rfc6749_section_6_scope_may_narrow_and_never_widen() {
        let (mut world, first) = World::new();
        assert_eq!(
            world.ask(&first, Some("openid groups"), 0).unwrap_err(),
            TokenError::InvalidScope
        );
        let narrowed = world.ask(&first, Some("openid"), 1).unwrap();
        assert_eq!(narrowed.scope.to_string(), "openid");
        // The family keeps the whole of it.
        let whole = world.ask(&narrowed.refresh.unwrap(), None, 2).unwrap();
        assert_eq!(whole.scope.to_string(), "email openid");
    }

    #[test]
    fn an_unknown_foreign_or_expired_token_changes_nothing() {
        let (mut world, first) = World::new();
        let wrong = BearerSecret::new(first.selector, [1; 32]);
        let unknown = BearerSecret::new(Id::new(NOW, [55; 10]), [1; 32]);
        assert!(world.present(&wrong, 0).is_err());
        assert!(world.present(&unknown, 0).is_err());
        assert!(world.present(&first, 31 * 86_400).is_err());
        world.grant.client = crate::types::ClientId(Id::new(NOW, [77; 10]));
        assert!(world.present(&first, 0).is_err());
        assert!(world.grant.ended.is_none());
    }
}
