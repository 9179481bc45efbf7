//! Introspection. RFC 7662 §2, RFC 8414 for what discovery says of it.
//! Owns: who may know what of a token. A token of another audience is `{"active":false}`, like one that never was.

use super::{subject, target};
use crate::model::{Client, Grant, RefreshToken, User};
use crate::types::{GrantId, Issuer, Thumbprint, Timestamp, TokenId, WireClientId};
use serde_json::{Map, Value, json};

/// An access token of ours whose signature, kind and issuer were checked.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The claims.
    pub claims: Map<String, Value>,
    /// Its own part of the `jti`.
    pub token: TokenId,
    /// The grant it belongs to; `None` for a service's own.
    pub grant: Option<GrantId>,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
    /// The tokens that it was exchanged for, the latest first (RFC 8693): it stands while they do.
    pub origins: Vec<Origin>,
}

/// A token that another one came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its own part of the `jti`.
    pub token: TokenId,
    /// The grant it belongs to.
    pub grant: Option<GrantId>,
    /// To whom it was issued.
    pub client: WireClientId,
}

impl Origin {
    /// As the claim `origins` holds it.
    pub fn claim(&self) -> Value {
        let jti = match self.grant {
            Some(grant) => format!("{grant}.{}", self.token),
            None => self.token.to_string(),
        };
        json!({ "jti": jti, "client_id": self.client })
    }

    fn from_claim(value: &Value) -> Option<Self> {
        let (grant, token) = split(value.get("jti")?.as_str()?)?;
        let client = value.get("client_id")?.as_str()?.parse().ok()?;
        Some(Self {
            token,
            grant,
            client,
        })
    }
}

/// A `jti` as `issue` writes it: the grant, where there is one, and the token.
fn split(jti: &str) -> Option<(Option<GrantId>, TokenId)> {
    match jti.split_once('.') {
        Some((grant, token)) => Some((Some(grant.parse().ok()?), token.parse().ok()?)),
        None => Some((None, jti.parse().ok()?)),
    }
}

impl AccessToken {
    /// From verified claims; `None` when they are not those of an access token of this issuer.
    pub fn from_claims(typ: &str, claims: Map<String, Value>, issuer: &Issuer) -> Option<Self> {
        if typ != crate::crypto::jws::ACCESS_TOKEN_TYPE
            || claims.get("iss")?.as_str()? != issuer.as_str()
        {
            return None;
        }
        // Bound to something that is not understood is not unbound.
        if claims.contains_key("cnf") && key_of(&claims).is_none() {
            return None;
        }
        let (grant, token) = split(claims.get("jti")?.as_str()?)?;
        // Hanging on something that is not understood is not hanging on nothing.
        let origins = match claims.get("origins") {
            None => Vec::new(),
            Some(Value::Array(origins)) => origins
                .iter()
                .map(Origin::from_claim)
                .collect::<Option<_>>()?,
            Some(_) => return None,
        };
        let issued = Timestamp::from_secs(claims.get("iat")?.as_u64()?);
        let expires = Timestamp::from_secs(claims.get("exp")?.as_u64()?);
        // `iat` drops the milliseconds that the id has kept.
        let issued = issued.max(token.0.time());
        Some(Self {
            token,
            grant,
            issued,
            expires,
            origins,
            claims,
        })
    }

    /// A text claim.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// To whom it was issued.
    pub fn client(&self) -> Option<WireClientId> {
        self.text("client_id")?.parse().ok()
    }

    /// Whether it was issued to that client.
    pub fn is_of(&self, client: &Client) -> bool {
        self.text("client_id") == Some(client.wire_id().to_string().as_str())
    }

    /// Whether the scope has the token.
    pub fn has_scope(&self, token: &str) -> bool {
        self.text("scope")
            .is_some_and(|scope| scope.split(' ').any(|t| t == token))
    }

    /// The key that it is bound to (RFC 9449 §6.1).
    pub fn key(&self) -> Option<Thumbprint> {
        key_of(&self.claims)
    }

    /// Whether it is for that audience.
    pub fn is_for(&self, audience: &str) -> bool {
        self.audience().contains(&audience)
    }

    /// Whom it is for.
    pub fn audience(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

fn key_of(claims: &Map<String, Value>) -> Option<Thumbprint> {
    claims.get("cnf")?.get("jkt")?.as_str()?.parse().ok()
}

/// Nothing is told of a token that does not hold.
pub fn inactive() -> Value {
    json!({ "active": false })
}

/// Whether this client may know of the token: its own, or, with the right to introspect, one for its audiences (for
/// the issuer's where it has none).
pub fn may_know(asking: &Client, token: &AccessToken, issuer: &Issuer) -> bool {
    if token.is_of(asking) {
        return true;
    }
    let audience = token.audience();
    // The issuer's where it has none; a record's where one names it as the service (`oauth::target`).
    let issuers = asking.audiences.is_empty() && audience.contains(&issuer.as_str());
    let served = |resource: &&str| target::is_server(asking, resource);
    asking.may_introspect && (issuers || audience.iter().any(served))
}

/// The `username` that may be told of a token. Where its `sub` is a name of a sector's own, the one that all know would
/// undo that (OpenID Connect Core §8.1), unless the profile was given anyway.
pub fn username<'u>(user: &'u User, token: &AccessToken, pairwise: bool) -> Option<&'u str> {
    (!pairwise || token.has_scope("profile")).then_some(user.username.as_str())
}

