//! The settings of an application as they are asked for. Which of them go together stands in `rules`.

use super::{Around, rules, sector};
use crate::crypto::digest::s256;
use crate::model::{
    AdminError, Algorithm, Client, ClientAuthMethod, ClientKind, ConsentPolicy, GrantType, Profile,
    RefreshPolicy, SubjectType,
};
use crate::oauth::claim_mapping;
use crate::types::{ClientId, Id, RedirectUri, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a new application may ask for when nothing is said.
const DEFAULT_SCOPE: &str = "openid profile email groups offline_access";

/// What an application does that can keep a secret and says nothing else.
fn by_secret() -> ClientAuthMethod {
    ClientAuthMethod::ClientSecretBasic
}

/// The few things that an application begins with. Everything but the name has a default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewClient {
    /// Shown to people.
    pub name: String,
    /// What sort of application it is.
    pub kind: ClientKind,
    /// Where a sign-in may return to.
    pub redirect_uris: Vec<String>,
    /// Where a sign-out may return to.
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether it keeps no secret, whatever its kind.
    pub public: bool,
    /// How it proves who it is where it can; `None`: by a secret that it sends.
    pub auth_method: Option<ClientAuthMethod>,
    /// Its public keys, a JWK set.
    pub jwks: Option<Value>,
    /// Where they stand instead.
    pub jwks_uri: Option<String>,
    /// Where its requests by reference stand.
    pub request_uris: Vec<String>,
    /// Empty: what its kind needs.
    pub grants: Vec<GrantType>,
    /// `None`: the usual ones; none for a service.
    pub scope: Option<String>,
    /// `None`: RS256; ES256 in the strict profile.
    pub id_token_alg: Option<Algorithm>,
    /// `None`: ES256.
    pub access_token_alg: Option<Algorithm>,
    /// Resources that its access tokens may be for.
    pub audiences: Vec<String>,
    /// How exactly it is held to the specifications.
    pub profile: Profile,
    /// Whether people are never asked.
    pub trusted: bool,
    /// Whether it may introspect.
    pub may_introspect: bool,
    /// Whether the claims of granted scopes stand in the ID token.
    pub claims_in_id_token: bool,
    /// Leave to return to a plain-http address of another machine.
    pub allow_http: bool,
    /// When not empty, only members of one of these may sign in.
    pub allowed_groups: Vec<String>,
    /// Whether it gets only tokens that are bound to a key of its own.
    pub dpop_bound_access_tokens: bool,
    /// Whether its authorization requests must be pushed.
    pub require_par: bool,
    /// `None`: as its ID tokens.
    pub authorization_signed_response_alg: Option<Algorithm>,
    /// `None`: userinfo is not signed.
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// Lines of `oauth::claim_mapping`.
    pub claim_mappings: Vec<String>,
    /// Where it is told of sign-outs.
    pub backchannel_logout_uri: Option<String>,
    /// Whether it needs the `sid` for that.
    pub backchannel_logout_session_required: bool,
    /// Where the browser tells it of a sign-out.
    pub frontchannel_logout_uri: Option<String>,
    /// Whether it needs `iss` and `sid` there.
    pub frontchannel_logout_session_required: bool,
    /// How it knows people.
    pub subject_type: SubjectType,
    /// The document that lists the redirect URIs of its sector.
    pub sector_identifier_uri: Option<String>,
}

