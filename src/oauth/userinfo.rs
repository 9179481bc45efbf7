//! UserInfo. OpenID Connect Core §5.3 (§5.3.2: signed), RFC 6750 §2 (where a token may stand), RFC 9449 §7 (whose it is).

use super::claims;
use super::dpop::{Proof, ProofError};
use super::error::BearerError;
use super::introspect::AccessToken;
use crate::model::{ClaimRequest, User};
use crate::types::{Form, Issuer, Scope};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How a token was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750 §2: in the header or the form.
    Bearer,
    /// RFC 9449 §7.1: in the header only.
    Dpop,
}

/// The one token of a request: in the header (any case of the scheme), or in the form of a POST. Never in the query
/// (RFC 9700 §4.3.2).
pub fn presented<'a>(
    authorization: Option<&'a str>,
    form: Option<&'a Form>,
) -> Result<(Scheme, &'a str), BearerError> {
    let header = match authorization.map(|header| header.split_once(' ')) {
        Some(Some((scheme, token))) if scheme.eq_ignore_ascii_case("bearer") => {
            Some((Scheme::Bearer, token.trim()))
        }
        Some(Some((scheme, token))) if scheme.eq_ignore_ascii_case("dpop") => {
            Some((Scheme::Dpop, token.trim()))
        }
        Some(_) => return Err(BearerError::Missing),
        None => None,
    };
    let body = match form {
        Some(form) => form
            .one("access_token")
            .map_err(|_| BearerError::BadRequest)?,
        None => None,
    };
    match (header, body.map(|token| (Scheme::Bearer, token))) {
        (Some(_), Some(_)) => Err(BearerError::BadRequest),
        (Some(presented), None) | (None, Some(presented)) if !presented.1.is_empty() => {
            Ok(presented)
        }
        _ => Err(BearerError::Missing),
    }
}

/// Whether the token was presented as it is bound (RFC 9449 §7.1, §7.2): a bound one with a proof of its key and under
/// `DPoP` alone, an unbound one under `Bearer` alone. The proof that must be used once, if any.
pub fn sender(
    token: &AccessToken,
    scheme: Scheme,
    proof: impl FnOnce() -> Result<Option<Proof>, ProofError>,
) -> Result<Option<Proof>, BearerError> {
    match (token.key(), scheme) {
        (None, Scheme::Bearer) => Ok(None),
        (None, Scheme::Dpop) => Err(BearerError::Binding("the access token is bound to no key")),
        (Some(_), Scheme::Bearer) => Err(BearerError::Binding(
            "the access token is bound to a key and needs the DPoP scheme",
        )),
        (Some(key), Scheme::Dpop) => match proof().map_err(BearerError::Proof)? {
            None => Err(BearerError::Proof(ProofError::Missing)),
            Some(proof) if proof.key != key => Err(BearerError::Binding(
                "the DPoP proof is not of the key of the access token",
            )),
            proof => Ok(proof),
        },
    }
}

/// The claims that the token opens; `mapped` are those under names of the application's own.
pub fn answer(
    token: &AccessToken,
    user: &User,
    requested: &BTreeMap<String, ClaimRequest>,
    mapped: &Map<String, Value>,
) -> Result<Map<String, Value>, BearerError> {
    if !token.has_scope("openid") {
        return Err(BearerError::InsufficientScope("openid"));
    }
    let scope: Scope = token
        .text("scope")
        .unwrap_or_default()
        .parse()
        .unwrap_or_default();
    let mut answer = claims::of_user(user, &scope, requested);
    answer.extend(
        mapped
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    answer.insert("sub".to_owned(), json!(user.id));
    Ok(answer)
}

/// The same to be signed: whose answer it is, and for whom (OpenID Connect Core §5.3.2).
pub fn addressed(
    mut answer: Map<String, Value>,
    token: &AccessToken,
    issuer: &Issuer,
) -> Map<String, Value> {
    answer.insert("iss".to_owned(), json!(issuer.as_str()));
    answer.insert(
        "aud".to_owned(),
        json!(token.text("client_id").unwrap_or_default()),
    );
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6750_section_2_one_token_in_one_way() {
        let form = |text: &str| Form::parse(text.as_bytes()).unwrap();
        assert_eq!(
            presented(Some("Bearer abc"), None),
            Ok((Scheme::Bearer, "abc"))
        );
        assert_eq!(
            presented(Some("bEARER abc"), None),
            Ok((Scheme::Bearer, "abc"))
        );
        assert_eq!(presented(Some("dPoP abc"), None), Ok((Scheme::Dpop, "abc")));
        assert_eq!(
            presented(None, Some(&form("access_token=abc"))),
            Ok((Scheme::Bearer, "abc"))
        );
        assert_eq!(
            presented(Some("Bearer abc"), Some(&form("access_token=abc"))),
            Err(BearerError::BadRequest)
        );
        assert_eq!(
            presented(None, Some(&form("access_token=a&access_token=b"))),
            Err(BearerError::BadRequest)
        );
        for missing in [None, Some("Basic abc"), Some("abc"), Some("Bearer ")] {
            assert_eq!(
                presented(missing, None),
                Err(BearerError::Missing),
                "{missing:?}"
            );
        }
    }
}
