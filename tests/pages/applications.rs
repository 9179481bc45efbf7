//! What the page of an application sets, and what comes of it.

use crate::world::{Answer, Browser, REDIRECT, TestClient, World, encode};

/// The settings of an application as its page sends them, but for those in `changed`.
fn save(admin: &mut Browser<'_>, client: &TestClient, changed: &[(&str, &str)]) -> Answer {
    let path = format!("/admin/applications/{}", client.id);
    let page = admin.get(&path);
    let usual = [
        ("name", "App"),
        ("kind", "web"),
        ("redirect_uris", REDIRECT),
        ("scope", "openid"),
        ("scope", "offline_access"),
        ("grant", "authorization_code"),
        ("grant", "refresh_token"),
        ("profile", "standard"),
        ("id_token_alg", "ES256"),
        ("subject_type", "public"),
        ("access_token_alg", "ES256"),
        ("consent", "trusted"),
        ("refresh", "when_asked"),
        ("access_token_minutes", "15"),
        ("refresh_idle_days", "30"),
        ("refresh_absolute_days", "365"),
    ];
    let mut fields = changed.to_vec();
    let set = |name: &str| changed.iter().any(|(changed, _)| *changed == name);
    fields.extend(usual.into_iter().filter(|(name, _)| !set(name)));
    admin.submit(&page, &path, &fields)
}

fn administrator(world: &World) -> Browser<'_> {
    world.admin("root");
    world.sign_in("root")
}

#[test]
fn how_long_an_application_stays_connected_is_set_within_bounds() {
    let world = World::started();
    let mut admin = administrator(&world);
    let client = world.trusted();
    for (field, wrong) in [
        ("refresh_idle_days", "0"),
        ("refresh_idle_days", "3651"),
        ("refresh_absolute_days", "0"),
        ("refresh_absolute_days", "3651"),
    ] {
        let refused = save(&mut admin, &client, &[(field, wrong)]);
        assert_eq!(refused.status, 422, "{field} {wrong}");
        let why = format!("id=\"f-{field}-error\">Must be 1 to 3,650 days");
        assert!(refused.body.contains(&why), "{field} {wrong}");
    }
    let days = [("refresh_idle_days", "2"), ("refresh_absolute_days", "1")];
    assert_eq!(save(&mut admin, &client, &days).status, 303);
    let shown = world.verb(&["client", "show", "App"], "");
    assert_eq!(shown["refresh_idle_days"], 2);
    assert_eq!(shown["refresh_absolute_days"], 1);
    let page = admin.get(&format!("/admin/applications/{}", client.id));
    assert!(page.body.contains("name=\"refresh_idle_days\" type=\"number\" min=\"1\" max=\"3650\" inputmode=\"numeric\" value=\"2\""));
}

#[test]
fn the_plain_method_of_pkce_is_refused_until_it_is_allowed() {
    let world = World::started();
    let mut admin = administrator(&world);
    let client = world.trusted();
    let target = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri={}&scope=openid&state=s&code_challenge={}\
         &code_challenge_method=plain",
        client.id,
        encode(REDIRECT),
        crate::world::VERIFIER
    );
    let refused = admin.get(&target);
    assert_eq!(
        refused.parameter("error").as_deref(),
        Some("invalid_request")
    );

    let strict = [("allow_plain_pkce", "on"), ("profile", "strict")];
    let contradiction = save(&mut admin, &client, &strict);
    assert_eq!(contradiction.status, 422);
    assert!(
        contradiction
            .body
            .contains("id=\"f-allow_plain_pkce-error\"")
    );

    let allowed = save(&mut admin, &client, &[("allow_plain_pkce", "on")]);
    assert_eq!(allowed.status, 303);
    assert_eq!(
        world.verb(&["client", "show", "App"], "")["allow_plain_pkce"],
        true
    );
    let code = admin.get(&target).parameter("code").unwrap();
    assert_eq!(
        world.token(&client, &crate::world::redeem(&code)).status,
        200
    );
}

