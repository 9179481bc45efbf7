//! A data file with bytes that nobody meant, as a thief, a dying card or a stranger's "backup" may bring it: it is looked
//! at within its bounds by a process of its own, which this one outlives, and is the same file afterwards; what is called
//! whole can be served, and is whole after that.

use doorlight::ops::inspection::inspect_open;
use doorlight::store::{Store, placed};
use doorlight::types::Timestamp;
use std::fmt::Debug;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A file that is the same in every run: an offset in a seed tells the same story for ever.
const PACKED: &[u8] = include_bytes!("../../store/fixtures/0.0-resources.redb.gz");
/// What gzip writes before what it packed, with `-n`, and after it (RFC 1952 §2.3).
const HEAD: usize = 10;
const TAIL: usize = 8;
const PAGE: usize = 4_096;

struct Ground {
    sound: Vec<u8>,
    /// The changed one; it has no name, and goes with the process.
    changed: File,
    served: PathBuf,
}

static GROUND: OnceLock<Ground> = OnceLock::new();

pub fn run(data: &[u8]) {
    let ground = GROUND.get_or_init(ground);
    let bytes = changed(&ground.sound, data);
    must(ground.changed.set_len(0));
    must(ground.changed.write_all_at(&bytes, 0));
    let looked = inspect_open(&ground.changed, Path::new("changed"));
    assert!(content(&ground.changed) == bytes, "the file was written");
    let is_whole = looked.is_ok_and(|contents| contents.is_whole());
    if is_whole && bytes != ground.sound {
        serve(&ground.served, &bytes);
    }
}

/// As a server does: it opens the file, reads, writes and closes it.
fn serve(path: &Path, bytes: &[u8]) {
    must(std::fs::write(path, bytes));
    let store = must(Store::open(path));
    let people = must(must(store.snapshot()).view().users_by_name("", 10));
    assert_eq!(people.len(), 2);
    must(store.note_sure(Timestamp::from_secs(1_795_000_000)));
    store.close();
    drop(store);
    let after = must(File::open(path));
    assert!(must(inspect_open(&after, path)).is_whole());
    must(std::fs::remove_file(path));
}

/// The first byte cuts the file short, 0 not at all. Then come places and what stands there: two bytes of a page, two in
/// it, one of a length, and the bytes.
fn changed(sound: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    let Some((&cut, mut rest)) = data.split_first() else {
        return bytes;
    };
    while let Some((&[a, b, c, d, length], more)) = rest.split_first_chunk::<5>() {
        let page = usize::from(u16::from_be_bytes([a, b])) % (sound.len() / PAGE);
        let at = page * PAGE + usize::from(u16::from_be_bytes([c, d])) % PAGE;
        let (patch, after) = more.split_at(usize::from(length).min(more.len()));
        for (place, byte) in bytes.iter_mut().skip(at).zip(patch) {
            *place = *byte;
        }
        rest = after;
    }
    if cut > 0 {
        bytes.truncate(sound.len() / 256 * usize::from(cut));
    }
    bytes
}

fn ground() -> Ground {
    let packed = PACKED.get(HEAD..PACKED.len() - TAIL).unwrap_or_default();
    let sound = must(miniz_oxide::inflate::decompress_to_vec(packed));
    let folder = std::env::temp_dir();
    let ground = Ground {
        changed: must(placed::nameless(&folder)),
        served: folder.join(format!("doorlight-fuzz-{}.redb", std::process::id())),
        sound,
    };
    must(ground.changed.write_all_at(&ground.sound, 0));
    let looked = must(inspect_open(&ground.changed, Path::new("sound")));
    assert!(looked.is_whole(), "{looked:?}");
    ground
}

fn content(file: &File) -> Vec<u8> {
    let length = must(usize::try_from(must(file.metadata()).len()));
    let mut bytes = vec![0; length];
    must(file.read_exact_at(&mut bytes, 0));
    bytes
}

fn must<T, E: Debug>(done: Result<T, E>) -> T {
    match done {
        Ok(value) => value,
        Err(error) => panic!("{error:?}"),
    }
}
