//! A file that may be anybody's is looked at in a process of its own. redb follows what a page says before it knows whether
//! the page is sound, and some damage ends the process that does so: a panic in a destructor while another unwinds, or four
//! gigabytes asked for at once because a page claims to be so long. No process can catch that in itself. So the program
//! runs itself, hands over the file as standard input, and reads a report. Whoever does not live to write one looked at a
//! damaged file.
//! Owns: within which bounds it is looked, and how the report travels. Not here: what is looked at (`store::verify`).

use crate::store::verify::{self, Contents};
use crate::store::{OpenError, readable};
use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the program is called with to look; no person is meant to.
pub const VERB: &str = "inspect";

/// The program that runs, also where an update has put another in its place.
const PROGRAM: &str = "/proc/self/exe";

/// In bytes. A sound file has a short one, of its keys; one of a damaged file ends where it is too long.
const LONGEST_REPORT: u64 = 256 * 1024;

/// Address space of one who looks, in bytes, beside half of the file's size: the program itself takes most of it.
const SPACE: u64 = 512 * 1024 * 1024;

/// Processor time in seconds, beside one for each MiB of the file.
const SECONDS: u64 = 60;
const MEBIBYTE: u64 = 1024 * 1024;

/// For each second of those, this many by the clock: a disk may be slow, and one that hangs is not waited for.
const PATIENCE: u64 = 4;

/// Damage that ends a process ends it so. The end of its time (`XCPU`) says nothing: a machine may be as slow as that.
const ENDS: [Signal; 6] = [
    Signal::ABORT,
    Signal::SEGV,
    Signal::BUS,
    Signal::ILL,
    Signal::FPE,
    Signal::TRAP,
];

static ANSWERS: AtomicBool = AtomicBool::new(false);

/// Says that this program answers to [`VERB`] by [`answer`]. One that does not say so, as a test of the library, looks
/// for itself.
pub fn this_program_answers() {
    ANSWERS.store(true, Ordering::Release);
}

/// What [`verify::verify_open`] says of the file of that name, whatever the file does to whoever looks.
pub fn inspect(path: &Path) -> Result<Contents, OpenError> {
    inspect_open(&readable(path)?, path)
}

/// What [`verify::verify_open`] says, likewise.
pub fn inspect_open(file: &File, place: &Path) -> Result<Contents, OpenError> {
    if !ANSWERS.load(Ordering::Acquire) {
        return verify::verify_open(file, place);
    }
    let io = |error| OpenError::Io(place.to_owned(), error);
    let (status, report) = run(file).map_err(io)?;
    judged(status, &report).map_err(io)?.found_at(place)
}

/// Nothing of this process goes along but the file: no argument, no variable, no other descriptor.
fn run(file: &File) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut child = Command::new(PROGRAM)
        .arg0("doorlight")
        .arg(VERB)
        .env_clear()
        .stdin(file.try_clone()?)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|why| {
            io::Error::other(format!(
                "the program cannot run itself to look at it: {why}"
            ))
        })?;
    let mut report = Vec::new();
    // Taken, so that it is closed before the wait: nobody writes on for ever.
    let read = child.stdout.take().map(|out| {
        let mut bounded = out.take(LONGEST_REPORT);
        bounded.read_to_end(&mut report)
    });
    let status = child.wait()?;
    read.transpose()?;
    Ok((status, report))
}

fn judged(status: ExitStatus, report: &[u8]) -> io::Result<Report> {
    let is_cut = u64::try_from(report.len()).is_ok_and(|length| length >= LONGEST_REPORT);
    if is_cut {
        return Ok(Report::Contradicts);
    }
    if status.success() {
        return serde_json::from_slice(report).map_err(io::Error::other);
    }
    let ended = |signal: &Signal| status.signal() == Some(signal.as_raw());
    if ENDS.iter().any(ended) {
        return Ok(Report::Contradicts);
    }
    // Somebody else ended it, which says nothing about the file.
    let why = format!("whoever looked at it was ended ({status})");
    Err(io::Error::new(ErrorKind::Interrupted, why))
}

/// Looks at the file that is standard input, and writes the report to standard output. For the process that does nothing
/// else: its panics are nobody's news, and how it ends is an answer too.
pub fn answer() -> io::Result<()> {
    std::panic::set_hook(Box::new(|_| {}));
    // A service manager tells each process of a service to end, and a terminal too: the one that waits decides, and takes
    // this one along.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    for signal in [Signal::TERM, Signal::INT] {
        signal_hook::flag::register(signal.as_raw(), Arc::default())?;
    }
    let report = bounded().unwrap_or_else(|error| Report::Unread(error.to_string()));
    tell(&report)
}

fn bounded() -> io::Result<Report> {
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let size = file.metadata()?.len();
    let seconds = SECONDS + size / MEBIBYTE;
    let patience = Duration::from_secs(seconds * PATIENCE);
    std::thread::Builder::new().spawn(move || give_up(patience))?;
    lower(Resource::As, SPACE + size / 2)?;
    lower(Resource::Cpu, seconds)?;
    Ok(Report::from(verify::verify_open(&file, Path::new("-"))))
}

fn tell(report: &Report) -> io::Result<()> {
    let report = serde_json::to_vec(report)?;
    let mut out = io::stdout().lock();
    out.write_all(&report)?;
    out.flush()
}

