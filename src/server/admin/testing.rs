//! A small world for tests: browsers of a server without sockets, and an administrator who just set it up.

use crate::server::administration::{Actor, Authority, people};
use crate::server::routes;
pub(super) use crate::server::testing::{House, house};
use crate::types::Form;
use rouille::Request;
use std::io::Read;

pub(super) const PASSWORD: &str = "seven purple tractors";

/// A browser: its cookies, and what it saw last.
#[derive(Default)]
pub(super) struct Browser {
    pub(super) cookies: Vec<(String, String)>,
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) page: String,
}

impl Browser {
    pub(super) fn send(&mut self, house: &House, method: &str, address: &str, form: Option<Form>) {
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
        let request = Request::fake_http(method, address, headers, Vec::new());
        let response = routes::handle(&house.ctx, &request, &body);
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

    pub(super) fn get(&mut self, house: &House, address: &str) -> u16 {
        self.send(house, "GET", address, None);
        self.status
    }

    /// Sends a form of the page that is open.
    pub(super) fn post(&mut self, house: &House, address: &str, fields: &[(&str, &str)]) -> u16 {
        let mut form =
            Form::default().with("csrf", &between(&self.page, "name=\"csrf\" value=\"", "\""));
        let version = "name=\"version\" value=\"";
        if self.page.contains(version) {
            form = form.with("version", &between(&self.page, version, "\""));
        }
        for (name, value) in fields {
            form = form.with(name, value);
        }
        self.send(house, "POST", address, Some(form));
        self.status
    }
}

pub(super) fn between(page: &str, before: &str, after: &str) -> String {
    let (_, rest) = page
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split_once(after).unwrap().0.to_owned()
}

pub(super) fn path_of(address: &str) -> String {
    address
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned()
}

/// A house with one administrator, and their browser.
pub(super) fn set_up(name: &str) -> (House, Browser) {
    let house = house(name);
    let actor = Actor {
        name: "command line".to_owned(),
        address: None,
        authority: Authority::File,
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
