//! The pages of APIs: adding, changing, deleting, and a form that was filled from older settings.

use crate::world::World;

const AT: &str = "/admin/resources/~https%3A%2F%2Fapi%2Eexample";

#[test]
fn an_api_is_added_changed_and_deleted_and_nobody_undoes_another_unseen() {
    let world = World::started();
    world.admin("root");
    let client = world.client("Caller", &["--grant", "client_credentials"]);
    let mut admin = world.sign_in("root");
    let page = admin.get("/admin/resources/new");
    let fields = [
        ("name", "API"),
        ("identifier", "https://api.example"),
        ("client", client.id.as_str()),
        ("token_seconds", "900"),
        ("alg", "ES256"),
    ];
    let bad = [
        ("name", "API"),
        ("identifier", "https://api.example#x"),
        ("token_seconds", "900"),
        ("alg", "ES256"),
    ];
    let refused = admin.submit(&page, "/admin/resources/new", &bad);
    assert_eq!(refused.status, 422, "{refused:?}");
    let added = admin.submit(&page, "/admin/resources/new", &fields);
    assert_eq!(added.status, 303, "{added:?}");
    assert!(admin.get("/admin/resources").body.contains(AT));
    let shown = || world.verb(&["resource", "show", "https://api.example"], "");
    assert_eq!(shown()["clients"][0], client.id.as_str());

    let page = admin.get(AT);
    world.verb(
        &["resource", "edit", "https://api.example", "--client", ""],
        "",
    );
    let late = admin.submit(&page, AT, &fields);
    assert_eq!(late.status, 422, "{late:?}");
    assert!(late.body.contains("changed meanwhile"));
    assert_eq!(shown()["clients"], serde_json::json!([]));
    let saved = admin.submit(
        &late,
        AT,
        &[
            ("name", "Other"),
            ("token_seconds", "300"),
            ("alg", "RS256"),
        ],
    );
    assert_eq!(saved.status, 303, "{saved:?}");
    assert_eq!(shown()["token_seconds"], 300);

    let stranger = admin.post(&format!("{AT}/delete"), "", "");
    assert_eq!(stranger.status, 403);
    let page = admin.get(&format!("{AT}/delete"));
    let deleted = admin.submit(&page, &format!("{AT}/delete"), &[]);
    assert_eq!(deleted.status, 303);
    assert_eq!(admin.get(AT).status, 404);
}
