//! `doorlight client`: applications.

use super::client_edit::{EditArguments, changes};
use super::{Failure, Shared, output, reach};
use crate::model::{Algorithm, ClientAuthMethod, ClientKind, GrantType, Profile, SubjectType};
use crate::oauth::clients::NewClient;
use crate::server::administration::clients;
use crate::server::api::control::{Command, SecretId};
use crate::server::api::describe;
use crate::types::{Timestamp, strict_json};
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Add an application; prints its secret, once.
    #[command(
        after_help = "Example: doorlight client add Photos --redirect-uri https://photos.example.org/callback"
    )]
    Add(Box<AddArguments>),
    /// Change an application; what is not given stays.
    #[command(after_help = "Example: doorlight client edit Photos --allowed-group family")]
    Edit(Box<EditArguments>),
    /// List applications.
    List,
    /// Show one application.
    Show {
        /// Name or client id.
        client: String,
    },
    /// Give an application a second secret; the first goes on working until it is removed.
    RotateSecret {
        /// Name or client id.
        client: String,
    },
    /// Remove one of two secrets, when the application has the other.
    #[command(after_help = "Example: doorlight client remove-secret Photos 1795965851602")]
    RemoveSecret {
        /// Name or client id.
        client: String,
        /// Its id, as `client show` lists it.
        #[arg(value_parser = secret_id)]
        secret: Timestamp,
    },
    /// Delete an application; its tokens die.
    Rm {
        /// Name or client id.
        client: String,
    },
}

#[derive(Args)]
pub(super) struct AddArguments {
    /// Shown to people.
    name: String,
    /// Where a sign-in may return to; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where a sign-out may return to; may be repeated.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// It cannot keep a secret.
    #[arg(long)]
    public: bool,
    /// How it proves who it is: client_secret_basic, client_secret_post, client_secret_jwt or private_key_jwt.
    #[arg(long, value_parser = named::<ClientAuthMethod>)]
    auth_method: Option<ClientAuthMethod>,
    /// A file with its public keys, a JWK set; for private_key_jwt.
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// Where its public keys stand instead; a host at home must be allowed as well (`doorlight outbound allow`).
    #[arg(long, value_name = "URI", conflicts_with = "jwks_file")]
    jwks_uri: Option<String>,
    /// Where its authorization requests stand that it names by reference; may be repeated.
    #[arg(long = "request-uri", value_name = "URI")]
    request_uris: Vec<String>,
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
    /// may be repeated.
    #[arg(long = "audience", value_name = "URI")]
    audiences: Vec<String>,
    /// standard or strict.
    #[arg(long, value_parser = named::<Profile>, default_value = "standard")]
    profile: Profile,
    /// Never ask people for permission.
    #[arg(long)]
    trusted: bool,
    /// It may introspect tokens that are for its audiences.
    #[arg(long)]
    may_introspect: bool,
    /// Put the claims of granted scopes into the ID token.
    #[arg(long)]
    claims_in_id_token: bool,
    /// It may return to plain-http addresses of other machines.
    #[arg(long)]
    allow_http: bool,
    /// Only members of this group may sign in; may be repeated.
    #[arg(long = "allowed-group", value_name = "GROUP")]
    allowed_groups: Vec<String>,
    /// It gets only tokens that are bound to a key of its own (DPoP).
    #[arg(long)]
    dpop: bool,
    /// Its authorization requests must be pushed (PAR); the strict profile wants that anyway.
    #[arg(long)]
    require_par: bool,
    /// RS256, ES256 or EdDSA, for signed answers of the authorization endpoint (JARM); as for ID tokens when left out.
    #[arg(long, value_name = "ALG", value_parser = named::<Algorithm>)]
    authorization_signed_response_alg: Option<Algorithm>,
    /// RS256, ES256 or EdDSA, for signed userinfo; not signed when left out.
    #[arg(long, value_name = "ALG", value_parser = named::<Algorithm>)]
    userinfo_signed_response_alg: Option<Algorithm>,
    /// A claim of its own, such as 'is_admin is "true" for admins, otherwise "false"', 'login from preferred_username'
    /// or 'tenant is home, also in access tokens'; may be repeated.
    #[arg(long = "claim", value_name = "LINE")]
    claims: Vec<String>,
    /// Where it is told of sign-outs; a host at home must be allowed as well (`doorlight outbound allow`).
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// It needs the session id to know which sign-in ended.
    #[arg(long, requires = "backchannel_logout_uri")]
    backchannel_logout_session_required: bool,
    /// A page of it that signs out the browser that opens it; with scheme, host and port of a redirect URI.
    #[arg(long, value_name = "URI")]
    frontchannel_logout_uri: Option<String>,
    /// It needs issuer and session id there; both are always sent.
    #[arg(long, requires = "frontchannel_logout_uri")]
    frontchannel_logout_session_required: bool,
    /// public, or pairwise: it learns a name of its own for each person, so two applications cannot compare notes.
    #[arg(long, value_parser = named::<SubjectType>, default_value = "public")]
    subject_type: SubjectType,
    /// A JSON list of the redirect URIs of all applications that shall know people by the same name; with pairwise.
    #[arg(long, value_name = "URI")]
    sector_identifier_uri: Option<String>,
}

/// The moment at which a secret was made names it.
fn secret_id(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map(Timestamp::from_millis)
        .map_err(|_| "expected the id of a secret, as `client show` lists it".to_owned())
}

