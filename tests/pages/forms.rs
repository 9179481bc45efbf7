//! A form that changes something must be ours: its token, its origin, and where it leads.

use crate::world::{Browser, World, hidden};

/// Every form there is, with who may send it.
const FORMS: &[&str] = &[
    "/login",
    "/login/again",
    "/select-account",
    "/consent",
    "/setup",
    "/link",
    "/account/applications/revoke",
    "/account/sessions/revoke",
    "/admin/applications/new",
    "/admin/people/new",
    "/admin/groups/new",
    "/admin/resources/new",
    "/admin/keys/rotate",
    "/admin/registration",
    "/admin/registration/tokens",
    "/admin/registration/tokens/x/remove",
    "/admin/try",
];

#[test]
fn a_form_without_our_token_or_from_another_origin_changes_nothing() {
    let world = World::started();
    world.user("alice");
    world.verb(
        &["user", "add", "root", "--admin", "--password-stdin"],
        crate::world::PASSWORD,
    );
    let mut admin = world.sign_in("root");
    let page = admin.get("/");
    let token = hidden(&page.body, "/logout")
        .into_iter()
        .find(|(n, _)| n == "csrf")
        .unwrap()
        .1;
    for path in FORMS {
        let without = admin.post(path, "", "name=x&username=x&password=y");
        assert!(
            matches!(without.status, 400 | 403 | 410),
            "{path} without a token: {}",
            without.status
        );
        let wrong = admin.post(path, "", "csrf=AAAA&name=x&username=x&password=y");
        assert!(
            matches!(wrong.status, 400 | 403 | 410),
            "{path} with a wrong token: {}",
            wrong.status
        );
        let body = format!("csrf={token}&name=x&username=x&password=y");
        for headers in [
            "Origin: https://evil.example\r\n",
            "Origin: null\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
        ] {
            let foreign = admin.post(path, headers, &body);
            assert!(
                matches!(foreign.status, 400 | 403 | 410),
                "{path} {headers}: {}",
                foreign.status
            );
        }
    }
    assert!(
        !String::from_utf8(world.run(&["client", "list"], "").stdout)
            .unwrap()
            .contains("\"x\"")
    );
}

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
