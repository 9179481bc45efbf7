//! A realm of Keycloak.

use super::foreign::{argon2id, lines, pbkdf2_sha512, refused, taken};
use crate::world::{Browser, PASSWORD, TestClient, World};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};
use std::num::NonZeroU32;

const SECRET: &str = "Zp3vK8sQ1nX6bT0hW5yR2cM9dJ4gL7fA";
const UUID: &str = "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58";

/// A credential, with its JSON in JSON.
fn credential(data: &Value, salt: &[u8], hash: &[u8]) -> Value {
    let secret = json!({ "value": STANDARD.encode(hash), "salt": STANDARD.encode(salt), "additionalParameters": {} });
    json!({ "id": UUID, "type": "password", "createdDate": 1_700_000_000_000_u64,
        "secretData": secret.to_string(), "credentialData": data.to_string() })
}

fn pbkdf2(algorithm: &str, iterations: u32) -> Value {
    let data =
        json!({ "hashIterations": iterations, "algorithm": algorithm, "additionalParameters": {} });
    let salt = [9; 16];
    let mut hash = pbkdf2_sha512(PASSWORD, &salt, iterations.min(1_000));
    if algorithm == "pbkdf2-sha256" {
        // Two blocks, as Keycloak does.
        let iterations = NonZeroU32::new(iterations).unwrap();
        let algorithm = ring::pbkdf2::PBKDF2_HMAC_SHA256;
        ring::pbkdf2::derive(algorithm, iterations, &salt, PASSWORD.as_bytes(), &mut hash);
    }
    credential(&data, &salt, &hash)
}

/// As Keycloak has it since 24.
fn argon2(memory: &str) -> Value {
    let phc = argon2id(PASSWORD);
    let parts: Vec<&str> = phc.split('$').collect();
    let bytes = |text: &str| STANDARD_NO_PAD.decode(text).unwrap();
    let parameters = json!({ "hashLength": ["32"], "memory": [memory], "type": ["id"], "version": ["1.3"],
        "parallelism": ["1"] });
    let data =
        json!({ "hashIterations": 2, "algorithm": "argon2", "additionalParameters": parameters });
    credential(&data, &bytes(parts[4]), &bytes(parts[5]))
}

