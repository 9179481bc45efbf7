//! The tables. Keys are bytes, values JSON records (`codec`). A key that begins with an id is in order of time.
//!
//! | table | key | record | who deletes |
//! |---|---|---|---|
//! | meta | `schema` | format version, 8 bytes, big endian | nobody |
//! | meta | `sure` | when the clock was last sure (`ops::clock`): milliseconds since the epoch, 8 bytes, big endian | nobody |
//! | meta | `counted` | how long the file was when its dead pages were counted (`compact`), 8 bytes, big endian | nobody |
//! | settings | `settings`; `backups`; `issuer` | `Settings`; `BackupRecord`; `IssuerRecord` | nobody |
//! | clients | key of its `client_id` (`WireClientId::key`) | `Client` | administrator; one that registered itself: itself, sweep when unused; one that a document describes: sweep when unused |
//! | users | user id | `User` | administrator |
//! | usernames | folded name | user id | with the user |
//! | admins | user id | nothing: enabled administrators | with the user |
//! | groups | name | `Group` | administrator |
//! | members | name, 0, user id | nothing | with the user or group |
//! | sessions | session id | `Session` | sign-out, sweep |
//! | user_sessions | user id, session id | nothing | with the session |
//! | codes | selector | `AuthorizationCode`, used ones too | sweep, a day after expiry |
//! | grants | grant id | `Grant` | sweep, two hours after its end, and the last sign-in of a session to an application that is told of sign-outs not before the session |
//! | user_grants | user id, grant id | nothing | with the grant |
//! | refresh_tokens | selector | `RefreshToken`, rotated ones too | sweep, after expiry |
//! | revocations | token id | `Revocation` | sweep, a week after expiry |
//! | consents | user id, client id | `Consent` | person, with the user |
//! | links | selector | `Link` | use, sweep |
//! | signing_keys | kid | `SigningKey` | rotation |
//! | device_authorizations | selector | `DeviceAuthorization`, answered and used ones too | sweep, an hour after expiry |
//! | user_codes | eight letters | selector | with the device authorization |
//! | deliveries | delivery id | `Delivery` | arrival; sweep, a week after it was given up; with its client, when it is due |
//! | events | milliseconds shifted by 16 bits, plus a counter; 8 bytes, big endian | `Event` | sweep, after `audit_days`, and when there are too many |
//! | replays | end of its minute, in minutes since the epoch, 8 bytes, big endian; SHA-256 of purpose, who and `jti` | `Replay` | sweep, after its minute |
//! | pushed_requests | selector | `PushedRequest` | its answer, sweep |
//! | initial_tokens | selector | `InitialAccessToken` | its last use, administrator, sweep |
//! | resources | identifier | `Resource` | administrator |
//! | client_resources | client id, identifier | nothing: the client is named by the resource; id 0: it is open to all that registered themselves | with the resource or client |
//!
//! Invariants: every index row has its record and every record its rows (`apply` is the one place that writes either);
//! a family has at most one refresh token that is not rotated; no two device authorizations have one user code.

use redb::TableDefinition;

/// The format that this code writes. A change of it comes with a step in `migrate`.
pub(super) const SCHEMA: u64 = 1;

pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

macro_rules! tables {
    ($($name:ident = $text:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Table { $($name),* }

        impl Table {
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];

            pub(super) const fn definition(self) -> Definition {
                match self { $(Self::$name => TableDefinition::new($text)),* }
            }

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

tables! {
    Meta = "meta",
    Settings = "settings",
    Clients = "clients",
    Users = "users",
    Usernames = "usernames",
    Admins = "admins",
    Groups = "groups",
    Members = "members",
    Sessions = "sessions",
    UserSessions = "user_sessions",
    Codes = "codes",
    Grants = "grants",
    UserGrants = "user_grants",
    RefreshTokens = "refresh_tokens",
    Revocations = "revocations",
    Consents = "consents",
    Links = "links",
    SigningKeys = "signing_keys",
    Events = "events",
    Replays = "replays",
    PushedRequests = "pushed_requests",
    DeviceAuthorizations = "device_authorizations",
    UserCodes = "user_codes",
    InitialTokens = "initial_tokens",
    Resources = "resources",
    ClientResources = "client_resources",
    Deliveries = "deliveries",
}

/// Where the format version stands.
pub(super) const SCHEMA_KEY: &[u8] = b"schema";
/// Where it stands when the clock was last sure.
pub(super) const SURE_KEY: &[u8] = b"sure";
/// Where it stands how long the file was when its dead pages were counted.
pub(super) const COUNTED_KEY: &[u8] = b"counted";
/// Where the one settings record stands.
pub(super) const SETTINGS_KEY: &[u8] = b"settings";
/// Where it stands what became of backups.
pub(super) const BACKUPS_KEY: &[u8] = b"backups";
/// Where it stands by which issuer Doorlight is known.
pub(super) const ISSUER_KEY: &[u8] = b"issuer";

/// Two ids as one key.
pub(super) fn pair(a: &[u8; 16], b: &[u8; 16]) -> [u8; 32] {
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(a.iter().chain(b)) {
        *to = *from;
    }
    key
}

/// A member row of a group; names hold no 0 byte.
pub(super) fn member(group: &str, user: &[u8]) -> Vec<u8> {
    [group.as_bytes(), &[0], user].concat()
}
