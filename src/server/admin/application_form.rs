//! The fields of an application's form, between the record and what is typed. Their names stand in
//! `views::admin::applications`.

use crate::model::{
    AdminError, Algorithm, Client, ClientAuthMethod, ClientKind, ConsentPolicy, GrantType, Profile,
    RefreshPolicy,
};
use crate::oauth::clients::ClientEdit;
use crate::types::{Form, Scope, strict_json};
use crate::views;
use serde_json::Value;
use std::collections::BTreeSet;

/// Scopes with a box of their own; others are typed.
const SCOPES: [&str; 7] = [
    "openid",
    "profile",
    "email",
    "groups",
    "phone",
    "address",
    "offline_access",
];

const KINDS: [(&str, ClientKind); 4] = [
    ("web", ClientKind::Web),
    ("spa", ClientKind::SinglePage),
    ("native", ClientKind::Native),
    ("service", ClientKind::Service),
];
const PROFILES: [(&str, Profile); 2] =
    [("standard", Profile::Standard), ("strict", Profile::Strict)];
const CONSENTS: [(&str, ConsentPolicy); 3] = [
    ("once", ConsentPolicy::Once),
    ("always", ConsentPolicy::Always),
    ("trusted", ConsentPolicy::Trusted),
];
const REFRESHES: [(&str, RefreshPolicy); 2] = [
    ("when_asked", RefreshPolicy::WhenAsked),
    ("always", RefreshPolicy::Always),
];
const ALGORITHMS: [(&str, Algorithm); 3] = [
    ("RS256", Algorithm::Rs256),
    ("ES256", Algorithm::Es256),
    ("EdDSA", Algorithm::EdDsa),
];
/// The empty one: as the ID token for answers of the authorization endpoint, not signed for userinfo.
const RESPONSE_ALGORITHMS: [(&str, Option<Algorithm>); 4] = [
    ("", None),
    ("RS256", Some(Algorithm::Rs256)),
    ("ES256", Some(Algorithm::Es256)),
    ("EdDSA", Some(Algorithm::EdDsa)),
];
const GRANTS: [(&str, GrantType); 5] = [
    ("authorization_code", GrantType::AuthorizationCode),
    ("refresh_token", GrantType::RefreshToken),
    ("client_credentials", GrantType::ClientCredentials),
    ("device_code", GrantType::DeviceCode),
    ("token_exchange", GrantType::TokenExchange),
];

/// The kind in words.
pub(super) fn kind_words(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Web => "Web application",
        ClientKind::SinglePage => "Single-page application",
        ClientKind::Native => "Phone or computer",
        ClientKind::Service => "Service without people",
    }
}

