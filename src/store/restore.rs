//! Putting a backup in place of the data file. What stood there is kept beside it under a name with the time, and at every
//! moment one of the two has the file's name.
//! Not here: whether the backup is whole (`verify`), what is done to it first (`server::administration::restore`).

use super::OpenError;
use super::held::held;
use super::placed::{self, Placing};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// Names that are tried for the file that is kept.
const TRIES: u32 = 1_000;

/// A data file that no other process may open while this lives.
pub struct Held {
    _db: Option<redb::Database>,
}

/// Holds the file that is to be replaced, whatever stands in it; [`OpenError::InUse`] when a server or a verb has it. One
/// that is missing nobody can have.
pub fn hold(data: &Path) -> Result<Held, OpenError> {
    match held(data) {
        Ok(db) => Ok(Held { _db: Some(db) }),
        Err(OpenError::Io(_, error)) if error.kind() == ErrorKind::NotFound => {
            Ok(Held { _db: None })
        }
        Err(error) => Err(error),
    }
}

/// Gives the new file its name. Returns where the one that had it is kept. `moment` is part of that name.
pub fn put(placing: Placing, data: &Path, moment: &str) -> io::Result<Option<PathBuf>> {
    own(placing.file(), data)?;
    if !data.try_exists()? {
        placing.put_new()?;
        return Ok(None);
    }
    let kept = keep(data, moment)?;
    placing.put()?;
    Ok(Some(kept))
}

/// The new file belongs to whom the old one belonged, or its folder: root may restore for the user that the server runs
/// as.
fn own(file: &File, data: &Path) -> io::Result<()> {
    let like = std::fs::metadata(data).or_else(|_| std::fs::metadata(placed::folder(data)))?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) == (like.uid(), like.gid()) || own.uid() != 0 {
        return Ok(());
    }
    fchown(file, Some(like.uid()), Some(like.gid()))
}

/// A second name for the file, which nothing has yet.
fn keep(data: &Path, moment: &str) -> io::Result<PathBuf> {
    let name = data.file_name().ok_or(ErrorKind::InvalidInput)?;
    for number in 0..TRIES {
        let mut kept = name.to_owned();
        kept.push(format!(".replaced-{moment}"));
        if number > 0 {
            kept.push(format!("-{number}"));
        }
        let kept = placed::folder(data).join(kept);
        let linked = match std::fs::hard_link(data, &kept) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            // There are file systems without second names.
            Err(_) => copy(data, &kept),
            linked => linked,
        };
        match linked {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            done => return done.map(|()| kept),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn copy(data: &Path, kept: &Path) -> io::Result<()> {
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(kept)?;
    let copied = io::copy(&mut File::open(data)?, &mut to).and_then(|_| to.sync_all());
    copied.inspect_err(|_| {
        // Half a copy is worth nothing.
        let _ = std::fs::remove_file(kept);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::testing::Folder;
    use std::io::Write;

    #[test]
    fn a_file_is_held_against_servers_and_not_written() {
        let dir = Folder::new("held");
        let data = dir.join("doorlight.redb");
        assert!(hold(&data).unwrap()._db.is_none());
        let store = Store::open(&data).unwrap();
        assert!(matches!(hold(&data), Err(OpenError::InUse(_))));
        store.close();
        drop(store);
        let before = std::fs::read(&data).unwrap();
        let held = hold(&data).unwrap();
        assert!(held._db.is_some());
        assert!(matches!(Store::open(&data), Err(OpenError::InUse(_))));
        drop(held);
        assert_eq!(std::fs::read(&data).unwrap(), before);
        Store::open(&data).unwrap().close();
        for noise in [&b""[..], b"noise", b"redb\x1a\x0a\xa9\x0d\x0a and noise"] {
            std::fs::write(&data, noise).unwrap();
            let held = hold(&data).unwrap();
            assert!(matches!(hold(&data), Err(OpenError::InUse(_))));
            drop(held);
            assert_eq!(std::fs::read(&data).unwrap(), noise);
        }
    }

    #[test]
    fn the_replaced_file_is_kept_and_never_overwrites_another() {
        let dir = Folder::new("restore");
        let data = dir.join("doorlight.redb");
        let mut kept = Vec::new();
        for text in ["one", "two", "three"] {
            let placing = Placing::beside(&data).unwrap();
            placing.file().write_all(text.as_bytes()).unwrap();
            kept.push(put(placing, &data, "now").unwrap());
            assert_eq!(std::fs::read_to_string(&data).unwrap(), text);
        }
        let names = [
            "doorlight.redb.replaced-now",
            "doorlight.redb.replaced-now-1",
        ];
        let paths = names.map(|name| Some(dir.join(name)));
        assert_eq!(kept, [None, paths[0].clone(), paths[1].clone()]);
        for (name, text) in names.iter().zip(["one", "two"]) {
            assert_eq!(std::fs::read_to_string(dir.join(name)).unwrap(), text);
        }
        copy(&data, &dir.join("copy")).unwrap();
        assert_eq!(std::fs::read_to_string(dir.join("copy")).unwrap(), "three");
        let refused = copy(&data, &dir.join("copy")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    }
}
