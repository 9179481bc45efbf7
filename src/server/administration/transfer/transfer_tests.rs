//! A house that has some of everything moves into an empty one, and nothing is lost on the way.

use super::document::Document;
use super::export::{Secrets, export};
use super::import::import;
use super::plan::Wish;
use super::report::Report;
use crate::model::{
    Address, Algorithm, Change, ClaimMapping, ClaimSource, Client, ClientAuthMethod, ClientSecret,
    ConsentPolicy, Decision, GrantType, Group, Profile, RefreshPolicy, RegistrationPolicy,
    Resource, SelfRegistered, Settings, User,
};
use crate::oauth::testing::{self, NOW, client, of_sector, resource, self_registered};
use crate::server::api::control::command_line;
use crate::server::testing::{House, house};
use crate::types::{ClientId, Id, Phc, Secret, SecretHash, TokenHash, UserId, WireClientId};
use serde_json::json;
use std::time::Duration;

impl House {
    fn put(&self, changes: Vec<Change>) {
        let decision: Decision<(), ()> = Decision {
            changes,
            events: Vec::new(),
            reply: Ok(()),
        };
        self.ctx.store.submit(|_| Ok(decision)).unwrap().unwrap();
    }

    fn export(&self, secrets: Secrets) -> Document {
        export(&self.ctx.store.snapshot().unwrap().view(), secrets).unwrap()
    }

    fn import(&self, document: &Document, wish: Wish) -> Report {
        import(&self.ctx, document.clone(), wish, &command_line()).unwrap()
    }
}

const ONLY: Wish = Wish {
    replace: false,
    dry_run: false,
    foreign: false,
};
const REPLACE: Wish = Wish {
    replace: true,
    dry_run: false,
    foreign: false,
};

fn hash(text: &str) -> TokenHash {
    TokenHash::of(&Secret::new(text.to_owned()))
}

fn numbered(n: u8) -> ClientId {
    ClientId(Id::new(NOW, [n; 10]))
}

fn public_client() -> Client {
    Client {
        grants: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        ..testing::public_client()
    }
}

fn anna() -> User {
    let some = |text: &str| Some(text.to_owned());
    User {
        subject: "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58".parse().ok(),
        id: UserId(Id::new(NOW, [40; 10])),
        username: "Anna".parse().unwrap(),
        name: some("Anna Müller"),
        given_name: some("Anna"),
        family_name: some("Müller"),
        middle_name: some("B"),
        nickname: some("Annie"),
        profile: some("https://anna.example/"),
        picture: some("https://anna.example/me.png"),
        website: some("https://anna.example/"),
        gender: some("f"),
        birthdate: some("1985-03-21"),
        zoneinfo: some("Europe/Berlin"),
        locale: some("de"),
        email: some("anna@example.org"),
        email_verified: true,
        phone_number: some("+49 30 123456"),
        phone_number_verified: true,
        address: Some(Address {
            street_address: some("Weg 1\nHinterhaus"),
            ..Address::default()
        }),
        groups: ["family".parse().unwrap()].into(),
        custom: [("shelf".to_owned(), json!({ "row": [1, null, 2.5] }))].into(),
        admin: true,
        disabled: false,
        password: some(
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$jyiOrsVpJLX0XR3mUYCWGwBGIfdLNqE3pSyjAX+Wj+A",
        )
        .map(Phc::new),
        created: NOW,
        updated: NOW.plus(Duration::from_millis(1_234)),
        tokens_not_before: NOW.plus(Duration::from_millis(5)),
    }
}

