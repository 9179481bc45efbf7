//! Which claims of a person go where. OpenID Connect Core §5.1, §5.4, §5.5. Never null, never empty, never mistyped.

use crate::model::{ClaimRequest, ClaimsRequest, User};
use crate::types::{Scope, strict_json::parse_object};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Claims that the scopes can give, for discovery.
pub const SUPPORTED: &[&str] = &[
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "address",
    "groups",
];

/// The scopes that give claims, for discovery and the consent page.
pub const SCOPES: &[&str] = &[
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "groups",
    "offline_access",
];

/// The claims of a person that these scopes give, and those of `requested` by name, as far as the person has them.
pub fn of_user(
    user: &User,
    scope: &Scope,
    requested: &BTreeMap<String, ClaimRequest>,
) -> Map<String, Value> {
    // Most ID tokens are asked for nothing.
    if scope.is_empty() && requested.is_empty() {
        return Map::new();
    }
    let mut all = everything(user);
    all.retain(|name, _| {
        scope_of(name).is_some_and(|s| scope.contains(s)) || requested.contains_key(name)
    });
    all
}

/// One claim of a person, if they have it.
pub(super) fn one(user: &User, name: &str) -> Option<Value> {
    everything(user).remove(name)
}

/// The longest `claims` parameter in bytes. It is kept with every grant; all claims that there are, by name in both
/// places, take 900.
const LONGEST_REQUEST: usize = 4_000;

/// The `claims` parameter (OpenID Connect Core §5.5). Members that are not understood are ignored; a text that is not
/// an object of objects, or too long, is an error; so is one with a member twice (RFC 8725 §3.10 in spirit).
pub fn parse_request(text: &str) -> Option<ClaimsRequest> {
    if text.len() > LONGEST_REQUEST {
        return None;
    }
    let members = parse_object(text.as_bytes()).ok()?;
    let read = |name: &str| -> Option<BTreeMap<String, ClaimRequest>> {
        match members.get(name) {
            None | Some(Value::Null) => Some(BTreeMap::new()),
            Some(Value::Object(claims)) => claims
                .iter()
                .map(|(claim, wish)| match wish {
                    Value::Null => Some((claim.clone(), ClaimRequest::default())),
                    Value::Object(_) => {
                        Some((claim.clone(), serde_json::from_value(wish.clone()).ok()?))
                    }
                    _ => None,
                })
                .collect(),
            Some(_) => None,
        }
    };
    Some(ClaimsRequest {
        userinfo: read("userinfo")?,
        id_token: read("id_token")?,
    })
}

/// What is left of a claims request for a client with that scope, and the scopes whose claims it names: a claim asked
/// for by name is no way around what the client may see and what the person is asked about.
pub fn within(mut request: ClaimsRequest, allowed: &Scope) -> (ClaimsRequest, Scope) {
    // No claim is held in several languages (§5.2): one with a tag gives nothing, and nobody is asked about it.
    let permitted = |name: &String| {
        !name.contains('#') && scope_of(name).is_none_or(|scope| allowed.contains(scope))
    };
    request.userinfo.retain(|name, _| permitted(name));
    request.id_token.retain(|name, _| permitted(name));
    let named = request.userinfo.keys().chain(request.id_token.keys());
    let scopes: Vec<&str> = named.filter_map(|name| scope_of(name)).collect();
    let implied = scopes.join(" ").parse().unwrap_or_default();
    (request, implied)
}

/// The scope that gives a claim (§5.4). Custom claims come with `profile`.
fn scope_of(claim: &str) -> Option<&'static str> {
    match claim {
        "sub" | "acr" | "auth_time" => None,
        "email" | "email_verified" => Some("email"),
        "phone_number" | "phone_number_verified" => Some("phone"),
        "address" => Some("address"),
        "groups" => Some("groups"),
        _ => Some("profile"),
    }
}

