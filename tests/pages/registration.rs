//! The page that says who may register an application, and what of it the other pages show.

use crate::world::{Browser, REDIRECT, World, hidden};
use serde_json::{Value, json};

const PAGE: &str = "/admin/registration";

fn administrator(world: &World) -> Browser<'_> {
    world.admin("root");
    world.sign_in("root")
}

fn register(world: &World, token: &str) -> (u16, Value) {
    let metadata = json!({ "redirect_uris": [REDIRECT], "client_name": "Tablet" }).to_string();
    let headers = format!("Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n");
    let answer = world.ask("POST", "/register", &headers, &metadata);
    let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    (answer.status, body)
}

/// The value of a field to copy.
fn copied(body: &str, id: &str) -> String {
    let (_, after) = body.split_once(&format!("id=\"{id}\"")).unwrap();
    let (_, after) = after.split_once("value=\"").unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[test]
fn an_administrator_lets_one_application_register_and_sees_it_marked() {
    let world = World::started();
    let mut admin = administrator(&world);
    let page = admin.get(PAGE);
    let checked = "value=\"off\" checked";
    assert!(page.body.contains(checked), "{}", page.body);
    let saved = admin.submit(&page, PAGE, &[("policy", "token")]);
    assert_eq!(saved.status, 303);
    let shown = world.verb(&["registration", "show"], "");
    assert_eq!(shown["registration"], "token");

    let (page, tokens) = (admin.get(PAGE), format!("{PAGE}/tokens"));
    let token = [("note", "Tablet"), ("days", "1"), ("uses", "2")];
    let issued = admin.submit(&page, &tokens, &token);
    assert_eq!(issued.status, 200);
    let secret = copied(&issued.body, "value-1");
    assert_eq!(register(&world, &secret).0, 201);

    let page = admin.get(PAGE);
    assert!(!page.body.contains(&secret), "it is shown once");
    assert!(
        page.body.contains("1 registered themselves"),
        "{}",
        page.body
    );
    for path in ["/admin/applications", PAGE] {
        let page = admin.get(path);
        let marked = page.body.matches("registered itself").count();
        assert_eq!(marked, usize::from(path != PAGE), "{path}");
    }
    let listed = world.verb(&["registration", "list-tokens"], "");
    let id = listed[0]["id"].as_str().unwrap();
    let remove = format!("{PAGE}/tokens/{id}/remove");
    assert!(!hidden(&page.body, &remove).is_empty());
    let removed = admin.submit(&page, &remove, &[]);
    assert_eq!(removed.status, 303);
    assert_eq!(register(&world, &secret).0, 401);
}

#[test]
fn what_cannot_be_set_is_said_beside_its_field_and_changes_nothing() {
    let world = World::started();
    let mut admin = administrator(&world);
    let tokens = format!("{PAGE}/tokens");
    for (days, uses, field) in [
        ("0", "1", "days"),
        ("1", "1001", "uses"),
        ("x", "1", "days"),
    ] {
        let page = admin.get(PAGE);
        let typed = [("note", "Tablet"), ("days", days), ("uses", uses)];
        let refused = admin.submit(&page, &tokens, &typed);
        assert_eq!(refused.status, 422, "{days} {uses}");
        let error = format!("id=\"f-{field}-error\"");
        assert!(refused.body.contains(&error), "{days} {uses}");
    }
    let page = admin.get(PAGE);
    let refused = admin.submit(&page, PAGE, &[("policy", "everybody")]);
    assert_eq!(refused.status, 422);
    assert_eq!(world.verb(&["registration", "list-tokens"], ""), json!([]));
    let shown = world.verb(&["registration", "show"], "");
    assert_eq!(shown["registration"], "off");
    let gone = admin.submit(&page, &tokens, &[("days", "1"), ("uses", "1")]);
    assert_eq!(gone.status, 200);
}

#[test]
fn an_administrator_lets_applications_describe_themselves() {
    let world = World::started();
    let mut admin = administrator(&world);
    let action = format!("{PAGE}/documents");
    let shown = || world.verb(&["registration", "show"], "")["client_documents"].clone();
    assert_eq!(shown(), false);
    for (typed, status, on) in [
        ("on", 303, true),
        ("perhaps", 422, true),
        ("off", 303, false),
    ] {
        let page = admin.get(PAGE);
        let saved = admin.submit(&page, &action, &[("documents", typed)]);
        assert_eq!((saved.status, shown()), (status, json!(on)), "{typed}");
    }
}

#[test]
fn people_are_told_that_an_application_registered_itself() {
    let world = World::started();
    world.user("alice");
    world.verb(&["registration", "token"], "");
    let token = world.verb(&["registration", "add-token"], "");
    let (status, made) = register(&world, token["token"].as_str().unwrap());
    assert_eq!(status, 201);
    let by_hand = world.client("By hand", &["--redirect-uri", REDIRECT]);
    let registered = crate::world::TestClient {
        id: made["client_id"].as_str().unwrap().to_owned(),
        secret: String::new(),
    };
    let mut browser = world.sign_in("alice");
    for (client, told) in [(by_hand, false), (registered, true)] {
        let page = browser.authorize(&client, "openid", "");
        assert!(page.body.contains("name=\"decision\""), "{page:?}");
        assert_eq!(page.body.contains("registered itself"), told);
    }
}
