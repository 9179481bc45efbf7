//! Client metadata as an application sends it (RFC 7591 §2, OpenID Connect Dynamic Client Registration §2), and how it
//! becomes the settings of a client.
//! Owns: the members, their types, and what only an application that registers itself may not have. Not here: the rules
//! for every application, which `oauth::clients` holds against the outcome.
//!
//! Members that are not understood are ignored (RFC 7591 §2). Refused is what would be less safe than the application
//! believes if it were ignored: encryption, and signatures in place of plain JSON.

use super::error::RegistrationError;
use super::members::{algorithm, flag, list, text};
use super::{Around, addresses};
use crate::model::{
    Algorithm, Client, ClientAuthMethod, ClientKind, ConsentPolicy, GrantType, SubjectType,
};
use crate::oauth::clients::ClientEdit;
use crate::oauth::token::{device, exchange};
use crate::types::Scope;
use crate::types::appearance::is_unseen;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// All that an application may ask for that registered itself; `groups` tells rights, and is not among them.
pub const DEFAULT_SCOPE: &str = "openid profile email offline_access";
const CONTACTS_MAX: usize = 10;
const CONTACT_MAX: usize = 200;
const SECTOR_URI: &str = "sector_identifier_uri";
const SECTOR_SENTENCE: &str = "sector_identifier_uri must be a text";

/// Present, these would promise what does not happen.
const UNSUPPORTED: &[(&str, &str)] = &[
    (
        "userinfo_encrypted_response_alg",
        "userinfo is not encrypted: leave out userinfo_encrypted_response_alg",
    ),
    (
        "userinfo_encrypted_response_enc",
        "userinfo is not encrypted: leave out userinfo_encrypted_response_enc",
    ),
    (
        "id_token_encrypted_response_alg",
        "ID tokens are not encrypted: leave out id_token_encrypted_response_alg",
    ),
    (
        "id_token_encrypted_response_enc",
        "ID tokens are not encrypted: leave out id_token_encrypted_response_enc",
    ),
    (
        "introspection_signed_response_alg",
        "introspection is not signed: leave out introspection_signed_response_alg",
    ),
    (
        "introspection_encrypted_response_alg",
        "introspection is not encrypted: leave out introspection_encrypted_response_alg",
    ),
    (
        "authorization_encrypted_response_alg",
        "authorization responses are not encrypted: leave out authorization_encrypted_response_alg",
    ),
    (
        "request_object_signing_alg",
        "request objects are taken in every listed algorithm: leave out request_object_signing_alg",
    ),
    (
        "request_object_encryption_alg",
        "request objects are not decrypted: leave out request_object_encryption_alg",
    ),
    (
        "token_endpoint_auth_signing_alg",
        "token_endpoint_auth_signing_alg is not supported: the key says the algorithm",
    ),
];

/// True, these would promise what does not happen.
const NOT_DONE: &[(&str, &str)] = &[
    (
        "tls_client_certificate_bound_access_tokens",
        "tokens are not bound to certificates",
    ),
    (
        "require_signed_request_object",
        "requests that are not signed are taken as well",
    ),
];

/// What an application wants to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub(super) name: Option<String>,
    pub(super) method: ClientAuthMethod,
    pub(super) native: bool,
    pub(super) redirect_uris: Vec<String>,
    pub(super) post_logout_redirect_uris: Vec<String>,
    pub(super) grants: BTreeSet<GrantType>,
    /// `None`: all that it may have.
    pub(super) scope: Option<Scope>,
    pub(super) id_token_alg: Algorithm,
    pub(super) client_uri: Option<String>,
    pub(super) logo_uri: Option<String>,
    pub(super) policy_uri: Option<String>,
    pub(super) tos_uri: Option<String>,
    pub(super) contacts: Vec<String>,
    pub(super) jwks: Option<Value>,
    pub(super) jwks_uri: Option<String>,
    pub(super) request_uris: Vec<String>,
    pub(super) default_max_age: Option<u32>,
    pub(super) require_auth_time: bool,
    pub(super) dpop_bound: bool,
    /// RFC 9126 §6.
    pub(super) require_par: bool,
    /// JARM §3.
    pub(super) authorization_signed_response_alg: Option<Algorithm>,
    /// OpenID Connect Core §5.3.2.
    pub(super) userinfo_signed_response_alg: Option<Algorithm>,
    /// Front-Channel Logout §2.
    pub(super) frontchannel_logout_uri: Option<String>,
    /// Front-Channel Logout §2.
    pub(super) frontchannel_logout_session_required: bool,
    /// `None`: nothing was said of it.
    pub(super) subject_type: Option<SubjectType>,
    /// OpenID Connect Dynamic Client Registration §5.
    pub(super) sector_identifier_uri: Option<String>,
}

