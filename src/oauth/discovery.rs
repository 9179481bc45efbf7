//! Discovery. OpenID Connect Discovery §3, RFC 8414 §2, RFC 8628 §4, RFC 9126 §5, RFC 9207 §3, RFC 9449 §5.1,
//! draft-ietf-oauth-client-id-metadata-document §6. Lists what works, and nothing else: a test compares the two.

use super::authorize::request::ResponseMode;
use super::claims::{SCOPES, SUPPORTED};
use super::dpop;
use super::token::device::GRANT_TYPE;
use super::token::exchange;
use crate::crypto::public_key::JwsAlgorithm;
use crate::model::{RegistrationPolicy, Settings};
use crate::types::Issuer;
use serde_json::{Value, json};

/// The metadata; both documents have the same members.
pub fn document(issuer: &Issuer, settings: &Settings) -> Value {
    let endpoint = |path: &str| issuer.endpoint(path);
    let methods = [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
    ];
    let with_public = [methods.as_slice(), &["none"]].concat();
    let algorithms = JwsAlgorithm::names();
    let assertions = [algorithms.as_slice(), &["HS256"]].concat();
    let mut document = json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": endpoint("/authorize"),
        "token_endpoint": endpoint("/token"),
        "userinfo_endpoint": endpoint("/userinfo"),
        "jwks_uri": endpoint("/jwks.json"),
        "introspection_endpoint": endpoint("/introspect"),
        "revocation_endpoint": endpoint("/revoke"),
        "end_session_endpoint": endpoint("/logout"),
        "scopes_supported": SCOPES,
        "claims_supported": SUPPORTED,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_object_signing_alg_values_supported": algorithms,
        "request_uri_parameter_supported": false,
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::ALL.map(|(name, _)| name),
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            GRANT_TYPE,
            exchange::GRANT_TYPE,
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "userinfo_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "authorization_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "token_endpoint_auth_methods_supported": with_public,
        "token_endpoint_auth_signing_alg_values_supported": assertions,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": assertions,
        "revocation_endpoint_auth_methods_supported": with_public,
        "revocation_endpoint_auth_signing_alg_values_supported": assertions,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": ["1"],
        "authorization_response_iss_parameter_supported": true,
        "dpop_signing_alg_values_supported": dpop::algorithms(),
        "pushed_authorization_request_endpoint": endpoint("/par"),
        "require_pushed_authorization_requests": false,
        "device_authorization_endpoint": endpoint("/device_authorization"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
    });
    if settings.registration != RegistrationPolicy::Off {
        document["registration_endpoint"] = json!(endpoint("/register"));
    }
    if settings.client_documents {
        // draft-ietf-oauth-client-id-metadata-document §6.
        document["client_id_metadata_document_supported"] = json!(true);
    }
    document
}
