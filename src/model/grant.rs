//! What one authorization gives: the code, the grant, its refresh tokens; and what a person agreed to.

use super::Authentication;
use crate::types::{
    ClientId, GrantId, Id, RefreshTokenId, Scope, SessionId, Thumbprint, Timestamp, TokenHash,
    TokenId, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A PKCE challenge (RFC 7636 §4.2, §4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", content = "challenge")]
pub enum CodeChallenge {
    /// `BASE64URL(SHA256(verifier))`.
    S256(String),
    /// The verifier itself; for clients that are marked legacy.
    #[serde(rename = "plain")]
    Plain(String),
}

/// One member of the `claims` parameter (OpenID Connect Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRequest {
    /// Whether the client calls the claim essential.
    #[serde(default)]
    pub essential: bool,
    /// The one value asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The values asked for, in order of preference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

/// The `claims` parameter (OpenID Connect Core §5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// Claims asked for at userinfo.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, ClaimRequest>,
    /// Claims asked for in the ID token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, ClaimRequest>,
}

/// An authorization code (RFC 6749 §4.1.2), kept after its use so that a second use is known for what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCode {
    /// The selector.
    pub id: Id,
    /// SHA-256 of the verifier.
    pub hash: TokenHash,
    /// For whom.
    pub client: ClientId,
    /// Who agreed.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// Whether the request named it: then the token request must too (RFC 6749 §4.1.3).
    pub redirect_uri_sent: bool,
    /// The PKCE challenge, if any.
    #[serde(default)]
    pub challenge: Option<CodeChallenge>,
    /// Echoed in the ID token.
    #[serde(default)]
    pub nonce: Option<String>,
    /// What was granted.
    pub scope: Scope,
    /// Which claims were asked for by name.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// Resources named at the authorization endpoint (RFC 8707 §2.1).
    #[serde(default)]
    pub resources: Vec<String>,
    /// How the person proved who they are.
    pub authentication: Authentication,
    /// When it was issued.
    pub created: Timestamp,
    /// When it ends unused.
    pub expires: Timestamp,
    /// What its use gave.
    #[serde(default)]
    pub redeemed: Option<GrantId>,
    /// The key that must be proved to use it (RFC 9449 §10).
    #[serde(default)]
    pub dpop_jkt: Option<Thumbprint>,
}

/// Why a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantEnd {
    /// Its code was presented twice.
    CodeReplayed,
    /// A rotated refresh token was presented again.
    RefreshTokenReplayed,
    /// The client revoked it.
    RevokedByClient,
    /// An administrator or the person revoked it.
    RevokedByPerson,
}

/// One authorization and the family of tokens issued from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The family's id: the first part of its access tokens' `jti`.
    pub id: GrantId,
    /// For whom.
    pub client: ClientId,
    /// Who agreed.
    pub user: UserId,
    /// The session it was made in: the `sid`.
    pub session: SessionId,
    /// Whether it lives on when that session ends (`offline_access`, OpenID Connect Core §11).
    pub offline: bool,
    /// What was granted; a refresh may narrow, never widen.
    pub scope: Scope,
    /// Resources that its access tokens may be for.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Claims asked for by name.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// How the person proved who they are.
    pub authentication: Authentication,
    /// When the code was redeemed.
    pub created: Timestamp,
    /// When it ends however much it is used.
    pub expires: Timestamp,
    /// When and why it ended before that.
    #[serde(default)]
    pub ended: Option<(Timestamp, GrantEnd)>,
    /// The key that must be proved to use its refresh tokens (RFC 9449 §5).
    #[serde(default)]
    pub dpop_jkt: Option<Thumbprint>,
}

/// That a refresh token was used, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// When it was first used.
    pub at: Timestamp,
    /// The token that took its place.
    pub successor: RefreshTokenId,
}

/// A refresh token (RFC 6749 §1.5). A family has exactly one that is not rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The selector.
    pub id: RefreshTokenId,
    /// SHA-256 of the verifier.
    pub hash: TokenHash,
    /// Its family.
    pub grant: GrantId,
    /// When it was issued.
    pub created: Timestamp,
    /// When it ends unused.
    pub expires: Timestamp,
    /// Set once it was used.
    #[serde(default)]
    pub rotated: Option<Rotated>,
}

/// An access token that was revoked alone (RFC 7009), listed until it would have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The own part of its `jti`.
    pub token: TokenId,
    /// When the token expires.
    pub expires: Timestamp,
}

/// What a person agreed that an application may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who agreed.
    pub user: UserId,
    /// To which application.
    pub client: ClientId,
    /// To what.
    pub scope: Scope,
    /// At which resources, where it is the person who lets the application have them (`oauth::target`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resources: BTreeSet<String>,
    /// When.
    pub given: Timestamp,
}