/// A realm as `kc.sh export --users same_file` writes it, with a little of everything.
const REALM: &str = r##"{
    "id": "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58", "realm": "home", "displayName": "Home", "enabled": true, "sslRequired": "external",
    "accessTokenLifespan": 300, "requiredCredentials": ["password"], "otpPolicyType": "totp",
    "roles": { "realm": [{ "name": "editor" }], "client": {} },
    "groups": [
        { "id": "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58", "name": "family", "path": "/family", "attributes": {}, "realmRoles": [], "clientRoles": {},
          "subGroups": [{ "id": "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58", "name": "kids", "path": "/family/kids", "attributes": {}, "subGroups": [] }] },
        { "id": "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58", "name": "admins", "path": "/admins", "subGroups": [] }
    ],
    "users": [
        { "id": "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58", "createdTimestamp": 1700000000000, "username": "anna", "enabled": true, "totp": false,
          "emailVerified": true, "firstName": "Anna", "lastName": "Ångström", "email": "anna@example.org",
          "attributes": { "locale": ["sv"], "phoneNumber": ["+46 8 123456"], "shoeSize": ["39"] },
          "credentials": ["@sha512"], "disableableCredentialTypes": [],
          "requiredActions": [], "realmRoles": ["default-roles-home", "editor"], "notBefore": 0,
          "groups": ["/family", "/admins"] },
        { "id": "7d2e9c14-1b5f-4c3a-8e60-2f4a6b8d0c11", "username": "bob", "enabled": true, "email": "bob@example.org", "emailVerified": false,
          "credentials": ["@sha256"], "groups": ["/family/kids"] },
        { "username": "carl", "enabled": true, "credentials": ["@argon2",
          { "type": "otp", "secretData": "{}", "credentialData": "{}" }] },
        { "id": "f:7d2e9c14:dora", "username": "dora", "enabled": false, "requiredActions": ["UPDATE_PASSWORD"],
          "credentials": ["@sha1"], "federatedIdentities": [{ "identityProvider": "google" }] },
        { "username": "eve", "enabled": true, "credentials": [{ "type": "password", "value": "hush" }] },
        { "username": "service-account-backup", "enabled": true, "serviceAccountClientId": "backup" }
    ],
    "clients": [
        { "clientId": "account", "name": "${client_account}", "publicClient": true, "redirectUris": ["/realms/home/*"] },
        { "clientId": "realm-management", "name": "${client_realm-management}", "bearerOnly": true },
        { "id": "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58", "clientId": "grafana", "name": "Grafana", "rootUrl": "https://app.example", "baseUrl": "/home",
          "enabled": true, "clientAuthenticatorType": "client-secret", "secret": "@secret",
          "redirectUris": ["/cb", "https://app.example/login/*", "*"], "webOrigins": ["https://app.example", "https://else.example"],
          "consentRequired": false, "standardFlowEnabled": true, "implicitFlowEnabled": true,
          "directAccessGrantsEnabled": true, "serviceAccountsEnabled": false, "publicClient": false,
          "frontchannelLogout": false, "protocol": "openid-connect", "fullScopeAllowed": true,
          "attributes": { "post.logout.redirect.uris": "https://app.example/out##https://app.example/*",
            "backchannel.logout.url": "https://app.example/backchannel", "backchannel.logout.session.required": "true",
            "id.token.signed.response.alg": "ES256", "pkce.code.challenge.method": "S256",
            "access.token.lifespan": "900", "client.secret.creation.time": "1700000000" },
          "protocolMappers": [{ "name": "department", "protocolMapper": "oidc-usermodel-attribute-mapper" }],
          "defaultClientScopes": ["web-origins", "acr", "profile", "roles", "basic", "email", "department"],
          "optionalClientScopes": ["address", "phone", "offline_access", "microprofile-jwt"] },
        { "clientId": "backup", "secret": "short", "standardFlowEnabled": false, "serviceAccountsEnabled": true,
          "consentRequired": true, "optionalClientScopes": ["doorlight:write"] },
        { "clientId": "starred", "secret": "**********", "redirectUris": ["https://starred.example/cb"], "enabled": false },
        { "clientId": "app", "publicClient": true, "redirectUris": ["org.example.app:/cb"],
          "attributes": { "post.logout.redirect.uris": "+", "oauth2.device.authorization.grant.enabled": "true",
            "use.refresh.tokens": "false", "dpop.bound.access.tokens": "true" } },
        { "clientId": "wild", "publicClient": true, "redirectUris": ["https://wild.example/*"] },
        { "clientId": "https://sp.example/metadata", "protocol": "saml" },
        { "clientId": "my app", "secret": "@secret", "redirectUris": ["https://my.example/cb"] },
        { "clientId": "api", "bearerOnly": true },
        { "clientId": "x509", "clientAuthenticatorType": "client-x509", "redirectUris": ["https://x.example/"] }
    ],
    "identityProviders": [{ "alias": "google", "providerId": "google" }],
    "clientScopes": [], "components": {}
}"##;

fn realm() -> String {
    let mut text = REALM.replace("@secret", SECRET);
    for (place, credential) in [
        ("@sha512", pbkdf2("pbkdf2-sha512", 1_000)),
        ("@sha256", pbkdf2("pbkdf2-sha256", 500)),
        ("@sha1", pbkdf2("pbkdf2", 10)),
        ("@argon2", argon2("19456")),
    ] {
        text = text.replace(&format!("\"{place}\""), &credential.to_string());
    }
    text
}

fn house(world: &World) -> Value {
    let file = world.dir.join("house.json");
    world.verb(
        &["export", "--with-secrets", "--to", file.to_str().unwrap()],
        "",
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn one<'v>(house: &'v Value, list: &str, member: &str, value: &str) -> &'v Value {
    let mut all = house[list].as_array().unwrap().iter();
    all.find(|one| one[member] == value).unwrap()
}