impl Metadata {
    /// Reads the members. What a client has already it may keep, whoever gave it.
    pub(super) fn parse(
        members: &Map<String, Value>,
        client: Option<&Client>,
    ) -> Result<Self, RegistrationError> {
        refuse_unsupported(members)?;
        let redirect_uris = list(
            members,
            "redirect_uris",
            "redirect_uris must be a list of texts",
        )
        .map_err(|_| RegistrationError::RedirectUri {
            sentence: "redirect_uris must be a list of texts",
            detail: String::new(),
        })?
        .unwrap_or_default();
        let native = native(members, &redirect_uris)?;
        let kept = client.map_or(&[][..], |client| &client.redirect_uris);
        addresses::returning(&redirect_uris, kept, native)?;
        let post_logout_redirect_uris = list(
            members,
            "post_logout_redirect_uris",
            "post_logout_redirect_uris must be a list of texts",
        )?
        .unwrap_or_default();
        let kept = client.map_or(&[][..], |client| &client.post_logout_redirect_uris);
        addresses::after_sign_out(&post_logout_redirect_uris, kept, native)?;
        response_types(members)?;
        Ok(Self {
            name: name(members)?,
            method: method(members)?,
            native,
            redirect_uris,
            post_logout_redirect_uris,
            grants: grants(members, client)?,
            scope: scope(members)?,
            id_token_alg: algorithm(
                members,
                "id_token_signed_response_alg",
                "id_token_signed_response_alg must be RS256, ES256 or EdDSA",
            )?
            .unwrap_or(Algorithm::Rs256),
            client_uri: text(members, "client_uri", "client_uri must be a text")?,
            logo_uri: text(members, "logo_uri", "logo_uri must be a text")?,
            policy_uri: text(members, "policy_uri", "policy_uri must be a text")?,
            tos_uri: text(members, "tos_uri", "tos_uri must be a text")?,
            contacts: contacts(members)?,
            jwks: members.get("jwks").cloned(),
            jwks_uri: text(members, "jwks_uri", "jwks_uri must be a text")?,
            request_uris: list(
                members,
                "request_uris",
                "request_uris must be a list of texts",
            )?
            .unwrap_or_default(),
            default_max_age: default_max_age(members)?,
            require_auth_time: flag(
                members,
                "require_auth_time",
                "require_auth_time must be true or false",
            )?,
            dpop_bound: flag(
                members,
                "dpop_bound_access_tokens",
                "dpop_bound_access_tokens must be true or false",
            )?,
            require_par: flag(
                members,
                "require_pushed_authorization_requests",
                "require_pushed_authorization_requests must be true or false",
            )?,
            authorization_signed_response_alg: algorithm(
                members,
                "authorization_signed_response_alg",
                "authorization_signed_response_alg must be RS256, ES256 or EdDSA",
            )?,
            userinfo_signed_response_alg: algorithm(
                members,
                "userinfo_signed_response_alg",
                "userinfo_signed_response_alg must be RS256, ES256 or EdDSA",
            )?,
            frontchannel_logout_uri: text(
                members,
                "frontchannel_logout_uri",
                "frontchannel_logout_uri must be a text",
            )?,
            frontchannel_logout_session_required: flag(
                members,
                "frontchannel_logout_session_required",
                "frontchannel_logout_session_required must be true or false",
            )?,
            subject_type: subject_type(members, client)?,
            sector_identifier_uri: text(members, SECTOR_URI, SECTOR_SENTENCE)?,
        })
    }

