//! PKCE at the authorization endpoint. RFC 7636 §4.3 and §4.4, RFC 9700 §2.1.1.

use crate::model::{Client, CodeChallenge, Profile};
use crate::oauth::error::AuthorizeError;
use crate::oauth::token::code::is_verifier;

/// The challenge of a request. Required for public and strict clients, and for those that a document describes; S256
/// only, unless the client is marked legacy.
pub fn challenge(
    client: &Client,
    challenge: Option<&str>,
    method: Option<&str>,
) -> Result<Option<CodeChallenge>, AuthorizeError> {
    let Some(challenge) = challenge else {
        return match method {
            Some(_) => Err(AuthorizeError::BadParameter("code_challenge")),
            None if client.is_public()
                || client.profile == Profile::Strict
                || client.document().is_some() =>
            {
                Err(AuthorizeError::PkceRequired)
            }
            None => Ok(None),
        };
    };
    if !is_verifier(challenge) {
        return Err(AuthorizeError::BadParameter("code_challenge"));
    }
    match method {
        Some("S256") => Ok(Some(CodeChallenge::S256(challenge.to_owned()))),
        // RFC 7636 §4.3: a method left out means plain.
        None | Some("plain") if client.allow_plain_pkce && client.profile == Profile::Standard => {
            Ok(Some(CodeChallenge::Plain(challenge.to_owned())))
        }
        None | Some("plain") => Err(AuthorizeError::PkcePlain),
        Some(_) => Err(AuthorizeError::BadParameter("code_challenge_method")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{client, public_client};

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn who_must_use_pkce_and_which_methods_exist() {
        let (web, public) = (client(), public_client());
        let strict = Client {
            profile: Profile::Strict,
            ..client()
        };
        let legacy = Client {
            allow_plain_pkce: true,
            ..client()
        };
        let refused = |client: &Client, c: Option<&str>, m: Option<&str>| {
            challenge(client, c, m).unwrap_err()
        };

        assert_eq!(challenge(&web, None, None), Ok(None));
        assert_eq!(refused(&public, None, None), AuthorizeError::PkceRequired);
        assert_eq!(refused(&strict, None, None), AuthorizeError::PkceRequired);
        let s256 = Ok(Some(CodeChallenge::S256(CHALLENGE.to_owned())));
        assert_eq!(challenge(&web, Some(CHALLENGE), Some("S256")), s256);
        assert_eq!(
            refused(&web, Some(CHALLENGE), Some("plain")),
            AuthorizeError::PkcePlain
        );
        assert_eq!(
            refused(&web, Some(CHALLENGE), None),
            AuthorizeError::PkcePlain
        );
        let plain = Ok(Some(CodeChallenge::Plain(CHALLENGE.to_owned())));
        assert_eq!(challenge(&legacy, Some(CHALLENGE), None), plain);
        assert_eq!(
            refused(&web, Some("short"), Some("S256")),
            AuthorizeError::BadParameter("code_challenge")
        );
        assert_eq!(
            refused(&web, None, Some("S256")),
            AuthorizeError::BadParameter("code_challenge")
        );
        let unknown = AuthorizeError::BadParameter("code_challenge_method");
        assert_eq!(refused(&web, Some(CHALLENGE), Some("s256")), unknown);
    }
}
