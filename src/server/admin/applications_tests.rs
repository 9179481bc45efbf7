//! Adding an application, what it is turned away with, and the tour of the other pages, as a browser sees it.

use crate::model::Decision;
use crate::server::admin::testing::{Browser, House, PASSWORD, between, path_of, set_up};

/// The form of a new application as a browser sends it.
fn add(browser: &mut Browser, house: &House, fields: &[(&str, &str)]) -> u16 {
    browser.get(house, "/admin/applications/new");
    let usual = [
        ("kind", "web"),
        ("scope", "openid"),
        ("scope", "email"),
        ("grant", "authorization_code"),
        ("grant", "refresh_token"),
        ("profile", "standard"),
        ("id_token_alg", "RS256"),
        ("subject_type", "public"),
        ("access_token_alg", "ES256"),
        ("consent", "once"),
        ("refresh", "when_asked"),
        ("access_token_minutes", "15"),
        ("refresh_idle_days", "30"),
        ("refresh_absolute_days", "365"),
    ];
    let set: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let mut all = fields.to_vec();
    all.extend(usual.iter().filter(|(name, _)| !set.contains(name)));
    browser.post(house, "/admin/applications/new", &all)
}

fn events(house: &House) -> String {
    let snapshot = house.ctx.store.snapshot().unwrap();
    let filter = crate::store::EventFilter::default();
    let log = snapshot.view().events(&filter, None, 1_000).unwrap();
    format!("{:?}", log.events)
}

#[test]
fn an_application_is_added_and_its_secret_is_shown_once() {
    let (house, mut root) = set_up("applications");
    assert_eq!(
        add(&mut root, &house, &[("name", "<Notes>")]),
        422,
        "no address"
    );
    assert!(root.page.contains("needs an address") && !root.page.contains("<Notes>"));
    let uri = ("redirect_uris", "https://notes.example/cb\r\n\r\n");
    assert_eq!(add(&mut root, &house, &[("name", "Notes"), uri]), 200);
    let secret = between(
        &root.page,
        "id=\"value-2\" class=\"mono\" readonly value=\"",
        "\"",
    );
    assert_eq!(secret.len(), 43);
    let id = between(
        &root.page,
        "id=\"value-1\" class=\"mono\" readonly value=\"",
        "\"",
    );
    let page = format!("/admin/applications/{id}");
    assert!(root.page.contains(">Open the settings of Notes</a>"));
    assert_eq!(add(&mut root, &house, &[("name", "notes"), uri]), 422);
    assert!(
        root.page
            .contains("There is an application of this name already.")
    );
    assert!(
        root.page
            .contains("it was added, and the secret is shown once")
    );

    for path in [
        page.as_str(),
        "/admin/applications",
        "/admin",
        "/admin/audit",
    ] {
        assert_eq!(root.get(&house, path), 200, "{path}");
        assert!(
            root.page.contains("Notes") && !root.page.contains(&secret),
            "{path}"
        );
    }

    root.get(&house, &page);
    assert_eq!(
        root.post(&house, &format!("{page}/secrets/rotate"), &[]),
        200
    );
    let second = between(
        &root.page,
        "id=\"value-2\" class=\"mono\" readonly value=\"",
        "\"",
    );
    assert_ne!(second, secret);
    root.get(&house, &page);
    assert_eq!(
        root.post(&house, &format!("{page}/secrets/rotate"), &[]),
        422
    );
    root.get(&house, &page);
    let newest = between(&root.page, "name=\"secret\" value=\"", "\"");
    let remove = format!("{page}/secrets/remove");
    assert_eq!(root.post(&house, &remove, &[("secret", &newest)]), 303);
    root.get(&house, &page);
    assert_eq!(root.post(&house, &remove, &[("secret", "1")]), 404);

    root.get(&house, &format!("{page}/delete"));
    assert_eq!(root.post(&house, &format!("{page}/delete"), &[]), 303);
    assert_eq!(root.get(&house, &page), 404);
    let log = events(&house);
    for text in [&secret, &second, PASSWORD] {
        assert!(!log.contains(text), "a secret is in the log");
    }
}