/// The form of an application as it is.
pub(super) fn of(client: &Client) -> views::Form {
    let is = ClientEdit::of(client);
    let ticked = SCOPES
        .into_iter()
        .filter(|scope| client.scope.contains(scope));
    let more: Vec<&str> = client
        .scope
        .tokens()
        .filter(|scope| !SCOPES.contains(scope))
        .collect();
    let grants = GRANTS.iter().filter(|(_, grant)| is.grants.contains(grant));
    views::Form::new()
        .with("version", is.version())
        .with("name", is.name)
        .with("kind", word(&KINDS, is.kind))
        .with("profile", word(&PROFILES, is.profile))
        .with("redirect_uris", is.redirect_uris.join("\n"))
        .with(
            "post_logout_redirect_uris",
            is.post_logout_redirect_uris.join("\n"),
        )
        .with("audiences", is.audiences.join("\n"))
        .with_all("scope", ticked)
        .with("more_scopes", more.join(" "))
        .with_all("grant", grants.map(|(name, _)| *name))
        .with("id_token_alg", word(&ALGORITHMS, is.id_token_alg))
        .with("access_token_alg", word(&ALGORITHMS, is.access_token_alg))
        .with("consent", word(&CONSENTS, is.consent))
        .with("refresh", word(&REFRESHES, is.refresh))
        .with("access_token_minutes", is.access_token_minutes.to_string())
        .with("refresh_idle_days", is.refresh_idle_days.to_string())
        .with(
            "refresh_absolute_days",
            is.refresh_absolute_days.to_string(),
        )
        .with_all("allowed_group", is.allowed_groups)
        .with("home_url", is.home_uri.unwrap_or_default())
        .with("logo_url", is.logo_uri.unwrap_or_default())
        .with("policy_url", is.policy_uri.unwrap_or_default())
        .with("terms_url", is.tos_uri.unwrap_or_default())
        .with(
            "backchannel_logout_uri",
            is.backchannel_logout_uri.unwrap_or_default(),
        )
        .with(
            "frontchannel_logout_uri",
            is.frontchannel_logout_uri.unwrap_or_default(),
        )
        .with_tick("claims_in_id_token", is.claims_in_id_token)
        .with_tick("may_introspect", is.may_introspect)
        .with_tick("allow_http_redirect", is.allow_http)
        .with_tick("allow_plain_pkce", is.allow_plain_pkce)
        .with_tick("disabled", is.disabled)
        .with_tick("dpop_bound_access_tokens", is.dpop_bound_access_tokens)
        .with_tick("require_par", is.require_par)
        .with_tick(
            "backchannel_logout_session_required",
            is.backchannel_logout_session_required,
        )
        .with_tick(
            "frontchannel_logout_session_required",
            is.frontchannel_logout_session_required,
        )
        .with("jwks", is.jwks.as_ref().map(pretty).unwrap_or_default())
        .with(
            "authorization_signed_response_alg",
            word(&RESPONSE_ALGORITHMS, is.authorization_signed_response_alg),
        )
        .with(
            "userinfo_signed_response_alg",
            word(&RESPONSE_ALGORITHMS, is.userinfo_signed_response_alg),
        )
        .with("claim_mappings", is.claim_mappings.join("\n"))
}

/// What was typed. `stored` is the application as it is, where there is one.
pub(super) fn details(form: &Form, stored: Option<&Client>) -> Result<ClientEdit, AdminError> {
    let kind = choice(form, "kind", &KINDS)?;
    let redirect_uris = lines(form, "redirect_uris");
    let mut grants = BTreeSet::new();
    for name in form.all("grant") {
        let grant = GRANTS.iter().find(|(known, _)| *known == name);
        grants.insert(
            grant
                .ok_or_else(|| AdminError::invalid("grants", "choose from the list"))?
                .1,
        );
    }
    let mut scopes: Vec<&str> = form.all("scope").collect();
    // The page for a new application is filled in for people who sign in. Who picks a service and leaves it so wants
    // what a service needs.
    if stored.is_none() && kind == ClientKind::Service && redirect_uris.is_empty() {
        grants = [GrantType::ClientCredentials].into();
        scopes.clear();
    }
    scopes.push(form.text("more_scopes"));
    let text = |name: &str| Some(form.text(name).trim().to_owned()).filter(|t| !t.is_empty());
    Ok(ClientEdit {
        name: form.text("name").to_owned(),
        kind,
        // Set on the command line only; it goes with the kind that it was set for.
        public: stored.is_some_and(|client| client.is_public() && client.kind == kind),
        // Set on the command line only.
        auth_method: stored.map_or(ClientAuthMethod::ClientSecretBasic, |client| {
            client.auth_method
        }),
        jwks: key_set(form)?,
        profile: choice(form, "profile", &PROFILES)?,
        redirect_uris,
        post_logout_redirect_uris: lines(form, "post_logout_redirect_uris"),
        grants,
        scope: one_line(&scopes.join(" "))?,
        id_token_alg: choice(form, "id_token_alg", &ALGORITHMS)?,
        access_token_alg: choice(form, "access_token_alg", &ALGORITHMS)?,
        claims_in_id_token: form.has("claims_in_id_token"),
        consent: choice(form, "consent", &CONSENTS)?,
        refresh: choice(form, "refresh", &REFRESHES)?,
        access_token_minutes: number(form, "access_token_minutes")?,
        refresh_idle_days: number(form, "refresh_idle_days")?,
        refresh_absolute_days: number(form, "refresh_absolute_days")?,
        audiences: lines(form, "audiences"),
        may_introspect: form.has("may_introspect"),
        allow_http: form.has("allow_http_redirect"),
        allow_plain_pkce: form.has("allow_plain_pkce"),
        allowed_groups: form.all("allowed_group").map(str::to_owned).collect(),
        home_uri: text("home_url"),
        logo_uri: text("logo_url"),
        policy_uri: text("policy_url"),
        tos_uri: text("terms_url"),
        disabled: stored.is_some() && form.has("disabled"),
        dpop_bound_access_tokens: form.has("dpop_bound_access_tokens"),
        require_par: form.has("require_par"),
        authorization_signed_response_alg: choice(
            form,
            "authorization_signed_response_alg",
            &RESPONSE_ALGORITHMS,
        )?,
        userinfo_signed_response_alg: choice(
            form,
            "userinfo_signed_response_alg",
            &RESPONSE_ALGORITHMS,
        )?,
        claim_mappings: lines(form, "claim_mappings"),
        backchannel_logout_uri: text("backchannel_logout_uri"),
        backchannel_logout_session_required: form.has("backchannel_logout_session_required"),
        frontchannel_logout_uri: text("frontchannel_logout_uri"),
        frontchannel_logout_session_required: form.has("frontchannel_logout_session_required"),
    })
}

