//! UserInfo. OpenID Connect Core §5.3, RFC 6750 §2 (where a token may stand).

use super::claims;
use super::error::BearerError;
use super::introspect::AccessToken;
use crate::model::{ClaimRequest, User};
use crate::types::{Form, Scope};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The one token of a request: in the header (any case of the scheme), or in the form of a POST. Never in the query
/// (RFC 9700 §4.3.2).
pub fn bearer<'a>(
    authorization: Option<&'a str>,
    form: Option<&'a Form>,
) -> Result<&'a str, BearerError> {
    let header = match authorization.map(|header| header.split_once(' ')) {
        Some(Some((scheme, token))) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        Some(_) => return Err(BearerError::Missing),
        None => None,
    };
    let body = match form {
        Some(form) => form
            .one("access_token")
            .map_err(|_| BearerError::BadRequest)?,
        None => None,
    };
    match (header, body) {
        (Some(_), Some(_)) => Err(BearerError::BadRequest),
        (Some(token), None) | (None, Some(token)) if !token.is_empty() => Ok(token),
        _ => Err(BearerError::Missing),
    }
}

/// The claims that the token opens.
pub fn answer(
    token: &AccessToken,
    user: &User,
    requested: &BTreeMap<String, ClaimRequest>,
) -> Result<Map<String, Value>, BearerError> {
    if !token.has_scope("openid") {
        return Err(BearerError::InsufficientScope);
    }
    let scope: Scope = token
        .text("scope")
        .unwrap_or_default()
        .parse()
        .unwrap_or_default();
    let mut answer = claims::of_user(user, &scope, requested);
    answer.insert("sub".to_owned(), json!(user.id));
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6750_section_2_one_token_in_one_way() {
        let form = |text: &str| Form::parse(text.as_bytes()).unwrap();
        assert_eq!(bearer(Some("Bearer abc"), None), Ok("abc"));
        assert_eq!(bearer(Some("bEARER abc"), None), Ok("abc"));
        assert_eq!(bearer(None, Some(&form("access_token=abc"))), Ok("abc"));
        assert_eq!(
            bearer(Some("Bearer abc"), Some(&form("access_token=abc"))),
            Err(BearerError::BadRequest)
        );
        assert_eq!(
            bearer(None, Some(&form("access_token=a&access_token=b"))),
            Err(BearerError::BadRequest)
        );
        for missing in [None, Some("Basic abc"), Some("abc"), Some("Bearer ")] {
            assert_eq!(
                bearer(missing, None),
                Err(BearerError::Missing),
                "{missing:?}"
            );
        }
    }
}