/// Refusals are recorded behind the answer: waits for the writer.
fn settle(house: &House) {
    let nothing = house
        .ctx
        .store
        .submit(|_| Ok(Decision::reply(Ok::<(), ()>(()))));
    assert_eq!(nothing, Ok(Ok(())));
}

#[test]
fn a_refused_address_is_shown_and_added_with_one_button() {
    let (house, mut root) = set_up("refused");
    let uri = ("redirect_uris", "https://notes.example/cb");
    add(&mut root, &house, &[("name", "Notes"), uri]);
    let id = between(
        &root.page,
        "id=\"value-1\" class=\"mono\" readonly value=\"",
        "\"",
    );
    let page = format!("/admin/applications/{id}");
    let sent = "https%3A%2F%2Fnotes.example%2Fcb%2F";
    let authorize = format!("/authorize?response_type=code&client_id={id}&redirect_uri={sent}");
    assert_eq!(root.get(&house, &authorize), 400);
    settle(&house);

    assert_eq!(root.get(&house, &page), 200);
    let offered = between(&root.page, "name=\"redirect_uri\" value=\"", "\"");
    assert_eq!(offered, "https://notes.example/cb/");
    assert_eq!(root.get(&house, "/admin/applications"), 200);
    assert!(root.page.contains("was refused"));
    root.get(&house, &page);
    let add = format!("{page}/redirect-uris/add");
    assert_eq!(
        root.post(&house, &add, &[("redirect_uri", "javascript:alert(1)")]),
        422
    );
    assert_eq!(root.post(&house, &add, &[("redirect_uri", &offered)]), 303);
    let saved = root.location.clone();
    assert_eq!(root.get(&house, &saved), 200);
    assert!(
        root.page.contains("The address was added.") && !root.page.contains("Add this address")
    );
    root.get(&house, "/admin/applications");
    assert!(!root.page.contains("was refused"), "that is settled");
}

#[test]
fn a_try_shows_both_tokens_and_their_signatures() {
    let (house, mut root) = set_up("try");
    assert_eq!(root.get(&house, "/admin/try"), 200);
    let scopes = [("scope", "email"), ("scope", "admin:everything")];
    assert_eq!(root.post(&house, "/admin/try", &scopes), 303);
    let authorize = path_of(&root.location);
    assert!(authorize.contains("scope=openid+email&") && authorize.contains("S256"));
    assert_eq!(root.get(&house, &authorize), 200, "{}", root.location);
    let fields = [
        ("request", hidden(&root.page, "request")),
        ("continue", hidden(&root.page, "continue")),
    ];
    let mut allow: Vec<(&str, &str)> = vec![("decision", "allow")];
    allow.extend(fields.iter().filter_map(|(n, v)| Some((*n, v.as_deref()?))));
    let status = root.post(&house, "/consent", &allow);
    assert_eq!(status, 303, "{}", root.page);
    let callback = path_of(&root.location);
    assert!(callback.starts_with("/admin/try/callback?"));

    // Somebody else's answer, and a changed one, come to nothing.
    let forged = callback.replace("state=", "state=x");
    let mut other = Browser {
        cookies: root.cookies.clone(),
        ..Browser::default()
    };
    assert_eq!(other.get(&house, &forged), 303);
    assert_eq!(other.location, "/admin/try?error=state");
    other.cookies = root.cookies.clone();
    other.cookies.retain(|(name, _)| name != "doorlight-try");
    assert_eq!(other.get(&house, &callback), 303);
    assert_eq!(other.location, "/admin/try?error=expired");

    assert_eq!(root.get(&house, &callback), 200, "{}", root.location);
    assert_eq!(root.page.matches("Signature is valid").count(), 2);
    assert!(root.page.contains("It works") && root.page.contains("at+jwt"));
    assert_eq!(root.get(&house, &callback), 303, "once only");
    let told = root.location.clone();
    assert_eq!(root.get(&house, &told), 200);
    assert!(root.page.contains("It took longer than ten minutes"));

    // The second try makes no second application.
    root.get(&house, "/admin/try");
    root.post(&house, "/admin/try", &scopes);
    let snapshot = house.ctx.store.snapshot().unwrap();
    assert_eq!(snapshot.view().client_count().unwrap(), 1);
}

