//! Files that are not ours: each verb says so in one line, and changes no byte of them.

use super::refused;
use crate::world::World;
use redb::{Builder, ConcurrencyMode, Database, DatabaseError, TableDefinition};
use ring::digest::{SHA256, digest};
use std::path::Path;

const META: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("meta");
const LETTERS: TableDefinition<'_, u64, &str> = TableDefinition::new("letters");

/// Compared in place of the bytes, which nobody needs to see.
fn hash(path: &Path) -> Vec<u8> {
    digest(&SHA256, &std::fs::read(path).unwrap())
        .as_ref()
        .to_vec()
}

/// Every verb that opens the file refuses it for the same reason, and leaves it as it is.
fn left_alone(world: &World, reason: &str) {
    let before = hash(&world.data());
    for verb in [
        &["serve"][..],
        &["setup-link"],
        &["user", "list"],
        &["user", "add", "bob", "--no-password"],
        &["user", "rm", "bob"],
        &["client", "show", "App"],
        &["keys", "rotate"],
        &["audit"],
    ] {
        let line = refused(&world.run(verb, ""), 1);
        assert!(line.contains(reason), "{verb:?}: {line}");
        assert!(line.contains("doorlight.redb"), "{verb:?}: {line}");
        assert!(
            hash(&world.data()) == before,
            "{verb:?} changed the file: {reason}"
        );
    }
    assert!(!world.dir.join("doorlight.sock").exists());
}

/// Our file, as a Doorlight of a later format would mark it.
fn mark_as_newer(path: &Path) -> Database {
    let mut builder = Builder::new();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    let db = builder.open(path).unwrap();
    let write = db.begin_write().unwrap();
    let newer = 1_000u64.to_be_bytes();
    let old = write
        .open_table(META)
        .unwrap()
        .insert(b"schema".as_slice(), newer.as_slice())
        .unwrap()
        .map(|old| old.value().len());
    assert_eq!(old, Some(8), "the format stands elsewhere now");
    write.commit().unwrap();
    db
}

#[test]
fn a_file_of_a_newer_format_is_left_alone() {
    let world = World::empty();
    world.verb(&["user", "add", "ann", "--no-password"], "");
    drop(mark_as_newer(&world.data()));
    left_alone(&world, "newer Doorlight (format 1000,");
}

/// The file as a crash would leave it.
fn copy_unclosed(from: &World, to: &World) {
    std::fs::copy(from.data(), to.data()).unwrap();
    let mut builder = Builder::new();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    let look = builder.open_read_only(to.data());
    assert!(matches!(look, Err(DatabaseError::RepairAborted)));
}

/// Only a repair shows what it holds, and a repair writes: it is tried in memory.
#[test]
fn a_file_of_a_newer_format_that_was_not_closed_is_left_alone() {
    let (maker, world) = (World::empty(), World::empty());
    maker.verb(&["user", "add", "ann", "--no-password"], "");
    let open = mark_as_newer(&maker.data());
    copy_unclosed(&maker, &world);
    drop(open);
    left_alone(&world, "newer Doorlight (format 1000,");
}

fn letters(path: &Path) -> Database {
    let db = Database::create(path).unwrap();
    let write = db.begin_write().unwrap();
    write
        .open_table(LETTERS)
        .unwrap()
        .insert(1, "Dear grandmother")
        .unwrap();
    write.commit().unwrap();
    db
}

#[test]
fn a_redb_file_of_another_program_is_left_alone() {
    let world = World::empty();
    drop(letters(&world.data()));
    left_alone(&world, "is not a Doorlight data file");
}

#[test]
fn a_redb_file_of_another_program_that_was_not_closed_is_left_alone() {
    let (maker, world) = (World::empty(), World::empty());
    let open = letters(&maker.data());
    copy_unclosed(&maker, &world);
    drop(open);
    left_alone(&world, "is not a Doorlight data file");
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let world = World::empty();
    for bytes in [
        b"SQLite format 3\0 and much more".repeat(4_096),
        b"redb".to_vec(),
        vec![0; 1 << 20],
    ] {
        std::fs::write(world.data(), bytes).unwrap();
        left_alone(&world, "is not a Doorlight data file");
    }
}
