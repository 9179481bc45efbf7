//! Applications of a realm of Keycloak.
//! Owns: which settings of ours theirs are. Not here: the realm and its people (`keycloak`).

use super::application::{self, Draft, NotKept};
use super::reading::{Record, shown};
use super::{Foreign, Known, Left};
use crate::model::{ClientAuthMethod, ConsentPolicy, GrantType, RefreshPolicy};
use crate::types::{RedirectUri, Secret};
use url::Url;

/// Those that every realm has for itself.
const OWN: &[&str] = &[
    "account",
    "account-console",
    "admin-cli",
    "broker",
    "realm-management",
    "security-admin-console",
];

/// Members and attributes that have nothing to do here, or say what is so anyway.
const PASSED_OVER: &[&str] = &[
    "id",
    "access",
    "adminUrl",
    "alwaysDisplayInConsole",
    "description",
    "fullScopeAllowed",
    "nodeReRegistrationTimeout",
    "notBefore",
    "protocol",
    "registeredNodes",
    "surrogateAuthRequired",
    "type",
];
const ATTRIBUTES_PASSED_OVER: &[&str] = &[
    "acr.loa.map",
    "backchannel.logout.revoke.offline.tokens",
    "client.introspection.response.allow.jwt.claim.enabled",
    "client.secret.creation.time",
    "client.session.idle.timeout",
    "client.session.max.lifespan",
    "client.use.lightweight.access.token.enabled",
    "client_credentials.use_refresh_token",
    "display.on.consent.screen",
    "exclude.session.state.from.auth.response",
    "login_theme",
    "logout.confirmation.enabled",
    "realm_client",
    "request.object.required",
    "token.response.type.bearer.lower-case",
    "use.jwks.url",
];

/// Reads them all.
pub fn read(
    realm: &Record<'_>,
    known: &Known,
    foreign: &mut Foreign,
    left: &mut Left,
) -> Result<(), String> {
    let mut names = application::Names::default();
    for record in realm.records("clients")? {
        let id = match record.text("clientId") {
            Ok(Some(id)) => id,
            Ok(None) => {
                foreign
                    .problems
                    .push(record.wrong("clientId", "is missing"));
                continue;
            }
            Err(why) => {
                foreign.problems.push(why);
                continue;
            }
        };
        if OWN.contains(&id.as_str()) {
            continue;
        }
        let record = record.called(format!("the application “{}”", shown(&id)));
        match client(&id, &record, left) {
            Ok(Some(draft)) => {
                let taken = draft.finish(&mut names, known, left);
                foreign.document.clients.extend(taken);
            }
            Ok(None) => {}
            Err(why) => foreign.problems.push(why),
        }
    }
    Ok(())
}

/// `None`: it cannot come in, and why is told.
fn client(id: &str, record: &Record<'_>, left: &mut Left) -> Result<Option<Draft>, String> {
    let protocol = record.text("protocol")?;
    if protocol.is_some_and(|protocol| protocol != "openid-connect") {
        left.behind(
            "left out, for they speak another protocol than OpenID Connect",
            id,
        );
        return Ok(None);
    }
    if record.flag("bearerOnly")?.unwrap_or(false) {
        left.behind(
            "left out, for they only take tokens (bearerOnly): add them under “APIs”",
            id,
        );
        return Ok(None);
    }
    let attributes = record.record_or_empty("attributes")?;
    let mut draft = Draft::new(id, record.text("name")?);
    draft.settings.public = record.flag("publicClient")?.unwrap_or(false);
    draft.settings.disabled = !record.flag("enabled")?.unwrap_or(true);
    // Keycloak asks nobody unless it is told to, gives refresh tokens to everybody, and puts claims into ID tokens.
    draft.settings.consent = match record.flag("consentRequired")? {
        Some(true) => ConsentPolicy::Once,
        _ => ConsentPolicy::Trusted,
    };
    draft.settings.refresh = RefreshPolicy::Always;
    draft.settings.claims_in_id_token = true;
    addresses(record, &attributes, &mut draft, left)?;
    grants(record, &attributes, &mut draft, left)?;
    scopes(record, &mut draft, left)?;
    sign_out(&attributes, &mut draft)?;
    signatures(&attributes, &mut draft, left)?;
    let method = attributes.text("pkce.code.challenge.method")?;
    draft.settings.allow_plain_pkce = method.as_deref() == Some("plain");
    if method.is_some() && !draft.settings.public {
        left.behind(
            "PKCE was required of these; here it is where there is no secret, and else checked when it is used",
            id,
        );
    }
    draft.settings.require_par = attributes
        .flag("require.pushed.authorization.requests")?
        .unwrap_or(false);
    draft.settings.dpop_bound_access_tokens = attributes
        .flag("dpop.bound.access.tokens")?
        .unwrap_or(false);
    lifespan(&attributes, &mut draft, left)?;
    if !authentication(record, &attributes, &mut draft, left)? {
        return Ok(None);
    }
    for mapper in record.records("protocolMappers")? {
        let name = shown(&mapper.text("name")?.unwrap_or_default());
        left.behind(
            "claims of their own (protocol mappers) do not come along; set them on their pages",
            &format!("{id} ({name})"),
        );
    }
    attributes.pass_over(ATTRIBUTES_PASSED_OVER);
    record.pass_over(PASSED_OVER);
    for member in attributes.left().into_iter().chain(record.left()) {
        left.behind(
            format!("“{member}” of applications does not come along"),
            id,
        );
    }
    Ok(Some(draft))
}

