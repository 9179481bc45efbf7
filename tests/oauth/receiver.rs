//! An application that is told of sign-outs, as tests see it: what it receives, and what a logout token holds.

use crate::world::{Browser, REDIRECT, TestClient, World};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// An application's receiver: answers with these statuses in turn, the last for ever.
pub struct Receiving {
    pub port: u16,
    pub posts: Receiver<String>,
}

impl Receiving {
    pub fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, posts) = channel();
        let mut statuses = statuses.to_vec();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let post = request(&mut stream);
                let status = statuses[0];
                if statuses.len() > 1 {
                    statuses.remove(0);
                }
                let answer = format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
                if tell.send(post).is_err() {
                    return;
                }
            }
        });
        Self { port, posts }
    }

    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/out?from=doorlight", self.port)
    }

    /// The next logout token.
    pub fn token(&self) -> String {
        let post = self.posts.recv_timeout(Duration::from_secs(60)).unwrap();
        let (head, body) = post.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("POST /out?from=doorlight HTTP/1.1\r\n"),
            "{head}"
        );
        let head = head.to_lowercase();
        assert!(
            head.contains("content-type: application/x-www-form-urlencoded"),
            "{head}"
        );
        body.strip_prefix("logout_token=").unwrap().to_owned()
    }

    pub fn is_quiet(&self) -> bool {
        self.posts
            .recv_timeout(Duration::from_millis(1_500))
            .is_err()
    }
}

pub fn request(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (String::new(), [0]);
    let whole = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let head = head.to_lowercase();
        let length = head.split_once("content-length: ")?.1;
        Some(body.len() >= length.lines().next()?.parse().ok()?)
    };
    while whole(&text) != Some(true) && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        text.push(char::from(byte[0]));
    }
    text
}

pub fn listening(world: &World, name: &str, uri: &str, more: &[&str]) -> TestClient {
    let mut all = vec![
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--backchannel-logout-uri",
        uri,
    ];
    all.extend(more);
    world.client(name, &all)
}

pub fn sign_out(browser: &mut Browser<'_>) {
    let page = browser.get("/logout");
    let answer = browser.submit(&page, "/logout", &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
}

pub fn header(token: &str) -> Value {
    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    serde_json::from_slice(&header).unwrap()
}

/// Against the published keys, as an application would.
pub fn verifies(world: &World, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let keys = world.ask("GET", "/jwks.json", "", "").json();
    let kid = header(token)["kid"].clone();
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == kid)
        .unwrap();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    match key["alg"].as_str().unwrap() {
        "RS256" => {
            let public = ring::signature::RsaPublicKeyComponents {
                n: part("n"),
                e: part("e"),
            };
            let check = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
            public.verify(check, signed.as_bytes(), &signature).is_ok()
        }
        _ => {
            let point = [vec![4], part("x"), part("y")].concat();
            let check = &ring::signature::ECDSA_P256_SHA256_FIXED;
            let public = ring::signature::UnparsedPublicKey::new(check, point);
            public.verify(signed.as_bytes(), &signature).is_ok()
        }
    }
}

/// The audit events of that kind, newest first.
pub fn events(world: &World, kind: &str) -> Vec<Value> {
    let output = world.run(&["audit"], "").stdout;
    let lines = String::from_utf8(output).unwrap();
    let all = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|event| event["kind"] == kind).collect()
}

pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}