/// Every setting is another than the usual one.
fn full() -> Client {
    let uris = |list: &[&str]| list.iter().map(|uri| uri.parse().unwrap()).collect();
    Client {
        id: numbered(50),
        name: "Everything “Ünlimited”".to_owned(),
        auth_method: ClientAuthMethod::ClientSecretJwt,
        secrets: ["old", "new"]
            .map(|text| ClientSecret {
                hash: SecretHash::Quick(hash(text)),
                created: NOW.plus(Duration::from_secs(u64::from(text == "new"))),
                key: Some(format!("signs with {text}").into_bytes().into()),
            })
            .to_vec(),
        jwks_uri: Some("https://app.example/keys".to_owned()),
        request_uris: vec!["https://app.example/request#1".to_owned()],
        redirect_uris: uris(&["http://app.example/cb", "https://app.example/other"]),
        post_logout_redirect_uris: uris(&["https://app.example/bye"]),
        scope: "email openid".parse().unwrap(),
        id_token_alg: Algorithm::EdDsa,
        access_token_alg: Algorithm::Rs256,
        claims_in_id_token: true,
        consent: ConsentPolicy::Always,
        refresh: RefreshPolicy::Always,
        access_token_minutes: 7,
        refresh_idle_days: 8,
        refresh_absolute_days: 9,
        audiences: vec!["https://api.example".to_owned(), "word".to_owned()],
        may_introspect: true,
        allow_http: true,
        allow_plain_pkce: true,
        allowed_groups: ["family".parse().unwrap()].into(),
        home_uri: Some("https://app.example/".to_owned()),
        logo_uri: Some("https://app.example/logo.png".to_owned()),
        policy_uri: Some("https://app.example/policy".to_owned()),
        tos_uri: Some("https://app.example/tos".to_owned()),
        disabled: true,
        tokens_not_before: NOW,
        dpop_bound_access_tokens: true,
        require_par: true,
        authorization_signed_response_alg: Some(Algorithm::Rs256),
        userinfo_signed_response_alg: Some(Algorithm::Es256),
        claim_mappings: vec![ClaimMapping {
            claim: "role".to_owned(),
            source: ClaimSource::Group {
                group: "family".parse().unwrap(),
                member: json!("editor"),
                otherwise: Some(json!("reader")),
            },
            access_token: true,
        }],
        backchannel_logout_uri: Some("https://app.example/back".to_owned()),
        backchannel_logout_session_required: true,
        frontchannel_logout_uri: Some("https://app.example/front".to_owned()),
        frontchannel_logout_session_required: true,
        ..client()
    }
}

/// Some of everything, as a house has it after a while.
fn furnished(name: &str) -> House {
    let house = house(name);
    let settings = house.ctx.settings().unwrap();
    let document = "https://notes.example/client.json";
    let by_document: WireClientId = document.parse().unwrap();
    let described = Client {
        id: by_document.key(),
        name: "Described".to_owned(),
        registered: Some(Box::new(SelfRegistered {
            document: document.parse().ok(),
            ..self_registered()
        })),
        ..public_client()
    };
    let introduced = Client {
        id: numbered(51),
        name: "Introduced".to_owned(),
        registered: Some(Box::new(SelfRegistered {
            hash: hash("registration"),
            native: true,
            contacts: vec!["me@app.example".to_owned()],
            default_max_age: Some(60),
            require_auth_time: true,
            last_used: Some(NOW),
            consents_not_before: NOW.minus(Duration::from_secs(1)),
            resource_scope: "read".parse().unwrap(),
            ..self_registered()
        })),
        ..public_client()
    };
    let pairwise = Client {
        id: numbered(52),
        name: "Pairwise".to_owned(),
        ..of_sector("notes.example", 9)
    };
    let strict = Client {
        id: numbered(53),
        name: "Strict".to_owned(),
        profile: Profile::Strict,
        id_token_alg: Algorithm::Es256,
        ..client()
    };
    let api = Resource {
        scope: "read write".parse().unwrap(),
        clients: [numbered(50), by_document.key()].into(),
        servers: [numbered(53)].into(),
        registered_clients: true,
        token_seconds: 300,
        ..resource("https://api.example")
    };
    let group = |name: &str, description: &str| Group {
        name: name.parse().unwrap(),
        description: description.to_owned(),
        created: NOW,
    };
    let bob = User {
        id: UserId(Id::new(NOW, [41; 10])),
        username: "bob".parse().unwrap(),
        disabled: true,
        admin: false,
        password: None,
        groups: ["family".parse().unwrap(), "cooks".parse().unwrap()].into(),
        subject: None,
        ..anna()
    };
    let key = crate::server::administration::keys::generate(Algorithm::EdDsa).unwrap();
    let settings = Settings {
        audit_days: 30,
        session_idle_days: 2,
        session_absolute_days: 3,
        registration: RegistrationPolicy::Token,
        client_documents: true,
        outbound_hosts: ["nas.home.arpa".parse().unwrap()].into(),
        metrics_token: Some(hash("metrics")),
        ..(*settings).clone()
    };
    let mut changes = vec![
        Change::PutGroup(group("family", "At home")),
        Change::PutGroup(group("cooks", "")),
        Change::PutSigningKey(Box::new(key)),
        Change::PutSettings(Box::new(settings)),
    ];
    changes.extend([anna(), bob].map(|user| Change::PutUser(Box::new(user))));
    changes.extend(
        [full(), described, introduced, pairwise, strict]
            .map(|client| Change::PutClient(Box::new(client))),
    );
    changes.push(Change::PutResource(Box::new(api)));
    house.put(changes);
    house
}

