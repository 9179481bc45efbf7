//! What a document may say.

use super::*;
use crate::types::misread::with_each_place_as;
use serde_json::json;

fn parsed(document: Value) -> Result<Document, String> {
    Document::parse(document.to_string().as_bytes())
}

#[test]
fn a_member_that_nobody_knows_is_refused_and_not_passed_over() {
    for (document, named) in [
        (json!({ "version": 1, "people": [] }), "people"),
        (
            json!({ "version": 1, "users": [{ "username": "a", "passwort": "x" }] }),
            "users[0] “a”: passwort",
        ),
        (
            json!({ "version": 1, "clients": [{ "name": "A" }, { "name": "B", "redirect_uri": "x" }] }),
            "clients[1] “B”: redirect_uri",
        ),
        (
            json!({ "version": 1, "groups": [{ "name": "a", "members": [] }] }),
            "groups[0] “a”: members",
        ),
        (
            json!({ "version": 1, "clients": [{ "name": "A", "secrets": [{ "hush": 1 }] }] }),
            "clients[0] “A”: secrets[0].hush",
        ),
    ] {
        let why = parsed(document).unwrap_err();
        assert_eq!(why, format!("{named}: is unknown here"));
    }
    for (text, named) in [
        (
            r#"{"version":1,"users":[],"users":[]}"#,
            "a member of it stands twice (line 1, column 35)",
        ),
        (
            r#"{"version":1,"users":[{"username":"a","admin":false,"admin":true}]}"#,
            "a member of it stands twice (line 1, column ",
        ),
        (r#"{"version":2}"#, "format 2"),
        (r#"{"users":[]}"#, "version"),
        ("[]", "object"),
        ("{", "JSON"),
        ("", "it is empty"),
        ("house", "not JSON"),
    ] {
        let why = Document::parse(text.as_bytes()).unwrap_err();
        assert!(why.contains(named), "{text}: {why}");
    }
}

/// Among sixty applications nobody found the one, and what stood there may be a secret in the wrong place.
#[test]
fn what_cannot_be_taken_is_named_by_its_place_and_not_told() {
    let hush = "purple`, expected tractors";
    let good = json!({ "username": "ann", "name": "Ann" });
    for (document, told) in [
        (
            json!({ "users": [good, { "username": "bob", "admin": hush }] }),
            "users[1] “bob”: admin: must be true or false",
        ),
        (
            json!({ "users": [good, { "username": "bob", "password_hash": [hush] }] }),
            "users[1] “bob”: password_hash: must be a string",
        ),
        (
            json!({ "users": [good, { "username": "bob", "groups": ["family", [hush]] }] }),
            "users[1] “bob”: groups[1]: must be a string",
        ),
        (
            json!({ "users": [good, { "username": [hush], "created": hush }] }),
            "users[1]: created: must be a moment such as 2026-11-24T08:50:00Z",
        ),
        (
            json!({ "users": [good, hush] }),
            "users[1]: must be an object",
        ),
        (json!({ "users": hush }), "users: must be a list"),
        (
            json!({ "clients": [{ "name": "Wiki" }, { "name": "Grafana", "redirect_uris": ["https://a.example/", { "is": hush }] }] }),
            "clients[1] “Grafana”: redirect_uris[1]: must be a string",
        ),
        (
            json!({ "clients": [{ "name": "Wiki", "secrets": [hush] }] }),
            "clients[0] “Wiki”: secrets[0]: must be an object",
        ),
        (
            json!({ "clients": [{ "name": "Wiki", "secrets": [{ "hash": hush }] }] }),
            "clients[0] “Wiki”: secrets[0].hash: must be a SHA-256 in base64url",
        ),
        (
            json!({ "clients": [{ "client_id": "wiki", "secrets": [{ "key": "aaaa" }] }] }),
            "clients[0] “wiki”: secrets[0].hash: is missing",
        ),
        (
            json!({ "clients": [{ "name": "Wiki", "id_token_alg": hush }] }),
            "clients[0] “Wiki”: id_token_alg: must be one of ES256, RS256, EdDSA",
        ),
        (
            json!({ "groups": [{ "name": "family" }, { "description": hush }] }),
            "groups[1]: name: is missing",
        ),
        (
            json!({ "resources": [{ "identifier": "https://files.example", "name": "Files" }] }),
            "resources[0] “Files”: token_seconds: is missing",
        ),
        (
            json!({ "settings": { "audit_days": hush } }),
            "settings.audit_days: must be a whole number",
        ),
    ] {
        let mut whole = document.clone();
        whole["version"] = json!(1);
        let why = parsed(whole).unwrap_err();
        assert_eq!(why, told, "{document}");
    }
}

/// A document that has every member.
fn whole() -> Value {
    let now = "2026-11-24T08:50:00Z";
    let id = "01k8abcdefghjkmnpqrstvwxyz";
    let hash = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let mut ann = json!(PersonEdit::default());
    ann["username"] = json!("ann");
    ann["groups"] = json!(["family"]);
    ann["custom"] = json!({ "shoe": 42 });
    for (name, value) in [
        ("id", id),
        ("subject", "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58"),
        ("created", now),
        ("updated", now),
        ("tokens_not_before", now),
        ("password_hash", "$argon2id$"),
    ] {
        ann[name] = json!(value);
    }
    let mut wiki = json!(ClientEdit::from(NewClient::default()));
    wiki["name"] = json!("Wiki");
    wiki["redirect_uris"] = json!(["https://wiki.example/"]);
    wiki["client_id"] = json!(id);
    wiki["created"] = json!(now);
    wiki["tokens_not_before"] = json!(now);
    wiki["secrets"] = json!([{ "created": now, "hash": hash, "key": "aaaa" }]);
    wiki["registered"] = json!({
        "token_hash": hash, "token": id, "native": true, "contacts": ["a@wiki.example"], "default_max_age": 1,
        "require_auth_time": true, "last_used": now, "consents_not_before": now, "resource_scope": "a b",
    });
    wiki["sector"] = json!({ "host": "wiki.example", "key": "aaaa" });
    json!({
        "version": 1,
        "settings": {
            "audit_days": 1, "session_idle_days": 1, "session_absolute_days": 1, "registration": "off",
            "client_documents": true, "outbound_hosts": ["nas.example"], "subject_key": "aaaa", "metrics_token_hash": hash,
        },
        "groups": [{ "name": "family", "description": "all", "created": now }],
        "users": [ann],
        "clients": [wiki],
        "resources": [{
            "identifier": "https://a.example", "name": "Files", "created": now, "scope": "a", "token_seconds": 300,
            "alg": "ES256", "clients": [id], "servers": [id], "registered_clients": true,
        }],
        "signing_keys": [
            { "kid": "a", "algorithm": "ES256", "private": "aaaa", "created": now, "active_from": now },
        ],
    })
}

#[test]
fn nothing_of_what_cannot_be_taken_is_told_wherever_it_stands() {
    let whole = whole();
    assert!(parsed(whole.clone()).is_ok());
    // A record is called by these.
    let names = ["username", "name", "client_id", "identifier", "kid"];
    let is_name = |place: &str| {
        let member = place.split_once("].").map(|(_, member)| member);
        member.is_some_and(|member| names.contains(&member))
    };
    let hush = "purple`, expected tractors\u{1b}";
    let mut refused = BTreeSet::new();
    for hush in [json!(hush), json!([hush]), json!({ "is": hush })] {
        for (place, spoilt) in with_each_place_as(&whole, &hush) {
            if hush.is_string() && is_name(&place) {
                continue;
            }
            if let Err(why) = parsed(spoilt) {
                let tells = why.contains("purple") || why.contains("tractors");
                assert!(!tells, "{place}: {why}");
                if hush.is_string() {
                    refused.insert(place);
                }
            }
        }
    }
    // Texts that are read as something, each of its kind.
    for place in [
        "settings.outbound_hosts[0]",
        "settings.subject_key",
        "settings.metrics_token_hash",
        "settings.registration",
        "users[0].id",
        "users[0].subject",
        "users[0].created",
        "clients[0].secrets[0].hash",
        "clients[0].registered.token",
        "clients[0].registered.resource_scope",
        "clients[0].sector.host",
        "clients[0].grants",
        "resources[0].alg",
        "signing_keys[0].private",
    ] {
        assert!(refused.contains(place), "{place}: {refused:?}");
    }
}

#[test]
fn what_is_not_said_is_as_with_a_new_record() {
    let document = parsed(json!({
        "version": 1,
        "users": [{ "username": "anna" }],
        "clients": [{ "name": "Notes", "redirect_uris": ["https://notes.example/cb"] }],
    }))
    .unwrap();
    let usual = ClientEdit::from(NewClient {
        name: "Notes".to_owned(),
        redirect_uris: vec!["https://notes.example/cb".to_owned()],
        ..NewClient::default()
    });
    assert_eq!(document.clients[0].settings, usual);
    assert_eq!(document.clients[0].record, ApplicationRecord::default());
    let anna = PersonEdit {
        username: "anna".to_owned(),
        ..PersonEdit::default()
    };
    assert_eq!(document.users[0].settings, anna);
    // What says no more than that is written so.
    let text = document.text().unwrap();
    assert!(text.contains("\"username\": \"anna\"\n"), "{text}");
    assert!(!text.contains("null") && !text.contains("[]"), "{text}");
    assert_eq!(Document::parse(text.as_bytes()), Ok(document));
}

/// A member that were in neither list would be written as one of the record and read as an unknown setting.
#[test]
fn every_member_of_a_record_is_named_beside_the_settings() {
    fn agree<R: Serialize, S: Settings>(record: &R) {
        let Ok(Value::Object(members)) = serde_json::to_value(record) else {
            panic!("no object");
        };
        let named: BTreeSet<&str> = S::BESIDE.iter().copied().collect();
        let members: BTreeSet<&str> = members.keys().map(String::as_str).collect();
        assert_eq!(members, named);
    }
    let now = Some(Moment(Timestamp::from_secs(1_795_000_000)));
    agree::<_, PersonEdit>(&PersonRecord {
        id: Some(UserId(Default::default())),
        subject: "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58".parse().ok(),
        created: now,
        updated: now,
        tokens_not_before: now,
        password_hash: Some(crate::types::Phc::new(String::new())),
    });
    let hash = TokenHash::of(&crate::types::Secret::new(String::new()));
    agree::<_, ClientEdit>(&ApplicationRecord {
        client_id: "01k8abcdefghjkmnpqrstvwxyz".parse().ok(),
        created: now,
        tokens_not_before: now,
        secrets: vec![SecretEntry {
            created: now,
            hash: crate::types::SecretHash::Quick(hash),
            key: None,
        }],
        registered: Some(serde_json::from_value(json!({})).unwrap()),
        sector: Some(SectorEntry {
            host: "app.example".parse().unwrap(),
            key: vec![1].into(),
        }),
    });
}

#[test]
fn moments_are_kept_to_the_millisecond() {
    for (text, millis) in [
        ("2026-11-24T08:50:00.123Z", 1_795_510_200_123),
        ("2026-11-24T08:50:00Z", 1_795_510_200_000),
        ("2026-11-24T09:50:00+01:00", 1_795_510_200_000),
    ] {
        let moment: Moment = serde_json::from_value(json!(text)).unwrap();
        assert_eq!(moment.0.millis(), millis, "{text}");
    }
    let written = json!(Moment(Timestamp::from_millis(1_795_510_200_123)));
    assert_eq!(written, "2026-11-24T08:50:00.123Z");
    for bad in [
        json!("yesterday"),
        json!(1_795_510_200),
        json!("1969-12-31T23:59:59Z"),
        json!("2026-11-24"),
    ] {
        assert!(
            serde_json::from_value::<Moment>(bad.clone()).is_err(),
            "{bad}"
        );
    }
}
