//! The token endpoint. RFC 6749 §3.2, OpenID Connect Core §3.1.3.
//!
//! The phases, in this order, for every grant:
//! 1. the client proves who it is (`client_auth`, `client_assertion`), before anything about the grant is looked at;
//! 2. the form is read, repeated parameters end here (`Request::parse`);
//! 3. the client may use the grant type (`permitted`);
//! 4. a DPoP proof holds, and is there where the client must send one (`oauth::dpop`, `sender`);
//! 5. what was never issued ends here, and so does an exchanged token that was not signed by us: before the writer;
//! 6. in the writer's turn: the proof was not used before (`oauth::replay`);
//! 7. the grant's own file decides (`code`, `refresh`, `client_credentials`, `device`, `exchange`), `oauth::target` what
//!    the token may be for;
//! 8. after the commit, `issue` builds what is signed.

pub mod client_credentials;
pub mod code;
pub mod device;
pub mod exchange;
pub mod issue;
mod new_grant;
pub mod refresh;
pub mod sender;

use super::client_auth::AuthenticatedClient;
use super::error::TokenError;
use crate::model::GrantType;
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
    /// RFC 8693 §2.1.
    Exchange(Box<exchange::Request>),
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
            exchange::GRANT_TYPE => {
                exchange::Request::parse(form).map(|request| Self::Exchange(Box::new(request)))
            }
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
            Self::Exchange(_) => GrantType::TokenExchange,
        }
    }

    /// The same request, from whoever proved this key.
    pub fn with_key(mut self, key: Option<Thumbprint>) -> Self {
        let place = match &mut self {
            Self::Code(request) => &mut request.key,
            Self::Refresh(request) => &mut request.key,
            Self::ClientCredentials(request) => &mut request.key,
            Self::Device(request) => &mut request.key,
            Self::Exchange(request) => &mut request.key,
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
