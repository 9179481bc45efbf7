//! Applications of Authelia.

use super::foreign::{argon2id, authelia_pbkdf2, lines, refused, taken};
use crate::world::{TestClient, World};
use serde_json::{Value, json};

/// As `authelia crypto rand --length 72 --charset rfc3986` makes them.
const DRAWN: &str = "7Kq~vT3xWb9.RmZ2nLd8_HsYc4Jp-Gf6uQeA1oXi5tBwVzMr0kNyEhSgDjPaCl3UFqI7b.xT";
const PLAIN: &str = "mW8qZr2Lx5Vt9Nc3Hy7Kb4Jd6Fg1Sp0";
const SHORT: &str = "insecure_secret";

/// A configuration as Authelia's documentation describes it.
fn file() -> String {
    let (drawn, short) = (authelia_pbkdf2(DRAWN, 2_000), argon2id(SHORT));
    format!(
        r#"---
theme: 'dark'
access_control:
  default_policy: 'deny'
identity_providers:
  oidc:
    hmac_secret: 'this_is_a_secret_abc123abc123abc'
    jwks:
      - key_id: 'main'
        key: |
          -----BEGIN PRIVATE KEY-----
          MIIEv...
          -----END PRIVATE KEY-----
    lifespans:
      access_token: '1h'
    authorization_policies:
      admins_only:
        default_policy: 'deny'
        rules:
          - policy: 'two_factor'
            subject: 'group:admins'
    clients:
      - client_id: 'grafana'
        client_name: 'Grafana'
        client_secret: '{drawn}'  # The digest of a long one.
        public: false
        authorization_policy: 'one_factor'
        require_pkce: true
        pkce_challenge_method: 'S256'
        redirect_uris:
          - 'https://app.example/cb'
          - 'https://*.example/cb'
        scopes: ['openid', 'profile', 'groups', 'email', 'offline_access', 'authelia.bearer.authz']
        response_types: ['code']
        grant_types: ['authorization_code', 'refresh_token']
        access_token_signed_response_alg: 'none'
        userinfo_signed_response_alg: 'none'
        token_endpoint_auth_method: 'client_secret_basic'
        consent_mode: 'implicit'
        claims_policy: 'grafana'
      - client_id: 'Backup_Job-1.0~x'
        client_name: 'Backup'
        client_secret: '{short}'
        authorization_policy: 'one_factor'
        grant_types: ['client_credentials']
        scopes: ['authelia.bearer.authz']
        audience: ['https://backup.example']
        access_token_signed_response_alg: 'RS256'
      - client_id: 'notes'
        client_name: 'grafana'
        client_secret: '$plaintext${PLAIN}'
        redirect_uris: ['http://notes.lan/cb']
        consent_mode: 'pre-configured'
        pre_configured_consent_duration: '1 week'
        id_token_signed_response_alg: 'ES256'
        userinfo_signed_response_alg: 'PS512'
        require_pushed_authorization_requests: true
        token_endpoint_auth_method: 'client_secret_post'
      - client_id: 'wiki'
        client_secret: '$plaintext$tooshort'
        authorization_policy: 'admins_only'
        redirect_uris: ['https://wiki.example/cb']
        sector_identifier_uri: 'https://wiki.example/sector.json'
      - client_id: 'phone'
        client_name: 'Phone'
        public: true
        redirect_uris: ['http://localhost/cb', 'org.example.phone:/cb']
        token_endpoint_auth_method: 'none'
        consent_mode: 'explicit'
      - client_id: 'page'
        public: true
        redirect_uris: ['https://page.example/']
        response_types: ['id_token', 'code']
      - client_id: 'old'
        client_secret: '$2b$12$abcdefghijklmnopqrstuv'
        redirect_uris: ['https://old.example/cb']
        response_types: ['id_token']
      - client_id: 'signer'
        token_endpoint_auth_method: 'private_key_jwt'
        jwks: [{{ key_id: 'a', key: 'PEM' }}]
        redirect_uris: ['https://signer.example/cb']
"#
    )
}

fn client(id: &str, secret: &str) -> TestClient {
    TestClient {
        id: id.to_owned(),
        secret: secret.to_owned(),
    }
}

fn house(world: &World) -> Value {
    let file = world.dir.join("house.json");
    world.verb(
        &["export", "--with-secrets", "--to", file.to_str().unwrap()],
        "",
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn kept<'v>(house: &'v Value, id: &str) -> &'v Value {
    let mut clients = house["clients"].as_array().unwrap().iter();
    clients.find(|client| client["client_id"] == id).unwrap()
}