    /// The settings of a client that has `before`, with what the application may set. What an administrator sets stays.
    pub(super) fn on(&self, before: ClientEdit, name: String) -> ClientEdit {
        let gained = self
            .redirect_uris
            .iter()
            .any(|uri| !before.redirect_uris.contains(uri));
        let public = self.method == ClientAuthMethod::None;
        let (subject_type, sector_identifier_uri) = match self.subject_type {
            Some(named) => (named, self.sector_identifier_uri.clone()),
            None => (before.subject_type, before.sector_identifier_uri),
        };
        ClientEdit {
            name,
            // RFC 8252 §8.4: a native application that registered itself may have a secret of its own.
            kind: match (public, self.native) {
                (true, true) => ClientKind::Native,
                (true, false) => ClientKind::SinglePage,
                (false, _) => ClientKind::Web,
            },
            public,
            auth_method: self.method,
            jwks: self.jwks.clone(),
            jwks_uri: self.jwks_uri.clone(),
            request_uris: self.request_uris.clone(),
            redirect_uris: self.redirect_uris.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.clone(),
            grants: self.grants.clone(),
            scope: self.scope_within(&before.scope),
            id_token_alg: self.id_token_alg,
            // The administrator vouched for the addresses that there were.
            consent: match before.consent {
                ConsentPolicy::Trusted if gained => ConsentPolicy::Once,
                consent => consent,
            },
            home_uri: self.client_uri.clone(),
            logo_uri: self.logo_uri.clone(),
            policy_uri: self.policy_uri.clone(),
            tos_uri: self.tos_uri.clone(),
            // Both make it stricter; what an administrator set is not loosened by leaving it out.
            dpop_bound_access_tokens: self.dpop_bound || before.dpop_bound_access_tokens,
            require_par: self.require_par || before.require_par,
            authorization_signed_response_alg: self.authorization_signed_response_alg,
            userinfo_signed_response_alg: self.userinfo_signed_response_alg,
            frontchannel_logout_uri: self.frontchannel_logout_uri.clone(),
            frontchannel_logout_session_required: self.frontchannel_logout_session_required,
            subject_type,
            sector_identifier_uri,
            ..before
        }
    }

    /// Never more than the default scopes and those that an administrator gave. RFC 7591 §2 lets a server narrow what
    /// was asked for; the answer says what was registered.
    fn scope_within(&self, before: &str) -> String {
        let before: Scope = before.parse().unwrap_or_default();
        let most = default_scope().joined_with(&before);
        match &self.scope {
            Some(scope) => scope.common_with(&most),
            None if before.is_empty() => default_scope(),
            None => before,
        }
        .to_string()
    }
}

impl Metadata {
    /// What was asked for of the scopes that come with a resource: noted, and no scope of the client.
    pub(super) fn scope_of_resources(&self, around: &Around) -> Scope {
        let asked = self.scope.as_ref();
        asked.map_or_else(Scope::default, |scope| scope.common_with(&around.offered))
    }
}

pub(super) fn default_scope() -> Scope {
    DEFAULT_SCOPE.parse().unwrap_or_default()
}

fn refuse_unsupported(members: &Map<String, Value>) -> Result<(), RegistrationError> {
    if members.contains_key("jwks") && members.contains_key("jwks_uri") {
        // RFC 7591 §2.
        return Err(RegistrationError::metadata(
            "jwks and jwks_uri must not both be there",
        ));
    }
    let present = UNSUPPORTED
        .iter()
        .find(|(name, _)| members.contains_key(*name));
    let wanted = NOT_DONE
        .iter()
        .find(|(name, _)| members.get(*name).is_some_and(|v| *v != Value::Bool(false)));
    match present.or(wanted) {
        Some((_, sentence)) => Err(RegistrationError::metadata(sentence)),
        None => Ok(()),
    }
}

/// A grant type by its name on the wire.
fn named(name: &str) -> Option<GrantType> {
    [
        GrantType::AuthorizationCode,
        GrantType::ClientCredentials,
        GrantType::RefreshToken,
        GrantType::DeviceCode,
    ]
    .into_iter()
    .find(|grant| grant_name(*grant) == name)
}

/// As it stands on the wire.
pub(super) fn grant_name(grant: GrantType) -> &'static str {
    match grant {
        GrantType::AuthorizationCode => "authorization_code",
        GrantType::ClientCredentials => "client_credentials",
        GrantType::RefreshToken => "refresh_token",
        GrantType::DeviceCode => device::GRANT_TYPE,
        GrantType::TokenExchange => exchange::GRANT_TYPE,
    }
}

/// OpenID Connect Dynamic Client Registration §2: `web` unless it says so. Many applications for one person's machine
/// say nothing; their addresses tell.
fn native(
    members: &Map<String, Value>,
    redirect_uris: &[String],
) -> Result<bool, RegistrationError> {
    match members.get("application_type").map(Value::as_str) {
        Some(Some("native")) => Ok(true),
        Some(Some("web")) => Ok(false),
        Some(_) => Err(RegistrationError::metadata(
            "application_type must be web or native",
        )),
        None => Ok(redirect_uris
            .iter()
            .any(|uri| addresses::is_of_machine(uri))),
    }
}

