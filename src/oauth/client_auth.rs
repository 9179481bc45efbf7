//! Client authentication by a secret that is sent. RFC 6749 §2.3, OpenID Connect Core §9. Signed assertions:
//! `client_assertion`.
//! Owns: who a request at the token, introspection and revocation endpoints comes from.
//! Either of Basic and post is taken in the standard profile: the commonest failure of all is a mismatch of the two.

use super::error::TokenError;
use super::replay::Use;
use crate::model::{Client, ClientAuthMethod, ClientSecret, Profile};
use crate::types::{Form, Secret, TokenHash, WireClientId, form_decode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// What a request says of its client; nothing of it is checked yet.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// `None` when it is no client id: no such client.
    pub client_id: Option<WireClientId>,
    method: ClientAuthMethod,
    /// The secret in each reading that the header allows.
    secrets: Vec<Secret>,
}

/// A client that proved who it is, or a public one that named itself.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    assertion: Option<Use>,
}

impl AuthenticatedClient {
    /// For `client_assertion`, which proves it in another way.
    pub(super) fn by_assertion(client: Arc<Client>, assertion: Use) -> Self {
        Self {
            client,
            assertion: Some(assertion),
        }
    }

    /// The client.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The use of the assertion that proved it, where it was one: it counts once (RFC 7523 §3, 7).
    pub fn assertion(&self) -> Option<Use> {
        self.assertion
    }
}

/// By a secret, or by naming itself where it is public.
impl From<Arc<Client>> for AuthenticatedClient {
    fn from(client: Arc<Client>) -> Self {
        Self {
            client,
            assertion: None,
        }
    }
}

impl Credentials {
    /// Reads the `Authorization` header and the form. Both with a secret at once are refused (RFC 6749 §2.3).
    pub fn parse(authorization: Option<&str>, form: &Form) -> Result<Self, TokenError> {
        let one = |name| {
            form.one(name)
                .map_err(|e| TokenError::RepeatedParameter(e.0))
        };
        let (id, secret) = (one("client_id")?, one("client_secret")?);
        let Some(header) = authorization else {
            let id = id.ok_or(TokenError::InvalidClient {
                basic: false,
                why: "no client_id",
            })?;
            let method = if secret.is_some() {
                ClientAuthMethod::ClientSecretPost
            } else {
                ClientAuthMethod::None
            };
            let secrets = secret
                .map(|s| Secret::new(s.to_owned()))
                .into_iter()
                .collect();
            return Ok(Self {
                client_id: id.parse().ok(),
                method,
                secrets,
            });
        };
        if secret.is_some() {
            return Err(TokenError::TwoAuthenticationMethods);
        }
        let basic = Self::basic(header).ok_or(TokenError::InvalidClient {
            basic: true,
            why: "malformed header",
        })?;
        // A client_id beside Basic is no second method, but it must not name someone else.
        if id.is_some_and(|id| id.parse().ok() != basic.client_id) {
            return Err(TokenError::InvalidClient {
                basic: true,
                why: "client_id differs from the header",
            });
        }
        Ok(basic)
    }

    /// `Basic base64(id ":" secret)`. RFC 6749 §2.3.1 wants both form-encoded; half of all clients send them raw, so
    /// both readings are tried. Generated secrets have unreserved characters only and read the same either way.
    fn basic(header: &str) -> Option<Self> {
        let (scheme, value) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        let id = form_decode(id.as_bytes()).unwrap_or_else(|_| id.to_owned());
        let mut secrets: Vec<Secret> = form_decode(secret.as_bytes())
            .map(Secret::new)
            .into_iter()
            .collect();
        if secrets
            .first()
            .is_none_or(|decoded| decoded.expose() != secret)
        {
            secrets.push(Secret::new(secret.to_owned()));
        }
        secrets.retain(|secret| !secret.expose().is_empty());
        Some(Self {
            client_id: id.parse().ok(),
            method: ClientAuthMethod::ClientSecretBasic,
            secrets,
        })
    }

