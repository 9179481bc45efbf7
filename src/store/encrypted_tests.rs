use super::*;
use crate::crypto::age::Identity;
use crate::crypto::random;
use std::os::unix::fs::FileExt;

/// A file without a name that has these bytes.
fn file(bytes: &[u8]) -> File {
    let mut file = placed::nameless(&std::env::temp_dir()).unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn bytes_of(file: &File) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn locked(content: &[u8], identity: &Identity) -> Vec<u8> {
    let lock = Lock::Recipients(vec![identity.recipient()]);
    let mut out = Vec::new();
    let target = Path::new("backup.age");
    let size = write(&file(content), Some(&lock), &mut out, target, &|| true).unwrap();
    assert_eq!(size, u64::try_from(content.len()).unwrap());
    out
}

fn opened(bytes: &[u8], key: Option<&Key>) -> Result<Vec<u8>, SourceError> {
    let to = file(b"");
    let size = Source::new(file(bytes))?.open_into(key, &to)?;
    let content = bytes_of(&to);
    assert_eq!(size, u64::try_from(content.len()).unwrap());
    Ok(content)
}

#[test]
fn what_was_encrypted_is_read_back_with_its_key_and_nothing_else_with_a_key() {
    let (own, other) = (Identity::generate(), Identity::generate());
    let keys = |identity: &Identity| Key::Identities(vec![identity.clone()]);
    for size in [0, 1, 63, 64, 65_535, 65_536, 65_537, 200_000] {
        let content: Vec<u8> = (0..size).map(|_| random::bytes::<1>()[0]).collect();
        let encrypted = locked(&content, &own);
        let needs = |bytes: &[u8]| Source::new(file(bytes)).unwrap().needs();
        assert_eq!(needs(&encrypted), Needs::Identity);
        assert_eq!(needs(&content), Needs::Nothing);
        assert_eq!(opened(&encrypted, Some(&keys(&own))).unwrap(), content);
        assert_eq!(opened(&content, None).unwrap(), content);
        let refused = opened(&encrypted, Some(&keys(&other)));
        assert!(matches!(refused, Err(SourceError::Age(AgeError::WrongKey))));
        assert!(matches!(opened(&encrypted, None), Err(SourceError::NoKey)));
        // Somebody put a plain one in its place.
        let refused = opened(&content, Some(&keys(&own)));
        assert!(matches!(refused, Err(SourceError::NotEncrypted)));
    }
}

#[test]
fn one_that_is_cut_short_goes_on_or_was_changed_is_an_error() {
    let own = Identity::generate();
    let key = Key::Identities(vec![own.clone()]);
    let whole = locked(&[7; 150_000], &own);
    let header = whole.len() - 150_000 - 3 * 16;
    let chunk = 65_536 + 16;
    for cut in [
        header - 17,
        header - 1,
        header,
        header + 1,
        header + chunk - 1,
        header + chunk,
        header + chunk + 1,
        header + 2 * chunk,
        whole.len() - 1,
    ] {
        let found = opened(&whole[..cut], Some(&key));
        assert!(
            matches!(found, Err(SourceError::Age(_))),
            "{cut}: {found:?}"
        );
    }
    for more in [&b"\0"[..], &[0; 100_000], &whole] {
        let found = opened(&[&whole, more].concat(), Some(&key));
        assert!(matches!(found, Err(SourceError::Age(AgeError::Content))));
    }
    for place in [30, 100, header - 1, header, header + chunk, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        let found = opened(&changed, Some(&key));
        assert!(
            matches!(found, Err(SourceError::Age(_))),
            "{place}: {found:?}"
        );
    }
}

#[test]
fn a_pipe_that_says_little_at_a_time_is_read_to_its_end() {
    let own = Identity::generate();
    let whole = locked(&[9; 70_000], &own);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let pieces = whole.clone();
    let sent = std::thread::spawn(move || {
        for piece in pieces.chunks(7) {
            writer.write_all(piece).unwrap();
        }
    });
    let reader = File::from(std::os::fd::OwnedFd::from(reader));
    let to = file(b"");
    let key = Key::Identities(vec![own]);
    let source = Source::new(reader).unwrap();
    assert_eq!(source.open_into(Some(&key), &to).unwrap(), 70_000);
    sent.join().unwrap();
    assert_eq!(bytes_of(&to), [9; 70_000]);
}

/// A folder that cannot be written is told by its name, and is not the backup's fault.
#[test]
fn what_cannot_be_written_is_told_apart_from_what_cannot_be_read() {
    let own = Identity::generate();
    let whole = locked(b"content", &own);
    let key = Key::Identities(vec![own]);
    let nowhere = std::env::temp_dir().join("doorlight-nowhere-at-all");
    let source = Source::new(file(&whole)).unwrap();
    let refused = source.open_nameless(Some(&key), &nowhere).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("doorlight-nowhere-at-all: there is no such folder"),
        "{text}"
    );
    let read_only = File::open("/dev/null").unwrap();
    let source = Source::new(file(&whole)).unwrap();
    let refused = source.open_into(Some(&key), &read_only);
    assert!(matches!(refused, Err(SourceError::Write(_))));
    let folder = Source::new(File::open(std::env::temp_dir()).unwrap());
    assert!(matches!(folder, Err(SourceError::Read(_))));
}

/// A server that ends waits for no disk, and what it left is no backup: the content was not sealed.
#[test]
fn what_was_told_to_stop_stops_between_pieces_and_does_not_open() {
    let own = Identity::generate();
    let lock = Lock::Recipients(vec![own.recipient()]);
    let pieces = std::cell::Cell::new(0);
    let go_on = || pieces.replace(pieces.get() + 1) < 2;
    let mut out = Vec::new();
    let copy = file(&[7; 5 * PIECE]);
    let stopped = write(&copy, Some(&lock), &mut out, Path::new("out"), &go_on);
    assert!(matches!(stopped, Err(BackupError::Stopped)), "{stopped:?}");
    let found = opened(&out, Some(&Key::Identities(vec![own])));
    assert!(matches!(found, Err(SourceError::Age(_))), "{found:?}");
}