fn hash(world: &World, id: &str) -> String {
    let house = house(world);
    let secret = &kept(&house, id)["secrets"][0]["hash"];
    secret.as_str().unwrap().to_owned()
}

#[test]
fn applications_of_authelia_get_tokens_with_their_ids_and_secrets() {
    let world = World::started();
    world.user("alice");
    let report = taken(&world, "authelia", &file(), &[]);
    assert_eq!(report["added"]["clients"], 6, "{report}");
    // People come back with codes, and the secret is the old one.
    let grafana = client("grafana", DRAWN);
    assert!(hash(&world, "grafana").starts_with("$pbkdf2-sha512$i=2000$"));
    let tokens = world
        .sign_in("alice")
        .tokens(&grafana, "openid offline_access");
    assert!(
        tokens["id_token"].is_string() && tokens["refresh_token"].is_string(),
        "{tokens}"
    );
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.introspect(&grafana, access)["client_id"], "grafana");
    // It was shown once, and is kept as ours are: quick to check. A wrong one is wrong as before.
    assert!(!hash(&world, "grafana").starts_with('$'));
    let body = "grant_type=refresh_token&refresh_token=";
    let renewed = format!("{body}{}", tokens["refresh_token"].as_str().unwrap());
    assert_eq!(
        world.token(&client("grafana", "wrong"), &renewed).status,
        401
    );
    assert_eq!(world.token(&grafana, &renewed).status, 200);
    // A short one works too, and stays slow, for else whoever has the file guesses it.
    let backup = client("Backup_Job-1.0~x", SHORT);
    for _ in 0..2 {
        let answer = world.token(&backup, "grant_type=client_credentials");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(hash(&world, &backup.id).starts_with("$argon2id$"));
    }
    // One that stood there as it is, in the form.
    let body =
        format!("grant_type=authorization_code&code=x&client_id=notes&client_secret={PLAIN}");
    assert_eq!(
        world.ask("POST", "/token", "", &body).json()["error"],
        "invalid_grant"
    );
    assert!(!hash(&world, "notes").contains(PLAIN));
}

#[test]
fn settings_come_along_and_what_does_not_is_told_in_a_line_each() {
    let world = World::empty();
    let report = taken(&world, "authelia", &file(), &[]);
    let house = house(&world);
    for (id, member, value) in [
        ("grafana", "name", json!("Grafana")),
        (
            "grafana",
            "redirect_uris",
            json!(["https://app.example/cb"]),
        ),
        ("grafana", "consent", json!("trusted")),
        (
            "grafana",
            "grants",
            json!(["authorization_code", "refresh_token"]),
        ),
        (
            "grafana",
            "scope",
            json!("email groups offline_access openid profile"),
        ),
        ("grafana", "kind", json!("web")),
        ("grafana", "disabled", Value::Null),
        ("Backup_Job-1.0~x", "kind", json!("service")),
        (
            "Backup_Job-1.0~x",
            "audiences",
            json!(["https://backup.example"]),
        ),
        ("Backup_Job-1.0~x", "access_token_alg", json!("RS256")),
        ("notes", "name", json!("grafana (notes)")),
        ("notes", "consent", json!("once")),
        ("notes", "id_token_alg", json!("ES256")),
        ("notes", "userinfo_signed_response_alg", Value::Null),
        ("notes", "require_par", json!(true)),
        ("notes", "allow_http", json!(true)),
        ("notes", "auth_method", json!("client_secret_post")),
        ("wiki", "disabled", json!(true)),
        ("wiki", "consent", json!("always")),
        ("wiki", "secrets", Value::Null),
        ("phone", "kind", json!("native")),
        ("phone", "public", json!(true)),
        ("page", "kind", json!("single_page")),
    ] {
        assert_eq!(kept(&house, id)[member], value, "{id} {member}");
    }
    let notes = lines(&report, "notes");
    for told in [
        "(here they are exact, and have no *): grafana https://*.example/cb",
        "Authelia's own API do not come along: grafana, Backup_Job-1.0~x",
        "PKCE was required of these; here it is where there is no secret, and else checked when it is used: grafana",
        "claims_policy does not come along; claims of their own are set on their pages: grafana",
        "the policy “admins_only”: choose their groups, then switch them on: wiki",
        "the second factor that these asked for does not come along: notes, phone, page",
        "people are never asked before they sign in to these: grafana",
        "“sector_identifier_uri” of applications does not come along: wiki",
        "secrets of fewer than 24 characters do not come along: wiki",
        "doorlight client rotate-secret wiki",
        "userinfo_signed_response_alg does not come along, for it is not signed with that here: notes",
        "others on the way can read along; better give them https: notes",
        "of response_types only “code” comes along: page",
        "and nothing else is answered here: old",
        "that stands in the file as PEM: add them with their key as JWK: signer",
        "not read in the file: access_control, theme",
        "not read in oidc: lifespans",
    ] {
        assert!(notes.contains(told), "{told}:\n{notes}");
    }
    for secret in [
        DRAWN, PLAIN, "tooshort", "$2b$", "$pbkdf2", "$argon2", "MIIE", "hmac",
    ] {
        assert!(!notes.contains(secret), "{secret}: {notes}");
    }
    let again = taken(&world, "authelia", &file(), &[]);
    assert_eq!(
        (&again["unchanged"]["clients"], &again["added"]["clients"]),
        (&json!(6), &json!(0))
    );
}