/// Ends the process when its time is over, also while it waits for a disk.
fn give_up(patience: Duration) {
    std::thread::sleep(patience);
    let why = format!("it was not looked at within {} seconds", patience.as_secs());
    let told = tell(&Report::Unread(why));
    std::process::exit(i32::from(told.is_err()));
}

/// One second later than the limit the kernel ends a process so that nobody knows why. Where less is allowed than a sound
/// file may need, an end would say nothing of the file.
fn lower(resource: Resource, wanted: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let allowed = now.current.or(now.maximum);
    if let Some(allowed) = allowed.filter(|allowed| *allowed < wanted) {
        return Err(io::Error::other(format!(
            "a limit of this process ({resource:?}: {allowed}) leaves too little to look at it; it takes {wanted}"
        )));
    }
    let maximum = now.maximum.map_or(wanted + 1, |now| now.min(wanted + 1));
    let lowered = Rlimit {
        current: Some(wanted),
        maximum: Some(maximum),
    };
    Ok(setrlimit(resource, lowered)?)
}

/// What was found, on its way between two processes of the same program.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Report {
    Looked(Contents),
    InUse,
    Empty,
    Foreign,
    Newer { found: u64, known: u64 },
    Corrupt(String),
    Contradicts,
    Unread(String),
}

impl From<Result<Contents, OpenError>> for Report {
    fn from(looked: Result<Contents, OpenError>) -> Self {
        match looked {
            Ok(contents) => Self::Looked(contents),
            Err(OpenError::InUse(_)) => Self::InUse,
            Err(OpenError::Empty(_)) => Self::Empty,
            Err(OpenError::Foreign(_)) => Self::Foreign,
            Err(OpenError::Newer { found, known, .. }) => Self::Newer { found, known },
            Err(OpenError::Corrupt(_, why)) => Self::Corrupt(why),
            Err(OpenError::Io(_, error) | OpenError::Exposed(_, error)) => {
                Self::Unread(error.to_string())
            }
            Err(error @ OpenError::Missing(_)) => Self::Unread(error.to_string()),
        }
    }
}

impl Report {
    fn found_at(self, place: &Path) -> Result<Contents, OpenError> {
        let path = place.to_owned();
        Err(match self {
            Self::Looked(contents) => return Ok(contents),
            Self::InUse => OpenError::InUse(path),
            Self::Empty => OpenError::Empty(path),
            Self::Foreign => OpenError::Foreign(path),
            Self::Newer { found, known } => OpenError::Newer { path, found, known },
            Self::Corrupt(why) => OpenError::Corrupt(path, why),
            Self::Contradicts => OpenError::contradicting(place),
            Self::Unread(why) => OpenError::Io(path, io::Error::other(why)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Algorithm;

    fn told(raw: i32, report: &[u8]) -> Result<Report, ErrorKind> {
        judged(ExitStatus::from_raw(raw), report).map_err(|error| error.kind())
    }

    /// A machine that runs out of memory ends who looks, and nobody may record that the file is damaged.
    #[test]
    fn an_end_of_its_own_is_damage_and_an_end_from_outside_says_nothing() {
        for signal in ENDS {
            assert!(matches!(
                told(signal.as_raw(), b""),
                Ok(Report::Contradicts)
            ));
        }
        for signal in [
            Signal::TERM,
            Signal::INT,
            Signal::KILL,
            Signal::HUP,
            Signal::XCPU,
        ] {
            let told = told(signal.as_raw(), b"");
            assert!(matches!(told, Err(ErrorKind::Interrupted)));
        }
        // An exit code is the second byte.
        assert!(matches!(told(1 << 8, b""), Err(ErrorKind::Interrupted)));
    }

    #[test]
    fn a_report_is_whole_or_none() {
        let contents = Contents {
            bytes: 7,
            checksums: true,
            counts: vec![("people".to_owned(), 2)],
            keys: vec![("k".to_owned(), Algorithm::Es256)],
            faults: vec!["users: ann is not found by name".to_owned()],
            more_faults: 1,
        };
        let report = serde_json::to_vec(&Report::from(Ok(contents.clone()))).unwrap();
        let place = Path::new("place");
        let read = told(0, &report).ok().unwrap().found_at(place);
        assert_eq!(read.unwrap(), contents);
        for other in [
            &report[..report.len() - 1],
            b"",
            b"{}",
            b"\"whole\"",
            b"{\"looked\":{}}",
        ] {
            assert!(told(0, other).is_err());
        }
        let endless = vec![b' '; usize::try_from(LONGEST_REPORT).unwrap()];
        assert!(matches!(told(0, &endless), Ok(Report::Contradicts)));
        for error in [
            OpenError::InUse(place.to_owned()),
            OpenError::Empty(place.to_owned()),
            OpenError::Foreign(place.to_owned()),
            OpenError::Corrupt(place.to_owned(), "a page".to_owned()),
            OpenError::Newer {
                path: place.to_owned(),
                found: 9,
                known: 1,
            },
            OpenError::Io(place.to_owned(), io::Error::other("no")),
        ] {
            let text = error.to_string();
            let report = serde_json::to_vec(&Report::from(Err(error))).unwrap();
            let read = told(0, &report).ok().unwrap().found_at(place);
            assert_eq!(read.unwrap_err().to_string(), text);
        }
    }
}
