//! Who may open what, and that a person who is shut out is out at once.

use crate::world::{Answer, Browser, World};

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
    let wrong = browser.submit(
        &page,
        "/setup",
        &[("username", "ro ot"), ("email", "nowhere")],
    );
    assert_eq!(wrong.status, 422);
    let problems = wrong.body.split("class=\"problem\"").skip(1);
    for problem in problems {
        let said = problem.split_once('>').unwrap().1;
        assert!(said.starts_with(char::is_uppercase), "{said}");
    }
    assert!(wrong.body.contains("value=\"nowhere\""));
    for weak in ["password", "liverpool7"] {
        let fields = [
            ("username", "root"),
            ("password", weak),
            ("password_again", weak),
        ];
        let refused = browser.submit(&page, "/setup", &fields);
        assert_eq!(refused.status, 422);
        assert!(
            refused.body.contains("Too easy to guess.")
                && refused.body.contains("Add another word or two."),
            "what to do is said"
        );
    }
    let good = [
        ("username", "root"),
        ("email", "root@example.org"),
        ("password", crate::world::PASSWORD),
        ("password_again", crate::world::PASSWORD),
    ];
    let done = browser.submit(&page, "/setup", &good);
    assert_eq!(
        (done.status, done.header("Location")),
        (303, Some("/admin"))
    );
    assert_eq!(browser.get("/admin").status, 200);
    let shown = world.verb(&["user", "show", "root"], "");
    assert_eq!(
        (shown["email"].as_str(), shown["email_verified"].as_bool()),
        (Some("root@example.org"), Some(true))
    );
    assert!(
        !browser
            .get("/admin/try")
            .body
            .contains("some applications refuse that")
    );
    let log = browser.get("/admin/audit").body;
    assert!(log.contains("One-time link made, by start"), "{log}");
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
    world.admin("root");
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

/// A world with an administrator, and their browser's view of it.
fn administered() -> World {
    let world = World::started();
    world.admin("root");
    world
}

/// Whether a box of the page is ticked.
fn ticked(page: &Answer, name: &str, value: &str) -> bool {
    page.body.split("<input").any(|input| {
        let tag = input.split('>').next().unwrap();
        tag.contains(&format!("name=\"{name}\""))
            && tag.contains(&format!("value=\"{value}\""))
            && tag.contains("checked")
    })
}

#[test]
fn a_form_from_before_somebody_was_switched_off_does_not_let_them_in_again() {
    let world = administered();
    world.user("alice");
    let id = |name: &str| world.verb(&["user", "show", name], "")["id"].clone();
    let path = format!("/admin/people/{}", id("alice").as_str().unwrap());
    let mut root = world.sign_in("root");
    let before = root.get(&path);
    world.verb(&["user", "disable", "alice"], "");
    let fields = [("username", "alice"), ("full_name", "Alice")];
    let refused = root.submit(&before, &path, &fields);
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("This was changed meanwhile"));
    assert!(ticked(&refused, "disabled", "on"), "the form as it is now");
    let alice = || world.verb(&["user", "show", "alice"], "");
    assert_eq!(alice()["disabled"], true);
    assert!(alice()["name"].is_null());

    // From the page as it is now, everything can be changed; a form that says nothing of what it saw changes nothing.
    let all = [fields.as_slice(), &[("disabled", "on")]].concat();
    assert_eq!(root.submit(&refused, &path, &all).status, 303);
    assert_eq!(
        (&alice()["name"], &alice()["disabled"]),
        (&"Alice".into(), &true.into())
    );
    assert_eq!(root.submit(&refused, &path, &fields).status, 409);
    let csrf = crate::world::hidden(&before.body, &path).remove(0);
    let body = format!("{}={}&username=alice", csrf.0, csrf.1);
    assert_eq!(root.post(&path, "", &body).status, 409);
}

#[test]
fn a_form_from_before_an_application_was_closed_to_others_does_not_open_it_again() {
    let world = administered();
    let made = world.verb(
        &["user", "add", "alice", "--group", "family", "--no-password"],
        "",
    );
    assert_eq!(made["groups"][0], "family");
    let path = format!("/admin/applications/{}", world.trusted().id);
    let fields = [
        ("name", "App"),
        ("kind", "web"),
        ("redirect_uris", crate::world::REDIRECT),
        ("scope", "openid"),
        ("grant", "authorization_code"),
        ("profile", "standard"),
        ("id_token_alg", "RS256"),
        ("subject_type", "public"),
        ("access_token_alg", "ES256"),
        ("consent", "trusted"),
        ("refresh", "when_asked"),
        ("access_token_minutes", "15"),
        ("refresh_idle_days", "30"),
        ("refresh_absolute_days", "365"),
    ];
    let (mut root, mut other) = (world.sign_in("root"), world.sign_in("root"));
    let before = root.get(&path);
    let page = other.get(&path);
    let narrow = [fields.as_slice(), &[("allowed_group", "family")]].concat();
    assert_eq!(other.submit(&page, &path, &narrow).status, 303);
    let refused = root.submit(&before, &path, &fields);
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("This was changed meanwhile"));
    assert!(ticked(&refused, "allowed_group", "family"), "as it is now");
    assert!(ticked(&other.get(&path), "allowed_group", "family"));
    assert_eq!(root.submit(&refused, &path, &fields).status, 303);
    assert!(!ticked(&other.get(&path), "allowed_group", "family"));
}