/// All that can be edited about an application, as it shall be afterwards. Start from [`ClientEdit::of`], or from a
/// [`NewClient`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientEdit {
    /// See [`Client`], as are the following.
    pub name: String,
    /// See [`Client`].
    pub kind: ClientKind,
    /// Whether it keeps no secret; single-page and native applications never do.
    pub public: bool,
    /// How it proves who it is where it can.
    #[serde(default = "by_secret")]
    pub auth_method: ClientAuthMethod,
    /// See [`Client`].
    #[serde(default)]
    pub jwks: Option<Value>,
    /// See [`Client`].
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// See [`Client`].
    #[serde(default)]
    pub request_uris: Vec<String>,
    /// See [`Client`].
    pub profile: Profile,
    /// See [`Client`].
    pub redirect_uris: Vec<String>,
    /// See [`Client`].
    pub post_logout_redirect_uris: Vec<String>,
    /// See [`Client`].
    pub grants: BTreeSet<GrantType>,
    /// Scope tokens with spaces between.
    pub scope: String,
    /// See [`Client`].
    pub id_token_alg: Algorithm,
    /// See [`Client`].
    pub access_token_alg: Algorithm,
    /// See [`Client`].
    pub claims_in_id_token: bool,
    /// See [`Client`].
    pub consent: ConsentPolicy,
    /// See [`Client`].
    pub refresh: RefreshPolicy,
    /// 5 to 60.
    pub access_token_minutes: u32,
    /// 1 to 3,650.
    pub refresh_idle_days: u32,
    /// 1 to 3,650.
    pub refresh_absolute_days: u32,
    /// See [`Client`].
    pub audiences: Vec<String>,
    /// See [`Client`].
    pub may_introspect: bool,
    /// See [`Client`].
    pub allow_http: bool,
    /// See [`Client`].
    pub allow_plain_pkce: bool,
    /// See [`Client`].
    pub allowed_groups: Vec<String>,
    /// See [`Client`].
    pub home_uri: Option<String>,
    /// See [`Client`].
    pub logo_uri: Option<String>,
    /// See [`Client`].
    pub policy_uri: Option<String>,
    /// See [`Client`].
    pub tos_uri: Option<String>,
    /// See [`Client`].
    pub disabled: bool,
    /// See [`Client`].
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// See [`Client`].
    #[serde(default)]
    pub require_par: bool,
    /// See [`Client`].
    #[serde(default)]
    pub authorization_signed_response_alg: Option<Algorithm>,
    /// See [`Client`].
    #[serde(default)]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// Lines of `oauth::claim_mapping`.
    #[serde(default)]
    pub claim_mappings: Vec<String>,
    /// See [`Client`].
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// See [`Client`].
    #[serde(default)]
    pub backchannel_logout_session_required: bool,
    /// See [`Client`].
    #[serde(default)]
    pub frontchannel_logout_uri: Option<String>,
    /// See [`Client`].
    #[serde(default)]
    pub frontchannel_logout_session_required: bool,
    /// See `sector`.
    #[serde(default)]
    pub subject_type: SubjectType,
    /// See `sector`.
    #[serde(default)]
    pub sector_identifier_uri: Option<String>,
}

impl From<NewClient> for ClientEdit {
    fn from(new: NewClient) -> Self {
        let service = new.kind == ClientKind::Service;
        let grants: BTreeSet<GrantType> = match (new.grants.is_empty(), service) {
            (false, _) => new.grants.into_iter().collect(),
            (true, true) => [GrantType::ClientCredentials].into(),
            (true, false) => [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        };
        // Scopes about a person are for applications that people sign in to.
        let people = grants.contains(&GrantType::AuthorizationCode)
            || grants.contains(&GrantType::DeviceCode);
        let usual = if people { DEFAULT_SCOPE } else { "" };
        let usual_alg = match new.profile {
            Profile::Standard => Algorithm::Rs256,
            Profile::Strict => Algorithm::Es256,
        };
        Self {
            name: new.name,
            kind: new.kind,
            public: new.public,
            auth_method: new.auth_method.unwrap_or_else(by_secret),
            jwks: new.jwks,
            jwks_uri: new.jwks_uri,
            request_uris: new.request_uris,
            profile: new.profile,
            redirect_uris: new.redirect_uris,
            post_logout_redirect_uris: new.post_logout_redirect_uris,
            grants,
            scope: new.scope.unwrap_or_else(|| usual.to_owned()),
            id_token_alg: new.id_token_alg.unwrap_or(usual_alg),
            access_token_alg: new.access_token_alg.unwrap_or(Algorithm::Es256),
            claims_in_id_token: new.claims_in_id_token,
            consent: if new.trusted {
                ConsentPolicy::Trusted
            } else {
                ConsentPolicy::Once
            },
            audiences: new.audiences,
            may_introspect: new.may_introspect,
            allow_http: new.allow_http,
            allowed_groups: new.allowed_groups,
            dpop_bound_access_tokens: new.dpop_bound_access_tokens,
            require_par: new.require_par,
            authorization_signed_response_alg: new.authorization_signed_response_alg,
            userinfo_signed_response_alg: new.userinfo_signed_response_alg,
            claim_mappings: new.claim_mappings,
            backchannel_logout_uri: new.backchannel_logout_uri,
            backchannel_logout_session_required: new.backchannel_logout_session_required,
            frontchannel_logout_uri: new.frontchannel_logout_uri,
            frontchannel_logout_session_required: new.frontchannel_logout_session_required,
            subject_type: new.subject_type,
            sector_identifier_uri: new.sector_identifier_uri,
            ..Self::of(&blank(ClientId(Id::default()), Timestamp::default()))
        }
    }
}

impl ClientEdit {
    /// Tells these settings from any others: what a form carries, to be held against what is stored when it comes back.
    pub fn version(&self) -> String {
        s256(&format!("{self:?}"))
    }

