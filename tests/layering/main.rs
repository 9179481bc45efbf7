//! The rooms have one-way doors (DESIGN §3): what a room may import, and a few words that may not stand anywhere.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

use std::path::{Path, PathBuf};

/// Each room with the rooms that it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("model", &["types"]),
    ("crypto", &["types", "model"]),
    ("oauth", &["types", "model", "crypto"]),
    ("identity", &["types", "model", "crypto"]),
    ("store", &["types", "model", "crypto"]),
    ("config", &["types"]),
    ("views", &["types", "model"]),
    (
        "ops",
        &["types", "model", "crypto", "oauth", "identity", "store"],
    ),
    (
        "server",
        &[
            "types", "model", "crypto", "oauth", "identity", "store", "config", "views", "ops",
        ],
    ),
    (
        "cli",
        &[
            "types", "model", "crypto", "oauth", "identity", "store", "config", "views", "ops",
            "server",
        ],
    ),
];

fn files(ending: &str, under: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(under)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "nothing under {under}");
    found
}

fn room(path: &Path) -> String {
    let below = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = below
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first
        .strip_suffix(".rs")
        .map_or(first.clone(), str::to_owned)
}

/// Rooms that a file names after `crate::`.
fn named(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| {
        line.split("crate::")
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    })
    .map(|rest| {
        rest.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    })
    .collect()
}

#[test]
fn every_import_goes_one_way() {
    let mut checked = 0;
    for (path, text) in files(".rs", "src") {
        let room = room(&path);
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let (_, allowed) = ROOMS
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("no room {room}"));
        for other in named(&text) {
            checked += 1;
            let fine = other == room
                || allowed.contains(&other.as_str())
                || !ROOMS.iter().any(|(n, _)| *n == other);
            assert!(fine, "{} imports {other}", path.display());
        }
    }
    assert!(checked > 200, "the scan found only {checked} imports");
}

