//! What may stand at an address of the application's own and is refused, and addresses that are not called. Each time:
//! the specification's error, one call at most, and an event that says why.

use crate::prover::Key;
use crate::site::{Site, allow_loopback, ask, keys, ok, request, service, told};
use crate::world::{REDIRECT, World, encode};
use serde_json::{Value, json};

fn typed(media: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn set(keys: &[Value]) -> String {
    ok(&json!({ "keys": keys }).to_string())
}

fn with(key: &Key, member: &str, value: Value) -> Value {
    let mut jwk = key.jwk();
    jwk[member] = value;
    jwk
}

const REDIRECTED: &str =
    "HTTP/1.1 302 Found\r\nLocation: https://a.example/\r\nContent-Length: 0\r\n\r\n";

#[test]
fn what_is_no_key_set_is_refused_and_not_asked_for_again_within_a_minute() {
    let world = World::started();
    allow_loopback(&world);
    let key = Key::of("ES256");
    let good = keys(&key);
    // The body of a good set, to the byte.
    let padded = |length: usize| ok(&format!("{good}{}", " ".repeat(length - good.len())));
    let broken = "a key in it is broken, weak or private";
    let no_object = "it answered something that is no JSON object";
    let unusable = "there is no key in it that can be used";
    let table = [
        (
            "PROTOCOL: a redirect",
            REDIRECTED.to_owned(),
            "it answered 302",
        ),
        (
            "PROTOCOL: an error",
            "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "it answered 500",
        ),
        (
            "PROTOCOL: 64 KiB and a byte",
            padded(64 * 1024 + 1),
            "the answer is longer than 65536 bytes",
        ),
        (
            "RFC 7517 §5: a page",
            typed("text/html", "<html>"),
            no_object,
        ),
        ("RFC 7517 §5: an empty answer", ok(""), no_object),
        ("RFC 7517 §5: a list", ok("[]"), no_object),
        (
            "RFC 7517 §4: a member twice",
            ok(&good.replacen('{', "{\"keys\":[],", 1)),
            no_object,
        ),
        ("RFC 7517 §5.1: no keys", ok("{}"), broken),
        (
            "RFC 7517 §5.1: keys that are no list",
            ok("{\"keys\":{}}"),
            broken,
        ),
        ("RFC 7517 §5.1: an empty list", set(&[]), unusable),
        (
            "RFC 7517 §4.1: a key of another kind",
            set(&[json!({ "kty": "XY" })]),
            unusable,
        ),
        (
            "RFC 7517 §4.2: a key for encryption",
            set(&[with(&key, "use", json!("enc"))]),
            unusable,
        ),
        (
            "RFC 7517 §9.3: a private part",
            set(&[with(&key, "d", key.jwk()["x"].clone())]),
            broken,
        ),
        (
            "RFC 7517 §9.3: a private part beside a good key",
            set(&[
                Key::of("ES256").jwk(),
                with(&key, "d", key.jwk()["x"].clone()),
            ]),
            broken,
        ),
        (
            "RFC 7518 §6.2.1: a point that is not on the curve",
            set(&[with(&key, "y", key.jwk()["x"].clone())]),
            broken,
        ),
        (
            "RFC 7518 §3.5: a short RSA key",
            set(&[
                json!({ "kty": "RSA", "e": "AQAB", "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1Wl" }),
            ]),
            broken,
        ),
    ];
    for (what, bad, why) in table {
        let site = Site::with(bad);
        let id = service(&world, what, &site.uri());
        for jti in ["1", "2"] {
            let answer = ask(&world, &key, &id, jti);
            assert_eq!(answer.json()["error"], "invalid_client", "{what}");
        }
        assert_eq!(site.asked(), 1, "{what}");
        told(&world, &format!("{why}: {}", site.uri()));
    }
    let site = Site::with(padded(64 * 1024));
    let id = service(&world, "64 KiB", &site.uri());
    assert_eq!(ask(&world, &key, &id, "1").status, 200);
}

#[test]
fn what_is_no_request_object_is_refused_and_not_asked_for_again_within_a_minute() {
    let world = World::started();
    allow_loopback(&world);
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let key = Key::of("ES256");
    let published = Site::with(ok(&keys(&key)));
    let jwks = published.uri();
    let fetch = "what stands at request_uri could not be fetched";
    type Make = fn(&Key, &Value) -> String;
    let table: [(&str, Make, &str, &str); 9] = [
        (
            "PROTOCOL: a redirect",
            |_, _| REDIRECTED.to_owned(),
            "invalid_request_uri",
            fetch,
        ),
        (
            "PROTOCOL: 64 KiB and a byte",
            |_, _| ok(&"x".repeat(64 * 1024 + 1)),
            "invalid_request_uri",
            fetch,
        ),
        (
            "RFC 9101 §5.2.3: another media type",
            |key, claims| typed("text/html; charset=utf-8", &key.jwt("JWT", claims)),
            "invalid_request_uri",
            fetch,
        ),
        (
            "RFC 9101 §4: no JWT",
            |_, _| ok("<html>"),
            "invalid_request_object",
            "is not a JWT",
        ),
        (
            "RFC 9101 §7: nothing",
            |_, _| ok(""),
            "invalid_request_uri",
            "nothing stands",
        ),
        (
            "RFC 9101 §6.2: signed by somebody else",
            |_, claims| ok(&Key::of("ES256").jwt("JWT", claims)),
            "invalid_request_object",
            "not signed with a key",
        ),
        (
            "RFC 9101 §10.8: a JWT of another kind",
            |key, claims| ok(&key.jwt("at+jwt", claims)),
            "invalid_request_object",
            "typ",
        ),
        (
            "RFC 9101 §4: another address in it",
            |key, claims| {
                let mut claims = claims.clone();
                claims["request_uri"] = json!("https://app.example/ro");
                ok(&key.jwt("JWT", &claims))
            },
            "invalid_request_object",
            "cannot hold another",
        ),
        (
            "RFC 9101 §5: another client in it",
            |key, claims| {
                let mut claims = claims.clone();
                claims["client_id"] = json!("somebody");
                ok(&key.jwt("JWT", &claims))
            },
            "invalid_request_object",
            "client_id",
        ),
    ];
    for (what, make, error, why) in table {
        let site = Site::with(String::new());
        let uri = site.uri();
        let more = [
            "--redirect-uri",
            REDIRECT,
            "--trusted",
            "--jwks-uri",
            &jwks,
            "--request-uri",
            &uri,
        ];
        let client = world.client(what, &more);
        *site.answer.lock().unwrap() = make(&key, &request(&world, &client));
        let start = format!(
            "/authorize?client_id={}&request_uri={}&redirect_uri={}&state=outside",
            client.id,
            encode(&uri),
            encode(REDIRECT)
        );
        for _ in 0..2 {
            let answer = browser.get(&start);
            assert_eq!(answer.parameter("error").as_deref(), Some(error), "{what}");
            assert_eq!(
                answer.parameter("state").as_deref(),
                Some("outside"),
                "{what}"
            );
            let words = answer.parameter("error_description").unwrap();
            assert!(words.contains(why), "{what}: {words}");
        }
        assert_eq!(site.asked(), 1, "{what}");
    }
    told(
        &world,
        "it answered another content type than a request object has",
    );
}

/// OpenID Connect Core §6.2, RFC 9101 §10.4.1: strangers choose nothing of what is called.
#[test]
fn only_what_is_registered_is_called() {
    let world = World::started();
    allow_loopback(&world);
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let key = Key::of("ES256");
    let site = Site::with(ok("a.b.c"));
    let (uri, jwks) = (site.uri(), ok(&keys(&key)));
    let published = Site::with(jwks).uri();
    let hashed = format!("{uri}#{}", "A".repeat(43));
    let more = |keys: bool| {
        let mut more = vec![
            "--redirect-uri",
            REDIRECT,
            "--request-uri",
            &uri,
            "--request-uri",
            &hashed,
        ];
        if keys {
            more.extend(["--jwks-uri", published.as_str()]);
        }
        more
    };
    let client = world.client("Notes", &more(true));
    let keyless = world.client("Keyless", &more(false));
    let other = world.client(
        "Other",
        &["--redirect-uri", REDIRECT, "--jwks-uri", &published],
    );
    let mut error = |id: &str, query: String| {
        let start = format!(
            "/authorize?client_id={id}&redirect_uri={}&{query}",
            encode(REDIRECT)
        );
        browser.get(&start).parameter("error")
    };
    let named = |uri: &str| format!("request_uri={}", encode(uri));
    for (what, id, query, code) in [
        (
            "OpenID Connect Core §6.2: one that is not registered",
            &client.id,
            named(&format!("{uri}?a")),
            "invalid_request_uri",
        ),
        (
            "OpenID Connect Core §6.2: another fragment",
            &client.id,
            named(&format!("{uri}#x")),
            "invalid_request_uri",
        ),
        (
            "OpenID Connect Core §6.2: another client's",
            &other.id,
            named(&uri),
            "invalid_request_uri",
        ),
        (
            "OpenID Connect Core §6.2: what is no address",
            &client.id,
            named("document"),
            "invalid_request_uri",
        ),
        (
            "RFC 9101 §5: beside a request",
            &client.id,
            format!("{}&request=a.b.c", named(&uri)),
            "invalid_request",
        ),
        (
            "RFC 6749 §3.1: twice",
            &client.id,
            format!("{0}&{0}", named(&uri)),
            "invalid_request",
        ),
        (
            "RFC 9101 §6.2: without keys",
            &keyless.id,
            named(&uri),
            "request_uri_not_supported",
        ),
    ] {
        assert_eq!(error(id, query).as_deref(), Some(code), "{what}");
        assert_eq!(site.asked(), 0, "{what}");
    }
    // OpenID Connect Core §6.2: the fragment is the hash of what stands there.
    assert_eq!(
        error(&client.id, named(&hashed)).as_deref(),
        Some("invalid_request_uri")
    );
    assert_eq!(site.asked(), 1);
    let log =
        String::from_utf8(world.run(&["audit", "--kind", "outbound.call"], "").stdout).unwrap();
    assert!(!log.contains("127.0.0.1"), "{log}");
}
