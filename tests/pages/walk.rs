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
        let world = World::started();
        // Off, it has no addresses.
        world.verb(&["registration", "open"], "");
        let add = ["user", "add", "root", "--admin", "--password-stdin"];
        world.verb(&add, PASSWORD);
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