    /// Checks them against the client of that id, as far as that takes no time.
    pub fn weigh(&self, client: Option<Arc<Client>>) -> Result<Weighed, TokenError> {
        let basic = self.method == ClientAuthMethod::ClientSecretBasic;
        let fail = |why| Err(TokenError::InvalidClient { basic, why });
        let Some(client) = client.filter(|client| Some(client.wire_id()) == self.client_id) else {
            return fail("unknown client");
        };
        if client.disabled {
            return fail("the client is disabled");
        }
        if client.is_public() {
            // `Basic id:` with an empty secret is how some libraries name a public client.
            if !self.secrets.is_empty() || (client.profile == Profile::Strict && basic) {
                return fail("a public client sent a secret");
            }
            return Ok(Weighed::Proved(client.into()));
        }
        if self.secrets.is_empty() {
            return fail("no secret was sent");
        }
        // Who chose to sign does not send the secret as it is.
        if matches!(
            client.auth_method,
            ClientAuthMethod::PrivateKeyJwt | ClientAuthMethod::ClientSecretJwt
        ) {
            return fail("not the registered method");
        }
        if client.profile == Profile::Strict && self.method != client.auth_method {
            return fail("not the registered method");
        }
        let right = self
            .secrets
            .iter()
            .map(TokenHash::of)
            .any(|hash| client.secrets.iter().any(|s| s.hash.quick() == Some(hash)));
        if right {
            return Ok(Weighed::Proved(client.into()));
        }
        if client.secrets.iter().all(|s| s.hash.slow().is_none()) {
            return fail("wrong secret");
        }
        Ok(Weighed::Undecided(Undecided {
            client,
            basic,
            secrets: self.secrets.clone(),
        }))
    }
}

/// What credentials come to without a slow hash.
#[derive(Debug)]
pub enum Weighed {
    /// Who it is.
    Proved(AuthenticatedClient),
    /// Everything fits but the secret, which is not looked at yet.
    Undecided(Undecided),
}

/// Secrets that may be those of a client whose secret is kept under a slow hash (`server::slow_secrets`).
#[derive(Debug)]
pub struct Undecided {
    client: Arc<Client>,
    basic: bool,
    secrets: Vec<Secret>,
}

impl Undecided {
    /// Who it may be.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Each secret that was sent with each that is kept so, and its PHC string.
    pub fn pairs(&self) -> impl Iterator<Item = (&Secret, &ClientSecret, &str)> {
        self.secrets.iter().flat_map(|sent| {
            let kept = self.client.secrets.iter();
            kept.filter_map(move |kept| Some((sent, kept, kept.hash.slow()?)))
        })
    }

    /// One of the pairs fits.
    pub fn proved(&self) -> AuthenticatedClient {
        self.client.clone().into()
    }

    /// None of them does.
    pub fn refused(&self) -> TokenError {
        TokenError::InvalidClient {
            basic: self.basic,
            why: "wrong secret",
        }
    }
}