/// A value as it is stored. What serde expected is what there is.
pub(super) fn named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.replace('-', "_"))).map_err(|error| {
        let error = error.to_string().replace('`', "");
        let known = error.split_once("expected ").map(|(_, known)| known);
        format!("expected {}", known.unwrap_or("another value"))
    })
}

pub(super) fn run(shared: &Shared, verb: Verb) -> Result<(), Failure> {
    let told = match verb {
        Verb::Add(_) => Some(to_do as fn(&Value) -> String),
        Verb::RotateSecret { .. } => Some(rotated as fn(&Value) -> String),
        _ => None,
    };
    let command = match verb {
        Verb::List => return list(shared),
        Verb::Show { client } => return show(shared, &client),
        Verb::Add(arguments) => Command::ClientAdd {
            client: Box::new(new_client(*arguments)?),
        },
        Verb::Edit(arguments) => {
            let (client, changes) = changes(*arguments)?;
            let changes = Box::new(changes);
            Command::ClientEdit { client, changes }
        }
        Verb::RotateSecret { client } => Command::ClientRotateSecret { client },
        Verb::RemoveSecret { client, secret } => Command::ClientRemoveSecret {
            client,
            secret: SecretId(secret),
        },
        Verb::Rm { client } => Command::ClientRemove { client },
    };
    let done = reach::write(shared, command)?;
    match told {
        Some(told) => {
            output::to_copy(shared, &done, &TO_TYPE);
            output::next(shared, &told(&done));
        }
        None => output::one(shared, &done),
    }
    Ok(())
}

/// What the application is to be told. `client show` has the rest.
const TO_TYPE: [(&str, &str); 4] = [
    ("client_id", ""),
    ("client_secret", "shown only now"),
    ("issuer", ""),
    ("discovery", ""),
];

/// What is left to do for an application that was added.
fn to_do(added: &Value) -> String {
    let what = match added.get("client_secret") {
        Some(_) => {
            "client_id, client_secret and discovery (or issuer) into it now, for the secret is not shown again"
        }
        None => "client_id and discovery (or issuer) into it",
    };
    let id = output::member(added, "client_id");
    format!("The application was added: type {what}. Its settings: doorlight client show {id}")
}

/// The same for one that has another secret than before.
fn rotated(done: &Value) -> String {
    let (id, name) = (
        output::member(done, "client_id"),
        output::member(done, "name"),
    );
    match done
        .get("secrets")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        Some([old, _]) => format!(
            "{name} has two secrets now, and both are good. Type the new one into it, then remove the old one: doorlight \
             client remove-secret {id} {}",
            output::member(old, "id")
        ),
        _ => format!("Type it into {name} now, for it is not shown again."),
    }
}

/// Without a kind, a client that acts for itself alone is a service.
fn new_client(arguments: AddArguments) -> Result<NewClient, Failure> {
    let service = arguments.grants == [GrantType::ClientCredentials];
    let kind = arguments.kind.unwrap_or(if service {
        ClientKind::Service
    } else {
        ClientKind::Web
    });
    let jwks = arguments.jwks_file.as_deref().map(key_set).transpose()?;
    Ok(NewClient {
        auth_method: arguments.auth_method,
        jwks,
        jwks_uri: arguments.jwks_uri,
        request_uris: arguments.request_uris,
        name: arguments.name,
        kind,
        redirect_uris: arguments.redirect_uris,
        post_logout_redirect_uris: arguments.post_logout_redirect_uris,
        public: arguments.public,
        grants: arguments.grants,
        scope: arguments.scope,
        id_token_alg: arguments.id_token_alg,
        access_token_alg: arguments.access_token_alg,
        audiences: arguments.audiences,
        profile: arguments.profile,
        trusted: arguments.trusted,
        may_introspect: arguments.may_introspect,
        claims_in_id_token: arguments.claims_in_id_token,
        allow_http: arguments.allow_http,
        allowed_groups: arguments.allowed_groups,
        dpop_bound_access_tokens: arguments.dpop,
        require_par: arguments.require_par,
        authorization_signed_response_alg: arguments.authorization_signed_response_alg,
        userinfo_signed_response_alg: arguments.userinfo_signed_response_alg,
        claim_mappings: arguments.claims,
        backchannel_logout_uri: arguments.backchannel_logout_uri,
        backchannel_logout_session_required: arguments.backchannel_logout_session_required,
        frontchannel_logout_uri: arguments.frontchannel_logout_uri,
        frontchannel_logout_session_required: arguments.frontchannel_logout_session_required,
        subject_type: arguments.subject_type,
        sector_identifier_uri: arguments.sector_identifier_uri,
    })
}

/// The JSON object in a file. What is in it is looked at with the other settings.
pub(super) fn key_set(path: &Path) -> Result<Value, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure(format!("{}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| wrong(&e))?;
    strict_json::parse_object(&bytes)
        .map(Value::Object)
        .map_err(|_| wrong(&"this is not a JWK set (a JSON object with the member \"keys\")"))
}

fn list(shared: &Shared) -> Result<(), Failure> {
    let clients = reach::read(shared, |view| Ok(view.clients(None, usize::MAX)?))?;
    let clients: Vec<_> = clients.iter().map(describe::client).collect();
    output::table(
        shared,
        &clients,
        &[
            "client_id",
            "name",
            "kind",
            "profile",
            "grants",
            "disabled",
            "registered",
        ],
    );
    Ok(())
}

fn show(shared: &Shared, client: &str) -> Result<(), Failure> {
    let value = reach::read(shared, |view| {
        Ok(describe::client(&clients::find_in(view, client)?))
    })?;
    output::one(shared, &value);
    Ok(())
}
