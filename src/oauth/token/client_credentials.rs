//! Client credentials grant: a token for a service that acts for itself. RFC 6749 §4.4, RFC 9068 §2.2.
//! No refresh token (RFC 6749 §4.4.3), no `sub` of a person.

use super::issue::Issued;
use super::one;
use crate::model::{Client, Decision, Event, EventKind};
use crate::oauth::claims::SCOPES;
use crate::oauth::error::TokenError;
use crate::oauth::target;
use crate::types::{Form, Scope, Thumbprint, Timestamp};

/// The form's parameters.
#[derive(Clone, Debug)]
pub struct Request {
    scope: Option<Scope>,
    resources: Vec<String>,
    /// What its sender proved.
    pub(super) key: Option<Thumbprint>,
}

impl Request {
    pub(super) fn parse(form: &Form) -> Result<Self, TokenError> {
        let scope = one(form, "scope")?
            .map(str::parse)
            .transpose()
            .map_err(|_| TokenError::InvalidScope)?;
        Ok(Self {
            scope,
            resources: form.all("resource").map(str::to_owned).collect(),
            key: None,
        })
    }
}

/// Decides; the client is authenticated and may use the grant.
pub fn decide(
    client: &Client,
    request: &Request,
    access: [u8; 10],
    now: Timestamp,
) -> Decision<Issued, TokenError> {
    let refuse = |error: TokenError, why: &str| {
        Decision::refuse(
            error,
            Event::refused(EventKind::ClientCredentials, now, why).client(client),
        )
    };
    // Scopes about a person mean nothing where there is none.
    let available = SCOPES.iter().fold(client.scope.clone(), |scope, personal| {
        scope.without(personal)
    });
    let scope = match &request.scope {
        Some(asked) => {
            let impersonal = SCOPES.iter().fold(asked.clone(), |scope, personal| {
                if client.scope.contains(personal) {
                    scope.without(personal)
                } else {
                    scope
                }
            });
            if !impersonal.is_within(&available) {
                return refuse(
                    TokenError::InvalidScope,
                    "more scope than the application has",
                );
            }
            impersonal
        }
        None => available,
    };
    let Ok(resources) = target::first(&request.resources, client) else {
        return refuse(
            TokenError::InvalidTarget,
            "a resource that the application may not ask for",
        );
    };
    let issued = Issued::for_client(client, scope, resources, access, now).bound_to(request.key);
    let event = Event::success(EventKind::ClientCredentials, now)
        .client(client)
        .detail(issued.summary());
    Decision {
        changes: Vec::new(),
        events: vec![event],
        reply: Ok(issued),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{NOW, client};

    fn run(client: &Client, scope: Option<&str>, resource: &[&str]) -> Result<Issued, TokenError> {
        let request = Request {
            scope: scope.map(|s| s.parse().unwrap()),
            resources: resource.iter().map(|r| (*r).to_owned()).collect(),
            key: None,
        };
        decide(client, &request, [1; 10], NOW).reply
    }

    #[test]
    fn a_service_gets_its_scopes_and_no_refresh_token() {
        let client = Client {
            scope: "openid api:read api:write".parse().unwrap(),
            ..client()
        };
        let all = run(&client, None, &[]).unwrap();
        assert_eq!(all.scope.to_string(), "api:read api:write");
        assert!(all.refresh.is_none() && all.user.is_none());
        assert_eq!(
            run(&client, Some("api:read"), &[])
                .unwrap()
                .scope
                .to_string(),
            "api:read"
        );
        assert_eq!(
            run(&client, Some("openid"), &[]).unwrap().scope.to_string(),
            ""
        );
        assert_eq!(
            run(&client, Some("api:admin"), &[]).unwrap_err(),
            TokenError::InvalidScope
        );
    }

    #[test]
    fn rfc8707_section_2_a_foreign_resource_is_an_invalid_target() {
        let client = Client {
            audiences: vec!["https://api.example".to_owned()],
            ..client()
        };
        assert_eq!(
            run(&client, None, &["https://api.example"])
                .unwrap()
                .audience,
            ["https://api.example"]
        );
        assert_eq!(
            run(&client, None, &["https://other.example"]).unwrap_err(),
            TokenError::InvalidTarget
        );
    }
}
