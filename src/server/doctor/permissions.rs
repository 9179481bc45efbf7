//! Who may read the data file, replace it, and open the control socket beside it.

use super::finding::Finding;
use crate::store::placed;
use rustix::process::geteuid;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const CHECK: &str = "permissions";

/// What is judged of a file, a folder or a socket.
#[derive(Clone, Copy, Debug)]
struct Rights {
    mode: u32,
    owner: u32,
}

impl Rights {
    fn of(metadata: &Metadata) -> Self {
        Self {
            mode: metadata.mode() & 0o7777,
            owner: metadata.uid(),
        }
    }
}

/// Looks at the file, its folder and its socket.
pub(super) fn look(data: &Path, socket: &Path) -> Finding {
    let file = match std::fs::metadata(data) {
        Ok(file) => Rights::of(&file),
        Err(error) => return Finding::fault(CHECK, format!("{}: {error}", data.display())),
    };
    let folder = placed::folder(data);
    let around = std::fs::metadata(folder)
        .ok()
        .map(|found| Rights::of(&found));
    let door = std::fs::symlink_metadata(socket)
        .ok()
        .map(|found| Rights::of(&found));
    let names = Names {
        data: &data.display().to_string(),
        folder: &folder.display().to_string(),
        socket: &socket.display().to_string(),
    };
    judge(&names, geteuid().as_raw(), file, around, door)
}

struct Names<'a> {
    data: &'a str,
    folder: &'a str,
    socket: &'a str,
}

fn judge(
    names: &Names<'_>,
    user: u32,
    file: Rights,
    folder: Option<Rights>,
    socket: Option<Rights>,
) -> Finding {
    let open = |rights: Rights| rights.mode & 0o077 != 0;
    if open(file) {
        return Finding::fault(
            CHECK,
            format!(
                "the data file has mode {:04o}: others may read the keys in it",
                file.mode
            ),
        )
        .change(format!("chmod 600 {}", names.data));
    }
    if socket.is_some_and(open) {
        return Finding::fault(
            CHECK,
            "others may open the control socket and administer Doorlight",
        )
        .change(format!("chmod 600 {}", names.socket));
    }
    // Whoever may write to the folder puts another file in its place, unless it is sticky as /tmp is.
    let replaceable = |rights: &Rights| rights.mode & 0o002 != 0 && rights.mode & 0o1000 == 0;
    if folder.as_ref().is_some_and(replaceable) {
        return Finding::fault(
            CHECK,
            format!(
                "everybody may write to {}, and so replace the data file",
                names.folder
            ),
        )
        .change(format!("chmod o-w {}", names.folder));
    }
    if user != 0 && file.owner != user {
        return Finding::fault(
            CHECK,
            format!(
                "the data file belongs to user {}, and this is user {user}",
                file.owner
            ),
        )
        .change(format!("chown {user} {}", names.data));
    }
    if folder.is_some_and(|rights| rights.mode & 0o002 != 0) {
        return Finding::warning(
            CHECK,
            format!(
                "{} is a folder of everybody's; give Doorlight one of its own",
                names.folder
            ),
        );
    }
    if user == 0 && file.owner != 0 {
        return Finding::note(
            CHECK,
            format!(
                "only user {} may read the data file; you look as root",
                file.owner
            ),
        );
    }
    Finding::ok(
        CHECK,
        "only its owner may read the data file and open the socket",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    fn judged(file: u32, folder: u32, socket: u32, user: u32) -> Finding {
        let names = Names {
            data: "/d/doorlight.redb",
            folder: "/d",
            socket: "/d/doorlight.sock",
        };
        let rights = |mode| Rights { mode, owner: 1000 };
        judge(
            &names,
            user,
            rights(file),
            Some(rights(folder)),
            Some(rights(socket)),
        )
    }

    #[test]
    fn whatever_others_may_open_or_replace_is_a_fault_with_its_line() {
        for (file, folder, socket, line) in [
            (0o644, 0o700, 0o600, "chmod 600 /d/doorlight.redb"),
            (0o640, 0o700, 0o600, "chmod 600 /d/doorlight.redb"),
            (0o600, 0o777, 0o600, "chmod o-w /d"),
            (0o600, 0o702, 0o600, "chmod o-w /d"),
            (0o600, 0o700, 0o666, "chmod 600 /d/doorlight.sock"),
        ] {
            let finding = judged(file, folder, socket, 1000);
            assert_eq!(finding.level, Level::Fault, "{finding:?}");
            assert_eq!(finding.change.as_deref(), Some(line));
        }
        assert_eq!(judged(0o600, 0o755, 0o600, 1000).level, Level::Ok);
        assert_eq!(judged(0o600, 0o1777, 0o600, 1000).level, Level::Warning);
    }

    #[test]
    fn a_file_of_another_user_is_a_fault_for_all_but_root() {
        let other = judged(0o600, 0o700, 0o600, 1001);
        assert_eq!(other.level, Level::Fault);
        assert_eq!(
            other.change.as_deref(),
            Some("chown 1001 /d/doorlight.redb")
        );
        assert_eq!(judged(0o600, 0o700, 0o600, 0).level, Level::Note);
    }
}
