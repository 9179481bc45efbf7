//! What is stored, as plain records, and what a decision hands to the store.
//! Owns: the meaning of every stored field. Not here: how a record is encoded (`store::codec`), who may change it.

mod admin_error;
mod author;
mod backups;
mod claim_mapping;
mod client;
mod decision;
mod delivery;
mod device;
mod event;
mod grant;
mod issuer_record;
mod key;
mod pushed;
mod registration;
mod replay;
mod resource;
mod session;
mod settings;
mod settings_changes;
mod user;

pub use admin_error::AdminError;
pub use author::Author;
pub use backups::{BackupFailed, BackupMade, BackupRecord, BackupSettings, Keep};
pub use claim_mapping::{ClaimMapping, ClaimSource, PROTOCOL_CLAIMS};
pub use client::{
    Client, ClientAuthMethod, ClientKind, ClientSecret, ConsentPolicy, GrantType, Profile,
    RefreshPolicy, Sector, SubjectType,
};
pub use decision::{Change, Decision};
pub use delivery::Delivery;
pub use device::{DeviceAnswer, DeviceAuthorization};
pub use event::{Event, EventKind, Outcome, quoted};
pub use grant::{
    AuthorizationCode, ClaimRequest, ClaimsRequest, CodeChallenge, Consent, Grant, GrantEnd,
    RefreshToken, Revocation, Rotated,
};
pub use issuer_record::{IssuerRecord, Replaced};
pub use key::{Algorithm, PrivateKey, SigningKey};
pub use pushed::PushedRequest;
pub use registration::{InitialAccessToken, RegistrationPolicy, SelfRegistered};
pub use replay::Replay;
pub use resource::Resource;
pub use session::{Authentication, Link, LinkPurpose, Session};
pub use settings::Settings;
pub use user::{Address, Group, User};
