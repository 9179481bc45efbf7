//! A data file of an earlier release, and damage to it that ends a process which reads it without care.

use std::path::Path;

/// What gzip writes before what it packed, with `-n`, and after it (RFC 1952 §2.3).
const HEAD: usize = 10;
const TAIL: usize = 8;

/// Where other bytes stand, and which.
type Patches = &'static [(usize, &'static [u8])];

const DAMAGE: [(&str, Patches); 2] = [
    // A page number of the size 2^20 pages: redb makes room for them before it reads.
    (
        "four gigabytes",
        &[
            (32_812, b"\x77\xfc\xc7\xa1"),
            (69_674, b"\x00\x00\x00\x00\x00\x00\x00\x00"),
        ],
    ),
    // A list of freed pages that cannot be taken apart: its cursor panics, and again when it is dropped.
    (
        "a panic in a destructor",
        &[
            (36_866, b"\xff\xff\xff\xff\xff\xff\xff"),
            (73_457, b"\x00\x00\x00\x00\x00\x00\x00\x00"),
            (94_220, b"\x00"),
            (94_224, b"\x00"),
        ],
    ),
];

/// One file for each kind of damage, and what it is called.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/fixtures");
    let sound = unpacked(&fixtures.join("0.0-resources.redb.gz"));
    let damaged = |patches: Patches| {
        let mut bytes = sound.clone();
        for (at, patch) in patches {
            bytes[*at..at + patch.len()].copy_from_slice(patch);
        }
        bytes
    };
    DAMAGE
        .iter()
        .map(|(name, patches)| (*name, damaged(patches)))
        .collect()
}

/// The content of a file that gzip packed.
pub fn unpacked(path: &Path) -> Vec<u8> {
    let packed = std::fs::read(path).unwrap();
    let data = &packed[HEAD..packed.len() - TAIL];
    miniz_oxide::inflate::decompress_to_vec(data).unwrap()
}