#[test]
fn a_house_that_moves_with_its_secrets_is_the_same_house() {
    let (old, new) = (furnished("move-from"), house("move-to"));
    let moved = old.export(Secrets::Included);
    let text = moved.text().unwrap();
    let read = Document::parse(text.as_bytes()).unwrap();
    let report = new.import(&read, ONLY);
    assert_eq!(report.problems, Vec::<String>::new());
    // He had none before.
    assert!(
        report
            .notes
            .iter()
            .all(|note| note.contains("the person “bob” has no password"))
    );
    assert_eq!(new.export(Secrets::Included).text().unwrap(), text);
    // Record for record, what no document says too.
    let (from, to) = (
        old.ctx.store.snapshot().unwrap(),
        new.ctx.store.snapshot().unwrap(),
    );
    let (from, to) = (from.view(), to.view());
    assert_eq!(
        from.clients(None, 99).unwrap(),
        to.clients(None, 99).unwrap()
    );
    assert_eq!(
        from.users_by_name("", 99).unwrap(),
        to.users_by_name("", 99).unwrap()
    );
    assert_eq!(from.resources().unwrap(), to.resources().unwrap());
    assert_eq!(from.signing_keys().unwrap(), to.signing_keys().unwrap());
    let (one, other) = (from.settings_made().unwrap(), to.settings_made().unwrap());
    assert_eq!(one.subject_key, other.subject_key);
    assert_ne!(one.seal_key, other.seal_key);
    assert!(new.ctx.keys().is_ok());
    // Once more, nothing happens.
    let again = new.import(&read, ONLY);
    assert_eq!(again.unchanged, report.added, "{again:?}");
    assert_eq!((again.added, again.changed), Default::default());
}

#[test]
fn without_its_secrets_a_house_reads_the_same_and_says_what_is_missing() {
    let (old, new) = (furnished("move-bare"), house("move-bare-to"));
    let text = old.export(Secrets::LeftOut).text().unwrap();
    let report = new.import(&Document::parse(text.as_bytes()).unwrap(), ONLY);
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(new.export(Secrets::LeftOut).text().unwrap(), text);
    for told in [
        "the person “Anna” has no password",
        "“Everything “Ünlimited”” has no secret",
        "“Introduced” registered itself",
        "“Pairwise” knows people by other names",
    ] {
        let found = report.notes.iter().any(|note| note.contains(told));
        assert!(found, "{told}: {:?}", report.notes);
    }
    // Into the house that it came from, it changes nothing: what it does not say stays.
    let before = old.export(Secrets::Included);
    let report = old.import(&Document::parse(text.as_bytes()).unwrap(), REPLACE);
    assert_eq!((report.added, report.changed), Default::default());
    assert_eq!(old.export(Secrets::Included), before);
}

/// Every text that opens a door, wherever it stands in the records.
#[test]
fn an_export_without_secrets_holds_none() {
    let house = furnished("plain");
    let with = house.export(Secrets::Included).text().unwrap();
    let without = house.export(Secrets::LeftOut).text().unwrap();
    let snapshot = house.ctx.store.snapshot().unwrap();
    let view = snapshot.view();
    let text = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let mut secrets = Vec::new();
    for client in view.clients(None, 99).unwrap() {
        for secret in &client.secrets {
            secrets.push(text(json!(secret.hash)));
            secrets.extend(secret.key.as_ref().map(|key| text(json!(key))));
        }
        secrets.extend(client.sector.map(|sector| text(json!(sector.key))));
        let registered = client.registered.filter(|own| own.document.is_none());
        secrets.extend(registered.map(|own| text(json!(own.hash))));
    }
    for user in view.users_by_name("", 99).unwrap() {
        secrets.extend(user.password.map(|phc| phc.expose().to_owned()));
    }
    for key in view.signing_keys().unwrap() {
        secrets.push(text(json!(key.private)));
    }
    let settings = view.settings_made().unwrap();
    secrets.push(text(json!(settings.subject_key)));
    secrets.push(text(json!(settings.metrics_token)));
    assert!(secrets.len() > 10);
    for secret in &secrets {
        assert!(with.contains(secret), "{secret}");
        assert!(!without.contains(secret), "{secret}");
    }
    let seal = text(json!(settings.seal_key));
    assert!(!with.contains(&seal) && !without.contains(&seal));
}

