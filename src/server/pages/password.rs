//! One try of a password: counted first, checked outside the writer, decided inside. The rules stand in
//! `identity::session`, the counters in `server::guesses`.

use super::sign_in;
use crate::crypto::password::Verdict;
use crate::crypto::random::Fresh;
use crate::identity::session::{self, Checked, SignInError, SignedIn};
use crate::server::guesses::Counted;
use crate::server::hashing::Asker;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::known_device::{self, DeviceId};
use crate::store::StoreError;
use crate::types::{Phc, Secret, UserId, Username};

/// A right password.
pub(super) struct Entered {
    /// The session that began or was renewed.
    pub(super) signed_in: SignedIn,
    /// The browser, if this person signed in with it before.
    pub(super) device: Option<DeviceId>,
}

/// Why there is no session.
pub(super) enum Failed {
    /// The name or the password; which is nobody's business.
    Wrong,
    /// Not looked at; seconds until the next may be.
    Wait(u64),
    /// Too many passwords are being checked.
    Busy,
}

/// Tries a password for a typed name. `visitor` is who is signed in in this browser.
pub(super) fn attempt(
    incoming: &Incoming<'_>,
    username: &str,
    password: &Secret,
    visitor: Option<&Visitor>,
) -> Result<Result<Entered, Failed>, StoreError> {
    let (ctx, address) = (incoming.ctx, incoming.address());
    let snapshot = ctx.store.snapshot()?;
    let view = snapshot.view();
    let name = username.parse::<Username>().ok();
    let device = known_device::held(incoming, &view, username)?;
    // Somebody else's guesses at the name must keep its owner neither from signing in where they did before, nor from
    // confirming a password where they are signed in.
    let own = visitor.filter(|visitor| {
        let folded = name.as_ref().map(Username::folded);
        folded.is_some_and(|name| name == visitor.user.username.folded())
    });
    let (under, asker) = match (own, device) {
        (Some(visitor), _) => (Counted::Session(visitor.session.id), Asker::Known),
        (None, Some(device)) => (Counted::Device(device), Asker::Known),
        (None, None) => (Counted::account(username), Asker::Stranger),
    };
    if let Err(delay) = ctx.guesses.attempt(&under, address, incoming.now) {
        return Ok(Err(Failed::Wait(delay.as_secs().max(1))));
    }
    // Only now, when the answer takes as long as a hash: how long the look-up takes would tell who there is.
    let user = name.map(|name| view.user_by_name(&name)).transpose()?;
    let user = user.flatten();
    let settings = view.settings_made()?;
    drop(snapshot);
    let stored = user.as_ref().and_then(|user| user.password.clone());
    // An unknown name takes as long as a known one.
    let Ok(verdict) = ctx
        .hashing
        .verify(password, stored.as_ref().map(Phc::expose), asker)
    else {
        ctx.guesses.unseen(&under, address);
        return Ok(Err(Failed::Busy));
    };
    let rehashed = match verdict {
        Verdict::Match { outdated: true } => ctx.hashing.hash(password).ok(),
        _ => None,
    };
    let checked = Checked {
        against: stored,
        right: matches!(verdict, Verdict::Match { .. }),
        rehashed,
    };
    let (id, current) = (
        user.map(|user| user.id),
        visitor.map(|visitor| visitor.session.id),
    );
    let (browser, fresh, now) = (sign_in::browser(incoming), Fresh::draw(), incoming.now);
    let submitted = ctx.store.submit(move |view| {
        let user = id.map(|id: UserId| view.user(id)).transpose()?.flatten();
        let current = current.map(|id| view.session(id)).transpose()?.flatten();
        let decision = session::sign_in(user, &checked, current, &browser, &settings, fresh, now);
        // Another person's session in this browser ends.
        Ok(decision)
    })?;
    Ok(match submitted {
        Ok(signed_in) => {
            ctx.guesses.success(&under, address);
            Ok(Entered { signed_in, device })
        }
        Err(
            SignInError::Unknown
            | SignInError::WrongPassword
            | SignInError::Disabled
            | SignInError::Changed,
        ) => Err(Failed::Wrong),
    })
}
