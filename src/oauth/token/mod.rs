//! The token endpoint. RFC 6749 §3.2, OpenID Connect Core §3.1.3.
//!
//! The phases, in this order, for every grant:
//! 1. the form is read, repeated parameters end here (`Request::parse`);
//! 2. the client proves who it is (`client_auth`), before anything about the grant is looked at;
//! 3. the client may use the grant type (`permitted`);
//! 4. a DPoP proof holds, and is there where the client must send one (`oauth::dpop`, `sender`);
//! 5. in the writer's turn: the proof was not used before (`oauth::replay`);
//! 6. the grant's own file decides (`code`, `refresh`, `client_credentials`, `device`);
//! 7. after the commit, `issue` builds what is signed.

pub mod client_credentials;
pub mod code;
pub mod device;
pub mod issue;
mod new_grant;
pub mod refresh;
pub mod sender;

use super::client_auth::AuthenticatedClient;
use super::error::TokenError;
use crate::model::{Client, GrantType};
use crate::types::{Form, Thumbprint};

/// A well-formed token request.
#[derive(Clone, Debug)]
pub enum Request {
    /// RFC 6749 §4.1.3.
    Code(code::Request),
    /// RFC 6749 §6.
    Refresh(refresh::Request),
    /// RFC 6749 §4.4.2.
    ClientCredentials(client_credentials::Request),
    /// RFC 8628 §3.4.
    Device(device::Request),
}

impl Request {
    /// Reads the form of an authenticated client's request.
    pub fn parse(form: &Form) -> Result<Self, TokenError> {
        match one(form, "grant_type")?.ok_or(TokenError::MissingParameter("grant_type"))? {
            "authorization_code" => code::Request::parse(form).map(Self::Code),
            "refresh_token" => refresh::Request::parse(form).map(Self::Refresh),
            "client_credentials" => {
                client_credentials::Request::parse(form).map(Self::ClientCredentials)
            }
            device::GRANT_TYPE => device::Request::parse(form).map(Self::Device),
            _ => Err(TokenError::UnsupportedGrantType),
        }
    }

    /// Which grant type it uses.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::Code(_) => GrantType::AuthorizationCode,
            Self::Refresh(_) => GrantType::RefreshToken,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
            Self::Device(_) => GrantType::DeviceCode,
        }
    }

    /// The same request, from whoever proved this key.
    pub fn with_key(mut self, key: Option<Thumbprint>) -> Self {
        let place = match &mut self {
            Self::Code(request) => &mut request.key,
            Self::Refresh(request) => &mut request.key,
            Self::ClientCredentials(request) => &mut request.key,
            Self::Device(request) => &mut request.key,
        };
        *place = key;
        self
    }

    /// Whether the client may use the grant type.
    pub fn permitted(&self, client: &AuthenticatedClient) -> Result<(), TokenError> {
        let grants = &client.client().grants;
        // A client whose settings say "always" gets refresh tokens with its codes, and may use them.
        let always = client.client().refresh == crate::model::RefreshPolicy::Always
            && (grants.contains(&GrantType::AuthorizationCode)
                || grants.contains(&GrantType::DeviceCode));
        if grants.contains(&self.grant_type()) || (matches!(self, Self::Refresh(_)) && always) {
            Ok(())
        } else {
            Err(TokenError::UnauthorizedClient)
        }
    }
}

/// A parameter that may stand once.
pub(super) fn one<'a>(form: &'a Form, name: &str) -> Result<Option<&'a str>, TokenError> {
    form.one(name)
        .map_err(|e| TokenError::RepeatedParameter(e.0))
}

/// The resources that a request gets (RFC 8707 §2): all that it asks for must have been granted, and what the client
/// may ask for today bounds what was granted once. Nothing left of a grant for resources is an error: a token for the
/// issuer instead would open another door.
pub(super) fn resources(
    asked: &[String],
    granted: &[String],
    client: &Client,
) -> Result<Vec<String>, TokenError> {
    let allowed = |resource: &&String| client.audiences.contains(resource);
    if !asked
        .iter()
        .all(|resource| granted.contains(resource) && allowed(&resource))
    {
        return Err(TokenError::InvalidTarget);
    }
    let wanted = if asked.is_empty() { granted } else { asked };
    let mut resources: Vec<String> = Vec::new();
    for resource in wanted.iter().filter(allowed) {
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    if resources.is_empty() && !granted.is_empty() {
        return Err(TokenError::InvalidTarget);
    }
    Ok(resources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::client;

    #[test]
    fn rfc8707_section_2_a_resource_is_granted_and_still_the_clients() {
        let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let client = Client {
            audiences: texts(&["a:", "b:"]),
            ..client()
        };
        let ask =
            |asked: &[&str], granted: &[&str]| resources(&texts(asked), &texts(granted), &client);
        assert_eq!(ask(&[], &[]), Ok(vec![]));
        assert_eq!(ask(&[], &["a:", "b:"]), Ok(texts(&["a:", "b:"])));
        assert_eq!(ask(&["b:", "b:"], &["a:", "b:"]), Ok(texts(&["b:"])));
        assert_eq!(ask(&["b:"], &["a:"]), Err(TokenError::InvalidTarget));
        // "gone:" was granted once and has been taken from the client since.
        assert_eq!(ask(&[], &["a:", "gone:"]), Ok(texts(&["a:"])));
        assert_eq!(ask(&["gone:"], &["gone:"]), Err(TokenError::InvalidTarget));
        assert_eq!(ask(&[], &["gone:"]), Err(TokenError::InvalidTarget));
    }
}
