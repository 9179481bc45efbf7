//! An application's own web server, as tests see it, and the services and requests whose keys it publishes.

use crate::prover::{Key, now};
use crate::world::{Answer, REDIRECT, TestClient, World, challenge, encode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A web server of one document, whole with its head; counts who asks.
pub struct Site {
    pub port: u16,
    asked: Arc<AtomicUsize>,
    pause: Arc<Mutex<Duration>>,
    pub answer: Arc<Mutex<String>>,
}

pub fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A connection, with TLS or without.
pub trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

impl Site {
    pub fn with(answer: String) -> Self {
        Self::serving(answer, |stream| Box::new(stream))
    }

    /// One that thinks for so long before it answers.
    pub fn slow(answer: String, pause: Duration) -> Self {
        let site = Self::with(answer);
        *site.pause.lock().unwrap() = pause;
        site
    }

    /// On connections that `wrap` makes of TCP's.
    pub fn serving(
        answer: String,
        wrap: impl Fn(TcpStream) -> Box<dyn Connection> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = Self {
            port: listener.local_addr().unwrap().port(),
            asked: Arc::default(),
            pause: Arc::default(),
            answer: Arc::new(Mutex::new(answer)),
        };
        let (asked, pause, answer) = (site.asked.clone(), site.pause.clone(), site.answer.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = wrap(stream.unwrap());
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                if head.is_empty() {
                    continue;
                }
                asked.fetch_add(1, Ordering::SeqCst);
                thread::sleep(*pause.lock().unwrap());
                // The other side may have had enough.
                let _ = stream.write_all(answer.lock().unwrap().as_bytes());
                let _ = stream.flush();
            }
        });
        site
    }

    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/document", self.port)
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub fn keys(key: &Key) -> String {
    json!({ "keys": [key.jwk()] }).to_string()
}

pub fn allow_loopback(world: &World) {
    world.verb(&["outbound", "allow", "127.0.0.1"], "");
}

pub fn service(world: &World, name: &str, jwks_uri: &str) -> String {
    let more = [
        "--grant",
        "client_credentials",
        "--scope",
        "api",
        "--auth-method",
        "private_key_jwt",
    ];
    let mut all = vec!["client", "add", name, "--jwks-uri", jwks_uri];
    all.extend(more);
    world.verb(&all, "")["client_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub fn ask(world: &World, key: &Key, id: &str, jti: &str) -> Answer {
    let body = format!(
        "grant_type=client_credentials&{}",
        assertion(world, key, id, jti)
    );
    world.ask("POST", "/token", "", &body)
}

/// The parameters that say who the client is.
pub fn assertion(world: &World, key: &Key, id: &str, jti: &str) -> String {
    let claims =
        json!({ "iss": id, "sub": id, "aud": world.issuer(), "jti": jti, "exp": now() + 60 });
    format!(
        "client_assertion_type={}&client_assertion={}",
        encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        key.jwt("JWT", &claims)
    )
}

/// The administrator finds why; nobody waits for such an event, so it may come a moment later.
pub fn told(world: &World, why: &str) {
    let begun = Instant::now();
    loop {
        let log = world.run(&["audit", "--kind", "outbound.call"], "").stdout;
        let log = String::from_utf8(log).unwrap();
        if log.contains(why) {
            return;
        }
        assert!(begun.elapsed().as_secs() < 60, "no {why} in {log}");
    }
}

/// The claims of a request object.
pub fn request(world: &World, client: &TestClient) -> Value {
    json!({
        "iss": client.id, "aud": world.issuer(), "exp": now() + 60, "nbf": now(), "client_id": client.id,
        "response_type": "code", "redirect_uri": REDIRECT, "scope": "openid", "state": "inside",
        "code_challenge": challenge(), "code_challenge_method": "S256",
    })
}
