//! The build script: it asks the linker to write the binary's 15,000 relative relocations in their short form (RELR), a
//! hundredth of the size; all of them are read at every start. It owns that one option.
//!
//! Not every linker knows it, and not every machine starts what has it (glibc does since 2.36). So a program that does
//! nothing is linked with it and started, with the compiler, the linker and the flags that Cargo was told. Where that
//! fails, or the binary is for another machine or no release, everything stays as it is.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const SHORT: &str = "-Wl,-z,pack-relative-relocs";

fn main() {
    println!("cargo:rerun-if-changed=packaging/link.rs");
    if for_this_machine() && starts_with(SHORT).unwrap_or(false) {
        println!("cargo:rustc-link-arg-bins={SHORT}");
    }
}

fn for_this_machine() -> bool {
    let told = |name| env::var(name).unwrap_or_default();
    told("PROFILE") == "release"
        && told("CARGO_CFG_TARGET_OS") == "linux"
        && told("HOST") == told("TARGET")
}

fn starts_with(option: &str) -> Option<bool> {
    let folder = env::var_os("OUT_DIR")?;
    let source = Path::new(&folder).join("nothing.rs");
    let program = Path::new(&folder).join("nothing");
    fs::write(&source, "fn main() {}").ok()?;
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut compiler = Command::new(env::var_os("RUSTC")?);
    compiler.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        compiler.arg(format!("-Clinker={linker}"));
    }
    compiler.arg(format!("-Clink-arg={option}"));
    compiler.arg("-o").arg(&program).arg(&source);
    let started = compiler.output().ok()?.status.success()
        && Command::new(&program).output().ok()?.status.success();
    Some(started)
}