fn addresses(
    record: &Record<'_>,
    attributes: &Record<'_>,
    draft: &mut Draft,
    left: &mut Left,
) -> Result<(), String> {
    let root = record.text("rootUrl")?;
    let whole = |text: String| match &root {
        // “/cb” is below the root.
        Some(root) if text.starts_with('/') => format!("{}{text}", root.trim_end_matches('/')),
        _ => text,
    };
    let redirects: Vec<String> = record
        .texts("redirectUris")?
        .into_iter()
        .map(whole)
        .collect();
    // “+”: the same as for signing in; “-”: none.
    let after = attributes
        .text("post.logout.redirect.uris")?
        .unwrap_or_default();
    for text in after
        .split("##")
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        match text {
            "+" => draft
                .settings
                .post_logout_redirect_uris
                .extend(redirects.clone()),
            "-" => {}
            text => draft
                .settings
                .post_logout_redirect_uris
                .push(whole(text.to_owned())),
        }
    }
    let home = record.text("baseUrl")?.map(whole);
    let is_web = |text: &String| {
        Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    draft.settings.home_uri = home.filter(is_web);
    for (name, place) in [
        ("logoUri", &mut draft.settings.logo_uri),
        ("policyUri", &mut draft.settings.policy_uri),
        ("tosUri", &mut draft.settings.tos_uri),
    ] {
        *place = attributes.text(name)?.filter(is_web);
    }
    // Pages of an address that a sign-in returns to may call Doorlight.
    let parsed = redirects
        .iter()
        .filter_map(|text| text.parse::<RedirectUri>().ok());
    let origins: Vec<String> = parsed.filter_map(|uri| uri.origin()).collect();
    for origin in record.texts("webOrigins")? {
        if origin != "+" && !origins.contains(&origin) {
            left.behind(
                "web origins other than of their redirect URIs do not come along",
                &format!("{} {origin}", draft.id),
            );
        }
    }
    draft.settings.redirect_uris = redirects;
    Ok(())
}

fn grants(
    record: &Record<'_>,
    attributes: &Record<'_>,
    draft: &mut Draft,
    left: &mut Left,
) -> Result<(), String> {
    let device = attributes.flag("oauth2.device.authorization.grant.enabled")?;
    let refresh = attributes.flag("use.refresh.tokens")?.unwrap_or(true);
    for (granted, grant) in [
        (
            record.flag("standardFlowEnabled")?.unwrap_or(true),
            GrantType::AuthorizationCode,
        ),
        (
            record.flag("serviceAccountsEnabled")?.unwrap_or(false),
            GrantType::ClientCredentials,
        ),
        (device.unwrap_or(false), GrantType::DeviceCode),
        (refresh, GrantType::RefreshToken),
    ] {
        if granted {
            draft.settings.grants.insert(grant);
        }
    }
    if record.flag("implicitFlowEnabled")?.unwrap_or(false) {
        left.behind(
            "tokens in the address (implicitFlowEnabled) are not given here",
            &draft.id,
        );
    }
    if record.flag("directAccessGrantsEnabled")?.unwrap_or(false) {
        left.behind(
            "passwords of people are not taken from applications (directAccessGrantsEnabled)",
            &draft.id,
        );
    }
    Ok(())
}

