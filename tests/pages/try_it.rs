//! The built-in test application: what it got is shown, and gone afterwards.

use crate::world::{Answer, World, encode};

const NAME: &str = "Doorlight test application";

#[test]
fn a_try_leaves_no_access_behind() {
    let world = World::started();
    world.admin("root");
    let mut admin = world.sign_in("root");
    let location = |answer: &Answer| {
        let location = answer.header("Location").unwrap_or_default();
        location.replace(&world.issuer(), "")
    };
    // Permission is asked at the first try only.
    for first in [true, false] {
        let page = admin.get("/admin/try");
        let begun = admin.submit(&page, "/admin/try", &[("scope", "email")]);
        let mut answer = admin.get(&location(&begun));
        if first {
            answer = admin.submit(&answer, "/consent", &[("decision", "allow")]);
        }
        let callback = location(&answer);
        assert!(callback.starts_with("/admin/try/callback?"), "{answer:?}");
        let shown = admin.get(&callback);
        assert_eq!(shown.status, 200);
        assert!(shown.body.contains("It works") && shown.body.contains("have been thrown away"));

        let held = admin.get("/admin/sessions").body;
        assert!(!held.contains(NAME) && held.contains("No application holds a token"));
        let query = format!(
            "/admin/audit?kind=token.revoked&application={}",
            encode(NAME)
        );
        let ended = admin
            .get(&query)
            .body
            .matches(&format!(">{NAME}</td>"))
            .count();
        assert_eq!(ended, if first { 1 } else { 2 });
    }
    assert!(
        admin.get("/admin/people?q=root").body.contains(">root<"),
        "still signed in"
    );
}
