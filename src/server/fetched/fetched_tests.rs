//! Keys over time: what becomes of an application that changes them, without waiting for minutes.

use super::*;
use crate::crypto::digest::base64url;
use crate::crypto::keyring::{self, KeyRing, LoadedKey};
use crate::model::Algorithm;
use crate::oauth::testing::{NOW, client};
use crate::server::administration::{Actor, Authority, outbound as hosts};
use crate::server::testing::{self, House};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A server without sockets that may call this machine.
fn house(name: &str) -> House {
    let house = testing::house(name);
    let by = Actor {
        name: "command line".to_owned(),
        address: None,
        authority: Authority::File,
    };
    hosts::set(&house.ctx, "127.0.0.1", true, &by).unwrap();
    house
}

/// Publishes what is in it, and counts who asks.
fn site(document: &Arc<Mutex<String>>, asked: &Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (document, asked) = (document.clone(), asked.clone());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                head.push(byte[0]);
            }
            asked.fetch_add(1, Ordering::SeqCst);
            let body = document.lock().unwrap().clone();
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://127.0.0.1:{port}/keys")
}

struct Signer {
    key: LoadedKey,
    set: Value,
}

impl Signer {
    fn new() -> Self {
        let record = keyring::generate(Algorithm::Es256, NOW, NOW).unwrap();
        Self {
            key: LoadedKey::load(&record).unwrap(),
            set: KeyRing::load(&[record]).unwrap().jwks(),
        }
    }

    fn jwt(&self, alg: &str, with_kid: bool) -> String {
        let mut header = json!({ "alg": alg });
        if with_kid {
            header["kid"] = json!(self.key.kid);
        }
        let signed = [header.to_string().as_str(), "{}"].map(|part| base64url(part.as_bytes()));
        let signed = signed.join(".");
        format!("{signed}.{}", base64url(&self.key.sign(signed.as_bytes())))
    }
}

#[test]
fn oidc_core_section_10_1_1_new_keys_are_found_within_a_minute_with_and_without_a_kid() {
    let house = house("rotation");
    let ctx = &house.ctx;
    for with_kid in [true, false] {
        let (old, new) = (Signer::new(), Signer::new());
        let document = Arc::new(Mutex::new(old.set.to_string()));
        let asked = Arc::new(AtomicUsize::new(0));
        let client = Arc::new(Client {
            jwks: None,
            jwks_uri: Some(site(&document, &asked)),
            ..client()
        });
        let keys = |seconds: u64, jwt: &str| {
            let request = rouille::Request::fake_http("GET", "/", Vec::new(), Vec::new());
            let now = NOW.plus(Duration::from_secs(seconds));
            let incoming = Incoming::new(ctx, &request, &[], "/", now);
            let client = with_keys(&incoming, client.clone(), jwt).unwrap();
            (client.jwks.clone().unwrap(), asked.load(Ordering::SeqCst))
        };
        assert_eq!(keys(0, &old.jwt("ES256", with_kid)), (old.set.clone(), 1));
        *document.lock().unwrap() = new.set.to_string();
        // What is in use goes on, and causes no call.
        assert_eq!(keys(200, &old.jwt("ES256", with_kid)), (old.set.clone(), 1));
        for jwt in [
            "",
            "a.b.c",
            &new.jwt("none", with_kid),
            &new.jwt("HS256", with_kid),
        ] {
            assert_eq!(keys(200, jwt), (old.set.clone(), 1), "{jwt}");
        }
        assert_eq!(keys(200, &new.jwt("ES256", with_kid)), (new.set.clone(), 2));
        // Signatures of nobody: once a minute, whoever sends how many.
        for seconds in [201, 230, 259] {
            assert_eq!(keys(seconds, &old.jwt("ES256", with_kid)).1, 2);
        }
        assert_eq!(keys(260, &old.jwt("ES256", with_kid)).1, 3);
        assert_eq!(keys(261, &old.jwt("ES256", with_kid)).1, 3);
    }
}
