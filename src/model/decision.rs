//! What a decision hands to the writer (DESIGN §2).

use super::{
    AuthorizationCode, BackupRecord, Client, Consent, Delivery, DeviceAuthorization, Event, Grant,
    Group, InitialAccessToken, IssuerRecord, Link, PushedRequest, RefreshToken, Replay, Resource,
    Revocation, Session, Settings, SigningKey, User,
};
use crate::types::{
    ClientId, DeliveryId, GroupName, Id, InitialTokenId, LinkId, SessionId, UserId,
};

/// One write. Applying it keeps the indexes (`store::apply`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds or replaces.
    PutClient(Box<Client>),
    /// Removes; its grants die with it.
    DeleteClient(ClientId),
    /// Adds or replaces.
    PutUser(Box<User>),
    /// Removes, with sessions and grants.
    DeleteUser(UserId),
    /// Adds or replaces.
    PutGroup(Group),
    /// Removes; members lose it.
    DeleteGroup(GroupName),
    /// Adds or replaces.
    PutSession(Box<Session>),
    /// Ends a session.
    DeleteSession(SessionId),
    /// Adds or replaces.
    PutCode(Box<AuthorizationCode>),
    /// Adds or replaces.
    PutGrant(Box<Grant>),
    /// Adds or replaces.
    PutRefreshToken(Box<RefreshToken>),
    /// Lists an access token as revoked.
    PutRevocation(Revocation),
    /// Remembers what a person agreed to.
    PutConsent(Consent),
    /// Forgets it.
    DeleteConsent(UserId, ClientId),
    /// Adds.
    PutLink(Link),
    /// Used or withdrawn.
    DeleteLink(LinkId),
    /// Adds.
    PutSigningKey(Box<SigningKey>),
    /// Withdraws or forgets.
    DeleteSigningKey(String),
    /// Replaces.
    PutSettings(Box<Settings>),
    /// Replaces.
    PutBackupRecord(Box<BackupRecord>),
    /// Replaces.
    PutIssuerRecord(Box<IssuerRecord>),
    /// Remembers a use of what may be used once.
    PutReplay(Replay),
    /// Adds.
    PutPushedRequest(Box<PushedRequest>),
    /// It was answered.
    DeletePushedRequest(Id),
    /// Adds or replaces.
    PutDeviceAuthorization(Box<DeviceAuthorization>),
    /// Adds or replaces.
    PutInitialToken(Box<InitialAccessToken>),
    /// Used up or taken back.
    DeleteInitialToken(InitialTokenId),
    /// Adds or replaces.
    PutResource(Box<Resource>),
    /// Removes the one of that identifier.
    DeleteResource(String),
    /// Adds or replaces.
    PutDelivery(Box<Delivery>),
    /// It arrived.
    DeleteDelivery(DeliveryId),
}

/// What is to be written and what is to be answered. The two are independent: a replayed refresh token revokes its
/// family *and* is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<T, E> {
    /// Written in one commit, in order.
    pub changes: Vec<Change>,
    /// Recorded in the same commit.
    pub events: Vec<Event>,
    /// Released after the commit.
    pub reply: Result<T, E>,
}

impl<T, E> Decision<T, E> {
    /// A refusal that writes nothing but its event.
    pub fn refuse(error: E, event: Event) -> Self {
        Self {
            changes: Vec::new(),
            events: vec![event],
            reply: Err(error),
        }
    }

    /// An answer that writes nothing.
    pub fn reply(reply: Result<T, E>) -> Self {
        Self {
            changes: Vec::new(),
            events: Vec::new(),
            reply,
        }
    }
}
