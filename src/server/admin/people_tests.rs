//! From the setup link to a person who chose a password and was switched off, as browsers see it.

use crate::server::admin::testing::{Browser, PASSWORD, between, set_up};

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

    let both = [
        ("username", "ben"),
        ("way_in", "link"),
        ("password", "nine brown kettles"),
    ];
    assert_eq!(root.post(&house, "/admin/people/new", &both), 422);
    assert!(root.page.contains("A password was typed, but"));
    assert!(!root.page.contains("kettles"));

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
