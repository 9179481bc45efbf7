//! The page about backups: the schedule, one at once, and one to take away.

use crate::world::{Browser, World, encode, hidden};
use doorlight::crypto::age::{self, Identity, Key};
use doorlight::types::Secret;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PAGE: &str = "/admin/backups";
const DOWNLOAD: &str = "/admin/backups/download";
const PASSPHRASE: &str = "eleven quiet lighthouses";

fn administrator(world: &World) -> Browser<'_> {
    world.admin("root");
    world.sign_in("root")
}

fn folder(world: &World) -> String {
    let folder = world.dir.join("backups");
    std::fs::create_dir_all(&folder).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn schedule<'a>(folder: &'a str, recipients: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("folder", folder),
        ("at", "04:30"),
        ("daily", "3"),
        ("weekly", "2"),
        ("monthly", "1"),
        ("recipients", recipients),
    ]
}

/// Head and body of a download.
fn taken(browser: &Browser<'_>, page: &str, fields: &[(&str, &str)]) -> (String, Vec<u8>) {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(hidden(page, DOWNLOAD));
    body.extend_pairs(fields);
    let body = body.finish();
    let cookies: Vec<String> = browser
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let head = format!(
        "POST {DOWNLOAD} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        browser.world.port,
        cookies.join("; "),
        body.len()
    );
    let mut stream = browser.world.connect().unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let body = bytes.split_off(end + 4);
    (String::from_utf8(bytes).unwrap(), body)
}

fn is_whole(world: &World, bytes: &[u8]) -> bool {
    let file = world.dir.join("taken.redb");
    std::fs::write(&file, bytes).unwrap();
    let found = world.verb(&["verify", file.to_str().unwrap()], "");
    assert_eq!(found["people"], 1, "{found}");
    found["whole"] == true
}

fn opened(bytes: &[u8], key: Key) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut content = age::decrypt(BufReader::new(bytes), &key).unwrap();
    content.read_to_end(&mut plain).unwrap();
    plain
}

fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "part"))
        .collect()
}

