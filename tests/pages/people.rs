//! Who may open what, and that a person who is shut out is out at once.

use crate::world::{Browser, World};

#[test]
fn the_setup_link_makes_the_first_administrator_once() {
    let world = World::started();
    let url = world.verb(&["setup-link"], "")["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let target = url.strip_prefix(&world.issuer()).unwrap().to_owned();
    let mut browser = Browser::new(&world);
    let page = browser.get(&target);
    assert_eq!(page.status, 200);
    let weak = [
        ("username", "root"),
        ("password", "password"),
        ("password_again", "password"),
    ];
    let refused = browser.submit(&page, "/setup", &weak);
    assert!(matches!(refused.status, 400 | 422), "{}", refused.status);
    let good = [
        ("username", "root"),
        ("password", crate::world::PASSWORD),
        ("password_again", crate::world::PASSWORD),
    ];
    let done = browser.submit(&page, "/setup", &good);
    assert_eq!(
        (done.status, done.header("Location")),
        (303, Some("/admin"))
    );
    assert_eq!(browser.get("/admin").status, 200);
    assert_eq!(world.ask("GET", &target, "", "").status, 410);
    assert!(!world.run(&["setup-link"], "").status.success());
}

#[test]
fn admin_pages_are_for_administrators() {
    let world = World::started();
    world.user("alice");
    let mut alice = world.sign_in("alice");
    for path in [
        "/admin",
        "/admin/applications",
        "/admin/people",
        "/admin/audit/export",
        "/admin/keys",
        "/admin/try",
    ] {
        assert_eq!(alice.get(path).status, 403, "{path}");
        let stranger = world.ask("GET", path, "", "");
        assert_eq!(stranger.status, 303, "{path}");
        assert!(
            stranger
                .header("Location")
                .unwrap()
                .starts_with("/login?continue=")
        );
    }
}

#[test]
fn a_disabled_person_is_out_at_once() {
    let world = World::started();
    world.user("alice");
    let mut alice = world.sign_in("alice");
    assert!(alice.get("/").body.contains("alice@example.org"));
    world.verb(&["user", "disable", "alice"], "");
    assert!(!alice.get("/").body.contains("alice@example.org"));
}

#[test]
fn every_admin_page_opens() {
    let world = World::started();
    world.verb(
        &["user", "add", "root", "--admin", "--password-stdin"],
        crate::world::PASSWORD,
    );
    let client = world.trusted();
    let user = world.verb(&["user", "show", "root"], "")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut admin = world.sign_in("root");
    for path in [
        "/admin".to_owned(),
        "/admin/applications".to_owned(),
        "/admin/applications/new".to_owned(),
        format!("/admin/applications/{}", client.id),
        "/admin/people".to_owned(),
        "/admin/people/new".to_owned(),
        format!("/admin/people/{user}"),
        "/admin/groups".to_owned(),
        "/admin/groups/new".to_owned(),
        "/admin/sessions".to_owned(),
        "/admin/keys".to_owned(),
        "/admin/audit".to_owned(),
        "/admin/audit/export".to_owned(),
        "/admin/try".to_owned(),
    ] {
        assert_eq!(admin.get(&path).status, 200, "{path}");
    }
    assert_eq!(admin.get("/admin/nothing").status, 404);
}