fn hidden(page: &str, name: &str) -> Option<String> {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&mark)?;
    let value = rest.split_once('"')?.0;
    Some(value.replace("&#38;", "&").replace("&amp;", "&"))
}

#[test]
fn keys_are_replaced_and_withdrawn() {
    let (house, mut root) = set_up("keys");
    assert_eq!(root.get(&house, "/admin/keys"), 200);
    assert_eq!(
        root.post(&house, "/admin/keys/rotate", &[("alg", "none")]),
        422
    );
    root.get(&house, "/admin/keys");
    assert_eq!(
        root.post(&house, "/admin/keys/rotate", &[("alg", "ES256")]),
        303
    );
    assert_eq!(root.location, "/admin/keys?done=rotated");
    root.get(&house, "/admin/keys?done=rotated");
    assert!(root.page.contains("The new one signs from now on.") && root.page.contains("Retired"));
    let kid = between(&root.page, "<code>", "</code>");
    let withdraw = format!("/admin/keys/{kid}/withdraw");
    assert_eq!(root.get(&house, &withdraw), 200);
    assert_eq!(root.post(&house, &withdraw, &[]), 303);
    root.get(&house, "/admin/keys");
    assert!(!root.page.contains(&kid));
    assert_eq!(root.page.matches(">Signing<").count(), 2);
    assert_eq!(root.get(&house, &withdraw), 404);
}

#[test]
fn the_log_is_filtered_paged_and_exported() {
    let (house, mut root) = set_up("audit");
    for (query, found) in [
        ("", true),
        ("?person=ROOT&kind=setup.completed", true),
        ("?person=root&kind=client.added", false),
        ("?outcome=success", true),
        ("?application=nothing", false),
        ("?after=0", false),
    ] {
        assert_eq!(root.get(&house, &format!("/admin/audit{query}")), 200);
        assert_eq!(!root.page.contains("Nothing matches."), found, "{query}");
    }
    for (query, words) in [
        (
            "?kind=no.such.kind",
            "Kind: there is no “no.such.kind”; there are server.started, ",
        ),
        (
            "?outcome=maybe",
            "Outcome: there is no “maybe”, only success and refused.",
        ),
        (
            "?request=Abc&person=root",
            "Request: not the id of a request: expected ten letters and digits.",
        ),
    ] {
        assert_eq!(root.get(&house, &format!("/admin/audit{query}")), 422);
        assert!(root.page.contains(words), "{query}: {}", root.page);
        assert!(!root.page.contains("Nothing matches."), "{query}");
        assert_eq!(
            root.get(&house, &format!("/admin/audit/export{query}")),
            422
        );
    }
    assert_eq!(root.get(&house, "/admin/audit?person=%ff"), 400);
    root.get(&house, "/admin/audit?person=%3Cscript%3E");
    assert!(!root.page.contains("<script>"));

    assert_eq!(root.get(&house, "/admin/audit/export?outcome=success"), 200);
    let lines: Vec<serde_json::Value> = root
        .page
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() >= 3);
    assert!(
        lines
            .iter()
            .all(|line| line["outcome"] == "success" && line["id"].is_string())
    );
    assert!(lines[0]["time"].as_str().unwrap().ends_with('Z'));
    let none = "/admin/audit/export?person=root&kind=client.added";
    assert_eq!(root.get(&house, none), 200);
    assert_eq!(root.page, "");
}

#[test]
fn no_page_below_admin_answers_who_is_no_administrator() {
    let (house, _) = set_up("guard");
    let mut nobody = Browser::default();
    for path in [
        "",
        "/applications",
        "/keys",
        "/audit",
        "/audit/export",
        "/try",
        "/try/callback",
    ] {
        assert_eq!(nobody.get(&house, &format!("/admin{path}")), 303, "{path}");
        assert!(nobody.location.starts_with("/login?"), "{path}");
    }
}
