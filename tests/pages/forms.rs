//! Where a form leads, and what comes back of what was typed. Not here: forms that are not ours (`forgery`).

use crate::world::{Browser, World, hidden};

#[test]
fn a_sign_in_leads_to_our_own_paths_only() {
    let world = World::started();
    world.user("alice");
    for to in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ] {
        let mut browser = Browser::new(&world);
        let page = browser.get("/login");
        let mut fields: Vec<(String, String)> = hidden(&page.body, "/login");
        fields.retain(|(name, _)| name != "continue");
        fields.push(("continue".to_owned(), to.to_owned()));
        fields.push(("username".to_owned(), "alice".to_owned()));
        fields.push(("password".to_owned(), crate::world::PASSWORD.to_owned()));
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let answer = browser.post("/login", "", &body.finish());
        assert_eq!(
            (answer.status, answer.header("Location")),
            (303, Some("/")),
            "{to}"
        );
    }
}

#[test]
fn hostile_text_comes_back_escaped() {
    let world = World::started();
    let client = world.trusted();
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for target in [
        format!("/login?continue={hostile}"),
        format!("/authorize?client_id={hostile}"),
        format!("/authorize?client_id={}&redirect_uri={hostile}", client.id),
        format!(
            "/authorize?client_id={}&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&login_hint={hostile}&code_challenge={}&code_challenge_method=S256",
            client.id,
            crate::world::challenge()
        ),
        format!("/setup?token={hostile}"),
        format!("/link?token={hostile}"),
        format!(
            "/logout?post_logout_redirect_uri={hostile}&client_id={}",
            client.id
        ),
    ] {
        assert!(
            !world
                .ask("GET", &target, "", "")
                .body
                .contains("<script>alert"),
            "{target}"
        );
    }
}
