//! By section of draft-ietf-oauth-client-id-metadata-document-02: what a document may not say, and what comes of a good
//! one.

use super::*;
use crate::model::{ClientAuthMethod, ConsentPolicy, GrantType};
use crate::oauth::testing::NOW;

const URL: &str = "https://notes.example/client.json";

fn url() -> DocumentUrl {
    URL.parse().unwrap()
}

fn with(more: &Value) -> Map<String, Value> {
    let mut members = json!({
        "client_id": URL,
        "client_name": "Notes",
        "redirect_uris": ["https://notes.example/cb"],
    });
    for (name, value) in more.as_object().unwrap() {
        members[name] = value.clone();
    }
    members.as_object().unwrap().clone()
}

fn described(more: &Value, stored: Option<Client>) -> Result<Client, DocumentError> {
    client(
        &url(),
        &read(&url(), with(more))?,
        stored,
        &Around::default(),
        NOW,
    )
}

#[test]
fn section_4_and_4_1_a_bad_document_describes_nobody() {
    let private = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE" }] });
    for (why, more) in [
        ("§4: no client_id", json!({ "client_id": null })),
        ("§4: client_id is no text", json!({ "client_id": [URL] })),
        ("§4: client_id is empty", json!({ "client_id": "" })),
        (
            "§4: another address",
            json!({ "client_id": "https://notes.example/client" }),
        ),
        (
            "§4: the same in other letters",
            json!({ "client_id": "https://NOTES.example/client.json" }),
        ),
        (
            "§4: the same with the usual port",
            json!({ "client_id": "https://notes.example:443/client.json" }),
        ),
        ("§4.1: client_secret", json!({ "client_secret": "s" })),
        ("§4.1: client_secret, empty", json!({ "client_secret": "" })),
        (
            "§4.1: client_secret, null",
            json!({ "client_secret": null }),
        ),
        (
            "§4.1: client_secret_expires_at",
            json!({ "client_secret_expires_at": 0 }),
        ),
        (
            "§4.1: client_secret_basic",
            json!({ "token_endpoint_auth_method": "client_secret_basic" }),
        ),
        (
            "§4.1: client_secret_post",
            json!({ "token_endpoint_auth_method": "client_secret_post" }),
        ),
        (
            "§4.1: client_secret_jwt",
            json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
        ),
        (
            "§4.1: another method",
            json!({ "token_endpoint_auth_method": "secret_handshake" }),
        ),
        (
            "§4.1: a method of the wrong type",
            json!({ "token_endpoint_auth_method": ["none"] }),
        ),
        (
            "§4.1: a private key",
            json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": private }),
        ),
        (
            "§8.2: no key",
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
        ),
        ("§4.2: no redirect_uris", json!({ "redirect_uris": null })),
        (
            "§4.2: none in redirect_uris",
            json!({ "redirect_uris": [] }),
        ),
        (
            "§4.2: redirect_uris is a text",
            json!({ "redirect_uris": "https://notes.example/cb" }),
        ),
        (
            "§4.2: a fragment",
            json!({ "redirect_uris": ["https://notes.example/cb#x"] }),
        ),
        (
            "§4.2: plain http",
            json!({ "redirect_uris": ["http://notes.example/cb"] }),
        ),
        (
            "§4.2: a script",
            json!({ "redirect_uris": ["javascript:alert(1)"] }),
        ),
        (
            "grant_types without a code",
            json!({ "grant_types": ["client_credentials"] }),
        ),
        (
            "grant_types is a text",
            json!({ "grant_types": "authorization_code" }),
        ),
        (
            "response_types without code",
            json!({ "response_types": ["token"] }),
        ),
        (
            "scope of nothing that there is",
            json!({ "scope": "groups admin" }),
        ),
        (
            "client_name turns letters around",
            json!({ "client_name": "\u{202e}knaB" }),
        ),
        ("client_name is no text", json!({ "client_name": 7 })),
        (
            "client_uri is no web address",
            json!({ "client_uri": "javascript:alert(1)" }),
        ),
        ("too long", json!({ "more": "a".repeat(LONGEST) })),
    ] {
        assert!(described(&more, None).is_err(), "{why}");
    }
}

#[test]
fn section_4_1_a_shared_secret_is_refused_as_that() {
    for more in [
        json!({ "client_secret": "s" }),
        json!({ "token_endpoint_auth_method": "client_secret_post" }),
    ] {
        assert_eq!(described(&more, None), Err(DocumentError::Secret));
    }
}