#[test]
fn an_application_that_is_ticked_so_gets_bound_tokens_only() {
    let world = World::started();
    let mut admin = administrator(&world);
    let client = world.trusted();
    let unticked = [
        ("grant", "authorization_code"),
        ("grant", "client_credentials"),
    ];
    let [people, service] = unticked;
    let ticked = [people, service, ("dpop_bound_access_tokens", "on")];
    assert_eq!(save(&mut admin, &client, &ticked).status, 303);
    let shown = world.verb(&["client", "show", "App"], "");
    assert_eq!(shown["dpop_bound_access_tokens"], true);
    let bare = || world.token(&client, "grant_type=client_credentials");
    assert_eq!(bare().json()["error"], "invalid_dpop_proof");
    let page = admin.get(&format!("/admin/applications/{}", client.id));
    let tick = page.body.split("name=\"dpop_bound_access_tokens\"").nth(1);
    assert!(tick.unwrap().split('>').next().unwrap().contains("checked"));

    assert_eq!(save(&mut admin, &client, &unticked).status, 303);
    assert_eq!(bare().status, 200);
}

/// Four addresses that a stranger made up were all that was offered, and that of the family was gone.
#[test]
fn an_address_that_was_refused_to_a_person_stands_before_those_of_strangers() {
    let world = World::started();
    let mut admin = administrator(&world);
    let client = world.trusted();
    let target = |redirect_uri: &str| {
        format!(
            "/authorize?response_type=code&client_id={}&redirect_uri={}&scope=openid",
            client.id,
            encode(redirect_uri)
        )
    };
    assert_eq!(admin.get(&target("https://app.example/ours")).status, 400);
    for n in 0..60 {
        let made_up = target(&format!("https://app.example/made-up-{n}"));
        assert_eq!(world.ask("GET", &made_up, "", "").status, 400);
    }
    let page = page_after_refusals(&world, &mut admin, &client);
    assert_eq!(
        offered(&page),
        [
            "https://app.example/ours",
            "https://app.example/made-up-59",
            "https://app.example/made-up-58"
        ]
    );
}

/// Three addresses in the browser of one person were all that was offered, before what was refused where nobody was
/// signed in.
#[test]
fn a_web_page_that_sends_people_here_with_addresses_of_its_own_gets_one_offer_for_each_and_two_in_all()
 {
    let world = World::started();
    let mut admin = administrator(&world);
    let client = world.trusted();
    let target = |path: &str| {
        format!(
            "/authorize?response_type=code&client_id={}&redirect_uri={}&scope=openid",
            client.id,
            encode(&format!("https://{path}"))
        )
    };
    assert_eq!(
        world.ask("GET", &target("app.example/ours"), "", "").status,
        400
    );
    for n in 0..4 {
        let evil = target(&format!("evil.example/{n}"));
        assert_eq!(admin.get(&evil).status, 400);
    }
    let page = page_after_refusals(&world, &mut admin, &client);
    let [ours, evil] = ["https://app.example/ours", "https://evil.example/3"];
    assert_eq!(offered(&page), [evil, ours]);
    assert!(page.contains("in the browser of root.</p>"), "{page}");
    assert!(page.contains("where nobody was signed in.</p>"), "{page}");
    assert!(page.contains("Any web page can have sent the browser here with it."));
    assert!(page.contains("Anybody can have asked for it."));

    for name in ["alice", "bob"] {
        world.user(name);
        let evil = target(&format!("evil.example/{name}"));
        assert_eq!(world.sign_in(name).get(&evil).status, 400);
    }
    let page = page_after_refusals(&world, &mut admin, &client);
    let [alice, bob] = ["https://evil.example/alice", "https://evil.example/bob"];
    assert_eq!(offered(&page), [bob, alice, ours]);
}

