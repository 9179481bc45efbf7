//! From the setup link to a person who chose a password and was switched off, as browsers see it.

use crate::config::Config;
use crate::server::administration::{Actor, people};
use crate::server::context::Context;
use crate::server::routes;
use crate::types::Form;
use rouille::Request;
use std::io::Read;

const PASSWORD: &str = "seven purple tractors";

/// A server without sockets, on a file of its own.
struct House {
    ctx: Context,
    folder: std::path::PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn house(name: &str) -> House {
    let folder = std::env::temp_dir().join(format!("doorlight-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let config = Config {
        data: folder.join("doorlight.redb"),
        listen: "127.0.0.1:8080".parse().unwrap(),
        issuer: "http://localhost:8080".parse().unwrap(),
        trusted_proxies: Vec::new(),
    };
    let ctx = Context::open(config).unwrap();
    House { ctx, folder }
}

/// A browser: its cookies, and what it saw last.
#[derive(Default)]
struct Browser {
    cookies: Vec<(String, String)>,
    status: u16,
    location: String,
    page: String,
}

impl Browser {
    fn send(&mut self, house: &House, method: &str, address: &str, form: Option<Form>) {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let mut headers = vec![
            ("Host".to_owned(), "localhost:8080".to_owned()),
            ("Cookie".to_owned(), cookies.join("; ")),
        ];
        let mut body = Vec::new();
        if let Some(form) = form {
            let media = "application/x-www-form-urlencoded".to_owned();
            headers.push(("Content-Type".to_owned(), media));
            body = form.encode().into_bytes();
        }
        let request = Request::fake_http(method, address, headers, body);
        let response = routes::handle(&house.ctx, &request);
        self.status = response.status_code;
        self.location.clear();
        for (name, value) in &response.headers {
            match name.as_ref() {
                "Location" => self.location = value.to_string(),
                "Set-Cookie" => {
                    let pair = value.split(';').next().unwrap();
                    let (name, value) = pair.split_once('=').unwrap();
                    self.cookies.retain(|(n, _)| n != name);
                    self.cookies.push((name.to_owned(), value.to_owned()));
                }
                _ => {}
            }
        }
        self.page.clear();
        let (mut body, _) = response.data.into_reader_and_size();
        body.read_to_string(&mut self.page).unwrap();
    }

    fn get(&mut self, house: &House, address: &str) -> u16 {
        self.send(house, "GET", address, None);
        self.status
    }

    /// Sends a form of the page that is open.
    fn post(&mut self, house: &House, address: &str, fields: &[(&str, &str)]) -> u16 {
        let mut form =
            Form::default().with("csrf", &between(&self.page, "name=\"csrf\" value=\"", "\""));
        for (name, value) in fields {
            form = form.with(name, value);
        }
        self.send(house, "POST", address, Some(form));
        self.status
    }
}

fn between(page: &str, before: &str, after: &str) -> String {
    let (_, rest) = page
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split_once(after).unwrap().0.to_owned()
}

fn path_of(address: &str) -> String {
    address
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned()
}

/// A house with one administrator, and their browser.
fn set_up(name: &str) -> (House, Browser) {
    let house = house(name);
    let actor = Actor {
        name: "command line".to_owned(),
        address: None,
    };
    let link = path_of(people::setup_link(&house.ctx, &actor).unwrap().expose());
    let token = link.split_once("token=").unwrap().1.to_owned();
    let mut root = Browser::default();
    assert_eq!(root.get(&house, &link), 200);
    let weak = [
        ("token", token.as_str()),
        ("username", "ro ot"),
        ("password", "password1"),
        ("password_again", "password1"),
    ];
    assert_eq!(root.post(&house, "/setup", &weak), 422);
    assert!(root.page.contains("value=\"ro ot\"") && !root.page.contains("password1"));
    let good = [
        ("token", token.as_str()),
        ("username", "root"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
    ];
    assert_eq!(root.post(&house, "/setup", &good), 303);
    assert_eq!(root.location, "/admin");
    assert_eq!(Browser::default().get(&house, &link), 410);
    assert!(people::setup_link(&house.ctx, &actor).is_err());
    (house, root)
}

#[test]
fn a_person_is_added_chooses_a_password_and_is_switched_off() {
    let (house, mut root) = set_up("people");
    assert_eq!(root.get(&house, "/admin/people"), 200);
    assert_eq!(root.get(&house, "/admin/people/new"), 200);
    let anna = [
        ("username", "anna"),
        ("email", "anna@example.org"),
        ("email_verified", "on"),
        ("more_groups", "cooks, family"),
        ("way_in", "link"),
    ];
    assert_eq!(root.post(&house, "/admin/people/new", &anna), 200);
    let link = between(&root.page, "value=\"http://localhost:8080/link?", "\"");
    let token = link.strip_prefix("token=").unwrap().to_owned();
    let id = between(&root.page, "href=\"/admin/people/", "\"");
    let page = format!("/admin/people/{id}");

    root.get(&house, "/admin/people/new");
    assert_eq!(
        root.post(&house, "/admin/people/new", &[("username", "ANNA")]),
        422
    );
    assert!(root.page.contains("Somebody has this name already."));

    let mut browser = Browser::default();
    let address = format!("/link?{link}");
    assert_eq!(browser.get(&house, &address), 200);
    let fields = [
        ("token", token.as_str()),
        ("password", "nine brown kettles"),
        ("password_again", "nine brown kettles"),
    ];
    assert_eq!(browser.post(&house, "/link", &fields), 303);
    assert_eq!(browser.location, "/");
    assert_eq!(Browser::default().get(&house, &address), 410);
    browser.get(&house, "/");
    assert!(browser.page.contains("anna@example.org"));
    assert_eq!(browser.get(&house, "/admin/people"), 403);

    assert_eq!(root.get(&house, &page), 200);
    assert!(root.page.contains("cooks") && root.page.contains("They sign in with a password."));
    let off = [
        ("username", "anna"),
        ("group", "family"),
        ("disabled", "on"),
        ("website", "nowhere"),
    ];
    assert_eq!(root.post(&house, &page, &off), 422);
    assert!(root.page.contains("value=\"nowhere\""));
    let off = [
        ("username", "anna"),
        ("group", "family"),
        ("disabled", "on"),
    ];
    assert_eq!(root.post(&house, &page, &off), 303);
    assert_eq!(root.location, format!("{page}?done=saved"));
    browser.get(&house, "/");
    assert!(!browser.page.contains("anna"));
    assert_eq!(root.get(&house, &format!("{page}?done=saved")), 200);
    assert!(root.page.contains("The details were saved."));

    assert_eq!(root.get(&house, &format!("{page}/delete")), 200);
    assert_eq!(root.post(&house, &format!("{page}/delete"), &[]), 303);
    assert_eq!(root.get(&house, &page), 404);

    let snapshot = house.ctx.store.snapshot().unwrap();
    let filter = crate::store::EventFilter::default();
    let log = snapshot.view().events(&filter, None, 1_000).unwrap();
    let log = format!("{:?}", log.events);
    let verifier = token.split_once('.').unwrap().1;
    for secret in [verifier, PASSWORD, "nine brown kettles", "anna@example.org"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn groups_are_added_filled_renamed_and_deleted() {
    let (house, mut root) = set_up("groups");
    root.get(&house, "/admin/groups/new");
    assert_eq!(
        root.post(&house, "/admin/groups/new", &[("name", "new")]),
        303
    );
    assert_eq!(root.location, "/admin/groups/~new?done=added");
    root.get(&house, "/admin/groups/~new");
    let me = between(&root.page, "name=\"shown\" value=\"", "\"");
    let fields = [
        ("name", "a/b"),
        ("description", "both"),
        ("shown", &me),
        ("member", &me),
    ];
    assert_eq!(root.post(&house, "/admin/groups/~new", &fields), 303);
    assert_eq!(root.location, "/admin/groups/~a%2Fb?done=saved");
    assert_eq!(root.get(&house, "/admin/groups/~new"), 404);
    assert_eq!(root.get(&house, &format!("/admin/people/{me}")), 200);
    assert!(root.page.contains("a/b"));
    assert_eq!(root.get(&house, "/admin/groups?q=BOTH"), 200);
    assert!(root.page.contains("a/b"));
    assert_eq!(root.get(&house, "/admin/groups/~a%2Fb/delete"), 200);
    assert_eq!(root.post(&house, "/admin/groups/~a%2Fb/delete", &[]), 303);
    root.get(&house, &format!("/admin/people/{me}"));
    assert!(!root.page.contains("a/b"));
}

#[test]
fn the_only_administrator_neither_leaves_nor_steps_down_and_may_end_sessions() {
    let (house, mut root) = set_up("sessions");
    assert_eq!(root.get(&house, "/admin/sessions?person=nobody"), 200);
    assert!(!root.page.contains("this one"));
    assert_eq!(root.get(&house, "/admin/sessions?person=ROOT"), 200);
    assert!(root.page.contains("this one"));
    let session = between(&root.page, "action=\"/admin/sessions/", "\"");

    root.get(&house, "/admin/people?q=root");
    let id = between(&root.page, "class=\"name\" href=\"/admin/people/", "\"");
    let page = format!("/admin/people/{id}");
    root.get(&house, &page);
    assert_eq!(root.post(&house, &page, &[("username", "root")]), 422);
    assert!(root.page.contains("This is the last administrator."));
    assert_eq!(root.post(&house, &format!("{page}/delete"), &[]), 422);
    assert!(root.page.contains("You cannot delete yourself."));

    assert_eq!(
        root.post(&house, &format!("/admin/sessions/{session}"), &[]),
        303
    );
    assert_eq!(root.get(&house, "/admin/people"), 303);
    assert!(root.location.starts_with("/login"));
}
