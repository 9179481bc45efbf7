//! The token endpoint. RFC 6749 §3.2, OpenID Connect Core §3.1.3.
//!
//! The phases, in this order, for every grant:
//! 1. the form is read, repeated parameters end here (`Request::parse`);
//! 2. the client proves who it is (`client_auth`), before anything about the grant is looked at;
//! 3. the client may use the grant type (`permitted`);
//! 4. the grant's own file decides (`code`, `refresh`, `client_credentials`);
//! 5. after the commit, `issue` builds what is signed.

pub mod client_credentials;
pub mod code;
pub mod issue;
pub mod refresh;

use super::client_auth::AuthenticatedClient;
use super::error::TokenError;
use crate::model::GrantType;
use crate::types::Form;

/// A well-formed token request.
#[derive(Clone, Debug)]
pub enum Request {
    /// RFC 6749 §4.1.3.
    Code(code::Request),
    /// RFC 6749 §6.
    Refresh(refresh::Request),
    /// RFC 6749 §4.4.2.
    ClientCredentials(client_credentials::Request),
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
            _ => Err(TokenError::UnsupportedGrantType),
        }
    }

    /// Which grant type it uses.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::Code(_) => GrantType::AuthorizationCode,
            Self::Refresh(_) => GrantType::RefreshToken,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
        }
    }

    /// Whether the client may use the grant type.
    pub fn permitted(&self, client: &AuthenticatedClient) -> Result<(), TokenError> {
        let grants = &client.client().grants;
        // A client whose settings say "always" gets refresh tokens with its codes, and may use them.
        let always = client.client().refresh == crate::model::RefreshPolicy::Always
            && grants.contains(&GrantType::AuthorizationCode);
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

/// Which of the client's resources a request may name (RFC 8707 §2): all of `asked` must be among `allowed`.
pub(super) fn resources(asked: &[String], allowed: &[String]) -> Result<Vec<String>, TokenError> {
    if asked.iter().all(|resource| allowed.contains(resource)) {
        Ok(if asked.is_empty() {
            allowed.to_vec()
        } else {
            asked.to_vec()
        })
    } else {
        Err(TokenError::InvalidTarget)
    }
}
