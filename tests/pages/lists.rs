//! Lists of the admin pages: turning the pages shows every record once, and a search finds its own.

use crate::world::{Browser, World, redeem};

/// More than one page of each.
const MANY: usize = 53;

#[test]
fn every_list_is_turned_page_by_page_and_searched() {
    let world = World::started();
    let group = |number: usize| format!("group-{number:03}");
    let groups: Vec<String> = (0..MANY).map(group).collect();
    let mut root = vec!["user", "add", "root", "--admin", "--password-stdin"];
    for name in &groups {
        root.extend(["--group", name]);
    }
    world.verb(&root, crate::world::PASSWORD);
    let mut people = vec!["root".to_owned()];
    let mut applications = Vec::new();
    for number in 0..MANY {
        let (person, application) = (format!("person-{number:03}"), format!("App {number:03}"));
        world.verb(&["user", "add", &person, "--no-password"], "");
        world.client(&application, &["--redirect-uri", crate::world::REDIRECT]);
        people.push(person);
        applications.push(application);
    }
    people.sort();

    let mut admin = world.sign_in("root");
    for (path, all, last) in [
        ("/admin/people", people, "PERSON-052"),
        ("/admin/applications", applications, "app 052"),
        ("/admin/groups", groups, "Group-052"),
    ] {
        let pages = turned(&mut admin, path);
        assert_eq!(pages.len(), 2, "{path}");
        assert_eq!(pages.concat(), all, "{path}");
        let query = format!("{path}?q={}", crate::world::encode(last));
        let found = turned(&mut admin, &query).concat();
        assert_eq!(found, [last.to_lowercase().replace("app", "App")], "{path}");
        assert_eq!(
            turned(&mut admin, &format!("{path}?q=nothing-such")).concat(),
            [""; 0]
        );
        // What no record is called like is a place in the list, or its beginning; never a failure.
        assert_eq!(
            admin.get(&format!("{path}?after=%00%C3%A4&q=%22")).status,
            200
        );
    }
}

/// The names on every page, following "Next page".
fn turned(admin: &mut Browser<'_>, path: &str) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        assert!(pages.len() < 10, "{path}");
        let answer = admin.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        let rows = answer.body.split("class=\"name\"").skip(1);
        let name = |row: &str| Some(row.split_once('>')?.1.split_once('<')?.0.to_owned());
        pages.push(rows.filter_map(name).collect());
        next = answer
            .body
            .split_once("\">Next page")
            .and_then(|(before, _)| before.rsplit_once("href=\""))
            .map(|(_, href)| href.replace("&#38;", "&"));
    }
    pages
}

#[test]
fn an_event_about_a_group_names_it() {
    let world = World::started();
    world.admin("root");
    let mut admin = world.sign_in("root");
    let page = admin.get("/admin/groups/new");
    let added = admin.submit(&page, "/admin/groups/new", &[("name", "cooks")]);
    assert_eq!(added.status, 303, "{added:?}");
    let page = admin.get("/admin/groups/~cooks");
    let fields = [("name", "bakers"), ("description", "")];
    let renamed = admin.submit(&page, "/admin/groups/~cooks", &fields);
    assert_eq!(renamed.status, 303, "{renamed:?}");
    let page = admin.get("/admin/groups/~bakers/delete");
    let deleted = admin.submit(&page, "/admin/groups/~bakers/delete", &[]);
    assert_eq!(deleted.status, 303, "{deleted:?}");
    for path in ["/admin", "/admin/audit"] {
        let shown = admin.get(path).body;
        for words in [
            "Group changed: cooks, by root<",
            "Group changed: cooks renamed to bakers, by root<",
            "Group deleted: bakers, by root<",
        ] {
            assert_eq!(
                shown.replace(" <", "<").matches(words).count(),
                1,
                "{path} {words}"
            );
        }
    }
}

/// “Tokens issued after sign-in” stood there where none were.
#[test]
fn what_was_refused_does_not_read_as_if_it_had_been_done() {
    let world = World::started();
    world.admin("root");
    let client = world.trusted();
    let mut admin = world.sign_in("root");
    let code = admin.code(&client, "openid");
    for status in [200, 400] {
        assert_eq!(world.token(&client, &redeem(&code)).status, status);
    }
    let of_client = format!("/admin/audit?application={}", client.id);
    for path in ["/admin", &of_client] {
        let shown = admin.get(path).body;
        let rows = shown.split("class=\"tag bad\">Refused</span>").skip(1);
        let refused: Vec<&str> = rows.collect();
        assert_eq!(refused.len(), 1, "{path}: {shown}");
        assert!(
            refused[0].starts_with(" No tokens after a sign-in"),
            "{path}: {}",
            refused[0]
        );
    }
    let page = admin.get(&format!("/admin/applications/{}", client.id));
    let words = "It was refused the last time.</strong> No tokens after a sign-in, ";
    assert!(page.body.contains(words), "{}", page.body);
}

/// “Settings changed” alone said nothing.
#[test]
fn an_event_about_settings_says_what_changed_and_no_secret() {
    let world = World::started();
    world.admin("root");
    world.verb(&["registration", "open"], "");
    let token = world.verb(&["metrics", "token"], "");
    let token = token["metrics_token"].as_str().unwrap();
    let mut admin = world.sign_in("root");
    for path in ["/admin", "/admin/audit"] {
        let shown = admin.get(path).body;
        for words in [
            "Settings changed: registration from off to open, by command line",
            "Settings changed: metrics_token set, by command line",
        ] {
            assert!(shown.contains(words), "{path} {words}: {shown}");
        }
        assert!(!shown.contains(token), "{path}");
    }
}
