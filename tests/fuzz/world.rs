//! One application, as a data file would hold it.

use doorlight::model::Client;
use serde_json::json;

/// What it is called on the wire.
pub const CLIENT_ID: &str = "01jdqx3n4k8m2p5r7t9v1w3y5z";

/// A web application with everything that is usual.
pub fn client() -> Client {
    let record = json!({
        "id": CLIENT_ID,
        "name": "Notes",
        "auth_method": "client_secret_basic",
        "redirect_uris": ["https://notes.example/cb"],
        "grants": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid profile email groups offline_access",
        "id_token_alg": "RS256",
        "access_token_alg": "ES256",
        "created": 1_795_000_000,
    });
    match serde_json::from_value(record) {
        Ok(client) => client,
        Err(error) => panic!("the record of the client is outdated: {error}"),
    }
}
