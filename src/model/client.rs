//! A registered application (RFC 6749 §2, RFC 7591 §2).

use super::{Algorithm, ClaimMapping, PrivateKey, Resource, SelfRegistered};
use crate::types::{
    ClientId, GivenClientId, GroupName, Host, RedirectUri, Scope, SecretHash, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// How exactly a client is held to the specifications (PROTOCOL, "Tolerant by default, strict per client").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Takes what homelab applications send, where that is safe.
    #[default]
    Standard,
    /// The registered method, PKCE, exact redirect URIs, ES256; pushed requests (PAR) and tokens bound to a key (DPoP).
    Strict,
}

/// What sort of application it is, in the words of the page that adds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// Runs on a server and keeps a secret.
    #[default]
    Web,
    /// Runs in the browser; public.
    SinglePage,
    /// Runs on a phone or a desktop; public, returns to loopback or a scheme of its own (RFC 8252).
    Native,
    /// A script or service that acts for itself.
    Service,
}

/// How a client proves who it is (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// HTTP Basic.
    ClientSecretBasic,
    /// Id and secret in the form.
    ClientSecretPost,
    /// Public client.
    None,
    /// An assertion that the client signed with a key of its own (OpenID Connect Core §9).
    PrivateKeyJwt,
    /// An assertion that the client signed with its secret (the same section).
    ClientSecretJwt,
}

/// A grant type that a client may use at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 8628 §3.4.
    DeviceCode,
    /// RFC 8693 §2.1.
    TokenExchange,
}

/// When a person is asked whether an application may know who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentPolicy {
    /// Once for each scope set.
    #[default]
    Once,
    /// At every sign-in.
    Always,
    /// Never: the administrator answers for the application.
    Trusted,
}

/// When a client gets a refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshPolicy {
    /// When it asks for `offline_access` (OpenID Connect Core §11).
    #[default]
    WhenAsked,
    /// With every code.
    Always,
}

/// One of at most two live secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// Of the secret.
    pub hash: SecretHash,
    /// When it was made.
    pub created: Timestamp,
    /// The secret itself, only where the client signs with it (`client_secret_jwt`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PrivateKey>,
}

/// How a client knows people (OpenID Connect Core §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// All such clients under one name.
    #[default]
    Public,
    /// Each sector under a name of its own.
    Pairwise,
}

/// The clients that know a person under one name (OpenID Connect Core §8.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sector {
    /// The sector identifier.
    pub host: Host,
    /// The document that lists the redirect URIs of the sector, where there is one (§8.1, `sector_identifier_uri`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Of the file's secret and the host: the names are made with it.
    pub key: PrivateKey,
}

