//! Applications of Authelia: `identity_providers.oidc.clients` of its configuration, as of 4.39.
//! Owns: which settings of ours theirs are, and which applications come in switched off. Not here: how it hashes (`hashes`).

use super::application::{self, Draft, NotKept};
use super::reading::{Record, shown};
use super::{Foreign, Known, Left, hashes};
use crate::model::{ClientAuthMethod, ConsentPolicy, GrantType};
use crate::types::{Secret, SecretHash};
use serde_json::Value;

/// Members that have nothing to do here: Doorlight answers in every mode, takes the methods of each endpoint alike, names
/// its keys itself, and asks for PKCE where there is no secret.
const PASSED_OVER: &[&str] = &[
    "response_modes",
    "requested_audience_mode",
    "allow_multiple_auth_methods",
    "token_endpoint_auth_signing_alg",
    "revocation_endpoint_auth_method",
    "revocation_endpoint_auth_signing_alg",
    "introspection_endpoint_auth_method",
    "introspection_endpoint_auth_signing_alg",
    "pushed_authorization_request_endpoint_auth_method",
    "pushed_authorization_request_endpoint_auth_signing_alg",
    "request_object_signing_alg",
    "id_token_signed_response_key_id",
    "userinfo_signed_response_key_id",
    "access_token_signed_response_key_id",
    "authorization_signed_response_key_id",
    "introspection_signed_response_key_id",
];

/// Reads the file.
pub fn read(file: &Value, known: &Known) -> Result<Foreign, String> {
    const NOT_ONE: &str =
        "it has no identity_providers: oidc: clients, which is where Authelia has its applications";
    let file = Record::of("the file", file)?;
    let providers = file.record("identity_providers")?.ok_or(NOT_ONE)?;
    let oidc = providers.record("oidc")?.ok_or(NOT_ONE)?;
    let mut foreign = Foreign::empty();
    let mut left = Left::default();
    let mut names = application::Names::default();
    // Its keys and their secrets: applications fetch ours.
    oidc.pass_over(&[
        "hmac_secret",
        "jwks",
        "issuer_private_key",
        "issuer_certificate_chain",
    ]);
    // What they are for is told where an application uses one.
    oidc.pass_over(&["authorization_policies", "claims_policies"]);
    for record in oidc.records("clients")? {
        let record = match record.text("client_id") {
            Ok(Some(id)) => record.called(format!("the application “{}”", shown(&id))),
            _ => record,
        };
        match client(&record, &mut left) {
            Ok(Some(draft)) => {
                let taken = draft.finish(&mut names, known, &mut left);
                foreign.document.clients.extend(taken);
            }
            Ok(None) => {}
            Err(why) => foreign.problems.push(why),
        }
    }
    for (part, record) in [
        ("identity_providers", &providers),
        ("oidc", &oidc),
        ("the file", &file),
    ] {
        for member in record.left() {
            left.behind(format!("not read in {part}"), &member);
        }
    }
    left.told(&mut foreign.notes);
    Ok(foreign)
}

/// `None`: it cannot come in, and why is told.
fn client(record: &Record<'_>, left: &mut Left) -> Result<Option<Draft>, String> {
    let Some(id) = record.text("client_id")? else {
        return Err(record.wrong(
            "client_id",
            "is missing (before Authelia 4.38 it was called id)",
        ));
    };
    let mut draft = Draft::new(&id, record.text("client_name")?);
    let settings = &mut draft.settings;
    settings.public = record.flag("public")?.unwrap_or(false);
    let responses = record.texts("response_types")?;
    if !responses.is_empty() && !responses.iter().any(|kind| kind == "code") {
        left.behind(
            "left out, for they get no codes (response_types) and nothing else is answered here",
            &id,
        );
        return Ok(None);
    }
    if responses.iter().any(|kind| kind != "code") {
        left.behind("of response_types only “code” comes along", &id);
    }
    settings.redirect_uris = record.texts("redirect_uris")?;
    settings.request_uris = record.texts("request_uris")?;
    settings.audiences = record.texts("audience")?;
    settings.jwks_uri = record.text("jwks_uri")?;
    settings.require_par = record
        .flag("require_pushed_authorization_requests")?
        .unwrap_or(false);
    grants(record, &mut draft, left)?;
    scopes(record, &mut draft, left)?;
    pkce(record, &mut draft, left)?;
    consent(record, &mut draft)?;
    policy(record, &mut draft, left)?;
    algorithms(record, &mut draft, left)?;
    if !authentication(record, &mut draft, left)? {
        return Ok(None);
    }
    if record.text("claims_policy")?.is_some() {
        left.behind(
            "their claims_policy does not come along; claims of their own are set on their pages",
            &id,
        );
    }
    record.pass_over(PASSED_OVER);
    for member in record.left() {
        left.behind(
            format!("“{member}” of applications does not come along"),
            &id,
        );
    }
    Ok(Some(draft))
}