#[cfg(test)]
impl Credentials {
    /// As a server does that has no time for slow hashes.
    pub(super) fn authenticate(
        &self,
        client: Option<Arc<Client>>,
    ) -> Result<AuthenticatedClient, TokenError> {
        match self.weigh(client)? {
            Weighed::Proved(client) => Ok(client),
            Weighed::Undecided(undecided) => Err(undecided.refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{client, public_client, secret};
    use crate::types::{Phc, SecretHash};
    use proptest::prelude::*;

    fn basic(id: &str, secret: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
    }

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form::from_pairs(
            pairs
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    fn outcome(
        header: Option<&str>,
        pairs: &[(&str, &str)],
        client: &Client,
    ) -> Result<(), TokenError> {
        Credentials::parse(header, &form(pairs))?
            .authenticate(Some(Arc::new(client.clone())))
            .map(|_| ())
    }

    #[test]
    fn the_standard_profile_takes_basic_or_post() {
        let client = client();
        let (id, right) = (client.id.to_string(), secret());
        let right = right.expose();
        assert_eq!(outcome(Some(&basic(&id, right)), &[], &client), Ok(()));
        assert_eq!(
            outcome(Some(&basic(&id, right)), &[("client_id", &id)], &client),
            Ok(())
        );
        assert_eq!(
            outcome(
                None,
                &[("client_id", &id), ("client_secret", right)],
                &client
            ),
            Ok(())
        );
    }

    #[test]
    fn rfc6749_section_2_3_both_at_once_are_refused() {
        let client = client();
        let (id, right) = (client.id.to_string(), secret());
        let pairs = [
            ("client_id", id.as_str()),
            ("client_secret", right.expose()),
        ];
        let both = outcome(Some(&basic(&id, right.expose())), &pairs, &client);
        assert_eq!(both, Err(TokenError::TwoAuthenticationMethods));
    }

    #[test]
    fn wrong_missing_and_foreign_credentials_are_refused() {
        let client = client();
        let id = client.id.to_string();
        let refused = |result: Result<(), TokenError>| {
            assert!(matches!(result, Err(TokenError::InvalidClient { .. })))
        };
        refused(outcome(Some(&basic(&id, "wrong")), &[], &client));
        refused(outcome(Some("Basic !"), &[], &client));
        refused(outcome(Some("Bearer x"), &[], &client));
        refused(outcome(None, &[("client_id", &id)], &client));
        refused(outcome(
            None,
            &[("client_id", "nobody"), ("client_secret", "x")],
            &client,
        ));
        refused(outcome(None, &[], &client));
        refused(outcome(
            Some(&basic(&id, secret().expose())),
            &[("client_id", "nobody")],
            &client,
        ));
        let disabled = Client {
            disabled: true,
            ..client
        };
        refused(outcome(
            Some(&basic(&id, secret().expose())),
            &[],
            &disabled,
        ));
    }

    #[test]
    fn the_strict_profile_takes_the_registered_method_only() {
        let client = Client {
            profile: Profile::Strict,
            ..client()
        };
        let (id, right) = (client.id.to_string(), secret());
        assert_eq!(
            outcome(Some(&basic(&id, right.expose())), &[], &client),
            Ok(())
        );
        let post = outcome(
            None,
            &[("client_id", &id), ("client_secret", right.expose())],
            &client,
        );
        assert!(matches!(post, Err(TokenError::InvalidClient { .. })));
    }

    #[test]
    fn a_public_client_names_itself_and_shows_no_secret() {
        let client = public_client();
        let id = client.id.to_string();
        assert_eq!(outcome(None, &[("client_id", &id)], &client), Ok(()));
        assert_eq!(outcome(Some(&basic(&id, "")), &[], &client), Ok(()));
        assert!(outcome(None, &[("client_id", &id), ("client_secret", "x")], &client).is_err());
    }

    #[test]
    fn a_secret_in_basic_is_read_encoded_and_raw() {
        for typed in ["a+b%2F", "a%zz", "p:q"] {
            let hash = SecretHash::of(&Secret::new(typed.to_owned()));
            let mut client = client();
            client.secrets[0].hash = hash;
            assert_eq!(
                outcome(Some(&basic(&client.id.to_string(), typed)), &[], &client),
                Ok(()),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_secret_under_a_slow_hash_is_left_undecided_and_nothing_else_is() {
        let phc =
            "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let mut moved = client();
        moved.secrets.push(ClientSecret {
            hash: SecretHash::Slow(Phc::new(phc.to_owned())),
            created: moved.created.plus(std::time::Duration::from_secs(1)),
            key: None,
        });
        let id = moved.id.to_string();
        let weigh = |client: &Client, secret: &str| {
            let credentials = Credentials::parse(Some(&basic(&id, secret)), &form(&[])).unwrap();
            credentials.weigh(Some(Arc::new(client.clone())))
        };
        let Ok(Weighed::Undecided(undecided)) = weigh(&moved, "a+b") else {
            panic!("it is decided");
        };
        // Both readings of the header, and the one slow hash.
        let pairs: Vec<_> = undecided
            .pairs()
            .map(|(sent, _, phc)| (sent.expose(), phc))
            .collect();
        assert_eq!(pairs, [("a b", phc), ("a+b", phc)]);
        // A hash of ours needs no such thing, and who is refused anyway costs nobody time.
        assert!(matches!(
            weigh(&moved, secret().expose()),
            Ok(Weighed::Proved(_))
        ));
        let refused = |client: Client| assert!(weigh(&client, "a+b").is_err());
        refused(client());
        refused(Client {
            disabled: true,
            ..moved.clone()
        });
        refused(Client {
            profile: Profile::Strict,
            auth_method: ClientAuthMethod::ClientSecretPost,
            ..moved.clone()
        });
        refused(Client {
            auth_method: ClientAuthMethod::ClientSecretJwt,
            ..moved.clone()
        });
        refused(Client {
            auth_method: ClientAuthMethod::None,
            ..moved
        });
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(header in ".{0,60}", value: Vec<u8>) {
            let _ = Credentials::parse(Some(&header), &Form::default());
            let _ = Credentials::parse(Some(&format!("Basic {}", STANDARD.encode(value))), &Form::default());
        }
    }
}
