//! Encrypted backups: made, checked and restored with the key that they are for, and with nothing else.

use crate::world::{World, file_size, names};
use crate::{refused, text};
use doorlight::crypto::age::Identity;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PASSPHRASE: &str = "nine geese cross the frozen canal";

fn path(world: &World, name: &str) -> String {
    world.dir.join(name).to_str().unwrap().to_owned()
}

fn put(world: &World, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = path(world, name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The file of a key, as `age-keygen` writes it.
fn key_file(world: &World, name: &str, identity: &Identity) -> String {
    let text = identity.text();
    let public = identity.recipient();
    put(
        world,
        name,
        format!(
            "# created: today\n# public key: {public}\n{}\n",
            text.expose()
        ),
    )
}

/// A house in use, with a backup encrypted to a key and one with a passphrase.
struct House {
    world: World,
    to_key: String,
    key: String,
    to_passphrase: String,
    passphrase: String,
}

/// So many that a backup is longer than one chunk, and than what a pipe holds: 64 KiB.
fn more_people(world: &World) {
    for number in 0..40 {
        let name = format!("person{number}");
        world.verb(&["user", "add", &name, "--no-password"], "");
    }
}

fn house() -> House {
    let mut world = World::started();
    world.user("alice");
    more_people(&world);
    let identity = Identity::generate();
    let to_key = path(&world, "key.redb.age");
    let public = identity.recipient().to_string();
    world.verb(&["backup", &to_key, "--recipient", &public], "");
    let passphrase = put(&world, "passphrase", format!("{PASSPHRASE}\n"));
    let to_passphrase = path(&world, "passphrase.redb.age");
    let with_passphrase = ["backup", &to_passphrase, "--passphrase-file", &passphrase];
    world.verb(&with_passphrase, "");
    world.kill();
    // The repair that a killed server leaves behind is done.
    world.verb(&["user", "list"], "");
    House {
        key: key_file(&world, "key", &identity),
        world,
        to_key,
        to_passphrase,
        passphrase,
    }
}

#[test]
fn an_encrypted_backup_opens_for_each_recipient_and_shows_nothing() {
    let world = World::started();
    world.user("alice");
    let people: Vec<Identity> = (0..3).map(|_| Identity::generate()).collect();
    let public = |at: usize| people[at].recipient().to_string();
    let list = put(
        &world,
        "list",
        format!("# two\n{}\n\n{}\n", public(1), public(2)),
    );
    let folder = path(&world, "backups");
    std::fs::create_dir_all(&folder).unwrap();
    let arguments = ["backup", &folder, "--recipient", &public(0)];
    let arguments = [&arguments[..], &["--recipients-file", &list]].concat();
    let made = world.verb(&arguments, "");
    let dated = names(Path::new(&folder));
    assert!(
        dated[0].ends_with(".redb.age") && dated.len() == 1,
        "{dated:?}"
    );
    let file = format!("{folder}/{}", dated[0]);
    assert_eq!(made["file"].as_str(), Some(file.as_str()));
    assert_eq!(made["bytes"].as_u64(), Some(file_size(Path::new(&file))));
    assert_eq!(made["encrypted"], true);
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    assert!(
        !bytes
            .windows(5)
            .any(|part| part == b"alice" || part == b"redb\x1a")
    );
    for (at, identity) in people.iter().enumerate() {
        let key = key_file(&world, &format!("key{at}"), identity);
        let found = world.verb(&["verify", &file, "--identity", &key], "");
        assert_eq!(
            (&found["whole"], &found["people"]),
            (&true.into(), &1.into())
        );
        assert_eq!(found["checksums"], true);
    }
    // Out of standard output, with a key out of standard input.
    let streamed = world.run(&["backup", "-", "--recipient", &public(1)], "");
    assert!(streamed.status.success(), "{streamed:?}");
    let copy = put(&world, "streamed.age", &streamed.stdout);
    let text = people[1].text();
    let found = world.verb(&["verify", &copy, "--identity", "-"], text.expose());
    assert_eq!(found["people"], 1);
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
    let left = world.files();
    assert!(!left.iter().any(|name| name.ends_with(".part")), "{left:?}");
}

#[test]
fn an_encrypted_backup_is_taken_into_use_with_its_key_or_passphrase() {
    let house = house();
    for (backup, flag, value, stdin) in [
        (&house.to_key, "--identity", house.key.as_str(), ""),
        (&house.to_passphrase, "--passphrase-file", "-", PASSPHRASE),
        (
            &house.to_passphrase,
            "--passphrase-file",
            &house.passphrase,
            "",
        ),
    ] {
        let mut new = World::known_as_before(&house.world);
        let done = new.verb(&["restore", backup, flag, value], stdin);
        assert_eq!(done["people"], 41, "{done}");
        assert_eq!(new.files(), ["doorlight.redb"]);
        new.start();
        new.sign_in("alice");
    }
    // As a pipe, too.
    let new = World::known_as_before(&house.world);
    let restored = new
        .command()
        .args(["restore", "/dev/stdin", "--identity", &house.key, "--json"])
        .stdin(std::fs::File::open(&house.to_key).unwrap())
        .output()
        .unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let people = new.verb(&["user", "list"], "");
    assert_eq!(people.as_array().unwrap().len(), 41);
}

/// Where a file that was cut there would have lost whole chunks only.
fn after_first_chunk(whole: &[u8]) -> usize {
    let mut rest = whole;
    doorlight::crypto::age::Header::read(&mut rest).unwrap();
    let end = whole.len() - rest.len() + 16 + 64 * 1024 + 16;
    assert!(end < whole.len(), "{}", whole.len());
    end
}

/// Each is one sentence, and neither the data file nor its folder is any different after it.
#[test]
fn what_does_not_open_changes_nothing() {
    let house = house();
    let world = &house.world;
    let wrong_key = key_file(world, "wrong-key", &Identity::generate());
    let wrong_passphrase = put(world, "wrong-passphrase", "eight geese cross the canal");
    let plain = path(world, "plain.redb");
    world.verb(&["backup", &plain], "");
    let whole = std::fs::read(&house.to_key).unwrap();
    let changed = |name: &str, bytes: &[u8]| put(world, name, bytes);
    let half = changed("half.age", &whole[..whole.len() / 2]);
    let chunk = changed("chunk.age", &whole[..after_first_chunk(&whole)]);
    let short = changed("short.age", &whole[..whole.len() - 1]);
    let header = changed("header.age", &whole[..40]);
    let longer = changed("longer.age", &[&whole, &b"\n"[..]].concat());
    let mut other = whole.clone();
    other[whole.len() / 2] ^= 1;
    let other = changed("other.age", &other);
    let armored = changed("armored.age", b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n");
    let greedy = String::from_utf8_lossy(&std::fs::read(&house.to_passphrase).unwrap()[..80])
        .replacen(" 17\n", " 30\n", 1);
    assert!(greedy.contains(" 30\n"), "{greedy:?}");
    let rest = std::fs::read(&house.to_passphrase).unwrap()[80..].to_vec();
    let greedy = changed("greedy.age", &[greedy.as_bytes(), &rest].concat());
    let letter = changed("letter", b"Dear Sir or Madam");
    let locked_key = changed("locked-key", &whole[..200]);

    let key = ["--identity", house.key.as_str()];
    let passphrase = ["--passphrase-file", house.passphrase.as_str()];
    let cases: [(&str, &[&str], &str); 19] = [
        (&house.to_key, &["--identity", &wrong_key], "another key"),
        (
            &house.to_key,
            &passphrase,
            "encrypted to a key, not to a passphrase",
        ),
        (&house.to_key, &[], "--identity names the file"),
        (
            &house.to_key,
            &["--identity", &letter],
            "line 1: this is no key",
        ),
        (
            &house.to_key,
            &["--identity", &locked_key],
            "is encrypted itself",
        ),
        (&house.to_key, &["--identity", "/no/key"], "/no/key: "),
        (
            &house.to_passphrase,
            &["--passphrase-file", &wrong_passphrase],
            "another key or passphrase",
        ),
        (
            &house.to_passphrase,
            &key,
            "encrypted to a passphrase, not to a key",
        ),
        (
            &house.to_passphrase,
            &[],
            "--passphrase-file names the file",
        ),
        (
            &house.to_passphrase,
            &["--passphrase-file", "-"],
            "no passphrase on standard input",
        ),
        (&greedy, &passphrase, "too much work: 2^30"),
        (&plain, &key, "not encrypted, although"),
        (&half, &key, "cut short or was changed"),
        (&chunk, &key, "cut short or was changed"),
        (&short, &key, "cut short or was changed"),
        (&header, &key, "damaged: it ends early"),
        (&longer, &key, "cut short or was changed"),
        (&other, &key, "cut short or was changed"),
        (&armored, &key, "without --armor"),
    ];
    let before = std::fs::read(world.data()).unwrap();
    let there = world.files();
    for (file, arguments, expected) in cases {
        for verb in ["verify", "restore"] {
            let arguments = [&[verb, file], arguments].concat();
            let why = refused(&world.run(&arguments, ""), 1);
            assert!(why.contains(expected), "{arguments:?}: {why}");
            assert!(!why.contains("SECRET"), "{why}");
            assert_eq!(
                std::fs::read(world.data()).unwrap(),
                before,
                "{arguments:?}"
            );
            assert_eq!(world.files(), there, "{arguments:?}");
        }
    }
    // What is inside must be a backup, too.
    let public = text(std::fs::read(&house.key).unwrap().as_slice());
    let public = public.lines().nth(1).unwrap().rsplit(' ').next().unwrap();
    let mut encrypting = doorlight::crypto::age::encrypt(
        &doorlight::crypto::age::Lock::Recipients(vec![public.parse().unwrap()]),
        Vec::new(),
    )
    .unwrap();
    encrypting.write_all(b"Dear Sir or Madam").unwrap();
    let letter = changed("letter.age", &encrypting.finish().unwrap());
    let why = refused(&world.run(&["verify", &letter, key[0], key[1]], ""), 1);
    assert!(
        why.contains("letter.age is not a Doorlight data file"),
        "{why}"
    );
    let why = refused(&world.run(&["restore", &letter, key[0], key[1]], ""), 1);
    assert!(
        why.contains("no backup of Doorlight; nothing was restored"),
        "{why}"
    );
    assert_eq!(std::fs::read(world.data()).unwrap(), before);
}

#[test]
fn a_lock_that_protects_nothing_is_refused_and_no_private_key_is_repeated() {
    let world = World::started();
    world.user("alice");
    let identity = Identity::generate();
    let (private, public) = (identity.text(), identity.recipient().to_string());
    let copy = path(&world, "copy.age");
    let list = put(&world, "list", format!("{public}\n{}\n", private.expose()));
    let none = put(&world, "none", "# nobody\n");
    let easy = put(&world, "easy", "doorlight\n");
    // Enough for somebody who signs in.
    let quick = put(&world, "quick", "blue42house\n");
    let empty = put(&world, "empty", "\n");
    let there = world.files();
    let cases: [(&[&str], &str); 8] = [
        (
            &["--recipient", private.expose()],
            "--recipient: this is a private key",
        ),
        (&["--recipient", "age1nonsense"], "mistyped"),
        (
            &["--recipients-file", &list],
            "line 2: this is a private key",
        ),
        (&["--recipients-file", &none], "no key"),
        (&["--passphrase-file", &easy], "too easy to guess"),
        (&["--passphrase-file", &quick], "guess as long as they like"),
        (&["--passphrase-file", &empty], "no passphrase in"),
        (&["--passphrase"], "use --passphrase-file"),
    ];
    for (arguments, expected) in cases {
        let arguments = [&["backup", copy.as_str()], arguments].concat();
        let why = refused(&world.run(&arguments, ""), 1);
        assert!(why.contains(expected), "{arguments:?}: {why}");
        assert!(
            !why.contains("SECRET-KEY-1") || !why.contains(&private.expose()[20..]),
            "{why}"
        );
        assert_eq!(world.files(), there);
    }
    // The format has either one passphrase or recipients.
    for other in [&["--passphrase"][..], &["--passphrase-file", &list]] {
        let arguments = [&["backup", copy.as_str(), "--recipient", &public], other].concat();
        refused(&world.run(&arguments, ""), 2);
    }
    let both = ["backup", &copy, "--passphrase", "--passphrase-file", &easy];
    refused(&world.run(&both, ""), 2);
    assert_eq!(world.files(), there);
}

#[test]
fn a_backup_takes_the_place_of_backups_alone() {
    let world = World::started();
    world.user("alice");
    let identity = Identity::generate();
    let public = identity.recipient().to_string();
    let copy = path(&world, "copy");
    world.verb(&["backup", &copy], "");
    world.verb(&["backup", &copy, "--recipient", &public], "");
    let encrypted = std::fs::read(&copy).unwrap();
    assert!(encrypted.starts_with(b"age-encryption.org/v1\n"));
    // It may be anybody's encrypted file, and who encrypts does not want a plain one by mistake.
    let why = refused(&world.run(&["backup", &copy], ""), 1);
    assert!(why.contains("something else than a backup"), "{why}");
    assert_eq!(std::fs::read(&copy).unwrap(), encrypted);
    world.verb(&["backup", &copy, "--recipient", &public], "");
    let letter = put(&world, "letter", "Dear Sir or Madam");
    let onto = ["backup", &letter, "--recipient", &public];
    refused(&world.run(&onto, ""), 1);
    assert_eq!(std::fs::read(&letter).unwrap(), b"Dear Sir or Madam");
}

/// The copy in the clear has no name while it is encrypted, and is gone with the process.
#[test]
fn whoever_looks_meanwhile_sees_no_copy_in_the_clear() {
    let world = World::started();
    more_people(&world);
    let public = Identity::generate().recipient().to_string();
    let there = world.files();
    let mut backup = world
        .command()
        .args(["backup", "-", "--recipient", &public])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It has begun to write, and waits for whoever reads the rest.
    let mut out = backup.stdout.take().unwrap();
    out.read_exact(&mut [0; 22]).unwrap();
    let folder = format!("/proc/{}/fd", backup.id());
    let begun = Instant::now();
    let held = loop {
        let held: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
            .map(|path| path.display().to_string())
            .filter(|path| path.contains(".part"))
            .collect();
        if !held.is_empty() || begun.elapsed() > Duration::from_secs(60) {
            break held;
        }
    };
    assert!(
        held.iter().all(|path| path.ends_with(" (deleted)")) && !held.is_empty(),
        "{held:?}"
    );
    assert_eq!(world.files(), there);
    backup.kill().unwrap();
    backup.wait().unwrap();
    assert_eq!(world.files(), there);
}

#[test]
fn a_full_disk_leaves_the_encrypted_backup_of_before() {
    let world = World::started();
    world.user("alice");
    let public = Identity::generate().recipient().to_string();
    let copy = path(&world, "copy.age");
    world.verb(&["backup", &copy, "--recipient", &public], "");
    let good = std::fs::read(&copy).unwrap();
    let there = world.files();
    for limit in [0, 100, good.len() / 2, good.len() - 1] {
        let output = Command::new("prlimit")
            .arg(format!("--fsize={limit}"))
            .arg(env!("CARGO_BIN_EXE_doorlight"))
            .args(["--data", world.data().to_str().unwrap(), "backup", &copy])
            .args(["--recipient", &public])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        refused(&output, 1);
        assert_eq!(std::fs::read(&copy).unwrap(), good, "{limit}");
        assert_eq!(world.files(), there, "{limit}");
    }
}

/// At a terminal the passphrase is asked for, twice where it is new, and never shown.
#[test]
fn a_terminal_asks_for_the_passphrase_and_does_not_show_it() {
    let world = World::started();
    world.user("alice");
    let copy = path(&world, "copy.age");
    let shown = at_terminal(&world, &["backup", &copy, "--passphrase"], 2);
    assert!(
        shown.contains("Again: ") && shown.contains("encrypted"),
        "{shown}"
    );
    assert!(!shown.contains("geese"), "{shown}");
    let shown = at_terminal(&world, &["verify", &copy], 1);
    assert!(
        shown.contains("people") && !shown.contains("geese"),
        "{shown}"
    );
}

/// Answers each question with the passphrase, once the terminal shows nothing of what is typed. Returns all that it showed.
fn at_terminal(world: &World, arguments: &[&str], questions: usize) -> String {
    let line = [
        &[
            env!("CARGO_BIN_EXE_doorlight"),
            "--data",
            world.data().to_str().unwrap(),
        ],
        arguments,
    ]
    .concat()
    .join(" ");
    let mut terminal = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut screen) = (
        terminal.stdin.take().unwrap(),
        terminal.stdout.take().unwrap(),
    );
    let mut shown = String::new();
    let mut answered = 0;
    let mut piece = [0; 1024];
    loop {
        let read = screen.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        shown.push_str(&String::from_utf8_lossy(&piece[..read]));
        if answered < questions && shown.matches(": ").count() > answered {
            answered += 1;
            wait_for_silence(terminal.id());
            keys.write_all(format!("{PASSPHRASE}\n").as_bytes())
                .unwrap();
        }
    }
    assert!(terminal.wait().unwrap().success(), "{shown}");
    shown
}

fn wait_for_silence(script: u32) {
    let children = format!("/proc/{script}/task/{script}/children");
    let child = std::fs::read_to_string(children).unwrap();
    let device = std::fs::read_link(format!("/proc/{}/fd/0", child.trim())).unwrap();
    let begun = Instant::now();
    loop {
        let settings = Command::new("stty")
            .arg("-F")
            .arg(&device)
            .arg("-a")
            .output()
            .unwrap();
        if text(&settings.stdout).contains(" -echo ") {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{settings:?}");
    }
}
