//! Why a registration was refused: causes inside, the codes of RFC 7591 §3.2.2 and RFC 6750 §3.1 outside.

use crate::model::AdminError;
use crate::oauth::error::Wire;
use std::time::Duration;

/// A cause that the registration endpoint, or the address of one registration, answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationError {
    /// No token where one is needed: a challenge without an error code (RFC 6750 §3.1, last paragraph).
    NoToken,
    /// The token is malformed, unknown, expired, used up, or of another registration (RFC 7592 §2: and where there is
    /// no such client).
    InvalidToken(&'static str),
    /// The body is no JSON object, or larger than any registration.
    MalformedBody,
    /// A member has a value that cannot be registered.
    Metadata {
        /// The sentence for the client.
        sentence: &'static str,
        /// For the audit log.
        detail: String,
    },
    /// A redirect URI cannot be registered.
    RedirectUri {
        /// The sentence for the client.
        sentence: &'static str,
        /// For the audit log.
        detail: String,
    },
    /// Too many registrations from one address, or from strangers altogether.
    TooOften(Duration),
    /// Too many applications registered themselves and were never used.
    TooMany,
    /// The server cannot write now.
    Unavailable,
}

impl RegistrationError {
    /// A member that cannot be registered; the sentence says all.
    pub fn metadata(sentence: &'static str) -> Self {
        Self::Metadata {
            sentence,
            detail: String::new(),
        }
    }

    /// What the rules for every application refused (`oauth::clients`). Their words may quote the request, which a
    /// description on the wire must not.
    pub fn of_rule(error: &AdminError) -> Self {
        let detail = error.to_string();
        if *error == AdminError::ChangedMeanwhile {
            return Self::Unavailable;
        }
        let field = match error {
            AdminError::Invalid { field, .. } => *field,
            _ => "",
        };
        let sentence = match field {
            "redirect_uris" => {
                let sentence = "redirect_uris must be 1 to 50 whole addresses without fragment, wildcard or user name";
                return Self::RedirectUri { sentence, detail };
            }
            "name" => "client_name must have 1 to 100 characters",
            "grants" => "the grant types do not fit the client",
            "post_logout_redirect_uris" => {
                "post_logout_redirect_uris must be at most 50 whole addresses without fragment"
            }
            "home_uri" => "client_uri must be a web address",
            "logo_uri" => "logo_uri must be a web address",
            "policy_uri" => "policy_uri must be a web address",
            "frontchannel_logout_uri" => {
                "frontchannel_logout_uri must be an https address with scheme, host and port of a redirect URI"
            }
            "sector_identifier_uri" => {
                "sector_identifier_uri must be the https address of a JSON array of every redirect URI; pairwise subjects need it unless all redirect URIs have one host"
            }
            "tos_uri" => "tos_uri must be a web address",
            "jwks" => "jwks must be a set of public keys that fits the client, none of them weak",
            "auth_method" => "token_endpoint_auth_method does not fit the client",
            "id_token_alg" => "id_token_signed_response_alg does not fit the client",
            _ => "the metadata contradicts the settings of the client",
        };
        Self::Metadata { sentence, detail }
    }

    /// The RFC's words; `None` where no error code may be sent.
    pub fn wire(&self) -> Option<Wire> {
        let wire = |status, code, description| Wire {
            status,
            code,
            description,
        };
        Some(match self {
            Self::NoToken => return None,
            Self::InvalidToken(_) => wire(
                401,
                "invalid_token",
                "the token is invalid, expired or used up",
            ),
            Self::MalformedBody => wire(
                400,
                "invalid_client_metadata",
                "send one JSON object as application/json, of at most 16 KiB and without repeated members",
            ),
            Self::Metadata { sentence, .. } => wire(400, "invalid_client_metadata", sentence),
            Self::RedirectUri { sentence, .. } => wire(400, "invalid_redirect_uri", sentence),
            Self::TooOften(_) => wire(
                429,
                "temporarily_unavailable",
                "too many registrations; try again later",
            ),
            Self::TooMany => wire(
                429,
                "temporarily_unavailable",
                "too many registered clients were never used; ask the administrator",
            ),
            Self::Unavailable => wire(503, "temporarily_unavailable", "try again in a moment"),
        })
    }

    /// For the audit log.
    pub fn detail(&self) -> String {
        match self {
            Self::NoToken => "no token was sent".to_owned(),
            Self::InvalidToken(why) => format!("the token is {why}"),
            Self::Metadata { sentence, detail } | Self::RedirectUri { sentence, detail } => {
                if detail.is_empty() {
                    (*sentence).to_owned()
                } else {
                    detail.clone()
                }
            }
            other => other
                .wire()
                .map_or_else(String::new, |wire| wire.description.to_owned()),
        }
    }
}
