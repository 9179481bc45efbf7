//! What a person said yes to becomes a grant: the part that the code and the device grant share. RFC 6749 §4.1.4,
//! RFC 9700 §4.14.2.
//! Owns: what must still stand when it does, how long a grant lasts, its first refresh token. Not here: whether the code
//! that is presented is good (`code`, `device`).

use super::code::{FreshTokens, days};
use super::issue::Issued;
use super::sender;
use crate::crypto::random::Fresh;
use crate::model::{
    Authentication, Change, ClaimsRequest, Client, Consent, ConsentPolicy, Grant, GrantType,
    RefreshPolicy, RefreshToken, User,
};
use crate::oauth::standing::{self, Ground};
use crate::oauth::target;
use crate::types::{
    BearerSecret, GrantId, Id, RefreshTokenId, Scope, SessionId, Thumbprint, Timestamp, UserId,
};

/// What was said yes to, and by whom.
pub(super) struct Approved<'a> {
    /// Who.
    pub user: UserId,
    /// In which browser.
    pub session: SessionId,
    /// How they had signed in.
    pub authentication: &'a Authentication,
    /// To what.
    pub scope: &'a Scope,
    /// For which resources the first access token is.
    pub resources: Vec<String>,
    /// For which ones later ones may be (RFC 8707 §2.2).
    pub granted: Vec<String>,
    /// Claims by name.
    pub claims: &'a ClaimsRequest,
    /// When the client asked.
    pub asked: Timestamp,
    /// When the person said yes.
    pub at: Timestamp,
    /// What the person agreed to, as it stands today.
    pub consent: Option<&'a Consent>,
    /// The key that the tokens are bound to.
    pub key: Option<Thumbprint>,
}

/// The grant with its first tokens.
pub(super) struct Begun<'g> {
    /// Whose it is.
    pub user: &'g User,
    /// Its id.
    pub grant: GrantId,
    /// The grant, and its first refresh token where there is one.
    pub changes: Vec<Change>,
    /// What is signed and answered.
    pub issued: Issued,
}

/// Makes the grant, or says why what was approved does not stand any more: a new grant must not outlive what was meant
/// to end it (PROTOCOL, Logout, last line).
pub(super) fn begin<'g>(
    approved: Approved<'_>,
    ground: Ground<'g>,
    client: &Client,
    fresh: FreshTokens,
    now: Timestamp,
) -> Result<Begun<'g>, &'static str> {
    let held = ground
        .session
        .is_some_and(|session| session.id == approved.session && now < session.expires);
    let reset = ground
        .user
        .is_none_or(|user| standing::of_user(user, approved.at).is_err())
        || standing::of_client(client, approved.asked).is_err();
    if !held || reset {
        return Err("the session has ended, or the person or application was reset, since");
    }
    // Where the administrator answers for the application, nobody was asked.
    let agreed = client.consent == ConsentPolicy::Trusted
        || client.standing(approved.consent).is_some_and(|consent| {
            approved.scope.is_within(&consent.scope)
                && target::agreed(client, &approved.granted, Some(consent))
        });
    if !agreed {
        return Err("the person took the permission back since");
    }
    let offline = approved.scope.contains("offline_access");
    let grant = Grant {
        id: GrantId(Id::new(now, fresh.grant)),
        client: client.id,
        user: approved.user,
        session: approved.session,
        offline,
        scope: approved
            .scope
            .common_with(&target::scopes_of(client, &approved.granted)),
        resources: approved.granted,
        claims: approved.claims.clone(),
        authentication: approved.authentication.clone(),
        created: now,
        expires: now.plus(if gets_refresh_token(client, offline) {
            days(client.refresh_absolute_days)
        } else {
            target::life(client, &approved.resources)
        }),
        ended: None,
        dpop_jkt: sender::of_family(client, None, approved.key),
    };
    standing::of_grant(&grant, ground, now).map_err(standing::Fallen::words)?;
    let user = ground.user.ok_or("the person is gone")?;
    let refresh = gets_refresh_token(client, offline)
        .then(|| first_refresh_token(client, &grant, fresh.refresh, now));
    let mut changes = vec![Change::PutGrant(Box::new(grant.clone()))];
    changes.extend(
        refresh
            .as_ref()
            .map(|(_, record)| Change::PutRefreshToken(Box::new(record.clone()))),
    );
    let narrowed = Grant {
        resources: approved.resources,
        ..grant.clone()
    };
    let issued = Issued::for_grant(&narrowed, user, client, fresh.access, now)
        .bound_to(approved.key)
        .with_refresh(refresh.map(|(secret, _)| secret));
    Ok(Begun {
        user,
        grant: grant.id,
        changes,
        issued,
    })
}

fn gets_refresh_token(client: &Client, offline: bool) -> bool {
    let asked = offline && client.grants.contains(&GrantType::RefreshToken);
    asked || client.refresh == RefreshPolicy::Always
}

fn first_refresh_token(
    client: &Client,
    grant: &Grant,
    fresh: Fresh,
    now: Timestamp,
) -> (BearerSecret, RefreshToken) {
    let secret = BearerSecret::new(Id::new(now, fresh.id), fresh.secret);
    let expires = now.plus(days(client.refresh_idle_days)).min(grant.expires);
    let record = RefreshToken {
        id: RefreshTokenId(secret.selector),
        hash: secret.hash(),
        grant: grant.id,
        created: now,
        expires,
        rotated: None,
    };
    (secret, record)
}
