//! Which redirect URI a request may use. RFC 6749 §3.1.2.3, RFC 8252 §7.3, RFC 9700 §2.1.
//! The proof is a type: an error can be sent by redirect only to a `VerifiedRedirectUri`.

use crate::model::{Client, Profile, quoted};

/// An address that the client registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRedirectUri {
    uri: String,
    sent: bool,
}

impl VerifiedRedirectUri {
    /// The address, exactly as it was asked for.
    pub fn as_str(&self) -> &str {
        &self.uri
    }

    /// Whether the request named it; else it is the only one registered.
    pub fn was_sent(&self) -> bool {
        self.sent
    }
}

/// Why there is nowhere to redirect to. Shown on an error page, with what was expected and received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// Nothing was sent, and that is ambiguous or not allowed with `openid` (OpenID Connect Core §3.1.2.1).
    Missing,
    /// It is none of the registered ones.
    NotRegistered {
        /// What was sent.
        received: String,
        /// What is registered.
        expected: Vec<String>,
    },
}

impl Mismatch {
    /// For the audit log, which the admin page reads to offer the address.
    pub fn detail(&self) -> String {
        match self {
            Self::Missing => "redirect_uri is missing".to_owned(),
            Self::NotRegistered { received, expected } => format!(
                "redirect_uri expected {} received {}",
                expected.join(" "),
                quoted(received)
            ),
        }
    }
}

/// Compares as strings; a loopback port is free for native clients in the standard profile.
pub fn verify(
    client: &Client,
    requested: Option<&str>,
    openid: bool,
) -> Result<VerifiedRedirectUri, Mismatch> {
    let Some(requested) = requested else {
        return match client.redirect_uris.as_slice() {
            [only] if !openid => Ok(VerifiedRedirectUri {
                uri: only.as_str().to_owned(),
                sent: false,
            }),
            _ => Err(Mismatch::Missing),
        };
    };
    let port_is_free = client.profile == Profile::Standard && client.is_native();
    let registered = client.redirect_uris.iter().any(|uri| {
        uri.as_str() == requested || (port_is_free && uri.matches_loopback_port(requested))
    });
    if registered {
        Ok(VerifiedRedirectUri {
            uri: requested.to_owned(),
            sent: true,
        })
    } else {
        Err(Mismatch::NotRegistered {
            received: requested.to_owned(),
            expected: client
                .redirect_uris
                .iter()
                .map(ToString::to_string)
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientKind, SelfRegistered};
    use crate::oauth::testing::{client, self_registered};

    #[test]
    fn rfc9700_section_2_1_redirect_uris_are_compared_as_strings() {
        let client = client();
        assert!(verify(&client, Some("https://notes.example/cb"), true).is_ok());
        for near in [
            "https://notes.example/cb/",
            "https://notes.example/cb?x",
            "https://notes.example:443/cb",
            "https://NOTES.example/cb",
            "http://notes.example/cb",
            "https://notes.example/cb#",
            "https://notes.example",
            "https://notes.example/cb/../cb",
            "https://notes.example.evil/cb",
            "https://notes.example%2ecb",
        ] {
            assert!(
                matches!(
                    verify(&client, Some(near), true),
                    Err(Mismatch::NotRegistered { .. })
                ),
                "{near}"
            );
        }
    }

    #[test]
    fn the_only_registered_one_may_be_left_out_without_openid() {
        let one = client();
        assert!(verify(&one, None, false).is_ok_and(|uri| !uri.was_sent()));
        assert_eq!(verify(&one, None, true), Err(Mismatch::Missing));
        let mut two = client();
        two.redirect_uris
            .push("https://notes.example/other".parse().unwrap());
        assert_eq!(verify(&two, None, false), Err(Mismatch::Missing));
    }

    #[test]
    fn rfc8252_section_7_3_a_native_client_may_use_any_loopback_port() {
        let uri = vec!["http://127.0.0.1/cb".parse().unwrap()];
        let native = Client {
            kind: ClientKind::Native,
            redirect_uris: uri,
            ..client()
        };
        assert!(verify(&native, Some("http://127.0.0.1:50000/cb"), true).is_ok());
        assert!(verify(&native, Some("http://127.0.0.1:50000/other"), true).is_err());
        let strict = Client {
            profile: Profile::Strict,
            ..native.clone()
        };
        assert!(verify(&strict, Some("http://127.0.0.1:50000/cb"), true).is_err());
        let web = Client {
            kind: ClientKind::Web,
            ..native
        };
        assert!(verify(&web, Some("http://127.0.0.1:50000/cb"), true).is_err());
        // RFC 8252 §8.4: native with a secret, as it registered itself.
        let registered = Client {
            registered: Some(Box::new(SelfRegistered {
                native: true,
                ..self_registered()
            })),
            ..web
        };
        assert!(verify(&registered, Some("http://127.0.0.1:50000/cb"), true).is_ok());
    }
}
