//! What every answer carries, on every route.

use crate::walk::{Walk, has_its_headers};
use crate::world::{Browser, World};
use doorlight::server::guard::Guard;

#[test]
fn every_route_answers_with_the_headers_that_it_must_never_leave_without() {
    let walk = Walk::started();
    let mut root = walk.world.sign_in("root");
    for (route, address) in walk.routes() {
        let name = format!("{} {address}", route.method);
        let stranger = walk.ask(route, &address, None);
        has_its_headers(&name, &stranger);
        // Measurements are there for whoever has the token only (tests/cli/metrics.rs).
        assert_eq!(stranger.status == 404, address == "/metrics", "{name}");
        let admin = walk.ask(route, &address, Some(&mut root));
        has_its_headers(&name, &admin);
        match route.guard {
            Guard::Admin(_) | Guard::AdminPage(_) if !address.ends_with("/try/callback") => {
                assert_eq!(admin.status, 200, "{name}: {admin:?}");
            }
            Guard::AdminForm(..) => assert_eq!(admin.status, 403, "{name}: {admin:?}"),
            _ => {}
        }
    }
    // What no row has is answered like the rest.
    for (method, address) in [
        ("GET", "/nothing"),
        ("GET", "/admin/nothing"),
        ("PATCH", "/token"),
        ("OPTIONS", "/token"),
        ("GET", "/assets/css/doorlight.css"),
        ("HEAD", "/login"),
    ] {
        let answer = walk.world.ask(method, address, "", "");
        has_its_headers(&format!("{method} {address}"), &answer);
    }
}

/// What never reaches the route table is answered by the listener.
#[test]
fn requests_that_are_refused_unread_have_the_same_headers() {
    let world = World::started();
    let long = format!("/login?{}", "a".repeat(17_000));
    let many = "X-A: b\r\n".repeat(200);
    let large = "a".repeat(70_000);
    for (status, method, target, headers, body) in [
        (400, "GET", "/login", "No colon\r\n", ""),
        (400, "GET", "/login", "Host: b\r\n", ""),
        (413, "POST", "/login", "", &*large),
        (417, "POST", "/login", "Expect: a\r\n", ""),
        (431, "GET", &*long, "", ""),
        (431, "GET", "/login", &*many, ""),
    ] {
        let answer = world.ask(method, target, headers, body);
        assert_eq!(answer.status, status, "{answer:?}");
        has_its_headers(&format!("{method} {status}"), &answer);
    }
}