/// A registered application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its key; the `client_id` too, unless it is [named](Self::named) or described by a document (`Client::wire_id`).
    pub id: ClientId,
    /// The `client_id` that it brought from another server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<GivenClientId>,
    /// Shown to people.
    pub name: String,
    /// What sort of application it is.
    #[serde(default)]
    pub kind: ClientKind,
    /// How exactly it is held to the specifications.
    #[serde(default)]
    pub profile: Profile,
    /// The registered method; binding in the strict profile, a hint otherwise.
    pub auth_method: ClientAuthMethod,
    /// At most two, oldest first; empty for a public client.
    #[serde(default)]
    pub secrets: Vec<ClientSecret>,
    /// Its public keys, a JWK set (RFC 7517 §5) of which every key was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Where its public keys stand instead (RFC 7591 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Where its requests by reference stand (OpenID Connect Core §6.2, Dynamic Client Registration §2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    /// Where a sign-in may return to.
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a sign-out may return to.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// What it may use at the token endpoint.
    pub grants: BTreeSet<GrantType>,
    /// All that it may ask for.
    pub scope: Scope,
    /// What its ID tokens are signed with.
    pub id_token_alg: Algorithm,
    /// What its access tokens are signed with.
    pub access_token_alg: Algorithm,
    /// Whether the claims of granted scopes stand in the ID token as well as in userinfo.
    #[serde(default)]
    pub claims_in_id_token: bool,
    /// When people are asked.
    #[serde(default)]
    pub consent: ConsentPolicy,
    /// When it gets a refresh token.
    #[serde(default)]
    pub refresh: RefreshPolicy,
    /// Minutes, 5 to 60.
    #[serde(default = "fifteen")]
    pub access_token_minutes: u32,
    /// Days without use after which a refresh token ends.
    #[serde(default = "thirty")]
    pub refresh_idle_days: u32,
    /// Days after which a grant ends however much it is used.
    #[serde(default = "year")]
    pub refresh_absolute_days: u32,
    /// What its access tokens are for when it asks for nothing (RFC 8707 §2; `oauth::target`); empty: Doorlight itself.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Whether it may introspect tokens that are for one of its audiences (RFC 7662 §2.1).
    #[serde(default)]
    pub may_introspect: bool,
    /// Leave to return to a plain-http address of another machine.
    #[serde(default)]
    pub allow_http: bool,
    /// Leave to use PKCE's `plain` method.
    #[serde(default)]
    pub allow_plain_pkce: bool,
    /// When not empty, only members of one of these may sign in.
    #[serde(default)]
    pub allowed_groups: BTreeSet<GroupName>,
    /// A page of the application, for the person's overview.
    #[serde(default)]
    pub home_uri: Option<String>,
    /// Its picture.
    #[serde(default)]
    pub logo_uri: Option<String>,
    /// Its privacy policy.
    #[serde(default)]
    pub policy_uri: Option<String>,
    /// Its terms of service.
    #[serde(default)]
    pub tos_uri: Option<String>,
    /// Refused everywhere while set.
    #[serde(default)]
    pub disabled: bool,
    /// When it was added.
    pub created: Timestamp,
    /// Tokens issued before this moment are dead.
    #[serde(default)]
    pub tokens_not_before: Timestamp,
    /// Whether it gets tokens that are bound to a key of its own, and no others (RFC 9449 §5.2).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// Whether its authorization requests must be pushed (RFC 9126 §6). In the strict profile they must anyway.
    #[serde(default)]
    pub require_par: bool,
    /// Set where it registered itself (RFC 7591).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<Box<SelfRegistered>>,
    /// What its authorization responses are signed with where it asks for that (JARM §3); `None`: as its ID tokens.
    #[serde(default)]
    pub authorization_signed_response_alg: Option<Algorithm>,
    /// What its userinfo answers are signed with (OpenID Connect Core §5.3.2); `None`: plain JSON.
    #[serde(default)]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// What it is told of people under names of its own.
    #[serde(default)]
    pub claim_mappings: Vec<ClaimMapping>,
    /// Where it is told of sign-outs (OpenID Connect Back-Channel Logout 1.0 §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it said that it needs the `sid` (the same section). Logout tokens carry it in any case.
    #[serde(default)]
    pub backchannel_logout_session_required: bool,
    /// Where the browser takes the news that its session ended (Front-Channel Logout 1.0 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// That it needs `iss` and `sid` there (§2); both are always sent.
    #[serde(default)]
    pub frontchannel_logout_session_required: bool,
    /// Set where it knows people under names of its sector's own (`oauth::subject`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<Box<Sector>>,
    /// The resources that concern it, as the store read them with it: no part of the record.
    #[serde(skip)]
    pub resources: Vec<Resource>,
}

impl Client {
    /// Whether it wants to know when a session ends.
    pub fn is_told_of_logouts(&self) -> bool {
        self.backchannel_logout_uri.is_some() || self.frontchannel_logout_uri.is_some()
    }

    /// How it knows people.
    pub fn subject_type(&self) -> SubjectType {
        match self.sector {
            Some(_) => SubjectType::Pairwise,
            None => SubjectType::Public,
        }
    }

    /// Whether it has no secret to keep.
    pub fn is_public(&self) -> bool {
        self.auth_method == ClientAuthMethod::None
    }

    /// All that something is signed with for it.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        [self.id_token_alg, self.access_token_alg]
            .into_iter()
            .chain(self.authorization_signed_response_alg)
            .chain(self.userinfo_signed_response_alg)
    }

    /// Whether its tokens must be bound to a key (PROTOCOL, "strict per client").
    pub fn binds_tokens(&self) -> bool {
        self.dpop_bound_access_tokens || self.profile == Profile::Strict
    }
}

fn fifteen() -> u32 {
    15
}

fn thirty() -> u32 {
    30
}

fn year() -> u32 {
    365
}