    /// The application as it is.
    pub fn of(client: &Client) -> Self {
        let texts = |uris: &[RedirectUri]| uris.iter().map(ToString::to_string).collect();
        Self {
            name: client.name.clone(),
            kind: client.kind,
            public: client.is_public(),
            auth_method: client.auth_method,
            jwks: client.jwks.clone(),
            jwks_uri: client.jwks_uri.clone(),
            request_uris: client.request_uris.clone(),
            profile: client.profile,
            redirect_uris: texts(&client.redirect_uris),
            post_logout_redirect_uris: texts(&client.post_logout_redirect_uris),
            grants: client.grants.clone(),
            scope: client.scope.to_string(),
            id_token_alg: client.id_token_alg,
            access_token_alg: client.access_token_alg,
            claims_in_id_token: client.claims_in_id_token,
            consent: client.consent,
            refresh: client.refresh,
            access_token_minutes: client.access_token_minutes,
            refresh_idle_days: client.refresh_idle_days,
            refresh_absolute_days: client.refresh_absolute_days,
            audiences: client.audiences.clone(),
            may_introspect: client.may_introspect,
            allow_http: client.allow_http,
            allow_plain_pkce: client.allow_plain_pkce,
            allowed_groups: client
                .allowed_groups
                .iter()
                .map(ToString::to_string)
                .collect(),
            home_uri: client.home_uri.clone(),
            logo_uri: client.logo_uri.clone(),
            policy_uri: client.policy_uri.clone(),
            tos_uri: client.tos_uri.clone(),
            disabled: client.disabled,
            dpop_bound_access_tokens: client.dpop_bound_access_tokens,
            require_par: client.require_par,
            authorization_signed_response_alg: client.authorization_signed_response_alg,
            userinfo_signed_response_alg: client.userinfo_signed_response_alg,
            claim_mappings: client
                .claim_mappings
                .iter()
                .map(claim_mapping::line)
                .collect(),
            backchannel_logout_uri: client.backchannel_logout_uri.clone(),
            backchannel_logout_session_required: client.backchannel_logout_session_required,
            frontchannel_logout_uri: client.frontchannel_logout_uri.clone(),
            frontchannel_logout_session_required: client.frontchannel_logout_session_required,
            subject_type: client.subject_type(),
            sector_identifier_uri: sector::uri_of(client).map(str::to_owned),
        }
    }

    /// The names of the settings that differ, for the audit log.
    pub(in crate::oauth) fn differences(&self, other: &Self) -> Vec<String> {
        let (Ok(serde_json::Value::Object(ours)), Ok(serde_json::Value::Object(theirs))) =
            (serde_json::to_value(self), serde_json::to_value(other))
        else {
            return Vec::new();
        };
        ours.into_iter()
            .filter(|(name, value)| theirs.get(name) != Some(value))
            .map(|(name, _)| name)
            .collect()
    }