/// An address for sectors says that there are to be some. Back to the one name that all applications know goes nobody
/// by themselves: the administrator may have taken it from them.
fn subject_type(
    members: &Map<String, Value>,
    client: Option<&Client>,
) -> Result<Option<SubjectType>, RegistrationError> {
    let had = client.map(Client::subject_type);
    match members.get("subject_type").map(Value::as_str) {
        Some(Some("public")) if had == Some(SubjectType::Pairwise) => Err(
            RegistrationError::metadata("subject_type is pairwise; ask the administrator"),
        ),
        Some(Some("public")) => Ok(Some(SubjectType::Public)),
        Some(Some("pairwise")) => Ok(Some(SubjectType::Pairwise)),
        Some(_) => Err(RegistrationError::metadata(
            "subject_type must be public or pairwise",
        )),
        None => Ok(text(members, SECTOR_URI, SECTOR_SENTENCE)?.map(|_| SubjectType::Pairwise)),
    }
}

fn method(members: &Map<String, Value>) -> Result<ClientAuthMethod, RegistrationError> {
    let Some(name) = members.get("token_endpoint_auth_method") else {
        return Ok(ClientAuthMethod::ClientSecretBasic);
    };
    // The RFC's names are those that are stored.
    serde_json::from_value(name.clone()).map_err(|_| {
        RegistrationError::metadata(
            "token_endpoint_auth_method must be one of those that the discovery document lists",
        )
    })
}

/// Applications that registered themselves act for people only: a stranger's service must not get tokens in which a
/// resource server sees nothing but our signature. An administrator may allow more; that stays.
fn grants(
    members: &Map<String, Value>,
    client: Option<&Client>,
) -> Result<BTreeSet<GrantType>, RegistrationError> {
    const SENTENCE: &str = "grant_types must be authorization_code, with or without refresh_token";
    let Some(names) = list(members, "grant_types", SENTENCE)? else {
        return Ok([GrantType::AuthorizationCode].into());
    };
    let mut grants = BTreeSet::new();
    for name in names {
        let grant = named(&name);
        let may = |grant: &GrantType| {
            matches!(
                grant,
                GrantType::AuthorizationCode | GrantType::RefreshToken
            ) || client.is_some_and(|client| client.grants.contains(grant))
        };
        match grant.filter(may) {
            Some(grant) => grants.insert(grant),
            None => {
                return Err(RegistrationError::Metadata {
                    sentence: SENTENCE,
                    detail: format!("grant type {}", crate::model::quoted(&name)),
                });
            }
        };
    }
    // RFC 7591 §2.1: `code` goes with `authorization_code`, and there is no other response type.
    if !grants.contains(&GrantType::AuthorizationCode) {
        return Err(RegistrationError::metadata(SENTENCE));
    }
    Ok(grants)
}

fn response_types(members: &Map<String, Value>) -> Result<(), RegistrationError> {
    const SENTENCE: &str = "response_types must be code";
    match list(members, "response_types", SENTENCE)? {
        Some(types) if types.is_empty() || types.iter().any(|name| name != "code") => {
            Err(RegistrationError::metadata(SENTENCE))
        }
        _ => Ok(()),
    }
}

fn scope(members: &Map<String, Value>) -> Result<Option<Scope>, RegistrationError> {
    const SENTENCE: &str = "scope must be scope names with spaces between";
    match text(members, "scope", SENTENCE)? {
        Some(scope) => scope
            .parse()
            .map(Some)
            .map_err(|_| RegistrationError::metadata(SENTENCE)),
        None => Ok(None),
    }
}

/// People read it when they decide: what cannot be seen has no place in it.
fn name(members: &Map<String, Value>) -> Result<Option<String>, RegistrationError> {
    const SENTENCE: &str = "client_name must be a text of visible characters";
    let name = text(members, "client_name", SENTENCE)?;
    match name {
        Some(name) if name.chars().any(is_unseen) => Err(RegistrationError::metadata(SENTENCE)),
        name => Ok(name.map(|name| name.trim().to_owned())),
    }
}

fn contacts(members: &Map<String, Value>) -> Result<Vec<String>, RegistrationError> {
    const SENTENCE: &str = "contacts must be at most 10 texts of at most 200 characters";
    let contacts = list(members, "contacts", SENTENCE)?.unwrap_or_default();
    let bad = |text: &String| text.len() > CONTACT_MAX || text.chars().any(is_unseen);
    if contacts.len() > CONTACTS_MAX || contacts.iter().any(bad) {
        return Err(RegistrationError::metadata(SENTENCE));
    }
    Ok(contacts)
}

fn default_max_age(members: &Map<String, Value>) -> Result<Option<u32>, RegistrationError> {
    let refuse = || RegistrationError::metadata("default_max_age must be a number of seconds");
    match members.get("default_max_age") {
        None => Ok(None),
        Some(age) => age
            .as_u64()
            .and_then(|age| u32::try_from(age).ok())
            .map(Some)
            .ok_or_else(refuse),
    }
}
