//! People, applications and keys as JSON: what the command line prints with `--json`. Never a hash or a secret.

use crate::crypto::rotation::KeyState;
use crate::model::{Client, InitialAccessToken, Resource, Session, User};
use crate::oauth::claim_mapping;
use crate::oauth::clients::sector;
use crate::ops::backup::due::Due;
use crate::ops::clock::Doubt;
use crate::server::administration::backups::{self as backup_operations, State as BackupState};
use crate::server::administration::keys::KeyLine;
use crate::server::pages::when::when;
use crate::types::{Issuer, Timestamp};
use serde_json::{Value, json};

/// A person.
pub fn user(user: &User) -> Value {
    let mut value = json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "email_verified": user.email_verified,
        "groups": user.groups,
        "admin": user.admin,
        "disabled": user.disabled,
        "has_password": user.password.is_some(),
        "created": when(user.created).iso,
    });
    if let Some(subject) = &user.subject {
        value["sub"] = json!(subject);
    }
    value
}

/// A person with their sessions.
pub fn user_in_full(person: &User, sessions: &[Session]) -> Value {
    let mut value = user(person);
    value["sessions"] = sessions
        .iter()
        .map(|session| {
            json!({
                "id": session.id,
                "created": when(session.created).iso,
                "last_seen": when(session.last_seen).iso,
                "address": session.address,
            })
        })
        .collect();
    value
}

/// An application.
pub fn client(client: &Client) -> Value {
    let mut value = json!({
        "client_id": client.wire_id(),
        "name": client.name,
        "kind": client.kind,
        "public": client.is_public(),
        "auth_method": client.auth_method,
        "jwks": client.jwks,
        "profile": client.profile,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "grants": client.grants,
        "scope": client.scope,
        "id_token_alg": client.id_token_alg,
        "access_token_alg": client.access_token_alg,
        "claims_in_id_token": client.claims_in_id_token,
        "require_par": client.require_par,
        "authorization_signed_response_alg": client.authorization_signed_response_alg,
        "userinfo_signed_response_alg": client.userinfo_signed_response_alg,
        "claim_mappings": client.claim_mappings.iter().map(claim_mapping::line).collect::<Vec<_>>(),
        "access_token_minutes": client.access_token_minutes,
        "refresh": client.refresh,
        "refresh_idle_days": client.refresh_idle_days,
        "refresh_absolute_days": client.refresh_absolute_days,
        "audiences": client.audiences,
        "consent": client.consent,
        "may_introspect": client.may_introspect,
        "allow_http": client.allow_http,
        "allow_plain_pkce": client.allow_plain_pkce,
        "allowed_groups": client.allowed_groups,
        "home_uri": client.home_uri,
        "logo_uri": client.logo_uri,
        "policy_uri": client.policy_uri,
        "tos_uri": client.tos_uri,
        "disabled": client.disabled,
        "dpop_bound_access_tokens": client.binds_tokens(),
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "backchannel_logout_session_required": client.backchannel_logout_session_required,
        "frontchannel_logout_uri": client.frontchannel_logout_uri,
        "frontchannel_logout_session_required": client.frontchannel_logout_session_required,
        "secrets": secrets(client),
        "created": when(client.created).iso,
        "registered": client.registered.is_some(),
    });
    value["jwks_uri"] = json!(client.jwks_uri);
    value["request_uris"] = json!(client.request_uris);
    value["subject_type"] = json!(client.subject_type());
    value["sector"] = json!(client.sector.as_ref().map(|sector| sector.host.as_str()));
    value["sector_identifier_uri"] = json!(sector::uri_of(client));
    value
}

/// Its live secrets by name, oldest first. The moment at which one was made names it, as on the admin page.
pub fn secrets(client: &Client) -> Value {
    let secrets = client.secrets.iter().map(|secret| {
        json!({
            "id": secret.created.millis().to_string(),
            "created": when(secret.created).iso,
        })
    });
    secrets.collect()
}

/// An application that was just added, with what it is to be told.
pub fn new_client(added: &Client, secret: Option<&str>, issuer: &Issuer) -> Value {
    let mut value = client(added);
    if let Some(secret) = secret {
        value["client_secret"] = json!(secret);
    }
    value["issuer"] = json!(issuer.as_str());
    value["discovery"] = json!(issuer.endpoint("/.well-known/openid-configuration"));
    value
}

/// A signing key.
pub fn key(line: &KeyLine) -> Value {
    let state = match line.state {
        KeyState::Published => "published",
        KeyState::Signing => "signing",
        KeyState::Retired => "retired",
    };
    json!({
        "kid": line.kid,
        "alg": line.algorithm,
        "state": state,
        "created": when(line.created).iso,
        "until": when(line.until).iso,
    })
}

/// The time that is trusted now, and what was in doubt of it.
pub fn clock(now: Timestamp, doubt: Option<Doubt>) -> Value {
    json!({
        "time": when(now).iso,
        "doubted": doubt.map(|doubt| doubt.found()),
    })
}

/// A resource.
pub fn resource(resource: &Resource) -> Value {
    json!({
        "identifier": resource.identifier,
        "name": resource.name,
        "scope": resource.scope,
        "token_seconds": resource.token_seconds,
        "alg": resource.alg,
        "clients": resource.clients,
        "servers": resource.servers,
        "registered_clients": resource.registered_clients,
        "created": when(resource.created).iso,
    })
}

/// An initial access token; its text is known to whoever was given it.
pub fn initial_token(token: &InitialAccessToken) -> Value {
    json!({
        "id": token.id,
        "note": token.note,
        "uses_left": token.uses_left,
        "created": when(token.created).iso,
        "expires": when(token.expires).iso,
    })
}

/// Backups that are made by themselves.
pub fn backups(state: &BackupState) -> Value {
    let (settings, record) = (&state.settings, &state.record);
    let (good, failure) = (record.good.as_ref(), record.failure.as_ref());
    json!({
        "folder": settings.folder,
        "at": format!("{} UTC", backup_operations::time_of_day(settings.minute)),
        "daily": settings.keep.daily,
        "weekly": settings.keep.weekly,
        "monthly": settings.keep.monthly,
        "recipients": settings.recipients,
        "next": match state.due {
            Due::Never => Value::Null,
            Due::Now | Due::NowIfItStaysSo => json!("now"),
            Due::At(time) => json!(when(time).iso),
        },
        "last_good": good.map(|good| when(good.time).iso),
        "last_good_file": good.map(|good| &good.file),
        "last_good_bytes": good.map(|good| good.bytes),
        "failed_since": record.failed_since,
        "last_failure": failure.map(|failure| when(failure.time).iso),
        "last_failure_reason": failure.map(|failure| &failure.why),
        "in_the_folder": state.files.as_ref().map_or_else(|why| json!(why), |files| json!(files.len())),
        "warning": state.warning,
    })
}
