//! A folder for a unit test that keeps files, gone at its end.

use crate::crypto::random;
use std::ops::Deref;
use std::path::{Path, PathBuf};

pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new one, whatever earlier runs left; the name is for people who look for what is left.
    pub(crate) fn new(name: &str) -> Self {
        let mark = u64::from_le_bytes(random::bytes());
        let path = std::env::temp_dir().join(format!("doorlight-{name}-{mark:016x}"));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// What is in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self)
    }
}

/// What is in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test may have taken it away itself.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
