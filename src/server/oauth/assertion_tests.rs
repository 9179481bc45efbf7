//! Where an assertion is used up (RFC 7523 §3, 7): in the commit of what is granted for it, and by nothing else.

use crate::crypto::jws;
use crate::model::{Algorithm, Change, Client, ClientAuthMethod, Decision};
use crate::oauth::testing::client;
use crate::ops::clock;
use crate::server::{routes, testing};
use crate::types::Form;
use rouille::Request;
use serde_json::{Value, json};
use std::io::Read;

struct Signer {
    house: testing::House,
    client: Client,
}

impl Signer {
    /// A server without sockets, and a client that signs with the server's own keys.
    fn new(name: &str) -> Self {
        let house = testing::house(name);
        let ctx = &house.ctx;
        let client = Client {
            auth_method: ClientAuthMethod::PrivateKeyJwt,
            secrets: Vec::new(),
            jwks: Some(ctx.keys().unwrap().jwks()),
            may_introspect: true,
            ..client()
        };
        let change = Change::PutClient(Box::new(client.clone()));
        let submitted = ctx.store.submit(|_| {
            Ok(Decision {
                changes: vec![change],
                events: Vec::new(),
                reply: Ok::<(), ()>(()),
            })
        });
        submitted.unwrap().unwrap();
        Self { house, client }
    }

    fn assertion(&self, jti: &str) -> String {
        let now = clock::now();
        let claims = json!({
            "iss": self.client.id, "sub": self.client.id, "aud": "http://localhost:8080",
            "jti": jti, "exp": now.secs() + 60,
        });
        let keys = self.house.ctx.keys().unwrap();
        let key = keys.signer(Algorithm::Es256, now).unwrap();
        jws::sign(key, "JWT", claims.to_string().as_bytes())
    }

    /// Status, `error`, and how many commits it took.
    fn send(&self, path: &str, assertion: &str, more: &[(&str, &str)]) -> (u16, String, u64) {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let mut form = Form::default()
            .with("client_assertion_type", kind)
            .with("client_assertion", assertion);
        for (name, value) in more {
            form = form.with(name, value);
        }
        let headers = [
            ("Host", "localhost:8080"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = Request::fake_http("POST", path, headers.to_vec(), Vec::new());
        let form = form.encode();
        let commits = self.house.ctx.store.commits();
        let response = routes::handle(&self.house.ctx, &request, form.as_bytes());
        let taken = self.house.ctx.store.commits() - commits;
        let mut body = String::new();
        let (mut reader, _) = response.data.into_reader_and_size();
        reader.read_to_string(&mut body).unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap();
        let error = answer["error"].as_str().unwrap_or_default().to_owned();
        (response.status_code, error, taken)
    }
}

const TOKEN: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// A lone commit costs 28 KB of a memory card, and a sync.
#[test]
fn a_token_and_the_use_of_its_assertion_are_one_commit() {
    let signer = Signer::new("assertion-commit");
    let assertion = signer.assertion("one");
    assert_eq!(
        signer.send("/token", &assertion, &TOKEN),
        (200, String::new(), 1)
    );
    let (status, error, _) = signer.send("/token", &assertion, &TOKEN);
    assert_eq!((status, error.as_str()), (401, "invalid_client"));
}

#[test]
fn what_is_refused_leaves_the_assertion_to_be_used() {
    let signer = Signer::new("assertion-refused");
    let assertion = signer.assertion("one");
    for more in [
        [("grant_type", "password")],
        [("grant_type", "authorization_code")],
        [("grant_type", "refresh_token")],
    ] {
        let (status, error, _) = signer.send("/token", &assertion, &more);
        assert_eq!(status, 400, "{more:?}");
        assert_ne!(error, "invalid_client", "{more:?}");
    }
    assert_eq!(signer.send("/token", &assertion, &TOKEN).0, 200);
}

#[test]
fn rfc7523_section_3_item_7_an_assertion_that_was_used_anywhere_is_refused_everywhere() {
    let signer = Signer::new("assertion-everywhere");
    let asked = [("token", "nonsense")];
    let pushed = [
        ("response_type", "code"),
        ("redirect_uri", "https://notes.example/cb"),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ];
    let uses: [(&str, &[(&str, &str)]); 4] = [
        ("/token", &TOKEN),
        ("/introspect", &asked),
        ("/revoke", &asked),
        ("/par", &pushed),
    ];
    for (first, granted) in uses {
        let assertion = signer.assertion(first);
        let (status, error, _) = signer.send(first, &assertion, granted);
        assert!(matches!(status, 200 | 201), "{first}: {status} {error}");
        for (second, asked) in uses {
            let (status, error, _) = signer.send(second, &assertion, asked);
            let got = (status, error.as_str());
            assert_eq!(got, (401, "invalid_client"), "{first}, then {second}");
        }
    }
}
