//! Browsers that a person signed in with before: a cookie that gives them a guess budget of their own (the "device
//! cookies" of OWASP), so that strangers who guess at an account cannot keep its owner from signing in.
//! Owns: what the cookie says and when it holds. It proves nothing but an earlier sign-in: whoever steals it may guess
//! beside the owner, as slowly as anyone, and gets nothing else.

use super::cookies;
use super::incoming::Incoming;
use crate::crypto::digest::{base64url, from_base64url};
use crate::crypto::random;
use crate::crypto::seal::SealKey;
use crate::model::User;
use crate::store::{StoreError, View};
use crate::types::{Timestamp, UserId, Username};
use std::time::Duration;

const COOKIE: &str = "doorlight-device";
const PURPOSE: &str = "device";
/// How long after its last sign-in a browser is known.
const LIFE: Duration = Duration::from_secs(180 * 86_400);
/// How far ahead of now it may have been sealed: so far is a clock that was set right. Whoever had the key once could seal
/// one of the far future, which would hold for ever.
const AHEAD: Duration = Duration::from_secs(3_600);

/// One browser of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceId([u8; 16]);

impl DeviceId {
    /// From random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// The browser, if the person whose name was typed signed in with it before. Looks nobody up but the person in the
/// cookie: how long it takes tells nothing of the typed name.
pub fn held(
    incoming: &Incoming<'_>,
    view: &View<'_>,
    typed: &str,
) -> Result<Option<DeviceId>, StoreError> {
    let text = cookies::short(incoming, COOKIE).unwrap_or_default();
    let Some(known) = Known::open(&incoming.ctx.seal, text) else {
        return Ok(None);
    };
    let user = view.user(known.user)?;
    Ok(user
        .filter(|user| known.holds(user, typed, incoming.now))
        .map(|_| known.device))
}

/// `Set-Cookie` for the browser that the person signed in with at `issued`. One that is known stays the same one.
pub fn remember(
    incoming: &Incoming<'_>,
    user: UserId,
    known: Option<DeviceId>,
    issued: Timestamp,
) -> String {
    let device = known.unwrap_or_else(|| DeviceId::new(random::bytes()));
    let known = Known {
        user,
        device,
        issued,
    };
    let value = known.seal(&incoming.ctx.seal);
    cookies::set_short(&incoming.ctx.config.issuer, COOKIE, &value, LIFE.as_secs())
}

/// What the cookie says: `user.device.issued.tag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    user: UserId,
    device: DeviceId,
    issued: Timestamp,
}

impl Known {
    fn seal(&self, key: &SealKey) -> String {
        let (user, device, issued) = (
            self.user.to_string(),
            base64url(&self.device.0),
            self.issued.millis().to_string(),
        );
        let tag = key.tag(PURPOSE, &[&user, &device, &issued]);
        format!("{user}.{device}.{issued}.{tag}")
    }

    /// What we sealed, and nothing else.
    fn open(key: &SealKey, text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (user, device, issued) = (parts.next()?, parts.next()?, parts.next()?);
        let tag = parts.next()?;
        let ours = parts.next().is_none() && key.verify(PURPOSE, &[user, device, issued], tag);
        if !ours {
            return None;
        }
        Some(Self {
            user: user.parse().ok()?,
            device: DeviceId(from_base64url(device)?.try_into().ok()?),
            issued: Timestamp::from_millis(issued.parse().ok()?),
        })
    }

    /// Whether it is this person's, neither too old nor of the future, and from after whatever threw everybody out of the
    /// account.
    fn holds(&self, user: &User, typed: &str, now: Timestamp) -> bool {
        let named = typed
            .parse::<Username>()
            .is_ok_and(|name| name.folded() == user.username.folded());
        self.user == user.id
            && named
            && self.issued >= user.tokens_not_before
            && self.issued <= now.plus(AHEAD)
            && now.since(self.issued) < LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Id;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn user(name: &str, n: u8) -> User {
        User::blank(UserId(Id::new(NOW, [n; 10])), name.parse().unwrap(), NOW)
    }

    fn known(user: &User) -> Known {
        Known {
            user: user.id,
            device: DeviceId::new([7; 16]),
            issued: NOW,
        }
    }

    #[test]
    fn a_cookie_opens_as_it_was_sealed_and_under_our_key_only() {
        let key = SealKey::new(&[1; 32]);
        let known = known(&user("alice", 1));
        let text = known.seal(&key);
        assert_eq!(Known::open(&key, &text), Some(known));
        assert_eq!(Known::open(&SealKey::new(&[2; 32]), &text), None);
        let later = text.replace(
            &NOW.millis().to_string(),
            &NOW.plus(LIFE).millis().to_string(),
        );
        let other = text.replace(&known.user.to_string(), &user("bob", 2).id.to_string());
        for forged in [
            later,
            other,
            format!("{text}.x"),
            String::new(),
            "...".to_owned(),
        ] {
            assert_eq!(Known::open(&key, &forged), None, "{forged}");
        }
        // A tag of ours over something else is no cookie.
        let parts = [known.user.to_string(), base64url(&[7; 16]), "0".to_owned()];
        let tag = key.tag("form", &[&parts[0], &parts[1], &parts[2]]);
        assert_eq!(
            Known::open(&key, &format!("{}.{tag}", parts.join("."))),
            None
        );
    }

    #[test]
    fn it_holds_for_its_person_until_a_reset_and_for_180_days() {
        let (alice, bob) = (user("alice", 1), user("bob", 2));
        let known = known(&alice);
        assert!(known.holds(&alice, "ALICE", NOW));
        assert!(!known.holds(&alice, "bob", NOW));
        assert!(!known.holds(&bob, "bob", NOW));
        let day = Duration::from_secs(86_400);
        assert!(known.holds(&alice, "alice", NOW.plus(day * 179)));
        assert!(!known.holds(&alice, "alice", NOW.plus(day * 180)));
        // A clock that was set back a little, and one of the future.
        assert!(known.holds(&alice, "alice", NOW.minus(AHEAD)));
        let moment = Duration::from_millis(1);
        assert!(!known.holds(&alice, "alice", NOW.minus(AHEAD + moment)));
        assert!(!known.holds(&alice, "alice", NOW.minus(day * 365)));
        let reset = User {
            tokens_not_before: NOW.plus(Duration::from_millis(1)),
            ..alice
        };
        assert!(!known.holds(&reset, "alice", NOW));
    }
}
