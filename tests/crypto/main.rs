//! The age format, held against the vectors that its authors publish (`age_vectors/README.md`), and against itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

use doorlight::crypto::age::{AgeError, Identity, Key, Lock, decrypt, encrypt};
use doorlight::crypto::digest::sha256;
use doorlight::types::Secret;
use std::io::{Read, Write};
use std::path::Path;

#[derive(Debug)]
struct Vector {
    name: String,
    expect: String,
    payload: Option<String>,
    identities: Vec<String>,
    passphrases: Vec<String>,
    file: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crypto/age_vectors");
    let mut found: Vec<Vector> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none())
        .map(|path| parse(&path))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn parse(path: &Path) -> Vector {
    let mut vector = Vector {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        expect: String::new(),
        payload: None,
        identities: Vec::new(),
        passphrases: Vec::new(),
        file: Vec::new(),
    };
    let bytes = std::fs::read(path).unwrap();
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap();
    vector.file = bytes[end + 2..].to_vec();
    for line in std::str::from_utf8(&bytes[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        match name {
            "expect" => vector.expect = value.to_owned(),
            "payload" => vector.payload = Some(value.to_owned()),
            "identity" => vector.identities.push(value.to_owned()),
            "passphrase" => vector.passphrases.push(value.to_owned()),
            "compressed" => {
                assert_eq!(value, "zlib");
                vector.file = miniz_oxide::inflate::decompress_to_vec_zlib(&vector.file).unwrap();
            }
            "file key" | "comment" => {}
            other => panic!("{}: unknown line {other}", vector.name),
        }
    }
    vector
}

/// What came of it with the first key that fits, in the words of the vectors, and the content that was given out.
fn outcome(vector: &Vector) -> (&'static str, Vec<u8>) {
    let mut keys: Vec<Key> = vector
        .passphrases
        .iter()
        .map(|passphrase| Key::Passphrase(Secret::new(passphrase.clone())))
        .collect();
    if !vector.identities.is_empty() || keys.is_empty() {
        let text = vector.identities.join("\n");
        keys.push(Key::Identities(
            Identity::read_file(&text).unwrap_or_default(),
        ));
    }
    keys.iter()
        .map(|key| outcome_with(vector, key))
        .find(|(words, _)| *words != "no match")
        .unwrap_or(("no match", Vec::new()))
}

fn outcome_with(vector: &Vector, key: &Key) -> (&'static str, Vec<u8>) {
    let mut content = Vec::new();
    let read = decrypt(vector.file.as_slice(), key)
        .and_then(|mut input| Ok(input.read_to_end(&mut content)?));
    let words = match read {
        Ok(_) => "success",
        Err(AgeError::WrongKey | AgeError::NeedsIdentity | AgeError::NeedsPassphrase) => "no match",
        Err(AgeError::Tampered) => "HMAC failure",
        Err(AgeError::Io(error)) => match error.get_ref().and_then(|e| e.downcast_ref()) {
            Some(AgeError::Content) => "payload failure",
            other => panic!("{}: {error} {other:?}", vector.name),
        },
        Err(_) => "header failure",
    };
    (words, content)
}

#[test]
fn every_published_vector_ends_as_it_should() {
    let vectors = vectors();
    assert_eq!(vectors.len(), VECTORS, "one was lost or added");
    let mut wrong = Vec::new();
    for vector in vectors {
        let (words, content) = outcome(&vector);
        let hash: String = sha256(&content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let content_is_right = match &vector.payload {
            Some(expected) => *expected == hash,
            None => content.is_empty(),
        };
        if words != vector.expect || !content_is_right {
            wrong.push(format!(
                "{}: expected {}, came {words} with {} bytes",
                vector.name,
                vector.expect,
                content.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const VECTORS: usize = 92;

/// Lengths around the ends of chunks.
const LENGTHS: [usize; 8] = [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 200_000];

fn encrypted(lock: &Lock, content: &[u8], step: usize) -> Vec<u8> {
    let mut out = encrypt(lock, Vec::new()).unwrap();
    for part in content.chunks(step) {
        out.write_all(part).unwrap();
    }
    out.finish().unwrap()
}

fn opened(file: &[u8], key: &Key) -> Result<Vec<u8>, AgeError> {
    let mut content = Vec::new();
    decrypt(file, key)?.read_to_end(&mut content)?;
    Ok(content)
}

#[test]
fn each_of_several_recipients_opens_any_length_of_content() {
    let (one, two, stranger) = (
        Identity::generate(),
        Identity::generate(),
        Identity::generate(),
    );
    let lock = Lock::Recipients(vec![one.recipient(), two.recipient()]);
    for length in LENGTHS {
        let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let file = encrypted(&lock, &content, 10_007);
        for identity in [&one, &two] {
            let key = Key::Identities(vec![stranger.clone(), identity.clone()]);
            assert!(opened(&file, &key).unwrap() == content, "{length}");
        }
        assert!(matches!(
            opened(&file, &Key::Identities(vec![stranger.clone()])),
            Err(AgeError::WrongKey)
        ));
    }
}

#[test]
fn only_the_passphrase_opens_a_file_of_a_passphrase() {
    let secret = |text: &str| Secret::new(text.to_owned());
    let file = encrypted(&Lock::Passphrase(secret("correct horse")), b"content", 7);
    assert_eq!(
        opened(&file, &Key::Passphrase(secret("correct horse"))).unwrap(),
        b"content"
    );
    assert!(matches!(
        opened(&file, &Key::Passphrase(secret("correct horsf"))),
        Err(AgeError::WrongKey)
    ));
    assert!(matches!(
        opened(&file, &Key::Identities(vec![Identity::generate()])),
        Err(AgeError::NeedsPassphrase)
    ));
}

#[test]
fn a_file_that_is_cut_or_changed_anywhere_is_not_opened() {
    let identity = Identity::generate();
    let key = Key::Identities(vec![identity.clone()]);
    let file = encrypted(
        &Lock::Recipients(vec![identity.recipient()]),
        &[7; 70_000],
        70_000,
    );
    for length in (0..400).chain((400..file.len()).step_by(997)) {
        assert!(opened(&file[..length], &key).is_err(), "cut at {length}");
    }
    for at in (0..400).chain((400..file.len()).step_by(997)) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(opened(&changed, &key).is_err(), "changed at {at}");
    }
}

#[test]
fn a_file_without_its_end_is_never_whole() {
    let identity = Identity::generate();
    let lock = Lock::Recipients(vec![identity.recipient()]);
    let mut file = Vec::new();
    let mut out = encrypt(&lock, &mut file).unwrap();
    out.write_all(&[1; 200_000]).unwrap();
    drop(out);
    assert!(matches!(
        opened(&file, &Key::Identities(vec![identity])),
        Err(AgeError::Io(_))
    ));
}

#[test]
fn nobody_to_encrypt_to_is_refused() {
    assert!(matches!(
        encrypt(&Lock::Recipients(Vec::new()), Vec::new()).err(),
        Some(AgeError::Recipients)
    ));
}
