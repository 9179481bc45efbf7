//! A fresh Doorlight takes a backup in through its setup page: from whoever has the setup link, and from nobody else.

use crate::world::{Answer, Browser, TestClient, World, damage, hidden};
use doorlight::crypto::age::{Identity, Lock, encrypt};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const PASSPHRASE: &str = "nine geese cross the frozen canal";
const BOUNDARY: &str = "----FormOfOurs";

/// A house in which alice has a password and a session, and root is an administrator.
struct House {
    world: World,
    client: TestClient,
    cookie: String,
    backup: Vec<u8>,
}

fn house() -> House {
    let mut world = World::started();
    world.user("alice");
    world.verb(&["user", "add", "root", "--admin", "--no-password"], "");
    let client = world.trusted();
    let cookie = world.sign_in("alice").cookies["doorlight"].clone();
    let copy = world.dir.join("copy.redb");
    world.verb(&["backup", copy.to_str().unwrap()], "");
    world.kill();
    House {
        client,
        cookie,
        backup: std::fs::read(copy).unwrap(),
        world,
    }
}

fn backup() -> Vec<u8> {
    house().backup
}

fn locked(bytes: &[u8], lock: &Lock) -> Vec<u8> {
    let mut encrypting = encrypt(lock, Vec::new()).unwrap();
    encrypting.write_all(bytes).unwrap();
    encrypting.finish().unwrap()
}

/// A server that nobody has set up, and the page that its link leads to.
struct Fresh {
    world: World,
    target: String,
}

impl Fresh {
    fn started() -> Self {
        Self::in_world(World::started())
    }

    fn in_world(world: World) -> Self {
        let link = world.verb(&["setup-link"], "")["url"]
            .as_str()
            .unwrap()
            .to_owned();
        let setup = link.strip_prefix(&world.issuer()).unwrap();
        let target = setup.replacen("/setup?", "/setup/restore?", 1);
        Self { world, target }
    }

    /// Opens the page and sends its form, as a browser does.
    fn send(&self, file: &[u8], fields: &[(&str, &str)]) -> Answer {
        let mut browser = Browser::new(&self.world);
        let page = browser.get(&self.target);
        assert_eq!(page.status, 200, "{page:?}");
        let csrf = hidden(&page.body, &self.target).remove(0);
        let fields = [&[(csrf.0.as_str(), csrf.1.as_str())], fields].concat();
        let body = form(&fields, Some(("house.redb", file)));
        self.send_raw(&self.target, &browser, "", &body)
    }

    fn send_raw(&self, target: &str, browser: &Browser<'_>, more: &str, body: &[u8]) -> Answer {
        let mut stream = self.begin(target, browser, more, body.len());
        // A refusal may come before the end.
        let _ = stream.write_all(body);
        answer(stream)
    }

    /// Sends a head, and leaves the body to the caller.
    fn begin(&self, target: &str, browser: &Browser<'_>, more: &str, length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.world.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let cookies = browser.cookies.iter();
        let cookies: Vec<String> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let typed = match more.contains("Content-Type") {
            true => String::new(),
            false => format!("Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"),
        };
        write!(
            stream,
            "POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nCookie: {}\r\n\
             Content-Length: {length}\r\n{typed}{more}\r\n",
            self.world.port,
            cookies.join("; "),
        )
        .unwrap();
        stream
    }

    /// It took the backup in, and goes on with it in the same process.
    fn goes_on_with_the_backup(&self, answer: &Answer) {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.contains("The backup is restored"), "{answer:?}");
        // `assets/js/doorlight.js` waits for the server; the browser test looks at it.
        let without_scripts = "<noscript><meta http-equiv=\"refresh\" content=\"10; url=/login\">";
        assert!(answer.body.contains(without_scripts), "{answer:?}");
        self.has_started_anew();
        let mut browser = self.world.sign_in("alice");
        assert!(browser.get("/").body.contains("alice"));
        // The link is none of this house.
        assert_eq!(self.world.ask("GET", &self.target, "", "").status, 410);
    }

    /// Waits for the second start; the socket of the command line is there, too.
    fn has_started_anew(&self) {
        let begun = Instant::now();
        let started = || self.out().matches("Doorlight is at").count();
        while started() < 2 || self.world.try_ask("GET", "/readyz", "", "").is_none() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{}",
                self.world.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        let people = self.world.verb(&["user", "list"], "");
        assert_eq!(people.as_array().unwrap().len(), 2);
        assert!(std::path::Path::new(&format!("/proc/{}", self.world.pid())).exists());
    }

    fn out(&self) -> String {
        std::fs::read_to_string(self.world.dir.join("stdout.log")).unwrap()
    }

    /// It is as fresh as before, and the link opens it.
    fn is_untouched(&self, names: &[String]) {
        assert_eq!(self.world.files(), names);
        assert_eq!(self.world.ask("GET", &self.target, "", "").status, 200);
        let people = self.world.verb(&["user", "list"], "");
        assert_eq!(people.as_array().unwrap().len(), 0);
    }
}

