//! Records as JSON with a version: `{"v":1,…}`. Unknown members are ignored and missing ones have defaults, so a file
//! of every release opens in every later one.

use super::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

const PREFIX: &[u8] = b"{\"v\":1,";
/// Most records are shorter.
const ROOM: usize = 512;

/// The bytes of a record.
pub(super) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(ROOM);
    let (version, comma) = PREFIX.split_at(PREFIX.len() - 1);
    bytes.extend_from_slice(version);
    serde_json::to_writer(&mut bytes, record).map_err(|e| StoreError::BadRecord(e.to_string()))?;
    // The members go on where the record's own brace was.
    match bytes.get_mut(version.len()..PREFIX.len()) {
        Some(brace) if *brace == *b"{" => brace.copy_from_slice(comma),
        _ => return Err(StoreError::BadRecord("not an object".to_owned())),
    }
    Ok(bytes)
}

/// The record in the bytes.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    if !bytes.starts_with(PREFIX) {
        return Err(StoreError::BadRecord("of an unknown version".to_owned()));
    }
    serde_json::from_slice(bytes).map_err(|e| StoreError::BadRecord(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Revocation;
    use crate::types::{Id, Timestamp, TokenId};

    #[test]
    fn a_record_comes_back_as_it_was() {
        let record = Revocation {
            token: TokenId(Id::from_bytes([5; 16])),
            expires: Timestamp::from_secs(9),
        };
        let bytes = encode(&record).unwrap();
        assert!(bytes.starts_with(br#"{"v":1,"token":"#));
        assert_eq!(decode::<Revocation>(&bytes).unwrap(), record);
    }

    #[test]
    fn a_record_of_a_later_version_is_refused() {
        assert!(decode::<Revocation>(br#"{"v":2,"token":"0","expires":9}"#).is_err());
    }
}