/// The answer for an access token that holds (RFC 7662 §2.2).
pub fn active(token: &AccessToken, username: Option<&str>) -> Value {
    let mut answer = Map::new();
    answer.insert("active".to_owned(), Value::Bool(true));
    for name in [
        "iss",
        "sub",
        "aud",
        "client_id",
        "exp",
        "iat",
        "jti",
        "scope",
        "auth_time",
        "acr",
        "cnf",
        "act",
    ] {
        if let Some(value) = token.claims.get(name) {
            answer.insert(name.to_owned(), value.clone());
        }
    }
    // RFC 9449 §6.2.
    let scheme = if token.key().is_some() {
        "DPoP"
    } else {
        "Bearer"
    };
    answer.insert("token_type".to_owned(), json!(scheme));
    if let Some(username) = username {
        answer.insert("username".to_owned(), json!(username));
    }
    Value::Object(answer)
}

/// The answer for a refresh token that holds: to its own client only.
pub fn active_refresh(
    token: &RefreshToken,
    (grant, user): (&Grant, &User),
    client: &Client,
    issuer: &Issuer,
) -> Value {
    json!({
        "active": true,
        "iss": issuer.as_str(),
        "sub": subject::of(user, client),
        "client_id": client.wire_id(),
        "scope": grant.scope,
        "iat": token.created.secs(),
        "exp": token.expires.secs(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{NOW, client, user};
    use crate::types::ClientId;
    use crate::types::Id;

    fn issuer() -> Issuer {
        "https://id.example".parse().unwrap()
    }

    fn token(aud: Value) -> AccessToken {
        let claims = json!({
            "iss": "https://id.example", "sub": "u", "aud": aud, "client_id": client().id, "iat": NOW.secs(),
            "exp": NOW.secs() + 900, "jti": Id::new(NOW, [1; 10]).to_string(), "scope": "openid email",
        });
        let Value::Object(claims) = claims else {
            panic!()
        };
        AccessToken::from_claims("at+jwt", claims, &issuer()).unwrap()
    }

    #[test]
    fn a_token_is_known_to_its_client_and_to_its_audience_only() {
        let other = Client {
            id: ClientId(Id::new(NOW, [50; 10])),
            ..client()
        };
        let resource = Client {
            may_introspect: true,
            audiences: vec!["https://api".to_owned()],
            ..other.clone()
        };
        let any = Client {
            may_introspect: true,
            ..other.clone()
        };
        assert!(may_know(&client(), &token(json!("https://api")), &issuer()));
        assert!(!may_know(&other, &token(json!("https://api")), &issuer()));
        assert!(may_know(
            &resource,
            &token(json!(["https://api", "https://b"])),
            &issuer()
        ));
        assert!(!may_know(&resource, &token(json!("https://b")), &issuer()));
        assert!(may_know(
            &any,
            &token(json!("https://id.example")),
            &issuer()
        ));
        assert!(!may_know(&any, &token(json!("https://api")), &issuer()));
    }

    #[test]
    fn an_id_token_or_a_foreign_issuer_is_no_access_token() {
        let claims = token(json!("a")).claims;
        assert!(AccessToken::from_claims("jwt", claims.clone(), &issuer()).is_none());
        assert!(
            AccessToken::from_claims("at+jwt", claims, &"https://other.example".parse().unwrap())
                .is_none()
        );
    }

    #[test]
    fn rfc9449_section_6_a_bound_token_says_so_and_an_unknown_binding_is_no_token() {
        let jkt = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        let bound = |cnf: Value| {
            let mut claims = token(json!("a")).claims;
            claims.insert("cnf".to_owned(), cnf);
            AccessToken::from_claims("at+jwt", claims, &issuer())
        };
        let answer = active(&bound(json!({ "jkt": jkt })).unwrap(), None);
        assert_eq!(answer["cnf"]["jkt"], jkt);
        assert_eq!(answer["token_type"], "DPoP");
        assert_eq!(active(&token(json!("a")), None)["token_type"], "Bearer");
        for unknown in [
            json!({}),
            json!({ "jkt": "x" }),
            json!({ "x5t#S256": jkt }),
            json!(null),
        ] {
            assert!(bound(unknown.clone()).is_none(), "{unknown}");
        }
    }

    #[test]
    fn oidc_core_section_8_1_the_username_undoes_no_pairwise_name() {
        let with = |scope: &str| {
            let mut token = token(json!("a"));
            token.claims.insert("scope".to_owned(), json!(scope));
            token
        };
        let told = |scope: &str, pairwise| username(&user(), &with(scope), pairwise).is_some();
        assert!(told("openid", false));
        assert!(!told("openid email", true));
        assert!(told("openid profile", true));
    }

    #[test]
    fn scopes_are_whole_words() {
        assert!(token(json!("a")).has_scope("openid"));
        assert!(!token(json!("a")).has_scope("open"));
    }
}