/// The body of the form, as browsers write it.
fn form(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        write!(
            body,
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    if let Some((name, bytes)) = file {
        write!(
            body,
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"backup\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .unwrap();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    write!(body, "--{BOUNDARY}--\r\n").unwrap();
    body
}

fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A reset may follow the answer to a body that nobody wanted.
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(read @ 1..) => bytes.extend_from_slice(&piece[..read]),
            // The process was stopped for a while, and goes on.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => break,
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    Answer {
        status: lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

#[test]
fn the_setup_page_leads_to_it() {
    let fresh = Fresh::started();
    let setup = fresh.target.replacen("/setup/restore?", "/setup?", 1);
    let page = fresh.world.ask("GET", &setup, "", "");
    assert!(
        page.body.contains(&format!("href=\"{}\"", fresh.target)),
        "{}",
        page.body
    );
    assert_eq!(fresh.world.ask("GET", "/setup/restore", "", "").status, 410);
}

#[test]
fn a_plain_backup_is_taken_and_the_server_goes_on_with_it() {
    let House {
        client,
        backup: bytes,
        ..
    } = house();
    let fresh = Fresh::started();
    let pid = fresh.world.pid();
    let taken = fresh.send(&bytes, &[]);
    fresh.goes_on_with_the_backup(&taken);
    assert_eq!(fresh.world.pid(), pid);
    assert_eq!(
        fresh
            .world
            .token(&client, "grant_type=client_credentials")
            .status,
        200
    );
    let names = fresh.world.files();
    assert!(
        names.iter().any(|name| name.contains(".replaced-20")),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|name| name.ends_with(".part")),
        "{names:?}"
    );
    let restored = fresh.world.verb(&["audit", "--kind", "file.restored"], "");
    assert_eq!(restored["actor"], "setup link", "{restored}");
    // A signal still ends it, in order.
    let mut world = fresh.world;
    world.stop();
}

#[test]
fn an_encrypted_backup_is_taken_with_its_passphrase_or_key() {
    let bytes = backup();
    let identity = Identity::generate();
    let text = format!("# created: today\r\n{}\r\n", identity.text().expose());
    let phrase = doorlight::types::Secret::new(PASSPHRASE.to_owned());
    for (lock, field, value) in [
        (
            Lock::Recipients(vec![identity.recipient()]),
            "identity",
            text.as_str(),
        ),
        (Lock::Passphrase(phrase), "passphrase", PASSPHRASE),
    ] {
        let fresh = Fresh::started();
        let sealed = locked(&bytes, &lock);
        let names = fresh.world.files();
        for (wrong, why) in [
            (&[][..], "it is needed here"),
            (&[("passphrase", "another one of five words")], ""),
            (&[("identity", Identity::generate().text().expose())], ""),
            (&[("identity", "age1nonsense")], ""),
        ] {
            let refused = fresh.send(&sealed, wrong);
            assert_eq!(refused.status, 422, "{refused:?}");
            assert!(refused.body.contains(why), "{refused:?}");
            assert!(!refused.body.contains("another one of"), "{refused:?}");
            assert!(!refused.body.contains("AGE-SECRET-KEY-1Q"), "{refused:?}");
            fresh.is_untouched(&names);
        }
        let taken = fresh.send(&sealed, &[(field, value)]);
        fresh.goes_on_with_the_backup(&taken);
        assert!(!fresh.world.log().contains(value));
    }
}

#[test]
fn sessions_and_keys_end_where_that_is_ticked() {
    let mut house = house();
    house.world.start();
    let old = &house.world;
    let kids = |world: &World| -> Vec<String> {
        let keys = world.ask("GET", "/jwks.json", "", "").json();
        let keys = keys["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = kids(old);
    for (ticks, replaced) in [
        (&[("end_sessions", "on"), ("replace_keys", "on")][..], true),
        (&[], false),
    ] {
        let fresh = Fresh::started();
        let taken = fresh.send(&house.backup, ticks);
        fresh.goes_on_with_the_backup(&taken);
        let now = kids(&fresh.world);
        assert_eq!(now.iter().any(|kid| before.contains(kid)), !replaced);
        // Not an administrator: refused, where a stranger is sent to sign in.
        let cookie = format!("Cookie: doorlight={}\r\n", house.cookie);
        let status = fresh.world.ask("GET", "/admin", &cookie, "").status;
        assert_eq!(status, if replaced { 303 } else { 403 });
    }
}

#[test]
fn a_backup_that_is_none_replaces_nothing_and_the_link_stays_good() {
    let good = backup();
    let fresh = Fresh::started();
    let names = fresh.world.files();
    let place = good
        .windows(7)
        .position(|bytes| bytes == b"\"alice\"")
        .unwrap();
    let mut damaged = good.clone();
    damaged[place + 1] = b'm';
    let sealed = locked(
        &good,
        &Lock::Recipients(vec![Identity::generate().recipient()]),
    );
    for (bytes, field, why) in [
        (&b""[..], &[][..], "Choose the backup"),
        (b"Dear Sir or Madam", &[], "no backup of Doorlight"),
        (&good[..good.len() / 2], &[], "The backup is damaged"),
        (&damaged, &[], "The backup is damaged"),
        (&sealed[..60], &[], "damaged: it ends early"),
        (
            &good,
            &[("passphrase", PASSPHRASE)],
            "not encrypted, although",
        ),
        (
            b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
            &[],
            "without --armor",
        ),
    ] {
        let refused = fresh.send(bytes, field);
        assert_eq!(refused.status, 422, "{why}: {refused:?}");
        assert!(refused.body.contains(why), "{why}: {refused:?}");
        fresh.is_untouched(&names);
    }
    let taken = fresh.send(&good, &[]);
    fresh.goes_on_with_the_backup(&taken);
}

/// Whoever has the setup link could end the server with a file.
#[test]
fn a_backup_that_ends_whoever_reads_it_ends_no_server() {
    let fresh = Fresh::started();
    let names = fresh.world.files();
    let pid = fresh.world.pid();
    for (kind, bytes) in damage::files() {
        let refused = fresh.send(&bytes, &[]);
        assert_eq!(refused.status, 422, "{kind}: {refused:?}");
        let why = "The backup is damaged";
        assert!(refused.body.contains(why), "{kind}: {refused:?}");
        fresh.is_untouched(&names);
    }
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
}

/// Each is answered although of the body that it announces not a byte comes.
#[test]
fn without_a_good_link_no_body_is_read() {
    let fresh = Fresh::started();
    let names = fresh.world.files();
    let stranger = Browser::new(&fresh.world);
    let huge = 1 << 40;
    let other = Fresh::started();
    let mut used = fresh.target.clone();
    let last = used.pop().unwrap();
    used.push(if last == 'A' { 'B' } else { 'A' });
    for target in [
        "/setup/restore",
        "/setup/restore?token=",
        "/setup/restore?token=nonsense",
        other.target.as_str(),
        &used,
        "/setup/restore/?token=x",
        "/other",
    ] {
        let begun = Instant::now();
        let refused = answer(fresh.begin(target, &stranger, "", huge));
        assert!(matches!(refused.status, 410 | 413), "{target}: {refused:?}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{target}");
    }
    // A good link of another page, another method, or an administrator who is there already.
    let setup = fresh.target.replacen("/setup/restore?", "/setup?", 1);
    assert_eq!(answer(fresh.begin(&setup, &stranger, "", huge)).status, 413);
    // From another site, and as another kind of form.
    let foreign = "Origin: https://evil.example\r\n";
    assert_eq!(
        answer(fresh.begin(&fresh.target, &stranger, foreign, huge)).status,
        403
    );
    let cross = "Sec-Fetch-Site: cross-site\r\n";
    assert_eq!(
        answer(fresh.begin(&fresh.target, &stranger, cross, huge)).status,
        403
    );
    let plain = "Content-Type: application/octet-stream\r\n";
    assert_eq!(
        answer(fresh.begin(&fresh.target, &stranger, plain, huge)).status,
        413
    );
    // More than may be.
    assert_eq!(
        answer(fresh.begin(&fresh.target, &stranger, "", huge)).status,
        413
    );
    fresh.is_untouched(&names);
    fresh
        .world
        .verb(&["user", "add", "root", "--admin", "--no-password"], "");
    assert_eq!(
        answer(fresh.begin(&fresh.target, &stranger, "", huge)).status,
        410
    );
    assert_eq!(fresh.world.files(), names);
}

#[test]
fn a_form_that_is_not_ours_does_nothing() {
    let good = backup();
    let fresh = Fresh::started();
    let names = fresh.world.files();
    let mut browser = Browser::new(&fresh.world);
    let page = browser.get(&fresh.target);
    let (_, csrf) = hidden(&page.body, &fresh.target).remove(0);
    let ours = [("csrf", csrf.as_str())];
    let send = |browser: &Browser<'_>, body: &[u8]| {
        fresh.send_raw(&fresh.target, browser, "", body).status
    };
    let house = Some(("house.redb", good.as_slice()));
    assert_eq!(send(&browser, &form(&[], house)), 403);
    assert_eq!(send(&browser, &form(&[("csrf", "x")], house)), 403);
    // The token of another browser.
    assert_eq!(send(&Browser::new(&fresh.world), &form(&ours, house)), 403);
    for malformed in [
        form(&[ours[0], ours[0]], house),
        form(&[ours[0], ("unknown", "x")], house),
        form(&[ours[0], ("backup", "no file")], None),
        form(&[ours[0], ("passphrase", &"x".repeat(5_000))], house),
        [form(&ours, house), form(&ours, house)].concat(),
        form(&ours, house)[2..].to_vec(),
        b"--\r\n".to_vec(),
        good.clone(),
    ] {
        assert_eq!(send(&browser, &malformed), 400);
    }
    fresh.is_untouched(&names);
    // No name of a file leads anywhere.
    for name in [
        "../../../etc/passwd",
        "/etc/shadow",
        "",
        "a; name=csrf",
        "doorlight.redb",
    ] {
        let body = form(&ours, Some((name, b"Dear Sir or Madam")));
        assert_eq!(send(&browser, &body), 422, "{name}");
        fresh.is_untouched(&names);
    }
}

#[test]
fn one_at_a_time_and_whoever_goes_away_makes_room() {
    let good = backup();
    let fresh = Fresh::started();
    let names = fresh.world.files();
    let mut browser = Browser::new(&fresh.world);
    let page = browser.get(&fresh.target);
    let (_, csrf) = hidden(&page.body, &fresh.target).remove(0);
    let body = form(&[("csrf", &csrf)], Some(("house.redb", &good)));
    let (half, rest) = body.split_at(body.len() / 2);

    // One whose body is wanted, and that goes away half-way.
    let asked = "Expect: 100-continue\r\n";
    let is_wanted = |stream: &mut TcpStream| {
        let mut piece = [0; 25];
        stream.read_exact(&mut piece).unwrap();
        piece.starts_with(b"HTTP/1.1 100")
    };
    let mut gone = fresh.begin(&fresh.target, &browser, asked, body.len());
    assert!(is_wanted(&mut gone));
    gone.write_all(half).unwrap();
    let second = || fresh.send_raw(&fresh.target, &browser, "", &body);
    assert_eq!(second().status, 503);
    fresh.is_untouched(&names);
    drop(gone);
    // Its place is free again, in a moment.
    let begun = Instant::now();
    let mut slow = loop {
        let mut slow = fresh.begin(&fresh.target, &browser, asked, body.len());
        if is_wanted(&mut slow) {
            break slow;
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
    };
    assert_eq!(second().status, 503);
    fresh.is_untouched(&names);
    slow.write_all(half).unwrap();
    slow.write_all(rest).unwrap();
    fresh.goes_on_with_the_backup(&answer(slow));
}