#[test]
fn a_realm_moves_people_sign_in_and_applications_get_tokens() {
    let world = World::started();
    let report = taken(&world, "keycloak", &realm(), &[]);
    assert_eq!(
        (
            &report["added"]["users"],
            &report["added"]["clients"],
            &report["added"]["groups"]
        ),
        (&json!(5), &json!(5), &json!(3)),
        "{report}"
    );
    let grafana = TestClient {
        id: "grafana".to_owned(),
        secret: SECRET.to_owned(),
    };
    for name in ["anna", "bob", "carl"] {
        let tokens = world.sign_in(name).tokens(&grafana, "openid email");
        // It had one without asking for offline_access before.
        assert!(
            tokens["refresh_token"].is_string() && tokens["id_token"].is_string(),
            "{tokens}"
        );
        let text = |member: &str| tokens[member].as_str().unwrap();
        let claims = crate::world::claims(text("id_token"));
        // Known to applications as before, wherever one asks; whoever had no id gets one.
        let sub = match name {
            "anna" => json!(UUID),
            "bob" => json!("7d2e9c14-1b5f-4c3a-8e60-2f4a6b8d0c11"),
            _ => world.verb(&["user", "show", name], "")["id"].clone(),
        };
        let bearer = format!("Authorization: Bearer {}\r\n", text("access_token"));
        for (what, told) in [
            ("ID token", &claims),
            ("access token", &crate::world::claims(text("access_token"))),
            (
                "userinfo",
                &world.ask("GET", "/userinfo", &bearer, "").json(),
            ),
            (
                "introspection",
                &world.introspect(&grafana, text("access_token")),
            ),
            (
                "refresh token",
                &world.introspect(&grafana, text("refresh_token")),
            ),
        ] {
            assert_eq!(told["sub"], sub, "{name} {what}: {told}");
        }
        if name == "anna" {
            assert_eq!(
                (&claims["email"], &claims["email_verified"]),
                (&json!("anna@example.org"), &json!(true))
            );
        }
    }
    // From now on everybody has a hash of ours.
    for name in ["anna", "bob", "carl"] {
        let house = house(&world);
        let hash = one(&house, "users", "username", name)["password_hash"]
            .as_str()
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
    }
    for (name, password) in [("dora", PASSWORD), ("eve", "hush"), ("eve", "")] {
        let mut browser = Browser::new(&world);
        let page = browser.get("/login");
        let fields = [("username", name), ("password", password)];
        assert_eq!(
            browser.submit(&page, "/login", &fields).status,
            401,
            "{name}"
        );
    }
}

#[test]
fn a_realm_comes_as_near_as_it_can_and_the_rest_is_told() {
    let world = World::empty();
    let report = taken(&world, "keycloak", &realm(), &[]);
    let house = house(&world);
    let anna = one(&house, "users", "username", "anna");
    for (member, value) in [
        ("name", json!("Anna Ångström")),
        ("given_name", json!("Anna")),
        ("created", json!("2023-11-14T22:13:20.000Z")),
        ("groups", json!(["admins", "family"])),
        ("locale", json!("sv")),
        ("phone_number", json!("+46 8 123456")),
        ("email_verified", json!(true)),
        ("admin", Value::Null),
    ] {
        assert_eq!(anna[member], value, "{anna}");
    }
    assert_eq!(
        one(&house, "users", "username", "bob")["groups"],
        json!(["family/kids"])
    );
    assert_eq!(one(&house, "users", "username", "dora")["disabled"], true);
    for (id, member, value) in [
        (
            "grafana",
            "redirect_uris",
            json!(["https://app.example/cb"]),
        ),
        (
            "grafana",
            "post_logout_redirect_uris",
            json!(["https://app.example/out"]),
        ),
        (
            "grafana",
            "backchannel_logout_uri",
            json!("https://app.example/backchannel"),
        ),
        ("grafana", "home_uri", json!("https://app.example/home")),
        (
            "grafana",
            "scope",
            json!("address email groups offline_access openid phone profile"),
        ),
        ("grafana", "id_token_alg", json!("ES256")),
        ("grafana", "consent", json!("trusted")),
        (
            "grafana",
            "grants",
            json!(["authorization_code", "refresh_token"]),
        ),
        ("backup", "grants", json!(["client_credentials"])),
        ("backup", "kind", json!("service")),
        ("backup", "consent", json!("once")),
        ("starred", "disabled", json!(true)),
        ("app", "kind", json!("native")),
        (
            "app",
            "grants",
            json!(["authorization_code", "device_code"]),
        ),
        (
            "app",
            "post_logout_redirect_uris",
            json!(["org.example.app:/cb"]),
        ),
        ("app", "dpop_bound_access_tokens", json!(true)),
        // It keeps no secret, and its address may be any program's.
        ("app", "consent", json!("once")),
    ] {
        assert_eq!(
            one(&house, "clients", "client_id", id)[member],
            value,
            "{id} {member}"
        );
    }
    let notes = lines(&report, "notes");
    for told in [
        "with their path as the name: family/kids",
        "the attribute “shoeSize” of people does not come along: anna",
        "the role “editor” does not come along; a group can stand for it: anna",
        "second factors and the like (otp) do not come along: carl",
        "the required action UPDATE_PASSWORD does not come along: dora",
        "“federatedIdentities” of people does not come along: dora",
        "hashed with PBKDF2 with another hash than SHA-256 and SHA-512 do not come along: dora",
        "hashed with an unknown kind do not come along: eve",
        "doorlight user link dora",
        "doorlight user link eve",
        "signing in through another server does not come along: google",
        "ids that are no UUID are not kept, and applications see a new “sub”: dora",
        "(here they are exact, and have no *): grafana https://app.example/login/*, grafana *",
        "web origins other than of their redirect URIs do not come along: grafana https://else.example",
        "(implicitFlowEnabled) are not given here: grafana",
        "are not taken from applications (directAccessGrantsEnabled): grafana",
        "(protocol mappers) do not come along; set them on their pages: grafana (department)",
        "the scope “department” does not come along: grafana",
        "the scope “doorlight:write” does not come along: backup",
        "people are never asked before they sign in to these: grafana, starred, my app",
        "every program on a device can pretend to be them: app",
        "secrets of fewer than 24 characters do not come along: backup",
        "doorlight client rotate-secret backup",
        "the file has no secret of these: starred",
        "doorlight client rotate-secret starred",
        "nobody can sign in to them without an address to return to: wild",
        "no way in which they could get tokens here: wild",
        "another protocol than OpenID Connect: https://sp.example/metadata",
        "are not kept; these get new ones: my app",
        "they only take tokens (bearerOnly): add them under “APIs”: api",
        "(client-x509) does not come along: x509",
    ] {
        assert!(notes.contains(told), "{told}:\n{notes}");
    }
    for hidden in [
        SECRET,
        "short,",
        "hush",
        "secretData",
        "account",
        "realm-management",
        "default-roles",
    ] {
        assert!(!notes.contains(hidden), "{hidden}: {notes}");
    }
}