/// Puts a refusal beside its field.
pub(super) fn refuse(form: &mut views::Form, error: &AdminError) {
    match error {
        AdminError::Invalid { field, message } => {
            form.refuse(shown(field), views::capital(message))
        }
        AdminError::NameTaken(_) => {
            form.refuse("name", "There is an application of this name already.");
        }
        other => form.refuse("", views::capital(&other.to_string())),
    }
}

/// What the form calls a setting.
fn shown(field: &'static str) -> &'static str {
    match field {
        "grants" => "grant",
        "allowed_groups" => "allowed_group",
        "allow_http" => "allow_http_redirect",
        "home_uri" => "home_url",
        "logo_uri" => "logo_url",
        "policy_uri" => "policy_url",
        "tos_uri" => "terms_url",
        "redirect_uri" => "redirect_uris",
        // No field of this form.
        "secret" => "",
        other => other,
    }
}

/// Keys as they are shown: two keys of a set can be told apart by eye.
fn pretty(jwks: &Value) -> String {
    format!("{jwks:#}")
}

/// A key set that was pasted; what is in it is looked at with the other rules of an application.
fn key_set(form: &Form) -> Result<Option<Value>, AdminError> {
    match form.text("jwks").trim() {
        "" => Ok(None),
        text => strict_json::parse_object(text.as_bytes())
            .map(|keys| Some(Value::Object(keys)))
            .map_err(|_| {
                AdminError::invalid(
                    "jwks",
                    "this is not a JWK set (a JSON object with the member \"keys\")",
                )
            }),
    }
}

/// A number that was typed; its bounds stand with the other rules of an application.
fn number(form: &Form, name: &'static str) -> Result<u32, AdminError> {
    let typed = form.text(name).trim();
    typed
        .parse()
        .map_err(|_| AdminError::invalid(name, "must be a whole number"))
}

fn lines(form: &Form, name: &str) -> Vec<String> {
    form.text(name)
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// Scopes are separated by any white space when they are typed, and by one space afterwards.
fn one_line(text: &str) -> Result<String, AdminError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.parse::<Scope>() {
        Ok(scope) => Ok(scope.to_string()),
        Err(why) => Err(AdminError::invalid("scope", why)),
    }
}

fn choice<T: Copy>(
    form: &Form,
    name: &'static str,
    choices: &[(&str, T)],
) -> Result<T, AdminError> {
    let given = form.text(name);
    choices
        .iter()
        .find(|(word, _)| *word == given)
        .map(|(_, value)| *value)
        .ok_or_else(|| AdminError::invalid(name, "choose from the list"))
}

fn word<T: PartialEq>(choices: &[(&'static str, T)], value: T) -> &'static str {
    choices
        .iter()
        .find(|(_, known)| *known == value)
        .map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::testing::ring;
    use crate::oauth::clients::NewClient;
    use crate::oauth::testing::client;
    use crate::views::admin::application_defaults;

    /// What a browser sends for a form as it is drawn.
    fn sent(drawn: &views::Form) -> Form {
        const FIELDS: [&str; 36] = [
            "name",
            "kind",
            "profile",
            "redirect_uris",
            "post_logout_redirect_uris",
            "audiences",
            "scope",
            "more_scopes",
            "grant",
            "id_token_alg",
            "access_token_alg",
            "consent",
            "refresh",
            "access_token_minutes",
            "refresh_idle_days",
            "refresh_absolute_days",
            "allowed_group",
            "home_url",
            "logo_url",
            "policy_url",
            "terms_url",
            "claims_in_id_token",
            "may_introspect",
            "allow_http_redirect",
            "allow_plain_pkce",
            "disabled",
            "dpop_bound_access_tokens",
            "require_par",
            "authorization_signed_response_alg",
            "userinfo_signed_response_alg",
            "claim_mappings",
            "jwks",
            "backchannel_logout_uri",
            "backchannel_logout_session_required",
            "frontchannel_logout_uri",
            "frontchannel_logout_session_required",
        ];
        let pairs = FIELDS.into_iter().flat_map(|name| {
            let values = drawn.values(name).iter();
            values.map(move |value| (name.to_owned(), value.clone()))
        });
        Form::from_pairs(pairs.collect())
    }

    #[test]
    fn saving_a_page_unchanged_changes_nothing() {
        let mut client = client();
        client.scope = "openid email api:read".parse().unwrap();
        client.allowed_groups = ["family".parse().unwrap()].into();
        client.home_uri = Some("https://notes.example".to_owned());
        client.disabled = true;
        client.refresh_idle_days = 7;
        client.refresh_absolute_days = 90;
        client.allow_plain_pkce = true;
        client.may_introspect = true;
        client.dpop_bound_access_tokens = true;
        client.require_par = true;
        client.jwks = Some(ring().jwks());
        client.authorization_signed_response_alg = Some(crate::model::Algorithm::Es256);
        client.userinfo_signed_response_alg = Some(crate::model::Algorithm::EdDsa);
        client.claim_mappings = vec![crate::model::ClaimMapping {
            claim: "tenant".to_owned(),
            source: crate::model::ClaimSource::Constant("home".into()),
            access_token: true,
        }];
        client.backchannel_logout_uri = Some("https://notes.example/out".to_owned());
        client.backchannel_logout_session_required = true;
        client.frontchannel_logout_uri = Some("https://notes.example/gone".to_owned());
        client.frontchannel_logout_session_required = true;
        let details = details(&sent(&of(&client)), Some(&client)).unwrap();
        assert_eq!(details, ClientEdit::of(&client));
    }

    #[test]
    fn the_page_of_a_new_application_holds_the_defaults() {
        let form = sent(&application_defaults().with("name", "Notes"));
        let given = details(&form, None).unwrap();
        let usual: ClientEdit = NewClient {
            name: "Notes".to_owned(),
            ..NewClient::default()
        }
        .into();
        let scope = usual.scope.parse::<Scope>().unwrap().to_string();
        assert_eq!(given, ClientEdit { scope, ..usual });
    }

    #[test]
    fn who_picks_a_service_and_nothing_else_gets_one() {
        let form = application_defaults()
            .with("name", "Backup")
            .with("kind", "service")
            .with("more_scopes", "api:write\n api:read");
        let given = details(&sent(&form), None).unwrap();
        assert_eq!(given.grants, [GrantType::ClientCredentials].into());
        assert_eq!(given.scope, "api:read api:write");
    }

    #[test]
    fn values_that_no_page_offers_are_refused() {
        for (name, value) in [
            ("kind", "toaster"),
            ("profile", ""),
            ("consent", "never"),
            ("id_token_alg", "none"),
            ("access_token_minutes", "-5"),
            ("refresh_idle_days", ""),
            ("refresh_idle_days", "99999999999"),
            ("refresh_absolute_days", "a year"),
            ("grant", "password"),
            ("more_scopes", "a\"b"),
            ("jwks", "[]"),
            ("jwks", "{\"keys\":[],\"keys\":[]}"),
        ] {
            let form = application_defaults()
                .with("name", "Notes")
                .with(name, value);
            assert!(details(&sent(&form), None).is_err(), "{name}={value}");
        }
    }
}