/// Whoever could write a client into Authelia's file, where such scopes mean nothing, would have had a key to this house.
#[test]
fn no_application_of_authelia_administers_doorlight() {
    for world in [World::empty(), World::started()] {
        let api = format!("{}/api", world.issuer());
        let secret = authelia_pbkdf2(DRAWN, 1_000);
        let file = format!(
            "identity_providers:\n  oidc:\n    clients:\n      - client_id: 'mole'\n        client_secret: '{secret}'\n        \
             grant_types: ['client_credentials']\n        scopes: ['jobs:run doorlight:read', 'doorlight:write', 'jobs']\n        \
             audience: ['{api}', 'https://jobs.example']\n"
        );
        let report = taken(&world, "authelia", &file, &[]);
        assert_eq!(report["administers"], json!([]), "{report}");
        let house = house(&world);
        let mole = kept(&house, "mole");
        assert_eq!(mole["scope"], "jobs jobs:run");
        assert_eq!(mole["audiences"], json!(["https://jobs.example"]));
        let notes = lines(&report, "notes");
        for told in [
            "which administer it: doorlight:read doorlight:write",
            &format!("which administers it: {api}"),
        ] {
            assert!(notes.contains(told), "{told}:\n{notes}");
        }
    }
}

/// Any program on a phone may take such an address for its own, and would be signed in to as whoever is there.
#[test]
fn people_are_asked_before_they_sign_in_to_what_any_program_can_pretend_to_be() {
    let world = World::empty();
    let file = "identity_providers: {oidc: {clients: [\
        {client_id: scheme, public: true, redirect_uris: ['https://a.example/', 'org.example.a:/cb'], consent_mode: implicit}, \
        {client_id: loopback, public: true, redirect_uris: ['http://127.0.0.1/cb'], consent_mode: implicit}, \
        {client_id: page, public: true, redirect_uris: ['https://page.example/'], consent_mode: implicit}, \
        {client_id: asking, public: true, redirect_uris: ['org.example.b:/cb'], consent_mode: explicit}]}}";
    let report = taken(&world, "authelia", file, &[]);
    let house = house(&world);
    for (id, consent) in [
        ("scheme", "once"),
        ("loopback", "once"),
        ("page", "trusted"),
        ("asking", "always"),
    ] {
        assert_eq!(kept(&house, id)["consent"], consent, "{id}");
    }
    let notes = lines(&report, "notes");
    for told in [
        "every program on a device can pretend to be them: scheme, loopback",
        "people are never asked before they sign in to these: page",
    ] {
        assert!(notes.contains(told), "{told}:\n{notes}");
    }
}

/// Anybody may send wrong secrets. It slows them down, and keeps nobody from signing in.
#[test]
fn wrong_secrets_of_a_stranger_slow_down_nobody_else() {
    let world = World::started();
    world.user("alice");
    // As dear as Authelia makes them by default.
    let file = file().replace(
        &authelia_pbkdf2(DRAWN, 2_000),
        &authelia_pbkdf2(DRAWN, 310_000),
    );
    taken(&world, "authelia", &file, &[]);
    let statuses = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| {
                let wrong = client("grafana", "wrong");
                let answer = world.token(&wrong, "grant_type=refresh_token&refresh_token=x");
                statuses.lock().unwrap().push(answer.status);
            });
        }
        // Meanwhile.
        world.sign_in("alice");
    });
    let mut statuses = statuses.into_inner().unwrap();
    statuses.sort_unstable();
    let wrong = statuses.iter().filter(|status| **status == 401).count();
    assert!((1..=12).contains(&wrong), "{statuses:?}");
    assert!(
        statuses
            .iter()
            .all(|status| matches!(status, 401 | 429 | 503)),
        "{statuses:?}"
    );
    // Until the stranger is slowed down.
    let wrong = || world.token(&client("grafana", "wrong"), "grant_type=refresh_token");
    let mut answers = (0..20).map(|_| wrong());
    let last = answers.find(|answer| answer.status == 429).unwrap();
    assert_eq!(last.json()["error"], "temporarily_unavailable");
    let seconds: u64 = last.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{last:?}");
    // The right one is not looked at either while that lasts; nothing of it is kept.
    assert!(hash(&world, "grafana").starts_with("$pbkdf2-sha512$i=310000$"));
    let audit = world.run(&["audit"], "").stdout;
    let audit = String::from_utf8(audit).unwrap();
    assert!(
        audit.contains("wrong secret") && !audit.contains("pbkdf2"),
        "{audit}"
    );
}