fn grants(record: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<(), String> {
    let mut named = record.texts("grant_types")?;
    if named.is_empty() {
        named.push("authorization_code".to_owned());
    }
    for name in named {
        let grant = match name.as_str() {
            "authorization_code" => GrantType::AuthorizationCode,
            "refresh_token" => GrantType::RefreshToken,
            "client_credentials" => GrantType::ClientCredentials,
            "urn:ietf:params:oauth:grant-type:device_code" => GrantType::DeviceCode,
            other => {
                let what = format!("there is no grant type “{}” here", shown(other));
                left.behind(what, &draft.id);
                continue;
            }
        };
        draft.settings.grants.insert(grant);
    }
    Ok(())
}

fn scopes(record: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<(), String> {
    let mut scopes = record.texts("scopes")?;
    if scopes.is_empty() {
        scopes = ["openid", "groups", "profile", "email"]
            .map(str::to_owned)
            .into();
    }
    let before = scopes.len();
    // Those of Doorlight's own go where every file of another server is planned (`plan::authority`).
    scopes.retain(|scope| !scope.starts_with("authelia."));
    if scopes.len() < before {
        left.behind("scopes for Authelia's own API do not come along", &draft.id);
    }
    draft.settings.scope = scopes.join(" ");
    Ok(())
}

fn pkce(record: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<(), String> {
    let required = record.flag("require_pkce")?.unwrap_or(false);
    let method = record.text("pkce_challenge_method")?;
    draft.settings.allow_plain_pkce = method.as_deref() == Some("plain");
    if (required || method.is_some()) && !draft.settings.public {
        left.behind(
            "PKCE was required of these; here it is where there is no secret, and else checked when it is used",
            &draft.id,
        );
    }
    Ok(())
}

fn consent(record: &Record<'_>, draft: &mut Draft) -> Result<(), String> {
    let remembered = record.get("pre_configured_consent_duration").is_some();
    draft.settings.consent = match record.text("consent_mode")?.as_deref() {
        Some("implicit") => ConsentPolicy::Trusted,
        Some("explicit") => ConsentPolicy::Always,
        Some("pre-configured") => ConsentPolicy::Once,
        None | Some("auto") if remembered => ConsentPolicy::Once,
        None | Some("auto") => ConsentPolicy::Always,
        Some(_) => return Err(record.wrong("consent_mode", "is none that Authelia has")),
    };
    Ok(())
}

/// Who may use it: what is not known to be open comes in switched off.
fn policy(record: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<(), String> {
    let named = record.text("authorization_policy")?;
    match named.as_deref() {
        Some("one_factor") => {}
        None | Some("two_factor") => {
            left.behind(
                "the second factor that these asked for does not come along",
                &draft.id,
            );
        }
        Some(other) => {
            draft.settings.disabled = true;
            let what = format!(
                "switched off, for who may use these stands in the policy “{}”: choose their groups, then switch them on",
                shown(other)
            );
            left.behind(what, &draft.id);
        }
    }
    Ok(())
}

fn algorithms(record: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<(), String> {
    let settings = &mut draft.settings;
    for (member, place) in [
        ("id_token_signed_response_alg", &mut settings.id_token_alg),
        (
            "access_token_signed_response_alg",
            &mut settings.access_token_alg,
        ),
    ] {
        let named = record.text(member)?;
        match application::algorithm(named.as_deref()) {
            Ok(Some(found)) => *place = found,
            Ok(None) => {}
            Err(NotKept) => {
                let what =
                    format!("{member} does not come along, for it is not signed with that here");
                left.behind(what, &draft.id);
            }
        }
    }
    for (member, place) in [
        (
            "userinfo_signed_response_alg",
            &mut settings.userinfo_signed_response_alg,
        ),
        (
            "authorization_signed_response_alg",
            &mut settings.authorization_signed_response_alg,
        ),
    ] {
        let named = record.text(member)?;
        match application::algorithm(named.as_deref()) {
            Ok(found) => *place = found,
            Err(NotKept) => {
                let what =
                    format!("{member} does not come along, for it is not signed with that here");
                left.behind(what, &draft.id);
            }
        }
    }
    Ok(())
}

/// How it proves who it is. Whether it can here.
fn authentication(record: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<bool, String> {
    let secret = record.text("client_secret")?;
    let method = record.text("token_endpoint_auth_method")?;
    draft.settings.auth_method = match method.as_deref() {
        None | Some("client_secret_basic") => ClientAuthMethod::ClientSecretBasic,
        Some("client_secret_post") => ClientAuthMethod::ClientSecretPost,
        Some("client_secret_jwt") => ClientAuthMethod::ClientSecretJwt,
        Some("private_key_jwt") => ClientAuthMethod::PrivateKeyJwt,
        Some("none") => {
            draft.settings.public = true;
            ClientAuthMethod::None
        }
        Some(_) => {
            return Err(record.wrong("token_endpoint_auth_method", "is none that Authelia has"));
        }
    };
    if record.get("jwks").is_some() && draft.settings.jwks_uri.is_none() {
        left.behind(
            "public keys (jwks) stand in the file as PEM and do not come along",
            &draft.id,
        );
    }
    if draft.settings.public {
        return Ok(true);
    }
    if draft.settings.auth_method == ClientAuthMethod::PrivateKeyJwt {
        let kept = draft.settings.jwks_uri.is_some();
        if !kept {
            left.behind(
                "left out, for they sign with a key that stands in the file as PEM: add them with their key as JWK",
                &draft.id,
            );
        }
        return Ok(kept);
    }
    let Some(secret) = secret else {
        return Ok(true);
    };
    if let Some(plain) = secret.strip_prefix("$plaintext$") {
        draft.plain_secret(&Secret::new(plain.to_owned()), left);
        return Ok(true);
    }
    if draft.settings.auth_method == ClientAuthMethod::ClientSecretJwt {
        left.behind(
            "they sign with their secret, of which the file has only a hash",
            &draft.id,
        );
        return Ok(true);
    }
    match hashes::authelia(&secret) {
        Ok(phc) => draft.secret(SecretHash::Slow(phc), None),
        Err(kind) => {
            left.behind(
                format!("secrets that are hashed with {kind} do not come along"),
                &draft.id,
            );
        }
    }
    Ok(true)
}
