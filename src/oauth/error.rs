//! What the protocol says when it says no: causes inside, RFC codes outside, mapped once.
//! RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6, RFC 6750 §3.1, RFC 8707 §2, RFC 8628 §3.5,
//! RFC 9449 §5 and §7.1.

use super::dpop::ProofError;
use super::replay::{NotOnce, Purpose};
use crate::model::quoted;

/// A cause that the authorization endpoint answers by redirect, once the redirect URI is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizeError {
    /// A parameter that may stand once stands twice.
    RepeatedParameter(String),
    /// A parameter is missing or has a value that cannot be used.
    BadParameter(&'static str),
    /// `response_type` is none that exists here.
    UnsupportedResponseType,
    /// The client may not use the authorization endpoint.
    ClientMayNotAuthorize,
    /// Nothing of the requested scope can be granted.
    NoScope,
    /// PKCE is required and was not sent.
    PkceRequired,
    /// `code_challenge_method` is `plain`, or missing, where only S256 is taken.
    PkcePlain,
    /// A request object by value, where the client has no keys.
    RequestObject,
    /// A request object by reference.
    RequestUri,
    /// Registration in the request.
    Registration,
    /// `prompt=none`, and a page would be needed to sign in.
    LoginRequired,
    /// `prompt=none`, and a page would be needed to ask.
    ConsentRequired,
    /// The person said no.
    Denied,
    /// The person is not in a group that may use the application.
    NotInGroup,
    /// An essential `acr` that nobody here can reach.
    UnmetAuthentication,
    /// A resource that the client may not ask for.
    Resource,
    /// The server cannot write now.
    Unavailable,
    /// The client's requests count only when they were pushed (RFC 9126 §4).
    NotPushed,
    /// The pushed request was answered meanwhile, in another window.
    PushedRequestGone,
    /// The request object cannot be used, and why (RFC 9101 §7).
    BadRequestObject(&'static str),
    /// What `request_uri` names cannot be used, and why (RFC 9101 §7).
    BadRequestUri(&'static str),
}

/// An error as it goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The HTTP status, where the error is answered and not redirected.
    pub status: u16,
    /// The RFC's code.
    pub code: &'static str,
    /// ASCII without quotes and backslashes (RFC 6749 §5.2).
    pub description: &'static str,
}

pub(super) const fn wire(status: u16, code: &'static str, description: &'static str) -> Wire {
    Wire {
        status,
        code,
        description,
    }
}

impl AuthorizeError {
    /// The RFC's words.
    pub fn wire(&self) -> Wire {
        match self {
            Self::RepeatedParameter(_) => wire(400, "invalid_request", "a parameter is repeated"),
            Self::BadParameter(name) => wire(
                400,
                "invalid_request",
                match *name {
                    "response_type" => "response_type is missing",
                    "response_mode" => "response_mode is not supported",
                    "prompt" => "prompt=none stands alone",
                    "max_age" => "max_age is not a number of seconds",
                    "nonce" => "nonce is longer than 1000 characters",
                    "claims" => "claims is not a JSON object of the right shape",
                    "request_uri" => "request and request_uri stand together",
                    "dpop_jkt" => "dpop_jkt is not a SHA-256 thumbprint",
                    "code_challenge" => "code_challenge is not valid",
                    "code_challenge_method" => "code_challenge_method is not supported",
                    "scope" => "scope is malformed",
                    _ => "a parameter is missing or malformed",
                },
            ),
            Self::UnsupportedResponseType => wire(
                400,
                "unsupported_response_type",
                "only response_type=code is supported",
            ),
            Self::ClientMayNotAuthorize => wire(
                400,
                "unauthorized_client",
                "this client may not use the authorization endpoint",
            ),
            Self::NoScope => wire(
                400,
                "invalid_scope",
                "nothing of the requested scope can be granted",
            ),
            Self::PkceRequired => wire(400, "invalid_request", "code_challenge is required"),
            Self::PkcePlain => wire(400, "invalid_request", "code_challenge_method must be S256"),
            Self::RequestObject => wire(
                400,
                "request_not_supported",
                "this client has no keys for request objects",
            ),
            Self::RequestUri => wire(
                400,
                "request_uri_not_supported",
                "this client has no keys for request objects",
            ),
            Self::Registration => wire(
                400,
                "registration_not_supported",
                "registration is not supported",
            ),
            Self::LoginRequired => wire(400, "login_required", "the user must sign in"),
            Self::ConsentRequired => wire(400, "consent_required", "the user must be asked"),
            Self::Denied => wire(400, "access_denied", "the user refused"),
            Self::NotInGroup => wire(
                400,
                "access_denied",
                "the user may not use this application",
            ),
            Self::UnmetAuthentication => wire(
                400,
                "unmet_authentication_requirements",
                "the requested acr cannot be reached",
            ),
            Self::Resource => wire(
                400,
                "invalid_target",
                "the resource is not allowed for this client",
            ),
            Self::Unavailable => wire(503, "temporarily_unavailable", "try again in a moment"),
            Self::NotPushed => wire(400, "invalid_request", "this client must push its requests"),
            Self::PushedRequestGone => wire(
                400,
                "invalid_request_uri",
                "the pushed request was answered already",
            ),
            Self::BadRequestObject(why) => wire(400, "invalid_request_object", why),
            Self::BadRequestUri(why) => wire(400, "invalid_request_uri", why),
        }
    }

    /// For the audit log.
    pub fn detail(&self) -> String {
        match self {
            Self::RepeatedParameter(name) => format!("{} is repeated", quoted(name)),
            other => other.wire().description.to_owned(),
        }
    }
}

/// A cause that the token, introspection and revocation endpoints answer in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The body is not a form of UTF-8 text.
    MalformedForm,
    /// A parameter that may stand once stands twice.
    RepeatedParameter(String),
    /// A parameter is missing.
    MissingParameter(&'static str),
    /// Basic and post at once.
    TwoAuthenticationMethods,
    /// No client identified itself, or it failed to prove who it is; `basic` when it tried HTTP Basic.
    InvalidClient {
        /// Answer with `WWW-Authenticate` (RFC 6749 §5.2).
        basic: bool,
        /// For the audit log.
        why: &'static str,
    },
    /// `grant_type` is none that exists here.
    UnsupportedGrantType,
    /// The client may not use that grant.
    UnauthorizedClient,
    /// The code is unknown, expired, another client's, or does not fit the redirect URI.
    InvalidCode(&'static str),
    /// The code was used before: everything issued from it is revoked.
    CodeReplayed,
    /// The code verifier does not fit the challenge (RFC 7636 §4.6).
    PkceMismatch(&'static str),
    /// The refresh token is unknown, expired, another client's, or its grant has ended.
    InvalidRefreshToken(&'static str),
    /// The refresh token was used before: its family is revoked.
    RefreshTokenReplayed,
    /// The scope is malformed or more than was granted.
    InvalidScope,
    /// The resource is not one that the client may ask for.
    InvalidTarget,
    /// A token of another client was to be revoked.
    ForeignToken,
    /// Nobody has answered for the device (RFC 8628 §3.5).
    AuthorizationPending,
    /// Nor that, and the device came too soon (RFC 8628 §3.5).
    SlowDown,
    /// The device waited for too long (RFC 8628 §3.5).
    DeviceCodeExpired,
    /// The person said no to the device.
    DeviceDenied,
    /// The device code is unknown, another client's, was used before, or what its answer hung on has ended.
    InvalidDeviceCode(&'static str),
    /// Too many devices wait already, or too many asked from one address.
    TooManyDevices,
    /// Too many wrong secrets were sent for this client, or from one address: this one was not looked at.
    TooManySecrets {
        /// Until the next is looked at.
        seconds: u64,
    },
    /// The server cannot write now.
    Unavailable,
    /// The DPoP proof does not hold, or there is none where one is needed.
    Proof(ProofError),
    /// The code or refresh token is bound to a key that was not proved.
    OtherKey,
    /// A subject or actor token does not hold, or may not be exchanged by this client (RFC 8693 §2.2.2).
    InvalidExchange(&'static str),
    /// A token type that is none of ours, missing, or there without its token (RFC 8693 §2.1).
    TokenType(&'static str),
}

impl TokenError {
    /// The RFC's words.
    pub fn wire(&self) -> Wire {
        match self {
            Self::MalformedForm => wire(
                400,
                "invalid_request",
                "the body is not a form of UTF-8 text",
            ),
            Self::RepeatedParameter(_) => wire(400, "invalid_request", "a parameter is repeated"),
            Self::MissingParameter(name) => wire(
                400,
                "invalid_request",
                match *name {
                    "grant_type" => "grant_type is missing",
                    "code" => "code is missing",
                    "refresh_token" => "refresh_token is missing",
                    "token" => "token is missing",
                    "device_code" => "device_code is missing",
                    "subject_token" => "subject_token is missing",
                    "subject_token_type" => "subject_token_type is missing",
                    "redirect_uri" => "redirect_uri is missing",
                    _ => "a parameter is missing",
                },
            ),
            Self::TwoAuthenticationMethods => wire(
                400,
                "invalid_request",
                "the client authenticated in two ways at once",
            ),
            Self::InvalidClient { .. } => {
                wire(401, "invalid_client", "client authentication failed")
            }
            Self::UnsupportedGrantType => wire(
                400,
                "unsupported_grant_type",
                "this grant type does not exist here",
            ),
            Self::UnauthorizedClient => wire(
                400,
                "unauthorized_client",
                "this client may not use this grant type",
            ),
            Self::InvalidCode(_) | Self::CodeReplayed => wire(
                400,
                "invalid_grant",
                "the code is invalid, expired or was used before",
            ),
            Self::PkceMismatch(_) => wire(400, "invalid_grant", "the code verifier does not fit"),
            Self::InvalidRefreshToken(_) | Self::RefreshTokenReplayed => wire(
                400,
                "invalid_grant",
                "the refresh token is invalid, expired or was used before",
            ),
            Self::InvalidScope => wire(
                400,
                "invalid_scope",
                "the scope is malformed or more than is allowed",
            ),
            Self::InvalidTarget => wire(
                400,
                "invalid_target",
                "the resource is not allowed for this client",
            ),
            Self::ForeignToken => wire(
                400,
                "invalid_grant",
                "the token was not issued to this client",
            ),
            Self::AuthorizationPending => wire(
                400,
                "authorization_pending",
                "nobody has answered yet; ask again",
            ),
            Self::SlowDown => wire(400, "slow_down", "wait five seconds longer from now on"),
            Self::DeviceCodeExpired => wire(
                400,
                "expired_token",
                "the device code has expired; ask for a new one",
            ),
            Self::DeviceDenied => wire(400, "access_denied", "the user refused"),
            Self::InvalidDeviceCode(_) => wire(
                400,
                "invalid_grant",
                "the device code is invalid or was used before",
            ),
            // RFC 8628 and RFC 6749 §5.2 have no code for it; the one of RFC 6749 §4.1.2.1 says what is meant.
            Self::TooManyDevices => wire(
                429,
                "temporarily_unavailable",
                "too many devices are waiting; try again in a minute",
            ),
            Self::TooManySecrets { .. } => wire(
                429,
                "temporarily_unavailable",
                "too many wrong secrets were sent; try again later",
            ),
            Self::Unavailable => wire(503, "temporarily_unavailable", "try again in a moment"),
            // RFC 9449 §5.
            Self::Proof(error) => wire(400, "invalid_dpop_proof", error.words()),
            Self::OtherKey => wire(
                400,
                "invalid_grant",
                "the code or token is bound to another DPoP key",
            ),
            // RFC 8693 §2.2.2. One answer for all: only the audit log tells them apart.
            Self::InvalidExchange(_) => wire(
                400,
                "invalid_request",
                "the subject or actor token is invalid or may not be exchanged",
            ),
            Self::TokenType(why) => wire(400, "invalid_request", why),
        }
    }
}

/// A cause that a protected resource answers (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerError {
    /// No token at all: a challenge without an error code (RFC 6750 §3.1, last paragraph).
    Missing,
    /// More than one token, or a form that does not parse.
    BadRequest,
    /// Malformed, expired, revoked, of another kind, or its person is gone.
    InvalidToken,
    /// A good token, but for somebody else: in which way.
    Audience(&'static str),
    /// A good token without this scope.
    InsufficientScope(&'static str),
    /// A good token of somebody who may not administer Doorlight.
    NoAdministrator,
    /// The server cannot read now.
    Unavailable,
    /// The DPoP proof does not hold, or there is none where one is needed.
    Proof(ProofError),
    /// The token is bound to a key, and came without it or with another; or it is bound to none, and came as if.
    Binding(&'static str),
}

impl BearerError {
    /// The RFC's words; `None` where no error code may be sent.
    pub fn wire(self) -> Option<Wire> {
        match self {
            Self::Missing => None,
            Self::BadRequest => Some(wire(
                400,
                "invalid_request",
                "send one access token, in one way",
            )),
            Self::InvalidToken => Some(wire(
                401,
                "invalid_token",
                "the access token is invalid or expired",
            )),
            // RFC 6750 §3.1: “invalid for other reasons”. Only whoever has a token that holds is told.
            Self::Audience(words) => Some(wire(401, "invalid_token", words)),
            Self::InsufficientScope(_) => Some(wire(
                403,
                "insufficient_scope",
                "the access token lacks the scope for this",
            )),
            Self::NoAdministrator => Some(wire(
                403,
                "insufficient_scope",
                "only tokens of administrators and of services are taken here",
            )),
            Self::Unavailable => Some(wire(
                503,
                "temporarily_unavailable",
                "try again in a moment",
            )),
            // RFC 9449 §7.1: the two are told apart.
            Self::Proof(error) => Some(wire(401, "invalid_dpop_proof", error.words())),
            Self::Binding(words) => Some(wire(401, "invalid_token", words)),
        }
    }
}

impl From<NotOnce> for TokenError {
    fn from(error: NotOnce) -> Self {
        match error {
            NotOnce::Replayed(Purpose::DpopProof) => Self::Proof(ProofError::Replayed),
            NotOnce::Replayed(Purpose::ClientAssertion) => Self::InvalidClient {
                basic: false,
                why: "the assertion was used before",
            },
            NotOnce::TooMany | NotOnce::Unknowable => Self::Unavailable,
        }
    }
}

impl From<NotOnce> for BearerError {
    fn from(error: NotOnce) -> Self {
        match error {
            NotOnce::Replayed(_) => Self::Proof(ProofError::Replayed),
            NotOnce::TooMany | NotOnce::Unknowable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_5_2_descriptions_have_no_quotes_and_no_backslashes() {
        let errors = [
            TokenError::MalformedForm.wire(),
            TokenError::MissingParameter("code").wire(),
            TokenError::TwoAuthenticationMethods.wire(),
            TokenError::CodeReplayed.wire(),
            TokenError::SlowDown.wire(),
            TokenError::DeviceCodeExpired.wire(),
            TokenError::TooManyDevices.wire(),
            AuthorizeError::PkceRequired.wire(),
            AuthorizeError::BadParameter("claims").wire(),
            AuthorizeError::BadParameter("prompt").wire(),
        ];
        for error in errors {
            let allowed = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            assert!(
                error.description.bytes().all(allowed),
                "{}",
                error.description
            );
        }
    }
}