    /// `client` with these settings, each looked at alone and then beside the others.
    pub(in crate::oauth) fn on(&self, old: Client, around: &Around) -> Result<Client, AdminError> {
        // RFC 8252 §8.4, OAuth 2.0 for Browser-Based Applications: neither can keep a secret.
        let public =
            self.public || matches!(self.kind, ClientKind::SinglePage | ClientKind::Native);
        let allowed_groups =
            rules::groups_of(&self.allowed_groups, &around.groups, &old.allowed_groups)?;
        let claim_mappings =
            claim_mapping::parse(&self.claim_mappings, &around.groups, &old.claim_mappings)?;
        let mut client = Client {
            name: rules::name(&self.name)?,
            kind: self.kind,
            profile: self.profile,
            auth_method: match (public, self.auth_method) {
                (true, _) => ClientAuthMethod::None,
                (false, ClientAuthMethod::None) => by_secret(),
                (false, method) => method,
            },
            jwks: rules::jwks(self.jwks.as_ref())?,
            jwks_uri: rules::address_to_call("jwks_uri", self.jwks_uri.as_deref(), false)?,
            request_uris: rules::request_uris(&self.request_uris)?,
            redirect_uris: rules::addresses("redirect_uris", &self.redirect_uris)?,
            post_logout_redirect_uris: rules::addresses(
                "post_logout_redirect_uris",
                &self.post_logout_redirect_uris,
            )?,
            grants: self.grants.clone(),
            scope: self
                .scope
                .parse::<Scope>()
                .map_err(|why| AdminError::invalid("scope", why))?,
            id_token_alg: self.id_token_alg,
            access_token_alg: self.access_token_alg,
            claims_in_id_token: self.claims_in_id_token,
            consent: self.consent,
            refresh: self.refresh,
            access_token_minutes: self.access_token_minutes,
            refresh_idle_days: self.refresh_idle_days,
            refresh_absolute_days: self.refresh_absolute_days,
            audiences: rules::audiences(&self.audiences)?,
            may_introspect: self.may_introspect,
            allow_http: self.allow_http,
            allow_plain_pkce: self.allow_plain_pkce,
            allowed_groups,
            home_uri: rules::web_address("home_uri", self.home_uri.as_deref())?,
            logo_uri: rules::web_address("logo_uri", self.logo_uri.as_deref())?,
            policy_uri: rules::web_address("policy_uri", self.policy_uri.as_deref())?,
            tos_uri: rules::web_address("tos_uri", self.tos_uri.as_deref())?,
            disabled: self.disabled,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            require_par: self.require_par,
            authorization_signed_response_alg: self.authorization_signed_response_alg,
            userinfo_signed_response_alg: self.userinfo_signed_response_alg,
            claim_mappings,
            backchannel_logout_uri: rules::address_to_call(
                "backchannel_logout_uri",
                self.backchannel_logout_uri.as_deref(),
                public,
            )?,
            backchannel_logout_session_required: self.backchannel_logout_session_required,
            frontchannel_logout_uri: rules::address_to_call(
                "frontchannel_logout_uri",
                self.frontchannel_logout_uri.as_deref(),
                public,
            )?,
            frontchannel_logout_session_required: self.frontchannel_logout_session_required,
            ..old.clone()
        };
        rules::fit_together(&client)?;
        client.sector = sector::of(&old, &client, self, &around.sectors)?;
        Ok(client)
    }
}

/// A record with nothing but defaults.
pub(in crate::oauth) fn blank(id: ClientId, now: Timestamp) -> Client {
    Client {
        id,
        named: None,
        name: String::new(),
        kind: ClientKind::default(),
        profile: Profile::default(),
        auth_method: ClientAuthMethod::ClientSecretBasic,
        secrets: Vec::new(),
        jwks: None,
        jwks_uri: None,
        request_uris: Vec::new(),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grants: BTreeSet::new(),
        scope: Scope::default(),
        id_token_alg: Algorithm::Rs256,
        access_token_alg: Algorithm::Es256,
        claims_in_id_token: false,
        consent: ConsentPolicy::default(),
        refresh: RefreshPolicy::default(),
        access_token_minutes: 15,
        refresh_idle_days: 30,
        refresh_absolute_days: 365,
        audiences: Vec::new(),
        may_introspect: false,
        allow_http: false,
        allow_plain_pkce: false,
        allowed_groups: BTreeSet::new(),
        home_uri: None,
        logo_uri: None,
        policy_uri: None,
        tos_uri: None,
        disabled: false,
        created: now,
        tokens_not_before: Timestamp::default(),
        dpop_bound_access_tokens: false,
        require_par: false,
        registered: None,
        authorization_signed_response_alg: None,
        userinfo_signed_response_alg: None,
        claim_mappings: Vec::new(),
        backchannel_logout_uri: None,
        backchannel_logout_session_required: false,
        frontchannel_logout_uri: None,
        frontchannel_logout_session_required: false,
        sector: None,
        resources: Vec::new(),
    }
}
