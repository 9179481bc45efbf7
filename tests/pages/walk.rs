//! Every address there is: the rows of the route table, each with an address that it answers. A row with a `*` and
//! without a sample here fails the tests that walk.

use crate::world::{Answer, Browser, PASSWORD, World};
use doorlight::server::routes::{ROUTES, Route};

/// A world with one of everything.
pub struct Walk {
    pub world: World,
    /// What stands before the `*` of a row, and what may stand at it.
    samples: Vec<(&'static str, String)>,
}

impl Walk {
    pub fn started() -> Self {
        Self::of(World::started())
    }

    /// In a world that runs already.
    pub fn of(world: World) -> Self {
        // Off, it has no addresses.
        world.verb(&["registration", "open"], "");
        world.admin("root");
        let add = [
            "user",
            "add",
            "alice",
            "--group",
            "family",
            "--password-stdin",
        ];
        let person = text(&world.verb(&add, PASSWORD), "id");
        let client = world.trusted();
        let resource = ["resource", "add", "https://api.example", "--name", "Files"];
        world.verb(&resource, "");
        let note = ["registration", "add-token", "--note", "Laptop"];
        let token = text(&world.verb(&note, ""), "id");
        let key = text(&world.verb(&["keys", "list"], "")[0], "kid");
        let mut root = world.sign_in("root");
        root.tokens(&client, "openid");
        let page = root.get("/admin/sessions").body;
        let session = between(&page, "/admin/sessions/", "/revoke");
        let grant = between(&page, "/admin/grants/", "/revoke");
        let resources = root.get("/admin/resources").body;
        let resource = between(&resources, "/admin/resources/~", "\"");
        let samples = vec![
            ("/api/people/", person.clone()),
            ("/api/applications/", client.id.clone()),
            ("/register/", client.id.clone()),
            ("/admin/applications/", client.id),
            ("/admin/people/", person),
            ("/admin/groups/", "~family".to_owned()),
            ("/admin/resources/", format!("~{resource}")),
            ("/admin/sessions/", session),
            ("/admin/grants/", grant),
            ("/admin/keys/", key),
            ("/admin/registration/tokens/", token),
        ];
        Self { world, samples }
    }

    /// Every row, and an address that it answers.
    pub fn routes(&self) -> impl Iterator<Item = (&'static Route, String)> {
        ROUTES.iter().map(|route| (route, self.address(route.path)))
    }

    fn address(&self, path: &str) -> String {
        let Some((before, after)) = path.split_once('*') else {
            return path.to_owned();
        };
        let sample = self.samples.iter().find(|(start, _)| *start == before);
        assert!(sample.is_some(), "this file has no sample for {path}");
        let (_, sample) = sample.unwrap();
        format!("{before}{sample}{after}")
    }

    /// Asks as it stands in the row; a form without a token.
    pub fn ask(&self, route: &Route, address: &str, browser: Option<&mut Browser<'_>>) -> Answer {
        match (browser, route.method) {
            (Some(browser), "GET") => browser.get(address),
            (Some(browser), "POST") => browser.post(address, "", ""),
            (_, method) => self.world.ask(method, address, "", ""),
        }
    }
}

fn text(value: &serde_json::Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn between(page: &str, before: &str, after: &str) -> String {
    let rest = page.split_once(before).unwrap().1;
    rest.split_once(after).unwrap().0.to_owned()
}

/// Asserts what every answer carries (DESIGN §6): once each, and cookies as they have to be.
pub fn has_its_headers(name: &str, answer: &Answer) {
    let only = |wanted: &str| {
        let mut given = answer.headers.iter();
        let mut given = given
            .by_ref()
            .filter(|(n, _)| n.eq_ignore_ascii_case(wanted));
        let first = given.next().map(|(_, value)| value.as_str());
        assert!(first.is_some() && given.next().is_none(), "{name} {wanted}");
        first.unwrap_or_default()
    };
    assert!(answer.status < 500, "{name}: {}", answer.status);
    assert_eq!(only("X-Content-Type-Options"), "nosniff", "{name}");
    assert_eq!(only("X-Frame-Options"), "DENY", "{name}");
    assert_eq!(only("Referrer-Policy"), "strict-origin", "{name}");
    assert_eq!(
        only("Cross-Origin-Resource-Policy"),
        "same-origin",
        "{name}"
    );
    let https = answer.header("Strict-Transport-Security").is_some();
    let policy = only("Content-Security-Policy");
    for directive in [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(directive), "{name}: {policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{name}"
    );
    // Documents that are the same for everybody may be kept for an hour; nothing else is kept at all.
    let public = ["/jwks.json", "/.well-known/", "/assets/"];
    let cached = match answer.status == 200 && public.iter().any(|path| name.contains(path)) {
        true => "public, max-age=3600",
        false => "no-store",
    };
    assert_eq!(only("Cache-Control"), cached, "{name}");
    let of_others = answer.header("Access-Control-Allow-Credentials");
    assert_eq!(of_others, None, "{name}");
    for (_, cookie) in answer
        .headers
        .iter()
        .filter(|(n, _)| n.eq_ignore_ascii_case("set-cookie"))
    {
        for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(attribute), "{name}: {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{name}: {cookie}");
        let host_bound = cookie.starts_with("__Host-") && cookie.contains("; Secure");
        assert_eq!(host_bound, https, "{name}: {cookie}");
    }
}
