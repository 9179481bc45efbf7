//! Doorlight's own API as a protected resource. RFC 9728 (its metadata), RFC 9068 §4 and RFC 6750 §3.1 (what a token must
//! say to be let in).
//! Owns: the resource's identifier, its scopes, who may use it. Not here: how a token is presented (`userinfo`), what the
//! API does (`server::api`).

use super::dpop;
use super::error::BearerError;
use super::introspect::AccessToken;
use super::target;
use crate::model::{Authentication, Client};
use crate::types::{Issuer, Scope, Timestamp};
use serde_json::{Value, json};

/// Where the API stands, below the issuer.
pub const PATH: &str = "/api";
/// Where RFC 9728 §3 puts the metadata, before the path of the resource.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What a token may do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// See people, applications and events.
    Read,
    /// Change them.
    Write,
}

impl Access {
    /// All.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The scope token that opens it.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Read => "doorlight:read",
            Self::Write => "doorlight:write",
        }
    }
}

/// The resource's identifier (RFC 8707 §2): what a client must have among its audiences.
pub fn identifier(issuer: &Issuer) -> String {
    issuer.endpoint(PATH)
}

/// Where the metadata stand (RFC 9728 §3.1): between the host and the whole path of the resource.
pub fn metadata_address(issuer: &Issuer) -> String {
    format!("{}{WELL_KNOWN}{}{PATH}", issuer.origin(), issuer.path())
}

/// RFC 9728 §2.
pub fn metadata(issuer: &Issuer) -> Value {
    json!({
        "resource": identifier(issuer),
        "authorization_servers": [issuer.as_str()],
        "scopes_supported": Access::ALL.map(Access::scope),
        "bearer_methods_supported": ["header"],
        "resource_name": "Doorlight",
        "dpop_signing_alg_values_supported": dpop::algorithms(),
        "dpop_bound_access_tokens_required": false,
    })
}

const ELSEWHERE: BearerError =
    BearerError::Audience("the access token was issued for another service");
const NOT_ALONE: BearerError = BearerError::Audience(
    "the access token was issued for other services as well; ask for one for this alone",
);

/// Whether a token that holds may do that here. `administrator` says whether its person is one; `None`: a service's own.
/// A token for another audience is no token here (RFC 9068 §4), and the issuer's own audience is another one: tokens that
/// people give to their applications must not open this. Nor does a token that is for somebody else as well: they were sent
/// it, and would administer with it (RFC 8707 §3). With `openid` the issuer stands beside the API; it is no other.
pub fn admit(
    token: &AccessToken,
    administrator: Option<bool>,
    access: Access,
    issuer: &Issuer,
) -> Result<(), BearerError> {
    let here = identifier(issuer);
    let others = token.audience();
    let mut others = others.iter().filter(|aud| **aud != issuer.as_str());
    if !token.is_for(&here) {
        return Err(ELSEWHERE);
    }
    if !others.all(|aud| *aud == here) {
        return Err(NOT_ALONE);
    }
    if !token.has_scope(access.scope()) {
        return Err(BearerError::InsufficientScope(access.scope()));
    }
    match administrator {
        Some(false) => Err(BearerError::NoAdministrator),
        Some(true) | None => Ok(()),
    }
}

/// Whether the application of a token may have it today. Who takes the API or its scope from an application shuts it out
/// now, and not when its last token expires.
pub fn is_open_to(client: &Client, access: Access, issuer: &Issuer) -> bool {
    target::may_ask(client, &identifier(issuer)) && client.scope.contains(access.scope())
}

/// Whether the application may do anything there today, whoever asks it to.
pub fn may_administer(client: &Client, issuer: &Issuer) -> bool {
    Access::ALL
        .into_iter()
        .any(|access| is_open_to(client, access, issuer))
}

/// Whether the application may ask for a scope of this API, wherever it stands: one for another address would open it as soon
/// as Doorlight has that.
pub fn asks_to_administer(client: &Client) -> bool {
    let mut scopes = Access::ALL.into_iter().map(Access::scope);
    scopes.any(|scope| client.scope.contains(scope))
}

/// Whether whoever signed in like that may give such a scope away at `now`. On the admin pages a browser that somebody left
/// signed in changes nothing without the password; by a token for this API it must not either.
pub fn may_give(scope: &Scope, authentication: &Authentication, now: Timestamp) -> bool {
    !scope.contains(Access::Write.scope()) || authentication.is_recent(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::NOW;
    use crate::types::Id;

    fn issuer() -> Issuer {
        "https://home.example/id".parse().unwrap()
    }

    fn token(aud: Value, scope: &str) -> AccessToken {
        let claims = json!({
            "iss": "https://home.example/id", "sub": "s", "aud": aud, "client_id": "c", "iat": NOW.secs(),
            "exp": NOW.secs() + 900, "jti": Id::new(NOW, [1; 10]).to_string(), "scope": scope,
        });
        let Value::Object(claims) = claims else {
            panic!()
        };
        AccessToken::from_claims("at+jwt", claims, &issuer()).unwrap()
    }

    #[test]
    fn rfc9728_section_3_1_the_metadata_stand_before_the_path_of_the_resource() {
        assert_eq!(
            metadata_address(&issuer()),
            "https://home.example/.well-known/oauth-protected-resource/id/api"
        );
        assert_eq!(
            metadata(&issuer())["resource"],
            "https://home.example/id/api"
        );
    }

    #[test]
    fn rfc9068_section_4_only_a_token_for_this_audience_with_the_scope_is_let_in() {
        let here = "https://home.example/id/api";
        let both = "doorlight:read doorlight:write";
        let read = BearerError::InsufficientScope("doorlight:read");
        let write = BearerError::InsufficientScope("doorlight:write");
        for (aud, scope, administrator, access, answer) in [
            (json!(here), both, None, Access::Write, Ok(())),
            (
                json!([here, "https://home.example/id"]),
                both,
                Some(true),
                Access::Read,
                Ok(()),
            ),
            // That one was sent it too.
            (
                json!(["https://b", here]),
                both,
                Some(true),
                Access::Read,
                Err(NOT_ALONE),
            ),
            (json!(here), "doorlight:read", None, Access::Read, Ok(())),
            (
                json!(here),
                "doorlight:read",
                None,
                Access::Write,
                Err(write),
            ),
            // Writing is not reading: each is asked for.
            (
                json!(here),
                "doorlight:write",
                None,
                Access::Read,
                Err(read),
            ),
            (
                json!(here),
                "openid doorlight:readable",
                None,
                Access::Read,
                Err(read),
            ),
            (
                json!(here),
                both,
                Some(false),
                Access::Read,
                Err(BearerError::NoAdministrator),
            ),
            (
                json!("https://home.example/id"),
                both,
                Some(true),
                Access::Read,
                Err(ELSEWHERE),
            ),
            (
                json!("https://home.example/id/api/"),
                both,
                None,
                Access::Read,
                Err(ELSEWHERE),
            ),
            (json!([]), both, None, Access::Read, Err(ELSEWHERE)),
        ] {
            let token = token(aud.clone(), scope);
            let admitted = admit(&token, administrator, access, &issuer());
            assert_eq!(
                admitted, answer,
                "{aud} {scope} {administrator:?} {access:?}"
            );
        }
    }
}