fn document(value: serde_json::Value) -> Document {
    Document::parse(value.to_string().as_bytes()).unwrap()
}

#[test]
fn what_is_wrong_is_listed_and_nothing_is_written() {
    let house = furnished("wrong");
    let before = house.export(Secrets::Included);
    let taken = before.users[0].record.id;
    for (bad, told) in [
        (
            json!({ "users": [{ "username": "carl" }, { "username": "CARL" }] }),
            "twice",
        ),
        (json!({ "users": [{ "username": "c a r l" }] }), "letters"),
        (
            json!({ "groups": [{ "name": "good" }, { "name": "FAMILY" }] }),
            "taken for the group “family”",
        ),
        (
            json!({ "users": [{ "username": "carl", "groups": ["Family"] }] }),
            "taken for the group “family”",
        ),
        (
            json!({ "users": [{ "username": "anna", "id": "01k8abcdefghjkmnpqrstvwxyz" }] }),
            "taken",
        ),
        (
            json!({ "users": [{ "username": "carl", "password_hash": "plain" }] }),
            "password_hash",
        ),
        (
            json!({ "users": [{ "username": "anna", "id": taken }] }),
            "differs",
        ),
        (
            json!({ "resources": [{ "identifier": "new", "name": "New", "token_seconds": 300, "alg": "ES256",
                "clients": ["01k8abcdefghjkmnpqrstvwxyz"] }] }),
            "which there is not",
        ),
        (
            json!({ "clients": [{ "name": "New", "redirect_uris": ["javascript:alert(1)"] }] }),
            "not safe",
        ),
        (
            json!({ "clients": [{ "name": "STRICT", "client_id": "01k8abcdefghjkmnpqrstvwxyz",
                "redirect_uris": ["https://a.example/"] }] }),
            "taken",
        ),
        (
            json!({ "clients": [{ "name": "New", "client_id": "https://new.example/client",
                "redirect_uris": ["https://a.example/"] }] }),
            "registered",
        ),
        (
            json!({ "settings": { "audit_days": 0, "session_idle_days": 1, "session_absolute_days": 1 } }),
            "audit_days",
        ),
        (
            json!({ "signing_keys": [{ "kid": "mine", "algorithm": "ES256", "private": "AAAA",
                "created": "2026-01-01T00:00:00Z", "active_from": "2026-01-01T00:00:00Z" }] }),
            "signing key",
        ),
    ] {
        let mut value = bad;
        value["version"] = json!(1);
        // A good record beside the bad one does not come either.
        if value.get("groups").is_none() {
            value["groups"] = json!([{ "name": "good" }]);
        }
        let report = house.import(&document(value.clone()), ONLY);
        let found = report.problems.iter().any(|problem| problem.contains(told));
        assert!(found, "{told}: {report:?}");
        assert_eq!(house.export(Secrets::Included), before, "{value}");
    }
}

/// Whoever replaces everybody must leave somebody who can undo it.
#[test]
fn the_last_administrator_stays_one() {
    let house = furnished("last");
    let mut moved = house.export(Secrets::LeftOut);
    let anna = moved.users.iter_mut().find(|user| user.settings.admin);
    anna.unwrap().settings.admin = false;
    let report = house.import(&moved, REPLACE);
    assert!(
        report.problems[0].contains("last administrator"),
        "{report:?}"
    );
    // With another one beside her it may be.
    let more = json!({ "version": 1, "users": [{ "username": "carl", "admin": true }] });
    moved.users.extend(document(more).users);
    let report = house.import(&moved, REPLACE);
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!((report.added.users, report.changed.users), (1, 1));
}

#[test]
fn a_dry_run_tells_the_same_and_writes_nothing() {
    let (old, new) = (furnished("move-dry"), house("move-dry-to"));
    let moved = old.export(Secrets::Included);
    let before = new.export(Secrets::Included);
    let wish = Wish {
        dry_run: true,
        ..ONLY
    };
    let dry = new.import(&moved, wish);
    assert_eq!(new.export(Secrets::Included), before);
    let real = new.import(&moved, ONLY);
    assert_eq!((dry.added, &dry.notes), (real.added, &real.notes));
}