/// The guards of the table, tried by a stranger and by somebody who is signed in and no administrator.
#[test]
fn no_page_of_the_admins_answers_who_is_no_administrator() {
    let walk = Walk::started();
    walk.world.user("bob");
    let mut bob = walk.world.sign_in("bob");
    let mut tried = 0;
    for (route, address) in walk.routes() {
        let guarded = matches!(
            route.guard,
            Guard::Admin(_) | Guard::AdminPage(_) | Guard::AdminForm(..)
        );
        assert_eq!(guarded, address.starts_with("/admin"), "{address}");
        if !guarded {
            continue;
        }
        let stranger = walk.ask(route, &address, None);
        assert_eq!(stranger.status, 303, "{} {address}", route.method);
        let to = stranger.header("Location").unwrap();
        assert!(to.starts_with("/login?continue="), "{address}: {to}");
        let signed_in = walk.ask(route, &address, Some(&mut bob));
        assert_eq!(signed_in.status, 403, "{} {address}", route.method);
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn a_page_reached_under_another_name_says_which_line_to_change() {
    let world = World::started();
    let page = world.ask(
        "GET",
        "/login",
        "X-Forwarded-Proto: https\r\nX-Forwarded-For: 9.9.9.9\r\n",
        "",
    );
    assert!(
        !page.body.contains("You reached Doorlight"),
        "headers of an untrusted peer were believed"
    );
    let raw = raw(&world, "192.168.1.5:8080\"><script>");
    assert!(
        raw.starts_with("HTTP/1.1 400") || !raw.contains("<script>\""),
        "reflected unescaped"
    );
    // What is offered is what Doorlight takes: plain http on this machine only.
    let near = raw_host(&world, "localhost:8791");
    assert!(near.contains("--issuer http://localhost:8791"), "{near}");
    for host in ["192.168.1.5:8080", "nas.lan", "doorlight.local:80"] {
        let moved = raw_host(&world, host);
        assert!(!moved.contains("--issuer"), "{moved}");
        assert!(moved.contains("needs https"), "{moved}");
        let tunnel = format!("ssh -L {0}:localhost:{0} server", world.port);
        assert!(moved.contains(&tunnel), "{moved}");
    }
}

/// Whoever makes a browser, or a cache in between, name another host gets no link, no redirect and no token for it.
#[test]
fn no_host_that_a_request_names_becomes_an_address() {
    let walk = Walk::started();
    let mut root = walk.world.sign_in("root");
    let cookies: Vec<String> = std::mem::take(&mut root.cookies)
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let headers = format!(
        "Cookie: {}\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.example\r\n\
         X-Original-URL: https://evil.example/\r\n",
        cookies.join("; ")
    );
    let mut named = 0;
    for (route, address) in walk.routes() {
        let answer = raw_with(
            &walk.world,
            route.method,
            &address,
            "evil.example",
            &headers,
            "",
        );
        assert!(answer.starts_with("HTTP/1.1 "), "{address}: {answer}");
        // A page says aloud under which address it was reached; that is text and leads nowhere.
        for place in answer.split("evil.example").skip(1).map(|rest| rest.len()) {
            let before = &answer[..answer.len() - place - "evil.example".len()];
            let line = before.rsplit('\n').next().unwrap();
            let attribute = line.rsplit('<').next().unwrap();
            let leads = ["href=", "src=", "action=", "content=", "value="];
            assert!(
                !leads.iter().any(|name| attribute.contains(name)),
                "{address}: {line}"
            );
            assert!(answer.contains("text/html"), "{address}: {answer}");
            assert!(
                !before.contains("\r\nLocation: ") || before.contains("\r\n\r\n"),
                "{address}"
            );
            named += 1;
        }
        let location = answer.lines().find(|line| line.starts_with("Location: "));
        assert!(
            !location.is_some_and(|line| line.contains("evil")),
            "{address}: {location:?}"
        );
    }
    assert!(named > 10, "nothing said where it was reached: {named}");
}

/// A proxy whose configuration lacks a line was told to be trusted, which it was.
#[test]
fn a_trusted_proxy_that_leaves_out_a_header_is_told_which() {
    let mut world = World::empty();
    world.be_known_as(
        "https://id.example.org",
        &["--trusted-proxy", "10.0.0.9, 127.0.0.1"],
    );
    let page = |host: &str, headers: &str| raw_with(&world, "GET", "/login", host, headers, "");
    let silent = page("id.example.org", "");
    assert!(
        silent.contains("proxy_set_header X-Forwarded-Proto $scheme;"),
        "{silent}"
    );
    let nameless = page("127.0.0.1:8080", "X-Forwarded-Proto: https\r\n");
    assert!(
        nameless.contains("proxy_set_header Host $http_host;"),
        "{nameless}"
    );
    let other = page("nas.example.org", "X-Forwarded-Proto: https\r\n");
    assert!(
        other.contains("--issuer https://nas.example.org"),
        "{other}"
    );
    let right = page("id.example.org", "X-Forwarded-Proto: https\r\n");
    for page in [&silent, &nameless, &other, &right] {
        assert!(!page.contains("--trusted-proxy"), "{page}");
    }
    assert!(!right.contains("Please check"), "{right}");
}

/// "Open for a long time" was said for ever, to whoever used the other name of this machine.
#[test]
fn a_form_at_another_address_leads_to_the_right_one() {
    let mut world = World::empty();
    world.be_known_as("http://localhost:8080", &[]);
    let made = world.verb(&["setup-link"], "");
    let link = made["url"].as_str().unwrap();
    let token = link.split_once("token=").unwrap().1;
    let send = |path: &str, body: &str| {
        let origin = "Origin: http://127.0.0.1:8080\r\n";
        raw_with(&world, "POST", path, "127.0.0.1:8080", origin, body)
    };
    for (path, body, there) in [
        (
            "/setup",
            format!("token={token}&username=ann&password=secret-word"),
            link,
        ),
        (
            "/setup",
            "token=%22%3E&password=secret-word".to_owned(),
            "http://localhost:8080/setup",
        ),
        (
            "/login",
            "token=a.b&username=ann&password=secret-word".to_owned(),
            "http://localhost:8080/login",
        ),
        (
            "/consent",
            "password=secret-word".to_owned(),
            "http://localhost:8080/",
        ),
    ] {
        let answer = send(path, &body);
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(
            answer.contains(&format!("href=\"{there}\"")),
            "{path}: {answer}"
        );
        assert!(
            !answer.contains("long time") && !answer.contains("secret-word"),
            "{answer}"
        );
    }
    // At its own address a stale form is a stale form.
    let stale = raw_with(
        &world,
        "POST",
        "/login",
        "localhost:8080",
        "",
        "username=ann",
    );
    assert!(stale.contains("long time"), "{stale}");
}

/// A form was filled in where it was bound to be refused.
#[test]
fn a_one_time_form_under_another_name_is_the_way_to_the_right_one() {
    let world = World::known_as("http://localhost:8080/id");
    let made = world.verb(&["setup-link"], "");
    let setup = made["url"].as_str().unwrap().to_owned();
    world.verb(&["user", "add", "ann", "--no-password"], "");
    let link = world.verb(&["user", "link", "ann"], "")["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let restore = setup.replace("/setup?", "/setup/restore?");
    for there in [setup, restore, link] {
        let path = there.strip_prefix("http://localhost:8080").unwrap();
        let elsewhere = raw_with(&world, "GET", path, "127.0.0.1:8080", "", "");
        assert!(elsewhere.starts_with("HTTP/1.1 403"), "{elsewhere}");
        let way = format!("href=\"{there}\"");
        assert!(elsewhere.contains(&way), "{path}: {elsewhere}");
        assert!(!elsewhere.contains("<form"), "{path}: {elsewhere}");
        let here = raw_with(&world, "GET", path, "localhost:8080", "", "");
        assert!(here.starts_with("HTTP/1.1 200"), "{here}");
        assert!(here.contains("<form"), "{path}: {here}");
        // A link that does not hold is told as that, with nothing to open.
        let spoilt = raw_with(&world, "GET", &format!("{path}x"), "127.0.0.1:8080", "", "");
        assert!(!spoilt.contains("Open the right address"), "{spoilt}");
    }
}

/// nginx sends its own name unless it is told otherwise; what people typed is in the Origin of the form.
#[test]
fn a_one_time_form_is_shown_where_a_proxy_hides_the_name() {
    let mut world = World::empty();
    world.be_known_as("https://id.example.org", &["--trusted-proxy", "127.0.0.1"]);
    let setup = world.verb(&["setup-link"], "")["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = setup.strip_prefix("https://id.example.org").unwrap();
    let page = raw_with(&world, "GET", path, "127.0.0.1:8080", "", "");
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("<form"),
        "{page}"
    );
    assert!(page.contains("proxy_set_header Host $http_host;"), "{page}");
}

fn raw(world: &World, host: &str) -> String {
    raw_host(world, host)
}

fn raw_host(world: &World, host: &str) -> String {
    raw_with(world, "GET", "/login", host, "", "")
}

fn raw_with(
    world: &World,
    method: &str,
    path: &str,
    host: &str,
    headers: &str,
    body: &str,
) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", world.port)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_cookie_changes_at_sign_in() {
    let world = World::started();
    world.user("alice");
    let mut browser = Browser::new(&world);
    browser.cookies.insert(
        "doorlight".to_owned(),
        "01m86h50c8sb6mf4pvr222rr7q.planted".to_owned(),
    );
    let page = browser.get("/login");
    let fields = [("username", "alice"), ("password", crate::world::PASSWORD)];
    assert_eq!(browser.submit(&page, "/login", &fields).status, 303);
    assert!(!browser.cookies["doorlight"].contains("planted"));
    let before = browser.cookies["doorlight"].clone();
    let page = browser.get("/login");
    assert_eq!(browser.submit(&page, "/login", &fields).status, 303);
    assert_ne!(browser.cookies["doorlight"], before);
    // The old cookie is dead.
    let answer = world.ask("GET", "/", &format!("Cookie: doorlight={before}\r\n"), "");
    assert!(!answer.body.contains("alice@example.org"));
}

/// A neighbour on the network must not lead somebody who came by https once to plain http; and the addresses of
/// one-time links stay out of the referrers in a proxy's log.
#[test]
fn behind_https_every_answer_asks_for_https() {
    let world = World::known_as("https://id.example.org");
    for path in ["/login", "/jwks.json", "/nothing", "/link?token=a"] {
        let answer = world.ask("GET", path, "X-Forwarded-Proto: https\r\n", "");
        assert_eq!(
            answer.header("Strict-Transport-Security"),
            Some("max-age=31536000"),
            "{path}"
        );
    }
    let page = world.ask("GET", "/link?token=a", "", "");
    assert_eq!(page.header("Referrer-Policy"), Some("strict-origin"));
    let plain = World::started().ask("GET", "/login", "", "");
    assert_eq!(plain.header("Strict-Transport-Security"), None);
}