/// The `sub` of somebody is what applications keep their things under: it never changes, and is nobody else's.
#[test]
fn a_person_who_is_here_keeps_their_sub_and_nobody_gets_anothers() {
    let world = World::empty();
    world.user("anna");
    let id = world.verb(&["user", "show", "anna"], "")["id"].clone();
    let report = taken(&world, "keycloak", &realm(), &["--replace"]);
    assert!(
        lines(&report, "notes")
            .contains("the person “anna” keeps the “sub” that applications know them by here")
    );
    let anna = world.verb(&["user", "show", "anna"], "");
    assert_eq!(
        (&anna["id"], &anna["sub"], &anna["name"]),
        (&id, &Value::Null, &json!("Anna Ångström"))
    );
    // Now it is bob's, who came with it.
    let bobs = "7d2e9c14-1b5f-4c3a-8e60-2f4a6b8d0c11";
    assert_eq!(world.verb(&["user", "show", "bob"], "")["sub"], bobs);
    for (more, told) in [
        (
            json!({ "users": [{ "username": "mallory", "id": bobs }] }),
            "has their subject already",
        ),
        (
            json!({ "users": [{ "username": "a", "id": UUID }, { "username": "b", "id": UUID }] }),
            "the person “b”: somebody",
        ),
        (
            json!({ "clients": [{ "clientId": bobs, "redirectUris": ["https://a.example/"] }] }),
            "is the subject of a person",
        ),
        (
            json!({ "users": [{ "username": "a", "id": UUID }],
            "clients": [{ "clientId": UUID, "redirectUris": ["https://a.example/"] }] }),
            "is the subject of a person",
        ),
    ] {
        let mut file = more;
        file["realm"] = json!("home");
        let output = refused(&world, "keycloak", &file.to_string());
        assert!(output.contains(told), "{file}: {output}");
    }
    let client = json!({ "realm": "home", "clients": [{ "clientId": UUID, "redirectUris": ["https://a.example/"] }] });
    taken(&world, "keycloak", &client.to_string(), &[]);
    let person = json!({ "realm": "home", "users": [{ "username": "a", "id": UUID }] });
    let output = refused(&world, "keycloak", &person.to_string());
    assert!(
        output.contains("an application has their subject already"),
        "{output}"
    );
}

/// Such a secret is hashed with a fresh salt each time, which once made every second import a conflict.
#[test]
fn a_secret_that_somebody_thought_up_is_the_same_in_a_second_import_and_another_is_not() {
    let world = World::started();
    let file = |secret: &str| {
        let client = |id: &str| {
            json!({ "clientId": id, "secret": secret, "serviceAccountsEnabled": true,
                "standardFlowEnabled": false })
        };
        // The second one's id is not kept: it is known by its name.
        let clients = [client("backup"), client("my app")];
        json!({ "realm": "home", "clients": clients }).to_string()
    };
    let thought_up = "correct horse battery staple";
    taken(&world, "keycloak", &file(thought_up), &[]);
    let before = house(&world);
    let hash = &one(&before, "clients", "client_id", "backup")["secrets"][0];
    assert!(hash.to_string().contains("$argon2id$"), "{hash}");
    for more in [&[][..], &["--dry-run"], &["--replace"]] {
        let again = taken(&world, "keycloak", &file(thought_up), more);
        assert_eq!(
            (&again["unchanged"]["clients"], &again["changed"]["clients"]),
            (&json!(2), &json!(0)),
            "{more:?}: {again}"
        );
    }
    assert_eq!(house(&world), before);
    let other = "correct horse battery stable";
    let output = refused(&world, "keycloak", &file(other));
    assert!(
        output.contains("“backup” is here already and differs"),
        "{output}"
    );
    assert!(!output.contains(other) && !output.contains(thought_up));
    let replaced = taken(&world, "keycloak", &file(other), &["--replace"]);
    assert_eq!(replaced["changed"]["clients"], 2, "{replaced}");
}