fn everything(user: &User) -> Map<String, Value> {
    let mut claims: Map<String, Value> = user
        .custom
        .iter()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let texts = [
        ("name", &user.name),
        ("given_name", &user.given_name),
        ("family_name", &user.family_name),
        ("middle_name", &user.middle_name),
        ("nickname", &user.nickname),
        ("profile", &user.profile),
        ("picture", &user.picture),
        ("website", &user.website),
        ("gender", &user.gender),
        ("birthdate", &user.birthdate),
        ("zoneinfo", &user.zoneinfo),
        ("locale", &user.locale),
        ("email", &user.email),
        ("phone_number", &user.phone_number),
    ];
    for (name, value) in texts {
        if let Some(text) = value.as_deref().filter(|text| !text.is_empty()) {
            claims.insert(name.to_owned(), json!(text));
        }
    }
    claims.insert("preferred_username".to_owned(), json!(user.username));
    claims.insert("updated_at".to_owned(), json!(user.updated.secs()));
    if claims.contains_key("email") {
        claims.insert("email_verified".to_owned(), json!(user.email_verified));
    }
    if claims.contains_key("phone_number") {
        claims.insert(
            "phone_number_verified".to_owned(),
            json!(user.phone_number_verified),
        );
    }
    let address = user
        .address
        .as_ref()
        .and_then(|address| serde_json::to_value(address).ok());
    if let Some(Value::Object(parts)) = address
        && !parts.is_empty()
    {
        claims.insert("address".to_owned(), Value::Object(parts));
    }
    if !user.groups.is_empty() {
        claims.insert("groups".to_owned(), json!(user.groups));
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::user;

    fn names(user: &User, scope: &str, requested: &[&str]) -> Vec<String> {
        let requested = requested
            .iter()
            .map(|n| ((*n).to_owned(), ClaimRequest::default()))
            .collect();
        of_user(user, &scope.parse().unwrap(), &requested)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn each_scope_gives_its_claims_and_no_others() {
        let user = user();
        assert_eq!(names(&user, "openid", &[]), Vec::<String>::new());
        assert_eq!(
            names(&user, "openid email", &[]),
            ["email", "email_verified"]
        );
        assert_eq!(names(&user, "groups", &[]), ["groups"]);
        let profile = names(&user, "profile", &[]);
        assert!(
            profile.contains(&"preferred_username".to_owned())
                && profile.contains(&"updated_at".to_owned())
        );
        assert!(!profile.contains(&"email".to_owned()));
    }

    #[test]
    fn a_claim_asked_for_by_name_comes_without_its_scope() {
        assert_eq!(
            names(&user(), "openid", &["email", "unknown", "phone_number"]),
            ["email"]
        );
    }

    /// Core §5.1, §5.4: each standard claim comes with its scope, and by name without it, in the right type.
    #[test]
    fn openid_core_section_5_1_every_standard_claim() {
        let text = |text: &str| Some(text.to_owned());
        let full = User {
            given_name: text("Alice"),
            family_name: text("Ant"),
            middle_name: text("B"),
            nickname: text("Al"),
            profile: text("https://a.example/"),
            picture: text("https://a.example/p"),
            website: text("https://a.example/w"),
            gender: text("female"),
            birthdate: text("0000-03-22"),
            zoneinfo: text("Europe/Vienna"),
            locale: text("de-AT"),
            phone_number: text("+43 1"),
            address: Some(crate::model::Address {
                locality: text("Wien"),
                ..Default::default()
            }),
            ..user()
        };
        let table = [
            (
                "profile",
                &[
                    "name",
                    "given_name",
                    "family_name",
                    "middle_name",
                    "nickname",
                    "preferred_username",
                    "profile",
                    "picture",
                    "website",
                    "gender",
                    "birthdate",
                    "zoneinfo",
                    "locale",
                    "updated_at",
                ][..],
            ),
            ("email", &["email", "email_verified"]),
            ("phone", &["phone_number", "phone_number_verified"]),
            ("address", &["address"]),
            ("groups", &["groups"]),
        ];
        for (scope, claims) in table {
            let mut expected: Vec<&str> = claims.to_vec();
            let given = of_user(&full, &scope.parse().unwrap(), &BTreeMap::new());
            let mut given_names: Vec<&str> = given.keys().map(String::as_str).collect();
            expected.sort_unstable();
            given_names.sort_unstable();
            assert_eq!(given_names, expected, "{scope}");
            for claim in claims {
                assert_eq!(names(&full, "openid", &[claim]), [*claim]);
                let value = &given[*claim];
                let fits = match *claim {
                    "updated_at" => value.is_u64(),
                    "address" => value.is_object(),
                    "groups" => value.is_array(),
                    verified if verified.ends_with("_verified") => value.is_boolean(),
                    _ => value.is_string(),
                };
                assert!(fits, "{claim}: {value}");
            }
        }
        let listed: usize = table.iter().map(|(_, claims)| claims.len()).sum();
        assert_eq!(SUPPORTED.len(), listed + 1, "all of these, and sub");
    }

    /// Core §5.2: a claim in a language that is not held is not an error, and nobody is asked about it.
    #[test]
    fn openid_core_section_5_2_language_tags_are_ignored() {
        let request = parse_request(r#"{"userinfo":{"name#de":null,"email":null}}"#).unwrap();
        let (kept, implied) = within(request, &"openid profile email".parse().unwrap());
        assert_eq!(kept.userinfo.keys().collect::<Vec<_>>(), ["email"]);
        assert_eq!(implied.to_string(), "email");
    }

    #[test]
    fn what_is_not_set_does_not_appear() {
        let bare = User {
            email: None,
            groups: [].into(),
            name: Some(String::new()),
            ..user()
        };
        let all = of_user(
            &bare,
            &"profile email phone address groups".parse().unwrap(),
            &BTreeMap::new(),
        );
        for absent in [
            "email",
            "email_verified",
            "phone_number_verified",
            "address",
            "groups",
            "name",
        ] {
            assert!(!all.contains_key(absent), "{absent}");
        }
        assert!(all.values().all(|value| !value.is_null()));
    }

    #[test]
    fn the_claims_parameter_is_read_or_refused() {
        let request = r#"{"userinfo":{"email":null,"x":{"essential":true}},"id_token":{"acr":{"values":["1"]}},"other":1}"#;
        let parsed = parse_request(request).unwrap();
        assert!(parsed.userinfo["x"].essential && parsed.id_token["acr"].values.is_some());
        for bad in [
            "",
            "[]",
            "{\"userinfo\":1}",
            "{\"id_token\":{\"a\":1}}",
            "{",
            "{\"userinfo\":{\"email\":null},\"userinfo\":{}}",
            "{\"id_token\":{\"acr\":null,\"acr\":{\"essential\":true}}}",
        ] {
            assert_eq!(parse_request(bad), None, "{bad}");
        }
    }
}
