//! Encrypted backups of strangers (the age format): a header is read within its bounds, asks for no work that is not
//! done for a stranger, and nothing opens that the key did not encrypt.

use crate::input;
use doorlight::crypto::age::{
    AgeError, Header, Identity, Key, Lock, decrypt, encrypt, looks_encrypted,
};
use std::io::{Read as _, Write as _};
use std::sync::OnceLock;

static IDENTITY: OnceLock<Identity> = OnceLock::new();

pub fn run(data: &[u8]) {
    let identity = IDENTITY.get_or_init(Identity::generate);
    let key = Key::Identities(vec![identity.clone()]);
    let [text, rest] = input::lines(data);
    round_trip(identity, &key, text, rest);
    let mut input = data;
    let header = Header::read(&mut input);
    if let Ok(header) = &header {
        assert!(looks_encrypted(data));
        assert!(data.len() - input.len() <= 16 * 1_024, "a long header");
        if header.needs_passphrase() {
            let opened = decrypt(data, &key);
            assert!(matches!(opened, Err(AgeError::NeedsPassphrase)));
            return;
        }
    }
    if let Ok(mut opened) = decrypt(data, &key) {
        let mut content = Vec::new();
        let read = opened.read_to_end(&mut content);
        panic!("{read:?}: a file that nobody encrypted to this key");
    }
}

/// What was encrypted comes back; with one byte changed, or cut short, it does not.
fn round_trip(identity: &Identity, key: &Key, place: &[u8], content: &[u8]) {
    let lock = Lock::Recipients(vec![identity.recipient()]);
    let mut file = Vec::new();
    let Ok(mut writer) = encrypt(&lock, &mut file) else {
        panic!("nothing was encrypted");
    };
    if writer.write_all(content).is_err() || writer.finish().is_err() {
        panic!("nothing was written");
    }
    assert_eq!(opened(&file, key).as_deref(), Some(content));
    let at = place.iter().fold(0_usize, |at, byte| {
        at.wrapping_mul(31).wrapping_add(usize::from(*byte))
    });
    let at = at % file.len();
    let cut = file.get(..at).unwrap_or_default();
    assert_eq!(opened(cut, key), None, "cut at {at}");
    if let Some(byte) = file.get_mut(at) {
        *byte ^= 1;
    }
    assert_eq!(opened(&file, key), None, "changed at {at}");
}

fn opened(file: &[u8], key: &Key) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    decrypt(file, key).ok()?.read_to_end(&mut content).ok()?;
    Some(content)
}