/// A header that reads in two ways had each reading hashed, and counted once: four times the work, with two secrets.
#[test]
fn each_hash_that_a_wrong_secret_costs_is_counted() {
    let tries = |secret: &str| {
        let world = World::started();
        taken(&world, "authelia", &file(), &[]);
        let wrong = || {
            let answer = world.token(&client("grafana", secret), "grant_type=client_credentials");
            assert!(matches!(answer.status, 401 | 429), "{answer:?}");
            answer.status == 401
        };
        std::iter::repeat_with(wrong)
            .take_while(|looked_at| *looked_at)
            .count()
    };
    // A few more, where the machine takes as long for one as whoever was wrong has to wait.
    let (one, two) = (tries("wrong"), tries("wrong%41"));
    assert!(
        (10..=13).contains(&one) && (5..=8).contains(&two),
        "{one} {two}"
    );
}

#[test]
fn hostile_configurations_change_nothing() {
    let world = World::empty();
    world.user("there");
    let before = world.run(&["export"], "").stdout;
    let good = "identity_providers:\n  oidc:\n    clients:\n      - {client_id: good, public: true, redirect_uris: \
                ['https://good.example/']}\n";
    for (more, told) in [
        ("{public: true}", "client_id is missing"),
        ("{client_id: [a]}", "client_id must be text"),
        (
            "{client_id: good, public: true, redirect_uris: ['https://b.example/']}",
            "twice",
        ),
        ("{client_id: a, client_id: b}", "twice"),
        (
            "{client_id: a, public: perhaps}",
            "public must be true or false",
        ),
        (
            "{client_id: a, redirect_uris: {a: b}}",
            "redirect_uris must be text",
        ),
        (
            "{client_id: a, consent_mode: never}",
            "consent_mode is none that Authelia has",
        ),
        (
            "{client_id: a, token_endpoint_auth_method: tls}",
            "none that Authelia has",
        ),
        ("{client_id: \"a\\u202Eb\"}", "direction"),
        ("{client_id: a, client_name: \"a\\x1bb\"}", "control"),
        (
            "{client_id: a, client_secret: '{{ secret \"/run/secret\" }}'}",
            "client_secret is a template",
        ),
        (
            "{client_id: a, client_secret: {{ secret \"/run/secret\" }}}",
            "template",
        ),
        (
            "{client_id: a, client_secret: '${SECRET}'}",
            "client_secret is a template",
        ),
        ("&a {client_id: a}", "anchors"),
        ("a", "must be an object"),
    ] {
        let output = refused(&world, "authelia", &format!("{good}      - {more}\n"));
        assert!(output.contains(told), "{more}: {output}");
        assert!(
            !output.chars().any(|c| c.is_control() && c != '\n'),
            "{output}"
        );
        assert_eq!(world.run(&["export"], "").stdout, before, "{more}");
    }
    for (file, told) in [
        ("a: b", "identity_providers"),
        (
            "identity_providers: {oidc: {clients: {a: b}}}",
            "clients must be a list",
        ),
        ("identity_providers: []", "must be an object"),
    ] {
        assert!(refused(&world, "authelia", file).contains(told), "{file}");
    }
    // What a check would cost is bounded; the application comes in without that secret.
    let dear = "client_id: a, redirect_uris: ['https://a.example/'], client_secret: \
                '$pbkdf2-sha512$1000000000$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA'";
    let notes = lines(
        &taken(
            &world,
            "authelia",
            &format!("{good}      - {{{dear}}}\n"),
            &[],
        ),
        "notes",
    );
    assert!(
        notes.contains("costs more than a check may here do not come along: a"),
        "{notes}"
    );
    assert!(
        notes.contains("doorlight client rotate-secret a"),
        "{notes}"
    );
}
