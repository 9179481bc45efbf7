//! Whose key a token request's answer is bound to. RFC 9449 §5, §5.2, §10; FAPI 2.0 §5.3.2.
//! Owns: which clients must prove a key, and which codes and refresh tokens only one key may use. Not here: whether a
//! proof holds (`oauth::dpop`).

use crate::model::{AuthorizationCode, Client, Grant, Profile};
use crate::oauth::algorithm;
use crate::oauth::dpop::{Proof, ProofError};
use crate::oauth::error::TokenError;
use crate::types::Thumbprint;

/// RFC 9449 §5.2: a client that said so gets bound tokens only; so does every strict one.
pub fn required(client: &Client, proof: Option<&Proof>) -> Result<(), TokenError> {
    if proof.is_none() && client.binds_tokens() {
        return Err(TokenError::Proof(ProofError::Missing));
    }
    fits(client, proof).map_err(TokenError::Proof)
}

/// A proof that came without being asked for must be one that the client may make, too.
pub fn fits(client: &Client, proof: Option<&Proof>) -> Result<(), ProofError> {
    match proof {
        Some(proof) if !algorithm::is_taken_from(client, proof.algorithm) => {
            Err(ProofError::Algorithm)
        }
        _ => Ok(()),
    }
}

/// RFC 9449 §10: a code that was asked for with `dpop_jkt` is that key's.
pub(super) fn may_redeem(
    code: &AuthorizationCode,
    key: Option<Thumbprint>,
) -> Result<(), TokenError> {
    held(code.dpop_jkt, key)
}

/// RFC 9449 §5: a refresh token of a public client is bound to a key. A confidential client's is bound to the client,
/// which proves itself at each use: it may change its key.
pub(super) fn may_refresh(grant: &Grant, key: Option<Thumbprint>) -> Result<(), TokenError> {
    held(grant.dpop_jkt, key)
}

/// The key that a family of refresh tokens has from now on: the first one that a public client proves.
pub(super) fn of_family(
    client: &Client,
    bound: Option<Thumbprint>,
    key: Option<Thumbprint>,
) -> Option<Thumbprint> {
    bound.or(key.filter(|_| client.is_public()))
}

/// FAPI 2.0 §5.3.2.1: a refresh token that is of no use without a key is not rotated, for rotation locks out whoever
/// loses an answer.
pub(super) fn rotates(client: &Client) -> bool {
    client.profile != Profile::Strict
}

fn held(bound: Option<Thumbprint>, key: Option<Thumbprint>) -> Result<(), TokenError> {
    match bound {
        Some(bound) if key != Some(bound) => Err(TokenError::OtherKey),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::public_key::JwsAlgorithm;
    use crate::oauth::replay::{self, Purpose};
    use crate::oauth::testing::{client, public_client};
    use crate::types::Timestamp;

    const ONE: Thumbprint = Thumbprint::from_digest([1; 32]);
    const OTHER: Thumbprint = Thumbprint::from_digest([2; 32]);

    #[test]
    fn rfc9449_section_5_2_a_client_that_binds_its_tokens_must_prove_a_key() {
        let missing = Err(TokenError::Proof(ProofError::Missing));
        let bound = Client {
            dpop_bound_access_tokens: true,
            ..client()
        };
        let strict = Client {
            profile: Profile::Strict,
            ..client()
        };
        assert_eq!(required(&client(), None), Ok(()));
        assert_eq!(required(&bound, None), missing);
        assert_eq!(required(&strict, None), missing);
    }

    #[test]
    fn fapi2_section_5_4_1_a_strict_client_proves_no_key_by_rs256() {
        let strict = Client {
            profile: Profile::Strict,
            ..client()
        };
        let by = |algorithm| {
            let until = Timestamp::from_secs(60);
            let now = Timestamp::from_secs(0);
            Proof {
                key: ONE,
                algorithm,
                used: replay::of(Purpose::DpopProof, "key", "jti", until, now).unwrap(),
            }
        };
        let refused = Err(TokenError::Proof(ProofError::Algorithm));
        assert_eq!(required(&strict, Some(&by(JwsAlgorithm::Rs256))), refused);
        assert_eq!(required(&strict, Some(&by(JwsAlgorithm::Ps256))), Ok(()));
        assert_eq!(required(&client(), Some(&by(JwsAlgorithm::Rs256))), Ok(()));
    }

    #[test]
    fn rfc9449_section_10_what_is_bound_to_a_key_is_no_other_keys() {
        for (bound, key, good) in [
            (None, None, true),
            (None, Some(ONE), true),
            (Some(ONE), Some(ONE), true),
            (Some(ONE), Some(OTHER), false),
            (Some(ONE), None, false),
        ] {
            assert_eq!(held(bound, key).is_ok(), good, "{bound:?} {key:?}");
        }
    }

    #[test]
    fn rfc9449_section_5_the_first_key_of_a_public_client_stays() {
        let public = public_client();
        assert_eq!(of_family(&public, None, None), None);
        assert_eq!(of_family(&public, None, Some(ONE)), Some(ONE));
        assert_eq!(of_family(&public, Some(ONE), Some(OTHER)), Some(ONE));
        assert_eq!(of_family(&client(), None, Some(ONE)), None);
    }
}
