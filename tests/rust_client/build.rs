//! The server under test is another package's, built before: `DOORLIGHT_BIN`, or the one of a debug build.

fn main() {
    println!("cargo::rerun-if-env-changed=DOORLIGHT_BIN");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/debug/doorlight");
    let binary = std::env::var("DOORLIGHT_BIN").unwrap_or_else(|_| root.to_owned());
    println!("cargo::rustc-env=CARGO_BIN_EXE_doorlight={binary}");
}
