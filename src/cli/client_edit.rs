//! `doorlight client edit`: what is given replaces that setting, the rest stays.

use super::Failure;
use super::client::{key_set, named};
use crate::model::{Algorithm, ClientAuthMethod, ClientKind, GrantType, Profile, SubjectType};
use crate::server::administration::client_changes::{ClientChanges, Setting};
use clap::Args;
use std::path::PathBuf;

/// The flags of `client add`. A list that is given replaces the old one, and "" alone empties it; "" takes away an
/// address, a file or an algorithm; `--trusted=false` takes back what `--trusted` says.
#[derive(Args)]
pub(super) struct EditArguments {
    /// Name or client id.
    pub(super) client: String,
    /// A new name, shown to people.
    #[arg(long)]
    name: Option<String>,
    /// Where a sign-in may return to; may be repeated; "" alone: nowhere.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where a sign-out may return to; may be repeated; "" alone: nowhere.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// It cannot keep a secret.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    public: Option<bool>,
    /// How it proves who it is: client_secret_basic, client_secret_post, client_secret_jwt or private_key_jwt.
    #[arg(long, value_parser = named::<ClientAuthMethod>)]
    auth_method: Option<ClientAuthMethod>,
    /// A file with its public keys, a JWK set; "": none.
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<String>,
    /// web, single_page, native or service.
    #[arg(long, value_parser = named::<ClientKind>)]
    kind: Option<ClientKind>,
    /// authorization_code, refresh_token, client_credentials, device_code, token_exchange; separated by commas.
    #[arg(long = "grant", value_delimiter = ',', value_parser = named::<GrantType>)]
    grants: Vec<GrantType>,
    /// All scopes that it may ask for, separated by spaces.
    #[arg(long)]
    scope: Option<String>,
    /// RS256, ES256 or EdDSA.
    #[arg(long, value_parser = named::<Algorithm>)]
    id_token_alg: Option<Algorithm>,
    /// ES256 or RS256.
    #[arg(long, value_parser = named::<Algorithm>)]
    access_token_alg: Option<Algorithm>,
    /// A resource that its access tokens may be for; one added with `resource add` lists its applications itself;
    /// may be repeated; "" alone: none.
    #[arg(long = "audience", value_name = "URI")]
    audiences: Vec<String>,
    /// standard or strict.
    #[arg(long, value_parser = named::<Profile>)]
    profile: Option<Profile>,
    /// Never ask people for permission.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    trusted: Option<bool>,
    /// It may introspect tokens that are for its audiences.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    may_introspect: Option<bool>,
    /// Put the claims of granted scopes into the ID token.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    claims_in_id_token: Option<bool>,
    /// It may return to plain-http addresses of other machines.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_http: Option<bool>,
    /// Only members of this group may sign in; may be repeated; "" alone: everybody.
    #[arg(long = "allowed-group", value_name = "GROUP")]
    allowed_groups: Vec<String>,
    /// It gets only tokens that are bound to a key of its own (DPoP).
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    dpop: Option<bool>,
    /// Its authorization requests must be pushed (PAR).
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_par: Option<bool>,
    /// RS256, ES256 or EdDSA, for signed answers of the authorization endpoint (JARM); "": as for ID tokens.
    #[arg(long, value_name = "ALG", value_parser = setting)]
    authorization_signed_response_alg: Option<Setting<Algorithm>>,
    /// RS256, ES256 or EdDSA, for signed userinfo; "": not signed.
    #[arg(long, value_name = "ALG", value_parser = setting)]
    userinfo_signed_response_alg: Option<Setting<Algorithm>>,
    /// A claim of its own, as for `client add`; may be repeated; "" alone: none.
    #[arg(long = "claim", value_name = "LINE")]
    claims: Vec<String>,
    /// Where it is told of sign-outs; "": nowhere.
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// It needs the session id to know which sign-in ended.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    backchannel_logout_session_required: Option<bool>,
    /// A page of it that signs out the browser that opens it; "": none.
    #[arg(long, value_name = "URI")]
    frontchannel_logout_uri: Option<String>,
    /// It needs issuer and session id there.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    frontchannel_logout_session_required: Option<bool>,
    /// Where its public keys are fetched from, in place of a file; "": nowhere.
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<String>,
    /// An address of signed requests of its own; may be repeated; "" alone: none.
    #[arg(long = "request-uri", value_name = "URI")]
    request_uris: Vec<String>,
    /// public or pairwise: names of people that are the same everywhere, or its own.
    #[arg(long, value_parser = named::<SubjectType>)]
    subject_type: Option<SubjectType>,
    /// A list of the return addresses that know people by the same names; "": none.
    #[arg(long, value_name = "URI")]
    sector_identifier_uri: Option<String>,
}

/// An algorithm, or none.
fn setting(text: &str) -> Result<Setting<Algorithm>, String> {
    match text {
        "" => Ok(Setting::Nothing),
        text => named(text).map(Setting::Is),
    }
}

/// A list that was given; an empty string stands for no entry.
fn list(given: Vec<String>) -> Option<Vec<String>> {
    (!given.is_empty()).then(|| {
        let entries = given.into_iter();
        entries.filter(|entry| !entry.trim().is_empty()).collect()
    })
}

/// An address; an empty string takes it away.
fn address(given: Option<String>) -> Option<Setting<String>> {
    given.map(|text| match text.trim() {
        "" => Setting::Nothing,
        _ => Setting::Is(text),
    })
}

pub(super) fn changes(given: EditArguments) -> Result<(String, ClientChanges), Failure> {
    let jwks = match given.jwks_file.as_deref() {
        None => None,
        Some("") => Some(Setting::Nothing),
        Some(path) => Some(Setting::Is(key_set(&PathBuf::from(path))?)),
    };
    let changes = ClientChanges {
        name: given.name,
        kind: given.kind,
        public: given.public,
        auth_method: given.auth_method,
        jwks,
        jwks_uri: address(given.jwks_uri),
        request_uris: list(given.request_uris),
        subject_type: given.subject_type,
        sector_identifier_uri: address(given.sector_identifier_uri),
        profile: given.profile,
        redirect_uris: list(given.redirect_uris),
        post_logout_redirect_uris: list(given.post_logout_redirect_uris),
        grants: Some(given.grants).filter(|grants| !grants.is_empty()),
        scope: given.scope,
        id_token_alg: given.id_token_alg,
        access_token_alg: given.access_token_alg,
        audiences: list(given.audiences),
        trusted: given.trusted,
        may_introspect: given.may_introspect,
        claims_in_id_token: given.claims_in_id_token,
        allow_http: given.allow_http,
        allowed_groups: list(given.allowed_groups),
        dpop_bound_access_tokens: given.dpop,
        require_par: given.require_par,
        authorization_signed_response_alg: given.authorization_signed_response_alg,
        userinfo_signed_response_alg: given.userinfo_signed_response_alg,
        claim_mappings: list(given.claims),
        backchannel_logout_uri: address(given.backchannel_logout_uri),
        backchannel_logout_session_required: given.backchannel_logout_session_required,
        frontchannel_logout_uri: address(given.frontchannel_logout_uri),
        frontchannel_logout_session_required: given.frontchannel_logout_session_required,
    };
    Ok((given.client, changes))
}
