//! `restore`: a backup takes the place of the data file, whole or not at all.

use crate::world::{Browser, PASSWORD, TestClient, World};
use crate::{refused, text};
use doorlight::crypto::age::Identity;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

fn path(world: &World, name: &str) -> String {
    world.dir.join(name).to_str().unwrap().to_owned()
}

fn kids(world: &World) -> Vec<String> {
    let keys = world.ask("GET", "/jwks.json", "", "").json();
    let keys = keys["keys"].as_array().unwrap();
    let mut kids: Vec<String> = keys
        .iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect();
    kids.sort();
    kids
}

fn is_signed_in(world: &World, cookie: &str) -> bool {
    // Not an administrator: refused, where a stranger is sent to sign in.
    let answer = world.ask(
        "GET",
        "/admin",
        &format!("Cookie: doorlight={cookie}\r\n"),
        "",
    );
    answer.status == 403
}

/// A house in use, and a backup of it.
struct House {
    world: World,
    client: TestClient,
    copy: String,
    cookie: String,
    tokens: Value,
    kids: Vec<String>,
}

fn house() -> House {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let tokens = browser.tokens(&client, "openid offline_access");
    let cookie = browser.cookies["doorlight"].clone();
    let copy = path(&world, "copy.redb");
    world.verb(&["backup", &copy], "");
    let kids = kids(&world);
    House {
        world,
        client,
        copy,
        cookie,
        tokens,
        kids,
    }
}

fn refreshed(house: &House, world: &World) -> u16 {
    let token = house.tokens["refresh_token"].as_str().unwrap();
    let body = format!("grant_type=refresh_token&refresh_token={token}");
    world.token(&house.client, &body).status
}

