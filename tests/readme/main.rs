//! What the README shows is what the packages hold, and every link of it and of the manual leads somewhere; each
//! specification and each threat that is listed has its tests, and none is left out.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

use std::collections::BTreeSet;
use std::path::Path;

/// The first fenced block after the first mention of a path.
fn block_after<'a>(readme: &'a str, path: &str) -> Option<&'a str> {
    let (_, after) = readme.split_once(&format!("`{path}`"))?;
    let (_, fenced) = after.split_once("\n```")?;
    let (_, block) = fenced.split_once('\n')?;
    let (block, _) = block.split_once("\n```")?;
    Some(block)
}

#[test]
fn the_proxy_examples_are_the_files_that_are_tested_and_packaged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let readme = read("README.md");
    for path in [
        "packaging/nginx/doorlight.conf",
        "packaging/caddy/Caddyfile",
    ] {
        let shown = block_after(&readme, path).map(|block| format!("{block}\n"));
        assert_eq!(shown, Some(read(path)), "{path}");
    }
}

/// The cells of the rows of the table under a head.
fn table<'a>(text: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let (_, after) = text.split_once(head).unwrap();
    after
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect())
        .collect()
}

/// `RFC 7517, 7518` names two; OpenID's have a name and no number.
fn specifications(cell: &str) -> BTreeSet<String> {
    let digits = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words = cell.split(|character: char| !character.is_ascii_alphanumeric());
    words
        .filter(|word| digits(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_specification_has_its_state_and_the_tests_that_prove_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let listed = read("packaging/manual/specifications.md");
    let rows = table(&listed, "| specification | state |");
    assert!(rows.len() > 20, "{}", rows.len());
    for row in &rows {
        let [specification, state, tests] = row.as_slice() else {
            panic!("a row has not three cells: {row:?}");
        };
        assert!(!state.is_empty(), "{specification}");
        let files: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!files.is_empty(), "{specification} names no test");
        for file in files {
            // What only a unit test can see is proved beside the code.
            let inside = file.starts_with("src/");
            let path = root.join(if inside { "" } else { "tests" }).join(file);
            assert!(path.is_file(), "{specification}: there is no {file}");
        }
    }
    let listed: BTreeSet<String> = rows.iter().flat_map(|row| specifications(row[0])).collect();
    let map = read("src/lib.rs").replace("//! ", "");
    let kept = table(&map, "| specification | file | tests |");
    assert!(kept.len() > 20, "{}", kept.len());
    for row in kept {
        for specification in specifications(row[0]) {
            let named = listed.contains(&specification);
            assert!(
                named,
                "specifications.md lists no RFC {specification}: {}",
                row[0]
            );
        }
    }
}

/// What a heading is called in an address, as the forges that show these files make it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    let text: String = heading.to_lowercase().chars().filter(kept).collect();
    text.trim().replace(' ', "-")
}

/// The headings outside of fenced blocks.
fn anchors(text: &str) -> BTreeSet<String> {
    let outside = text.split("\n```").step_by(2).flat_map(str::lines);
    let headings = outside.filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn every_link_of_the_readme_and_the_manual_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manual = std::fs::read_dir(root.join("packaging/manual")).unwrap();
    let mut pages: Vec<_> = manual.map(|page| page.unwrap().path()).collect();
    pages.push(root.join("README.md"));
    let mut followed = 0;
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        for link in text.split("](").skip(1) {
            let (link, _) = link.split_once(')').unwrap();
            if link.starts_with("https://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.with_file_name(file)
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let headings = anchors(&std::fs::read_to_string(&target).unwrap());
                assert!(headings.contains(heading), "{}: {link}", page.display());
            }
            followed += 1;
        }
    }
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    for page in &pages[..pages.len() - 1] {
        let name = page.file_name().unwrap().to_str().unwrap();
        let named = readme.contains(&format!("packaging/manual/{name}"));
        assert!(named, "the README leads nowhere to {name}");
    }
    assert!(followed > 20, "{followed}");
}

/// The words in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Three cells, of which the last may be empty.
fn threat(row: &str) -> (&str, &str, &str) {
    let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
    match cells.as_slice() {
        [attack, defence, tests] => (attack, defence, tests),
        [attack, defence] => (attack, defence, ""),
        _ => panic!("a row has not three cells: {row}"),
    }
}

#[test]
fn every_threat_has_a_defence_and_a_test_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let threats = read("src/THREATS.md");
    let (mut tried, mut attacks) = (0, BTreeSet::new());
    let rows = threats.lines().filter(|line| line.starts_with("| "));
    for row in rows.filter(|row| !row.ends_with("| test |")) {
        let (attack, defence, tests) = threat(row);
        assert!(attacks.insert(attack), "{attack} stands there twice");
        for file in quoted(defence).filter(|word| word.ends_with(".rs")) {
            assert!(
                root.join("src").join(file).is_file(),
                "{attack}: there is no {file}"
            );
        }
        if tests.is_empty() {
            let why = ["not here", "not ours"]
                .iter()
                .any(|word| defence.starts_with(word));
            assert!(why, "{attack} has no test and no reason");
            continue;
        }
        assert!(
            defence.contains(".rs`"),
            "{attack} names no file that defends"
        );
        let mut text = None;
        for word in quoted(tests) {
            if word.ends_with(".rs") {
                text = Some((word, read(word)));
                continue;
            }
            let Some((file, text)) = &text else {
                panic!("{attack}: {word} stands behind no file");
            };
            let found = text.contains(&format!("fn {word}("));
            assert!(found, "{attack}: there is no {word} in {file}");
            tried += 1;
        }
        assert!(
            quoted(tests)
                .last()
                .is_some_and(|word| !word.ends_with(".rs")),
            "{attack}"
        );
    }
    assert!(tried > 100, "{tried}");
    // RFC 9700 is answered section by section.
    for section in 1..=17 {
        let name = format!("§4.{section} ");
        let found = attacks.iter().any(|attack| attack.starts_with(&name));
        assert!(found, "RFC 9700 {name}is not answered");
    }
}
