//! A real Doorlight in a temporary folder, and a browser of a few lines to talk to it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test target uses its own part, and a test that cannot go on panics"
)]

pub mod damage;
mod reserved;

pub use reserved::Reserved;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub const PASSWORD: &str = "correct horse battery staple";
pub const REDIRECT: &str = "https://app.example/cb";

/// A folder with a data file, and perhaps a server on it.
pub struct World {
    pub dir: PathBuf,
    pub port: u16,
    _reserved: Reserved,
    server: Option<Child>,
    issuer: Option<String>,
    settings: Vec<String>,
    /// Of the server and of every verb.
    pub environment: Vec<(&'static str, PathBuf)>,
    /// Where it speaks https: what a client trusts.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

/// What carries requests and answers.
pub trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// A parameter of the address it redirects to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.header("Location")?).ok()?;
        url.query_pairs()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.into_owned())
    }
}

/// A confidential client.
#[derive(Debug, Clone)]
pub struct TestClient {
    pub id: String,
    pub secret: String,
}

impl TestClient {
    pub fn basic(&self) -> String {
        format!(
            "Authorization: Basic {}\r\n",
            STANDARD.encode(format!("{}:{}", self.id, self.secret))
        )
    }
}

impl World {
    /// A folder without a server.
    pub fn empty() -> Self {
        Self::empty_in(&std::env::temp_dir())
    }

    /// In a folder below another one than that for temporary files, which may be kept in memory.
    pub fn empty_in(parent: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "doorlight-test-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = parent.join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let reserved = Reserved::new();
        Self {
            dir,
            port: reserved.port,
            _reserved: reserved,
            issuer: None,
            settings: Vec::new(),
            environment: Vec::new(),
            tls: None,
            server: None,
        }
    }

    /// A server on an empty file.
    pub fn started() -> Self {
        let mut world = Self::empty();
        world.start();
        world
    }

    pub fn data(&self) -> PathBuf {
        self.dir.join("doorlight.redb")
    }

    /// What is in its folder, but for logs and sockets.
    pub fn files(&self) -> Vec<String> {
        let is_data = |name: &String| !name.ends_with(".log") && !name.ends_with(".sock");
        names(&self.dir).into_iter().filter(is_data).collect()
    }

    pub fn issuer(&self) -> String {
        self.issuer
            .clone()
            .unwrap_or_else(|| format!("http://127.0.0.1:{}", self.port))
    }

    /// A server on an empty file that is known by another address.
    pub fn known_as(issuer: &str) -> Self {
        let mut world = Self::empty();
        world.issuer = Some(issuer.to_owned());
        world.start();
        world
    }

    /// Another folder without a server, that will be known as that one was.
    pub fn known_as_before(other: &Self) -> Self {
        let mut world = Self::empty();
        world.issuer = Some(other.issuer());
        world
    }

    /// Starts a server that is known by another address, with further settings.
    pub fn be_known_as(&mut self, issuer: &str, settings: &[&str]) {
        self.issuer = Some(issuer.to_owned());
        self.settings = settings.iter().map(|&text| text.to_owned()).collect();
        self.start();
    }

    pub fn pid(&self) -> u32 {
        self.server.as_ref().unwrap().id()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("stderr.log")).unwrap_or_default()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorlight"));
        for (name, _) in std::env::vars()
            .filter(|(name, _)| name.starts_with("DOORLIGHT_") || name == "RUST_LOG")
        {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
            .arg("--data")
            .arg(self.data())
            .arg("--issuer")
            .arg(self.issuer());
        command
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", self.port))
            .args(&self.settings);
        command
    }

