//! What the README shows is what the packages hold.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

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
