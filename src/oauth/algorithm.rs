//! Which algorithms a client may sign with: assertions, request objects, proofs. FAPI 2.0 Security Profile §5.4.1.
//! Not here: which ones can be verified at all (`crypto::public_key`), what we sign with (`clients::rules`).

use crate::crypto::public_key::JwsAlgorithm;
use crate::model::{Client, Profile};

/// FAPI 2.0 §5.4.1 leaves PS256, ES256 and EdDSA: the older padding of RSA is not for the strict profile.
pub fn is_taken_from(client: &Client, algorithm: JwsAlgorithm) -> bool {
    client.profile != Profile::Strict || algorithm != JwsAlgorithm::Rs256
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::client;

    #[test]
    fn fapi2_section_5_4_1_rs256_is_not_taken_from_a_strict_client() {
        let standard = client();
        let strict = Client {
            profile: Profile::Strict,
            ..client()
        };
        assert!(is_taken_from(&standard, JwsAlgorithm::Rs256));
        assert!(!is_taken_from(&strict, JwsAlgorithm::Rs256));
        for algorithm in [
            JwsAlgorithm::Ps256,
            JwsAlgorithm::Es256,
            JwsAlgorithm::EdDsa,
        ] {
            assert!(is_taken_from(&strict, algorithm), "{algorithm:?}");
        }
    }
}