/// Those that mean the same here; without a list, the usual ones.
fn scopes(record: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<(), String> {
    const NOTHING_HERE: &[&str] = &[
        "acr",
        "basic",
        "roles",
        "web-origins",
        "microprofile-jwt",
        "organization",
        "service_account",
    ];
    let mut scopes = vec!["openid", "profile", "email", "groups"];
    let listed = [
        record.texts("defaultClientScopes")?,
        record.texts("optionalClientScopes")?,
    ]
    .concat();
    for scope in &listed {
        match scope.as_str() {
            "address" => scopes.push("address"),
            "phone" => scopes.push("phone"),
            "offline_access" => scopes.push("offline_access"),
            known if scopes.contains(&known) || NOTHING_HERE.contains(&known) => {}
            other => {
                left.behind(
                    format!("the scope “{}” does not come along", shown(other)),
                    &draft.id,
                );
            }
        }
    }
    draft.settings.scope = scopes.join(" ");
    Ok(())
}

fn sign_out(attributes: &Record<'_>, draft: &mut Draft) -> Result<(), String> {
    let settings = &mut draft.settings;
    settings.backchannel_logout_uri = attributes.text("backchannel.logout.url")?;
    let required = attributes.flag("backchannel.logout.session.required")?;
    settings.backchannel_logout_session_required =
        settings.backchannel_logout_uri.is_some() && required.unwrap_or(false);
    settings.frontchannel_logout_uri = attributes.text("frontchannel.logout.url")?;
    let required = attributes.flag("frontchannel.logout.session.required")?;
    settings.frontchannel_logout_session_required =
        settings.frontchannel_logout_uri.is_some() && required.unwrap_or(false);
    Ok(())
}

fn signatures(attributes: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<(), String> {
    let settings = &mut draft.settings;
    for name in [
        "id.token.signed.response.alg",
        "access.token.signed.response.alg",
        "user.info.response.signature.alg",
        "authorization.signed.response.alg",
    ] {
        let named = attributes.text(name)?;
        match (name, application::algorithm(named.as_deref())) {
            ("id.token.signed.response.alg", Ok(Some(found))) => settings.id_token_alg = found,
            ("access.token.signed.response.alg", Ok(Some(found))) => {
                settings.access_token_alg = found
            }
            ("user.info.response.signature.alg", Ok(found)) => {
                settings.userinfo_signed_response_alg = found;
            }
            ("authorization.signed.response.alg", Ok(found)) => {
                settings.authorization_signed_response_alg = found;
            }
            (_, Ok(_)) => {}
            (name, Err(NotKept)) => {
                let what =
                    format!("{name} does not come along, for it is not signed with that here");
                left.behind(what, &draft.id);
            }
        }
    }
    Ok(())
}

fn lifespan(attributes: &Record<'_>, draft: &mut Draft, left: &mut Left) -> Result<(), String> {
    let Some(seconds) = attributes.number("access.token.lifespan")? else {
        return Ok(());
    };
    let minutes = u32::try_from(seconds.div_ceil(60)).unwrap_or(u32::MAX);
    draft.settings.access_token_minutes = minutes.clamp(5, 60);
    if !(5..=60).contains(&minutes) {
        left.behind("their access tokens last 5 to 60 minutes here", &draft.id);
    }
    Ok(())
}

/// How it proves who it is. Whether it can here.
fn authentication(
    record: &Record<'_>,
    attributes: &Record<'_>,
    draft: &mut Draft,
    left: &mut Left,
) -> Result<bool, String> {
    let kind = record.text("clientAuthenticatorType")?;
    let secret = record.text("secret")?;
    draft.settings.jwks_uri = attributes.text("jwks.url")?;
    if draft.settings.public {
        return Ok(true);
    }
    draft.settings.auth_method = match kind.as_deref() {
        None | Some("client-secret") => ClientAuthMethod::ClientSecretBasic,
        Some("client-secret-jwt") => ClientAuthMethod::ClientSecretJwt,
        Some("client-jwt") if draft.settings.jwks_uri.is_some() => {
            draft.settings.auth_method = ClientAuthMethod::PrivateKeyJwt;
            return Ok(true);
        }
        Some(other) => {
            let what = format!(
                "left out, for how they prove who they are ({}) does not come along",
                shown(other)
            );
            left.behind(what, &draft.id);
            return Ok(false);
        }
    };
    // An export from the admin console has stars for it.
    match secret.filter(|secret| !secret.chars().all(|c| c == '*')) {
        Some(secret) => draft.plain_secret(&Secret::new(secret), left),
        None => left.behind("the file has no secret of these", &draft.id),
    }
    Ok(true)
}