#[test]
fn clock_and_randomness_are_arguments() {
    for (path, text) in files(".rs", "src") {
        if !matches!(
            room(&path).as_str(),
            "types" | "model" | "oauth" | "identity"
        ) {
            continue;
        }
        for word in [
            "SystemTime",
            "Instant::now",
            "SystemRandom",
            "random::bytes",
            "random::id",
            "std::fs",
            "TcpStream",
        ] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn redb_and_rouille_stay_in_their_rooms() {
    for (path, text) in files(".rs", "src") {
        let room = room(&path);
        assert!(
            room == "store" || !text.contains("redb::"),
            "{}",
            path.display()
        );
        assert!(
            room == "server" || !text.contains("rouille::"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn templates_are_escaped_and_have_no_inline_code() {
    for (path, text) in files(".html", "assets/templates") {
        for word in [
            "|safe",
            "| safe",
            "<style",
            " style=",
            " onclick=",
            "javascript:",
        ] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn files_stay_short() {
    for (path, text) in files(".rs", "src") {
        assert!(
            text.lines().count() <= 600,
            "{} is too long",
            path.display()
        );
    }
}

/// A file that is opened without them owes nobody anything for the sessions that end in it.
#[test]
fn files_are_opened_for_writing_with_the_consequences_of_decisions_only() {
    let mut with = 0;
    for (path, text) in files(".rs", "src") {
        let code = text.split("#[cfg(test)]").next().unwrap();
        let own = room(&path) == "store" || path.to_string_lossy().ends_with("_tests.rs");
        assert!(own || !code.contains("Store::open("), "{}", path.display());
        with += code.matches("Store::open_with(").count();
    }
    assert!(with > 0);
}

/// A client has two names: the key it is kept under, and the one that it has for everybody else, which may be an address
/// (`Client::wire_id`). Where the protocol is spoken only the second may be read or written.
#[test]
fn on_the_wire_a_client_has_its_wire_id() {
    let mut seen = 0;
    for (path, text) in files(".rs", "src") {
        let name = path.to_string_lossy().replace('\\', "/");
        let speaks = [
            "/oauth/",
            "/ops/",
            "/server/api/",
            "/server/tokens.rs",
            "/server/bearer.rs",
            "/server/admin/try_it",
        ];
        if !speaks.iter().any(|part| name.contains(part)) || name.ends_with("_tests.rs") {
            continue;
        }
        let text = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in text.lines().enumerate() {
            let named = [
                "\"client_id\":",
                "\"aud\":",
                "\"azp\":",
                "put(\"client_id\"",
                "tell(\"client_id\"",
            ];
            let written = named.iter().any(|name| line.contains(name)) && line.contains(".client")
                || line.contains("client.id.to_string()")
                || line.contains("json!(client.id)");
            let read = line.contains("parse::<ClientId>");
            // `Issued::client` and `Origin::client` are wire ids already.
            let already = ["json!(self.client)", "\"client_id\": self.client })"];
            let fine = line.contains("wire_id()") || already.iter().any(|own| line.contains(own));
            assert!(fine || !(written || read), "{name}:{}: {line}", number + 1);
            seen += usize::from(line.contains("wire_id()"));
        }
    }
    assert!(seen > 10, "nothing was looked at");
}

/// What a field that holds a secret is called. One of these in plain text or bytes would be printed by `{:?}`.
const SECRET_NAMES: [&str; 14] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "verifier",
    "private",
    "phc",
    "hash",
    "assertion",
    "cookie",
    "seal",
    "csrf",
    "proof",
    "rehashed",
];
/// Fields of such a name that hold no secret, with what they hold; with their file, where the name alone says too little.
const NO_SECRETS: &[(&str, &str)] = &[
    ("control.rs token", "the id of one that is to go"),
    ("token_type", "a name of the protocol"),
    ("token_seconds", "a number"),
    ("token_endpoint_auth_method", "a name of the protocol"),
    ("token_endpoint_auth_signing_alg", "a name of the protocol"),
    ("initial_access_token", "the note on one, for the audit log"),
    ("id_token", "the names of claims"),
    (
        "id_token_hint",
        "who is meant; whoever has it gets nothing for it",
    ),
    ("id_token_signed_response_alg", "a name of the protocol"),
    ("token_answer", "what the administrator asked to be shown"),
];

/// A secret stands in `Secret`, `Phc`, `PrivateKey`, `TokenHash` or `Zeroizing` bytes, and not in text that a `{:?}` in some
/// log line would print. Views are what is shown to the person whose secret it is.
#[test]
fn what_prints_itself_holds_no_secret_in_the_clear() {
    let (mut seen, mut found) = (0, Vec::new());
    for (path, text) in files(".rs", "src") {
        if room(&path) == "views" {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for part in code.split("#[derive(").skip(1) {
            let (derived, rest) = part.split_once(")]").unwrap();
            // To the brace that closes it; a tuple has one line.
            let item = rest.split("\n}").next().unwrap();
            let tuple = item.find(';').is_some_and(|end| Some(end) < item.find('{'));
            if !derived.contains("Debug") || tuple {
                continue;
            }
            for line in item
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
            {
                let Some((name, kind)) = line.split_once(": ") else {
                    continue;
                };
                let name = name.trim().rsplit(' ').next().unwrap_or_default();
                let plain = ["String", "str", "Vec<u8>", "[u8", "Value"];
                if !SECRET_NAMES.iter().any(|word| name.contains(word)) {
                    continue;
                }
                seen += 1;
                let file = path.file_name().unwrap().to_string_lossy();
                let of_file = format!("{file} {name}");
                let listed = NO_SECRETS
                    .iter()
                    .any(|(field, _)| *field == name || *field == of_file);
                if !listed && plain.iter().any(|plain| kind.contains(plain)) {
                    found.push(format!("{}: {name}: {kind}", path.display()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(seen > 20, "{seen}");
}
