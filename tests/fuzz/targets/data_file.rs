//! A data file with bytes that nobody meant, as a thief, a dying card or a stranger's "backup" may bring it: it is refused
//! or read, quickly, and is the same file afterwards.

use crate::world;
use doorlight::crypto::keyring;
use doorlight::model::{Algorithm, Change, Decision, Settings};
use doorlight::store::Store;
use doorlight::store::verify::verify;
use doorlight::types::Timestamp;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A sound file, and where its changed copy is put.
struct Ground {
    sound: Vec<u8>,
    copy: PathBuf,
}

static GROUND: OnceLock<Ground> = OnceLock::new();

pub fn run(data: &[u8]) {
    let ground = GROUND.get_or_init(|| {
        // What redb panics about is caught where the file is opened; an assertion of this target still ends the run.
        std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
        prepare()
    });
    let bytes = changed(&ground.sound, data);
    if std::fs::write(&ground.copy, &bytes).is_err() {
        panic!("no room for a file");
    }
    let looked = verify(&ground.copy);
    if bytes == ground.sound {
        assert!(
            looked.is_ok_and(|contents| contents.is_whole()),
            "a sound file"
        );
    } else if looked.is_ok_and(|contents| contents.is_whole()) {
        // What is called whole can be served.
        let opened = Store::open(&ground.copy).map(|store| store.close());
        assert!(opened.is_ok(), "{opened:?}");
        return;
    }
    assert!(
        std::fs::read(&ground.copy).is_ok_and(|after| after == bytes),
        "the file was written"
    );
}

/// The first byte cuts the file short, 0 not at all. Then come places and what stands there: two bytes of a page, two in
/// it, one of a length, and the bytes.
fn changed(sound: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    let Some((&cut, mut rest)) = data.split_first() else {
        return bytes;
    };
    while let Some((&[a, b, c, d, length], more)) = rest.split_first_chunk::<5>() {
        let page = usize::from(u16::from_be_bytes([a, b])) % (sound.len() / 4_096).max(1);
        let at = page * 4_096 + usize::from(u16::from_be_bytes([c, d])) % 4_096;
        let patch = more
            .get(..usize::from(length).min(more.len()))
            .unwrap_or_default();
        if let Some(place) = bytes.get_mut(at..at + patch.len()) {
            place.copy_from_slice(patch);
        }
        rest = more.get(patch.len()..).unwrap_or_default();
    }
    if cut > 0 {
        bytes.truncate(sound.len() / 256 * usize::from(cut));
    }
    bytes
}

fn prepare() -> Ground {
    let folder = std::env::temp_dir().join(format!("doorlight-fuzz-{}", std::process::id()));
    let path = folder.join("doorlight.redb");
    match made(&folder, &path) {
        Ok(sound) => Ground {
            sound,
            copy: folder.join("changed.redb"),
        },
        Err(error) => panic!("{error}"),
    }
}

fn made(folder: &Path, path: &Path) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    let store = Store::open(path)?;
    let now = Timestamp::from_secs(1_795_000_000);
    let key = keyring::generate(Algorithm::Es256, now, now)?;
    store
        .submit(move |_| {
            let reply: Result<(), Infallible> = Ok(());
            Ok(Decision {
                changes: vec![
                    Change::PutSettings(Box::new(Settings::new(vec![7; 32].into()))),
                    Change::PutSigningKey(Box::new(key)),
                    Change::PutClient(Box::new(world::client())),
                ],
                events: Vec::new(),
                reply,
            })
        })?
        .map_err(|never| match never {})?;
    store.close();
    Ok(std::fs::read(path)?)
}