#[test]
fn an_administrator_sets_the_schedule_and_makes_one_at_once() {
    let world = World::started();
    let mut root = administrator(&world);
    let folder = folder(&world);
    let page = root.get(PAGE);
    assert!(page.body.contains("There is none yet."), "{}", page.body);
    assert!(!page.body.contains("Back up now"), "{}", page.body);
    // Where nothing is set, that is seen, with the line to type.
    let overview = root.get("/admin").body;
    let (seen, _fold) = overview.split_once("What is as it should be").unwrap();
    assert!(seen.contains("None is made by itself"), "{seen}");
    assert!(seen.contains("doorlight backups set --folder"), "{seen}");
    assert!(!seen.contains("Nothing to do"), "{seen}");

    assert_eq!(root.submit(&page, PAGE, &schedule(&folder, "")).status, 303);
    let shown = world.verb(&["backups", "show"], "");
    assert_eq!(
        (&shown["folder"], &shown["at"]),
        (&folder.clone().into(), &"04:30 UTC".into())
    );
    assert_eq!((&shown["daily"], &shown["monthly"]), (&3.into(), &1.into()));
    let page = root.get(PAGE);
    assert!(
        page.body.contains("on the disk of the data file"),
        "{}",
        page.body
    );
    // The schedule may be making the one that is due at that moment, or have made one within the same second.
    let begun = Instant::now();
    let made = loop {
        let answer = root.submit(&page, "/admin/backups/run", &[]);
        let again = ["is being made at this moment", "is there already"];
        if !again.iter().any(|words| answer.body.contains(words)) {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", answer.body);
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(made.header("Location"), Some("/admin/backups?done=made"));
    let file = world.verb(&["backups", "show"], "")["last_good_file"].clone();
    let file = file.as_str().unwrap();
    assert_eq!(world.verb(&["verify", file], "")["whole"], true);
    let page = root.get("/admin/backups?done=made");
    assert!(
        page.body.contains("A backup was made and checked."),
        "{}",
        page.body
    );
    assert!(
        page.body.contains(&format!(
            "doorlight --data {} restore {file}",
            world.data().display()
        )),
        "{}",
        page.body
    );
    assert!(root.get("/admin").body.contains("less than a minute ago"));

    // What fails is said there.
    std::fs::rename(&folder, world.dir.join("away")).unwrap();
    let failed = root.submit(&page, "/admin/backups/run", &[]);
    assert_eq!(failed.status, 422);
    assert!(
        failed.body.contains("there is no such folder"),
        "{}",
        failed.body
    );
    let shown = root.get(PAGE).body;
    assert!(shown.contains("The last backup failed"), "{shown}");
    assert_eq!(root.submit(&page, "/admin/backups/off", &[]).status, 303);
    assert!(world.verb(&["backups", "show"], "")["folder"].is_null());
    assert!(!root.get(PAGE).body.contains("The last backup failed"));
}

#[test]
fn what_is_refused_stands_in_the_form_as_it_was_typed() {
    let world = World::started();
    let mut root = administrator(&world);
    let here = folder(&world);
    let private = Identity::generate().text();
    let public = Identity::generate().recipient().to_string();
    let pasted = format!("{public}\r\n {}\r\n", private.expose().to_lowercase());
    let page = root.get(PAGE);
    let mut too_many = schedule(&here, "");
    too_many[3] = ("weekly", "1001");
    let mut no_time = schedule(&here, "");
    no_time[1] = ("at", "4 o'clock");
    for (fields, words) in [
        (schedule("backups", ""), "beginning with a slash"),
        (schedule("/nowhere/at/all", ""), "there is no such folder"),
        (schedule("/proc", ""), "/proc"),
        (schedule(&here, private.expose()), "this is a private key"),
        (schedule(&here, &pasted), "this is a private key"),
        (too_many, "Must be 0 to 1,000"),
        (no_time, "time of day in UTC"),
    ] {
        let refused = root.submit(&page, PAGE, &fields);
        assert_eq!(refused.status, 422, "{fields:?}");
        assert!(refused.body.contains(words), "{fields:?}: {}", refused.body);
        let folder = format!("value=\"{}\"", fields[0].1);
        assert!(refused.body.contains(&folder), "{folder}: {}", refused.body);
        // A private key is not: it stood in the page that was drawn again. What was typed beside it is.
        let body = refused.body.to_uppercase();
        assert!(!body.contains(&private.expose()[20..]), "{}", refused.body);
        let typed = fields[5].1 == pasted;
        assert_eq!(refused.body.contains(&public), typed, "{}", refused.body);
    }
    assert!(world.verb(&["backups", "show"], "")["folder"].is_null());
}

#[test]
fn forms_of_others_and_other_people_move_nothing() {
    let world = World::started();
    let mut root = administrator(&world);
    let folder = folder(&world);
    world.user("alice");
    let mut alice = world.sign_in("alice");
    let body = format!("folder={}&at=04:30&lock=none", encode(&folder));
    for path in [PAGE, "/admin/backups/off", "/admin/backups/run", DOWNLOAD] {
        for (browser, name) in [(&mut root, "root"), (&mut alice, "alice")] {
            let answer = browser.post(path, "", &body);
            assert_eq!(answer.status, 403, "{name} {path}: {answer:?}");
            assert_eq!(answer.header("Content-Disposition"), None, "{name} {path}");
        }
        let stranger = world.ask("POST", path, "", &body);
        assert_eq!(stranger.status, 303, "{path}: {stranger:?}");
    }
    assert_eq!(alice.get(PAGE).status, 403);
    assert!(world.verb(&["backups", "show"], "")["folder"].is_null());
    let output = world.run(&["audit", "--kind", "backup.downloaded"], "");
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{output:?}"
    );
}

#[test]
fn a_download_is_a_whole_backup_and_leaves_a_record_and_nothing_else() {
    let world = World::started();
    let mut root = administrator(&world);
    let page = root.get(PAGE).body;
    let (head, body) = taken(&root, &page, &[("lock", "none")]);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    for header in [
        "Content-Type: application/octet-stream",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        &format!("Content-Length: {}", body.len()),
    ] {
        assert!(head.lines().any(|line| line == header), "{header}: {head}");
    }
    let (_, name) = head
        .split_once("Content-Disposition: attachment; filename=\"doorlight-by-hand-20")
        .unwrap();
    assert!(
        name.split_once("\"\r\n").unwrap().0.ends_with(".redb"),
        "{head}"
    );
    assert!(is_whole(&world, &body));
    let audit = world.run(&["audit", "--kind", "backup.downloaded"], "");
    let audit = String::from_utf8(audit.stdout).unwrap();
    assert!(
        audit.contains("root") && audit.contains("not encrypted"),
        "{audit}"
    );
    // Whether it arrived is not known: it is not the last good one.
    assert!(world.verb(&["backups", "show"], "")["last_good"].is_null());
    assert!(unfinished(&world.dir).is_empty());
}

#[test]
fn a_download_can_be_encrypted_to_the_keys_of_the_schedule_or_with_a_passphrase() {
    let world = World::started();
    let mut root = administrator(&world);
    let page = root.get(PAGE);
    let refused = |root: &mut Browser<'_>, fields: &[(&str, &str)], words: &str| {
        let answer = root.submit(&page, DOWNLOAD, fields);
        assert_eq!(answer.status, 422, "{fields:?}");
        assert!(answer.body.contains(words), "{fields:?}: {}", answer.body);
        assert!(!answer.body.contains(PASSPHRASE), "{}", answer.body);
        assert_eq!(answer.header("Content-Disposition"), None);
    };
    refused(
        &mut root,
        &[("lock", "recipients")],
        "No public keys are set",
    );
    refused(&mut root, &[("lock", "")], "Choose from the list");
    refused(
        &mut root,
        &[
            ("lock", "passphrase"),
            ("passphrase", "doorlight1"),
            ("passphrase_again", "doorlight1"),
        ],
        "Too easy to guess",
    );
    // Enough for somebody who signs in, and not for a file that a thief keeps.
    refused(
        &mut root,
        &[
            ("lock", "passphrase"),
            ("passphrase", "blue42house"),
            ("passphrase_again", "blue42house"),
        ],
        "guess as long as they like",
    );
    refused(
        &mut root,
        &[
            ("lock", "passphrase"),
            ("passphrase", PASSPHRASE),
            ("passphrase_again", "eleven"),
        ],
        "This is not the same passphrase",
    );
    let typed = [
        ("lock", "passphrase"),
        ("passphrase", PASSPHRASE),
        ("passphrase_again", PASSPHRASE),
    ];
    let (head, body) = taken(&root, &page.body, &typed);
    assert!(head.contains(".redb.age\"\r\n"), "{head}");
    let key = Key::Passphrase(Secret::new(PASSPHRASE.to_owned()));
    assert!(is_whole(&world, &opened(&body, key)));

    let identity = Identity::generate();
    let (folder, public) = (folder(&world), identity.recipient().to_string());
    assert_eq!(
        root.submit(&page, PAGE, &schedule(&folder, &public)).status,
        303
    );
    let (head, body) = taken(&root, &page.body, &[("lock", "recipients")]);
    assert!(head.contains(".redb.age\"\r\n"), "{head}");
    assert!(is_whole(
        &world,
        &opened(&body, Key::Identities(vec![identity]))
    ));
}