#[test]
fn hostile_realms_change_nothing() {
    let world = World::empty();
    world.user("there");
    let before = world.run(&["export"], "").stdout;
    let good = json!({ "username": "good" });
    for (more, told) in [
        (json!({ "users": [good, { "username": "GOOD" }] }), "twice"),
        (
            json!({ "users": [good, { "email": "a@example.org" }] }),
            "username is missing",
        ),
        (
            json!({ "users": [good, { "username": ["a"] }] }),
            "username must be text",
        ),
        (
            json!({ "users": [good, { "username": "a", "enabled": "perhaps" }] }),
            "enabled must be true or false",
        ),
        (
            json!({ "users": [good, { "username": "a", "createdTimestamp": "soon" }] }),
            "must be a whole number",
        ),
        (
            json!({ "users": [good, { "username": "a", "firstName": "\u{202e}a" }] }),
            "direction",
        ),
        (
            json!({ "users": [good, { "username": "a\u{1b}[2J" }] }),
            "control",
        ),
        (
            json!({ "users": [good, { "username": "a", "groups": ["/ädmins"] }] }),
            "a group's name",
        ),
        (
            json!({ "users": [good, "a"] }),
            "users[1] must be an object",
        ),
        (
            json!({ "users": [good], "groups": [{ "name": "ä" }] }),
            "a group's name",
        ),
        (
            json!({ "users": [good], "groups": [{ "name": "a" }, { "name": "a" }] }),
            "twice",
        ),
        (
            json!({ "users": [good], "groups": { "a": 1 } }),
            "groups must be a list",
        ),
        (
            json!({ "users": [good], "clients": [{ "name": "a" }] }),
            "clientId is missing",
        ),
        (
            json!({ "users": [good], "clients": [{ "clientId": "a\u{2066}" }] }),
            "direction",
        ),
        (
            json!({ "users": [good], "clients": [{ "clientId": "a", "attributes": [] }] }),
            "must be an object",
        ),
        (
            json!({ "users": [good], "clients": [{ "clientId": "a", "redirectUris": ["https://a", {}] }] }),
            "“a”: redirectUris[1] must be text",
        ),
        (
            json!({ "users": [{ "username": "there", "firstName": "Other" }] }),
            "is here already and differs",
        ),
    ] {
        let mut file = more;
        file["realm"] = json!("home");
        let output = refused(&world, "keycloak", &file.to_string());
        assert!(output.contains(told), "{file}: {output}");
        assert!(
            !output.chars().any(|c| c.is_control() && c != '\n'),
            "{output}"
        );
        assert_eq!(world.run(&["export"], "").stdout, before, "{file}");
    }
    let deep = format!(
        r#"{{"realm":"home","groups":{}}}"#,
        "[{\"subGroups\":".repeat(100_000)
    );
    for (file, told) in [
        ("", "it is empty"),
        ("[]", "one realm"),
        ("{}", "\"realm\""),
        (r#"{"realm":"home","users":[],"users":[]}"#, "twice"),
        (deep.as_str(), "nested too deep (line 1, column "),
    ] {
        let output = refused(&world, "keycloak", file);
        assert!(output.contains(told), "{told}: {output}");
    }
    // What a check would cost is bounded.
    let users = json!({ "realm": "home", "users": [
        { "username": "a", "credentials": [pbkdf2("pbkdf2-sha512", 1_000_000_000)] },
        { "username": "b", "credentials": [argon2("4194304")] },
        { "username": "c", "credentials": [argon2("1,m=8")] },
    ] });
    let notes = lines(&taken(&world, "keycloak", &users.to_string(), &[]), "notes");
    for told in [
        "PBKDF2 that costs more than a check may here do not come along: a",
        "Argon2 that costs more than a check may here do not come along: b",
        "an unknown kind do not come along: c",
    ] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
}