/// Beside a service, the folder that somebody stands in is seldom its own: a house in the wrong place helps nobody.
#[test]
fn a_restore_where_no_file_was_says_which_one_the_server_needs() {
    let house = house();
    let new = World::empty();
    let mut command = new.command();
    let output = command.args(["restore", &house.copy]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = text(&output.stderr);
    let line = format!(
        "there was no file before: the server has to be told --data {}",
        path(&new, "doorlight.redb")
    );
    assert!(told.contains(&line), "{told}");
    let elsewhere = World::empty();
    let why = refused(&elsewhere.run(&["user", "list"], ""), 1);
    assert!(why.contains("does not exist"), "{why}");
    assert!(why.contains("name that file with --data"), "{why}");
}

/// The card died; there is a backup and a new machine.
#[test]
fn a_new_machine_goes_on_where_the_backup_was_made() {
    let mut house = house();
    house.world.kill();
    let mut new = World::known_as_before(&house.world);
    let done = new.verb(&["restore", &house.copy], "");
    assert_eq!(done["people"], 1, "{done}");
    assert_eq!(done["replaced"], Value::Null, "{done}");
    assert_eq!(new.files(), ["doorlight.redb"]);
    let mode = std::fs::metadata(new.data()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    new.start();
    assert_eq!(kids(&new), house.kids);
    assert!(is_signed_in(&new, &house.cookie));
    let access = house.tokens["access_token"].as_str().unwrap();
    assert_eq!(new.introspect(&house.client, access)["active"], true);
    assert_eq!(refreshed(&house, &new), 200);
    new.sign_in("alice");
    let events = text(&new.run(&["audit", "--kind", "file.restored"], "").stdout);
    assert_eq!(events.lines().count(), 1, "{events}");
}

#[test]
fn sessions_and_keys_that_others_may_have_seen_end_where_that_is_wished() {
    let mut house = house();
    house.world.verb(&["user", "link", "alice"], "");
    let link = house.world.verb(&["user", "link", "alice"], "");
    house.world.verb(&["backup", &house.copy], "");
    house.world.kill();
    let mut new = World::known_as_before(&house.world);
    let done = new.verb(
        &["restore", &house.copy, "--end-sessions", "--rotate-keys"],
        "",
    );
    assert_eq!(
        (&done["sessions_ended"], &done["keys_replaced"]),
        (&true.into(), &true.into())
    );
    new.start();
    let now = kids(&new);
    assert!(
        now.len() >= 2 && !now.iter().any(|kid| house.kids.contains(kid)),
        "{now:?}"
    );
    assert!(!is_signed_in(&new, &house.cookie));
    let access = house.tokens["access_token"].as_str().unwrap();
    assert_eq!(new.introspect(&house.client, access)["active"], false);
    assert_eq!(refreshed(&house, &new), 400);
    // A link may have been used since the backup was made.
    let link = link["url"].as_str().unwrap();
    let target = link.strip_prefix(&house.world.issuer()).unwrap();
    let page = new.ask("GET", target, "", "");
    assert!(page.status >= 400, "{page:?}");
    new.sign_in("alice");
    assert_eq!(new.verb(&["verify"], "")["whole"], true);
}

const DEVICE: &str = "doorlight-device";

fn guess(browser: &mut Browser<'_>, password: &str) -> u16 {
    let page = browser.get("/login");
    let typed = [("username", "alice"), ("password", password)];
    browser.submit(&page, "/login", &typed).status
}

/// The key that seals the cookie of known browsers came back with every backup: whoever once had one could forge such
/// cookies for ever, each with guesses of its own. So did the tokens for measurements and for registering applications.
#[test]
fn new_keys_leave_nothing_of_use_to_whoever_read_the_backup() {
    let mut house = house();
    let world = &house.world;
    let device = world.sign_in("alice").cookies[DEVICE].clone();
    let metrics = world.verb(&["metrics", "token"], "")["metrics_token"].clone();
    let metrics = format!("Authorization: Bearer {}\r\n", metrics.as_str().unwrap());
    world.verb(&["registration", "add-token"], "");
    let stick = path(world, "stick");
    std::fs::create_dir(&stick).unwrap();
    let public = Identity::generate().recipient().to_string();
    let set = ["backups", "set", "--folder", &stick, "--recipient", &public];
    world.verb(&set, "");
    world.verb(&["backup", &house.copy], "");
    house.world.kill();
    for (flag, known, measured, tokens) in [
        ("--rotate-keys=false", 303, 200, 1),
        ("--rotate-keys", 429, 404, 0),
    ] {
        let mut new = World::known_as_before(&house.world);
        let restored = new.verb(&["restore", &house.copy, flag], "");
        // Who reads the next backups is said: it may be somebody who was taken out since.
        assert_eq!(restored["backups_to"], stick, "{restored}");
        assert_eq!(restored["backups_encrypted_to"][0], public, "{restored}");
        new.start();
        for _ in 0..5 {
            while guess(&mut Browser::new(&new), "wrong") == 429 {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        // For eight seconds from now no stranger signs in as alice.
        let mut browser = Browser::new(&new);
        browser.cookies.insert(DEVICE.to_owned(), device.clone());
        assert_eq!(guess(&mut browser, PASSWORD), known, "{flag}");
        assert_eq!(new.ask("GET", "/metrics", &metrics, "").status, measured);
        let listed = new.verb(&["registration", "list-tokens"], "");
        assert_eq!(listed.as_array().unwrap().len(), tokens, "{flag}");
    }
}

#[test]
fn the_replaced_file_is_kept_and_a_running_server_is_left_alone() {
    let mut house = house();
    let world = &mut house.world;
    world.verb(&["user", "add", "bob", "--no-password"], "");
    let why = refused(&world.run(&["restore", &house.copy], ""), 1);
    assert!(why.contains("a server runs on"), "{why}");
    assert_eq!(world.files(), ["copy.redb", "doorlight.redb"]);
    world.stop();
    let before = std::fs::read(world.data()).unwrap();
    let done = world.verb(&["restore", &house.copy], "");
    let kept = done["replaced"].as_str().unwrap().to_owned();
    assert!(kept.contains("doorlight.redb.replaced-20"), "{kept}");
    assert_eq!(std::fs::read(&kept).unwrap(), before);
    assert_eq!(world.verb(&["verify", &kept], "")["people"], 2);
    assert_eq!(
        world.verb(&["user", "list"], "").as_array().unwrap().len(),
        1
    );
    // Again, within the same second perhaps.
    let again = world.verb(&["restore", &house.copy], "");
    assert_ne!(again["replaced"], done["replaced"]);
    assert_eq!(world.files().len(), 4);
}

#[test]
fn a_damaged_backup_is_not_restored_and_a_damaged_file_is_replaced() {
    let mut house = house();
    let world = &mut house.world;
    world.stop();
    let before = std::fs::read(world.data()).unwrap();
    let good = std::fs::read(&house.copy).unwrap();
    let bad = path(world, "bad.redb");
    let place = good
        .windows(7)
        .position(|bytes| bytes == b"\"alice\"")
        .unwrap();
    let mut bytes = good.clone();
    bytes[place + 1] = b'm';
    for (bytes, word) in [
        (bytes.as_slice(), "damaged"),
        (&good[..good.len() / 2], "damaged"),
        (b"Dear Sir or Madam".as_slice(), "no backup of Doorlight"),
        (b"".as_slice(), "empty, and no backup"),
    ] {
        std::fs::write(&bad, bytes).unwrap();
        let why = refused(&world.run(&["restore", &bad], ""), 1);
        assert!(
            why.contains(word) && why.contains("nothing was restored"),
            "{why}"
        );
        assert!(why.contains("bad.redb"), "{why}");
        assert_eq!(std::fs::read(world.data()).unwrap(), before);
    }
    let missing = path(world, "missing.redb");
    assert!(refused(&world.run(&["restore", &missing], ""), 1).contains("missing.redb"));
    assert_eq!(world.files(), ["bad.redb", "copy.redb", "doorlight.redb"]);

    // The data file itself is what is damaged.
    std::fs::write(world.data(), &before[..before.len() / 3]).unwrap();
    let done = world.verb(&["restore", &house.copy], "");
    let kept = done["replaced"].as_str().unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), before[..before.len() / 3]);
    world.start();
    world.sign_in("alice");
}

#[test]
fn a_disk_that_is_full_half_way_leaves_the_data_file() {
    let mut house = house();
    let world = &mut house.world;
    world.stop();
    let before = std::fs::read(world.data()).unwrap();
    let there = world.files();
    let size = std::fs::metadata(&house.copy).unwrap().len();
    for limit in [0, size / 2] {
        let output = std::process::Command::new("prlimit")
            .arg(format!("--fsize={limit}"))
            .arg(env!("CARGO_BIN_EXE_doorlight"))
            .args([
                "--data",
                world.data().to_str().unwrap(),
                "restore",
                &house.copy,
            ])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        refused(&output, 1);
        assert_eq!(std::fs::read(world.data()).unwrap(), before, "{limit}");
        assert_eq!(world.files(), there, "{limit}");
    }
    assert!(Path::new(&house.copy).exists());
}