/// The page of an application. Refusals are recorded behind the answer: what is written after them waits for them.
fn page_after_refusals(world: &World, admin: &mut Browser<'_>, client: &TestClient) -> String {
    // A name of its own each time.
    let behind = format!(
        "Behind {}",
        world.verb(&["client", "list"], "").to_string().len()
    );
    world.client(&behind, &["--redirect-uri", REDIRECT]);
    admin
        .get(&format!("/admin/applications/{}", client.id))
        .body
}

/// The addresses that it offers to add.
fn offered(page: &str) -> Vec<&str> {
    let items = page.split("<dt>It asked for</dt><dd><code>").skip(1);
    items.filter_map(|after| after.split('<').next()).collect()
}

#[test]
fn wherever_a_refusal_is_shown_stands_why() {
    let world = World::started();
    let mut admin = administrator(&world);
    let client = world.trusted();
    let ask = |redirect_uri: &str, more: &str| {
        let target = format!(
            "/authorize?response_type=code&client_id={}&redirect_uri={}&scope=openid{more}",
            client.id,
            encode(redirect_uri)
        );
        world.ask("GET", &target, "", "");
        // Refusals are recorded behind the answer: what is written after them waits for them.
        world.client(
            &format!("Behind {redirect_uri}{more}"),
            &["--redirect-uri", REDIRECT],
        );
    };
    let page = format!("/admin/applications/{}", client.id);
    let lists = [
        "/admin/applications",
        "/admin",
        "/admin/audit?outcome=failure",
    ];
    let tag = "class=\"tag bad\">";
    let explained = |answer: &Answer, why: &str| {
        let marks = answer.body.split(tag).skip(1);
        let near = marks.map(|after| after.split("</p>").next().unwrap().to_owned());
        near.filter(|near| near.contains(why)).count()
    };

    ask("https://app.example/other", "");
    let compared = format!(
        "It sent people to an address that is not on its list (redirect URI).<br>Expected: \
         <code>{REDIRECT}</code><br>Received: <code>https://app.example/other</code>"
    );
    for path in lists {
        let answer = admin.get(path);
        assert_eq!(answer.body.matches(tag).count(), 1, "{path}");
        assert_eq!(explained(&answer, &compared), 1, "{path}");
    }
    let answer = admin.get(&page);
    assert!(answer.body.contains("Add this address") && !answer.body.contains("the last time."));

    // A refusal that no button mends is explained on the page of the application too.
    ask(REDIRECT, "&code_challenge=x&code_challenge_method=plain");
    let why = "<p class=\"why\">code_challenge is not valid.</p>";
    for path in lists {
        assert_eq!(
            explained(&admin.get(path), "code_challenge is not valid."),
            1,
            "{path}"
        );
    }
    let answer = admin.get(&page);
    assert!(answer.body.contains("It was refused the last time.") && answer.body.contains(why));
}

/// The box that decides stood below a closed fold, and nobody said what it is called.
#[test]
fn an_address_without_https_names_the_box_and_opens_the_fold() {
    let world = World::started();
    let mut admin = administrator(&world);
    let page = admin.get("/admin/applications/new");
    let fields = [
        ("name", "Notes"),
        ("kind", "web"),
        ("redirect_uris", "http://192.168.1.5/cb"),
        ("scope", "openid"),
        ("grant", "authorization_code"),
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
    let refused = admin.submit(&page, "/admin/applications/new", &fields);
    assert_eq!(refused.status, 422);
    assert!(
        refused
            .body
            .contains("“http://192.168.1.5/cb” is not encrypted")
    );
    assert!(
        refused
            .body
            .contains("tick “Allow addresses with http:// on my network”")
    );
    let before = refused.body.split("name=\"allow_http_redirect\"").next();
    let fold = before.unwrap().rsplit("<details class=\"part").next();
    assert!(fold.unwrap().starts_with("\" open>"));
    // The administrator has no email address, which an application may mind.
    assert!(
        admin
            .get("/admin/try")
            .body
            .contains("some applications refuse that")
    );
}