#[test]
fn a_good_document_makes_a_client_of_its_address() {
    let client = described(&json!({}), None).unwrap();
    assert_eq!(client.wire_id().to_string(), URL);
    assert_eq!(client.id, client.wire_id().key());
    assert_eq!(client.name, "notes.example (“Notes”)");
    assert_eq!(client.auth_method, ClientAuthMethod::None);
    assert_eq!(client.grants, [GrantType::AuthorizationCode].into());
    assert_eq!(client.consent, ConsentPolicy::Once);
    assert_eq!(
        client.scope.to_string(),
        "email offline_access openid profile"
    );
    assert!(client.secrets.is_empty() && !client.is_native());
    // Whatever stood under this id before stays dead.
    assert_eq!(client.tokens_not_before, NOW);
    assert_eq!(client.registered.unwrap().consents_not_before, NOW);
}

#[test]
fn what_is_for_other_servers_is_left_out() {
    let client = described(
        &json!({
            "grant_types": ["authorization_code", "refresh_token", "client_credentials", "urn:example:other"],
            "response_types": ["code", "code id_token"],
            "redirect_uris": ["https://notes.example/cb", "http://127.0.0.1:33418/"],
            "scope": "openid groups mcp:read",
            "software_id": "notes",
        }),
        None,
    )
    .unwrap();
    assert_eq!(
        client.grants,
        [GrantType::AuthorizationCode, GrantType::RefreshToken].into()
    );
    assert_eq!(client.scope.to_string(), "openid");
    assert!(client.is_native(), "asked each time (RFC 8252 §8.6)");
}

#[test]
fn section_8_5_the_host_stands_before_the_name_that_a_stranger_chose() {
    for (name, shown) in [
        (
            json!("accounts.bank.example"),
            "notes.example (“accounts.bank.example”)".to_owned(),
        ),
        (json!(null), "notes.example".to_owned()),
        (json!("notes.example"), "notes.example".to_owned()),
        (
            json!("b".repeat(82)),
            format!("notes.example (“{}”)", "b".repeat(82)),
        ),
        (json!("b".repeat(83)), "notes.example".to_owned()),
    ] {
        let client = described(&json!({ "client_name": name }), None).unwrap();
        assert_eq!(client.name, shown);
    }
}

#[test]
fn section_8_4_a_changed_document_is_taken_over_and_what_an_administrator_set_stays() {
    let mut stored = described(&json!({}), None).unwrap();
    stored.disabled = true;
    stored.access_token_minutes = 5;
    let later = NOW.just_after();
    let change = |more: &Value, stored: &Client| {
        let wanted = read(&url(), with(more)).unwrap();
        client(
            &url(),
            &wanted,
            Some(stored.clone()),
            &Around::default(),
            later,
        )
        .unwrap()
    };
    assert_eq!(change(&json!({}), &stored), stored, "nothing changed");

    let wider =
        json!({ "redirect_uris": ["https://notes.example/cb", "https://other.example/cb"] });
    let wide = change(&wider, &stored);
    assert_eq!(wide.redirect_uris.len(), 2);
    assert!(wide.disabled);
    assert_eq!(wide.access_token_minutes, 5);
    assert_eq!(wide.tokens_not_before, NOW, "tokens go on");
    let asked_from = |client: &Client| client.registered.as_ref().unwrap().consents_not_before;
    assert_eq!(asked_from(&wide), later, "people are asked again");

    let narrow = change(&json!({}), &wide);
    assert_eq!(narrow.redirect_uris, stored.redirect_uris);
    assert_eq!(asked_from(&narrow), later, "and not for less");
}

#[test]
fn two_addresses_with_one_key_are_not_one_client() {
    let mut other = described(&json!({}), None).unwrap();
    let registered = other.registered.as_mut().unwrap();
    registered.document = Some("https://evil.example/c".parse().unwrap());
    assert_eq!(
        described(&json!({}), Some(other)),
        Err(DocumentError::Taken)
    );
}

#[test]
fn nobody_manages_it_at_the_registration_endpoint() {
    let secret = super::super::registration_token(url_key(), [7; 32]);
    let mut client = described(&json!({}), None).unwrap();
    // Even where a token would fit what is kept.
    client.registered.as_mut().unwrap().hash = secret.hash();
    let refused = super::super::manager(Some(client.id), Some(&secret), Some(client));
    assert!(refused.is_err());
}

fn url_key() -> crate::types::ClientId {
    WireClientId::Document(url()).key()
}

#[test]
fn there_are_only_so_many() {
    let wanted = read(&url(), with(&json!({}))).unwrap();
    let full = Around {
        documents: DOCUMENTS_MAX,
        ..Around::default()
    };
    let new = client(&url(), &wanted, None, &full, NOW);
    assert_eq!(new, Err(DocumentError::TooMany));
    let known = described(&json!({}), None).unwrap();
    assert!(client(&url(), &wanted, Some(known), &full, NOW).is_ok());
}
