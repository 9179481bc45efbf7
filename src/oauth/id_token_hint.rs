//! `id_token_hint`. OpenID Connect Core §3.1.2.1, RP-Initiated Logout 1.0 §2.
//! Owns: what is an ID token of ours, expired or not. Not here: its signature, what it is a hint for.

use crate::types::Issuer;
use serde_json::{Map, Value};

/// Whether verified claims are an ID token's. Signed answers of userinfo and of the authorization endpoint have the same
/// `typ`, for their specifications name none; neither has both times that an ID token must have (Core §2). What a service
/// fetched with a token that it was sent must not speak for the person in a browser (RFC 8725 §3.12).
pub fn is_id_token(typ: &str, claims: &Map<String, Value>, issuer: &Issuer) -> bool {
    typ == "jwt"
        && claims.get("iss").and_then(Value::as_str) == Some(issuer.as_str())
        && ["sub", "iat", "exp"]
            .iter()
            .all(|name| claims.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn openid_core_section_2_what_lacks_a_time_is_no_id_token() {
        let issuer: Issuer = "https://id.example".parse().unwrap();
        let iss = issuer.as_str();
        for (name, typ, claims, is_one) in [
            (
                "one",
                "jwt",
                json!({ "iss": iss, "sub": "s", "aud": "c", "iat": 1, "exp": 2 }),
                true,
            ),
            (
                "userinfo",
                "jwt",
                json!({ "iss": iss, "sub": "s", "aud": "c" }),
                false,
            ),
            (
                "JARM",
                "jwt",
                json!({ "iss": iss, "aud": "c", "exp": 2, "code": "x" }),
                false,
            ),
            (
                "access token",
                "at+jwt",
                json!({ "iss": iss, "sub": "s", "iat": 1, "exp": 2 }),
                false,
            ),
            (
                "logout token",
                "logout+jwt",
                json!({ "iss": iss, "sub": "s", "iat": 1, "exp": 2 }),
                false,
            ),
            (
                "another's",
                "jwt",
                json!({ "iss": "https://b", "sub": "s", "iat": 1, "exp": 2 }),
                false,
            ),
        ] {
            let Value::Object(claims) = claims else {
                panic!()
            };
            assert_eq!(is_id_token(typ, &claims, &issuer), is_one, "{name}");
        }
    }
}
