//! Which disk a folder lies on, as the kernel and `/etc/fstab` tell it (proc(5), fstab(5)). The disk itself is not asked: one
//! on a network may hang for ever.

use std::ffi::OsString;
use std::fs::read_to_string;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// What is mounted somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    /// The folder of the file system that is seen there: `/`, or the one that a bind mount shows.
    root: PathBuf,
    /// The kind of the file system.
    kind: String,
}

/// All that is mounted, as this process sees it.
#[derive(Clone, Debug)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// As of now; `None` where the kernel does not tell.
    pub fn read() -> Option<Self> {
        read_to_string("/proc/self/mountinfo")
            .ok()
            .map(|text| Self::parse(&text))
    }

    /// From the text of proc(5).
    pub fn parse(mountinfo: &str) -> Self {
        let mount = |line: &str| {
            let (before, after) = line.split_once(" - ")?;
            let mut before = before.split(' ').skip(3);
            Some(Mount {
                root: unescaped(before.next()?),
                point: unescaped(before.next()?),
                kind: after.split(' ').next()?.to_owned(),
            })
        };
        Self(mountinfo.lines().filter_map(mount).collect())
    }

    /// The kind of the file system that a folder lies on.
    pub fn kind(&self, folder: &Path) -> Option<&str> {
        let mount = over(folder, self.0.iter())?;
        Some(&mount.kind)
    }

    /// Where the disk is mounted that a folder lies on. Not what shows a part of one in another place: a service has a bind
    /// mount for each folder that it may write to, whether there is a disk or not.
    pub fn point(&self, folder: &Path) -> Option<&Path> {
        let whole = |mount: &&Mount| mount.root == Path::new("/");
        over(folder, self.0.iter().filter(whole)).map(|mount| mount.point.as_path())
    }

    /// Where `/etc/fstab` has a disk for a folder, and nothing is mounted.
    pub fn missing(&self, folder: &Path) -> Option<PathBuf> {
        let fstab = read_to_string("/etc/fstab").unwrap_or_default();
        self.missing_of(&fstab, folder)
    }

    fn missing_of(&self, fstab: &str, folder: &Path) -> Option<PathBuf> {
        let lines = fstab.lines().filter(|line| !line.starts_with('#'));
        let points = lines.filter_map(|line| line.split_whitespace().nth(1));
        let mut points = points
            .map(unescaped)
            .filter(|point| point.is_absolute() && folder.starts_with(point));
        points.find(|point| self.0.iter().all(|mount| mount.point != *point))
    }
}

/// Whether the kernel's name of a kind is one of FAT's, which keeps no rights and loses more than others when the power fails.
pub fn is_fat(kind: &str) -> bool {
    matches!(kind, "vfat" | "msdos" | "exfat")
}

/// The innermost mount; of several at one point the last hides the others.
fn over<'m>(folder: &Path, mounts: impl Iterator<Item = &'m Mount>) -> Option<&'m Mount> {
    mounts
        .filter(|mount| folder.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
}

/// A path in which the kernel, or whoever wrote the table, gave some bytes in three octal digits.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .split_at_checked(3)
            .filter(|_| *first == b'\\')
            .and_then(|(digits, after)| {
                let digits = str::from_utf8(digits).ok()?;
                Some((u8::from_str_radix(digits, 8).ok()?, after))
            });
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a service sees it that may write to `/mnt/usb/doorlight` and `/mnt/off` alone.
    const MOUNTINFO: &str = "\
        22 1 179:2 / / ro,noatime shared:1 - ext4 /dev/mmcblk0p2 rw\n\
        30 22 0:24 / /proc rw,nosuid - proc proc rw\n\
        40 22 8:1 / /mnt/usb ro,relatime shared:2 - vfat /dev/sda1 rw,umask=077\n\
        41 40 8:1 /doorlight /mnt/usb/doorlight rw - vfat /dev/sda1 rw,umask=077\n\
        42 22 179:2 /mnt/off /mnt/off rw - ext4 /dev/mmcblk0p2 rw\n\
        43 22 8:17 / /media/My\\040Stick rw - exfat /dev/sdb1 rw\n\
        44 22 0:50 / /srv/auto rw - autofs systemd-1 rw\n\
        45 44 8:33 / /srv/auto rw - xfs /dev/sdc1 rw\n";

    #[test]
    fn the_innermost_mount_tells_the_kind_and_the_innermost_disk_where_it_is() {
        let mounts = Mounts::parse(MOUNTINFO);
        for (folder, kind, point) in [
            ("/var/lib/doorlight", "ext4", "/"),
            ("/mnt/usb/doorlight/daily", "vfat", "/mnt/usb"),
            ("/mnt/usbstick", "ext4", "/"),
            ("/mnt/off/doorlight", "ext4", "/"),
            ("/media/My Stick", "exfat", "/media/My Stick"),
            ("/srv/auto/x", "xfs", "/srv/auto"),
        ] {
            let folder = Path::new(folder);
            assert_eq!(mounts.kind(folder), Some(kind), "{folder:?}");
            assert_eq!(mounts.point(folder), Some(Path::new(point)), "{folder:?}");
        }
        let nothing = Mounts::parse("what is this\n\n1 2 3 - \n");
        assert_eq!(nothing.kind(Path::new("/")), None);
    }

    #[test]
    fn a_disk_that_the_table_has_and_that_is_not_there_is_missing() {
        let mounts = Mounts::parse(MOUNTINFO);
        let fstab = "# UUID=1 /mnt/noted ext4\n\
                     UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw\n\
                     UUID=3  /mnt/usb\tvfat noauto 0 0\nUUID=4 /mnt/gone ext4 nofail\n\
                     UUID=5 /mnt/My\\040Disk ext4 nofail\n";
        let missing = |folder: &str| mounts.missing_of(fstab, Path::new(folder));
        for there in [
            "/mnt/usb/doorlight",
            "/var/backups",
            "/mnt/goner",
            "/mnt/noted",
        ] {
            assert_eq!(missing(there), None, "{there}");
        }
        assert_eq!(missing("/mnt/gone/doorlight"), Some("/mnt/gone".into()));
        assert_eq!(missing("/mnt/gone"), Some("/mnt/gone".into()));
        assert_eq!(missing("/mnt/My Disk/a"), Some("/mnt/My Disk".into()));
    }

    #[test]
    fn this_machine_tells_what_its_root_is() {
        let mounts = Mounts::read().unwrap();
        assert!(
            mounts
                .kind(Path::new("/"))
                .is_some_and(|kind| !kind.is_empty())
        );
        assert_eq!(mounts.kind(Path::new("/proc")), Some("proc"));
    }

    #[test]
    fn a_path_is_read_as_it_is_told() {
        for (told, path) in [
            ("/a\\040b", "/a b"),
            ("/a\\134040", "/a\\040"),
            ("/a\\04", "/a\\04"),
            ("/a\\999", "/a\\999"),
            ("/a\\", "/a\\"),
            ("", ""),
        ] {
            assert_eq!(unescaped(told), Path::new(path), "{told}");
        }
    }
}