    pub fn start(&mut self) {
        let file = |name: &str| {
            std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.dir.join(name))
                .unwrap()
        };
        let child = self
            .command()
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(file("stdout.log"))
            .stderr(file("stderr.log"))
            .spawn()
            .unwrap();
        self.server = Some(child);
        let begun = Instant::now();
        while self
            .try_ask("GET", "/readyz", "", "")
            .is_none_or(|answer| answer.status != 200)
        {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "not ready: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGKILL, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.server.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends the server a signal, such as `-TERM`.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends the server as a service manager does, in order.
    pub fn stop(&mut self) {
        self.signal("-TERM");
        assert_eq!(self.exit_code(), Some(0));
    }

    /// Waits for the server to end by itself.
    pub fn exit_code(&mut self) -> Option<i32> {
        let mut child = self.server.take().unwrap();
        child.wait().unwrap().code()
    }

    /// A verb that must succeed, with `--json`.
    pub fn verb(&self, arguments: &[&str], stdin: &str) -> Value {
        let output = self.run(arguments, stdin);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn run(&self, arguments: &[&str], stdin: &str) -> std::process::Output {
        let mut child = self
            .command()
            .args(arguments)
            .arg("--json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A verb that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    pub fn user(&self, name: &str) {
        let email = format!("{name}@example.org");
        self.verb(
            &["user", "add", name, "--email", &email, "--password-stdin"],
            PASSWORD,
        );
    }

    /// A person who may administer.
    pub fn admin(&self, name: &str) {
        let add = ["user", "add", name, "--admin", "--password-stdin"];
        self.verb(&add, PASSWORD);
    }

    pub fn client(&self, name: &str, more: &[&str]) -> TestClient {
        let mut arguments = vec!["client", "add", name];
        arguments.extend(more);
        let made = self.verb(&arguments, "");
        let text = |member: &str| made[member].as_str().unwrap_or_default().to_owned();
        TestClient {
            id: text("client_id"),
            secret: text("client_secret"),
        }
    }

    /// A trusted client that may do everything.
    pub fn trusted(&self) -> TestClient {
        let grants = "authorization_code,refresh_token,client_credentials";
        let more = [
            "--redirect-uri",
            REDIRECT,
            "--grant",
            grants,
            "--trusted",
            "--may-introspect",
        ];
        self.client("App", &more)
    }

    /// A server where alice signed in to an application that may do everything, and the tokens that it got.
    pub fn with_tokens(scope: &str) -> (Self, TestClient, Value) {
        let world = Self::started();
        world.user("alice");
        let client = world.trusted();
        let tokens = world.sign_in("alice").tokens(&client, scope);
        (world, client, tokens)
    }

    /// A connection as a client has it, encrypted where the world is.
    pub fn connect(&self) -> Option<Box<dyn Stream>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .ok()?;
        let Some(config) = &self.tls else {
            return Some(Box::new(stream));
        };
        let name = "127.0.0.1".try_into().unwrap();
        let session = rustls::ClientConnection::new(config.clone(), name).unwrap();
        Some(Box::new(rustls::StreamOwned::new(session, stream)))
    }

    /// One request on a connection of its own; `None` when the server is not there.
    pub fn try_ask(&self, method: &str, target: &str, headers: &str, body: &str) -> Option<Answer> {
        let mut stream = self.connect()?;
        let typed = headers.to_ascii_lowercase().contains("content-type:");
        let form = if body.is_empty() || typed {
            ""
        } else {
            "Content-Type: application/x-www-form-urlencoded\r\n"
        };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {}\r\n{form}{headers}\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        parse(&bytes)
    }

    pub fn ask(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        self.try_ask(method, target, headers, body)
            .unwrap_or_else(|| panic!("no answer to {method} {target}"))
    }

    pub fn token(&self, client: &TestClient, body: &str) -> Answer {
        self.ask("POST", "/token", &client.basic(), body)
    }

    pub fn introspect(&self, client: &TestClient, token: &str) -> Value {
        self.ask(
            "POST",
            "/introspect",
            &client.basic(),
            &format!("token={token}"),
        )
        .json()
    }

    /// Signs in and gives the cookies.
    pub fn sign_in(&self, name: &str) -> Browser<'_> {
        let mut browser = Browser {
            world: self,
            cookies: BTreeMap::new(),
        };
        let page = browser.get("/login");
        let answer = browser.submit(
            &page,
            "/login",
            &[("username", name), ("password", PASSWORD)],
        );
        assert_eq!(answer.status, 303, "{answer:?}");
        browser
    }
}

/// A cookie jar on a world.
pub struct Browser<'w> {
    pub world: &'w World,
    pub cookies: BTreeMap<String, String>,
}

impl<'w> Browser<'w> {
    pub fn new(world: &'w World) -> Self {
        Self {
            world,
            cookies: BTreeMap::new(),
        }
    }

    fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("Cookie: {}\r\n", pairs.join("; "))
        }
    }

    pub fn get(&mut self, target: &str) -> Answer {
        let answer = self.world.ask("GET", target, &self.cookie_header(), "");
        self.keep(answer)
    }

    pub fn post(&mut self, target: &str, headers: &str, body: &str) -> Answer {
        let answer = self.world.ask(
            "POST",
            target,
            &format!("{}{headers}", self.cookie_header()),
            body,
        );
        self.keep(answer)
    }

    /// Sends the form of a page that posts to `action`, with its hidden fields.
    pub fn submit(&mut self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(hidden(&page.body, action));
        body.extend_pairs(fields);
        self.post(action, "", &body.finish())
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        for (_, value) in answer
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case("set-cookie"))
        {
            let (name, rest) = value.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// The authorization request of a client, with PKCE; `more` is appended.
    pub fn authorize(&mut self, client: &TestClient, scope: &str, more: &str) -> Answer {
        let target = format!(
            "/authorize?response_type=code&client_id={}&redirect_uri={}&scope={}&state=s-1&nonce=n-1&code_challenge={}\
             &code_challenge_method=S256{more}",
            client.id,
            encode(REDIRECT),
            encode(scope),
            challenge()
        );
        self.get(&target)
    }

    /// A code, where nothing is asked any more.
    pub fn code(&mut self, client: &TestClient, scope: &str) -> String {
        let answer = self.authorize(client, scope, "");
        answer
            .parameter("code")
            .unwrap_or_else(|| panic!("no code: {answer:?}"))
    }

    /// The token answer of a whole flow.
    pub fn tokens(&mut self, client: &TestClient, scope: &str) -> Value {
        let code = self.code(client, scope);
        let answer = self.world.token(client, &redeem(&code));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(
        &ring::digest::SHA256,
        VERIFIER.as_bytes(),
    ))
}

pub fn redeem(code: &str) -> String {
    format!(
        "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
        encode(REDIRECT)
    )
}

pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The claims of a JWT, unchecked.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Hidden fields of the form that posts to `action`.
pub fn hidden(html: &str, action: &str) -> Vec<(String, String)> {
    let form = html
        .split("<form")
        .skip(1)
        .find(|form| {
            form.split('>')
                .next()
                .unwrap()
                .contains(&format!("action=\"{action}\""))
        })
        .unwrap_or_else(|| panic!("no form to {action}: {html}"));
    let form = form.split("</form>").next().unwrap();
    form.split("<input")
        .skip(1)
        .map(|input| input.split('>').next().unwrap())
        .filter(|input| input.contains("type=\"hidden\""))
        .map(|input| (attribute(input, "name"), attribute(input, "value")))
        .collect()
}

fn attribute(tag: &str, name: &str) -> String {
    let rest = tag.split(&format!("{name}=\"")).nth(1).unwrap_or_default();
    let raw = rest.split('"').next().unwrap_or_default();
    raw.replace("&#38;", "&")
        .replace("&amp;", "&")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    Some(Answer {
        status,
        headers,
        body: body.to_owned(),
    })
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

pub fn file_size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// What is in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
