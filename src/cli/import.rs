//! `doorlight import`: a document of `export` comes in, or a file of another server.

use super::{Failure, Shared, complain, output, reach};
use crate::server::administration::transfer::document::{self, Document};
use crate::server::administration::transfer::foreign::{self, Foreign, Known, Origin};
use crate::server::administration::transfer::plan::Wish;
use crate::server::administration::transfer::report::Report;
use crate::server::api::control::Command;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(Args)]
pub(super) struct Arguments {
    /// The document; “-”: from standard input.
    file: PathBuf,
    /// Whose file it is; without it, an export of Doorlight.
    #[arg(long, value_enum, value_name = "SERVER")]
    from: Option<Server>,
    /// Make what is here already what the document says. Without it, an import that would change something is refused.
    #[arg(long)]
    replace: bool,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Other servers that people come from.
#[derive(Clone, Copy, ValueEnum)]
enum Server {
    /// users_database.yml of Authelia.
    AutheliaUsers,
    /// configuration.yml of Authelia: its applications.
    Authelia,
    /// A realm that Keycloak exported.
    Keycloak,
}

impl Server {
    const fn origin(self) -> Origin {
        match self {
            Self::AutheliaUsers => Origin::AutheliaUsers,
            Self::Authelia => Origin::Authelia,
            Self::Keycloak => Origin::Keycloak,
        }
    }
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failure> {
    let file = arguments.file.display();
    let bytes = read(&arguments.file).map_err(|why| Failure(format!("{file}: {why}")))?;
    let understood = match arguments.from {
        None => Document::parse(&bytes).map(Foreign::from),
        Some(from) => foreign::read(from.origin(), &bytes, &known(shared)?),
    };
    let foreign = understood.map_err(|why| Failure(format!("{file}: {why}")))?;
    let mut report = Report {
        dry_run: arguments.dry_run,
        ..Report::default()
    };
    if foreign.problems.is_empty() {
        let command = Command::Import {
            document: Box::new(foreign.document),
            wish: Wish {
                replace: arguments.replace,
                dry_run: arguments.dry_run,
                foreign: arguments.from.is_some(),
            },
        };
        report = serde_json::from_value(reach::write(shared, command)?)?;
    }
    report.problems.extend(foreign.problems);
    report.notes.splice(0..0, foreign.notes);
    tell(shared, &report.shortened())
}

fn known(shared: &Shared) -> Result<Known, Failure> {
    match shared.config.data.exists() {
        true => reach::read(shared, |view| Ok(Known::of(view)?)),
        false => Ok(Known::default()),
    }
}

/// All of it, if it is no more than a document may have.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let longest = u64::try_from(document::LONGEST).unwrap_or(u64::MAX);
    let mut bytes = Zeroizing::new(Vec::new());
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|why| unread(&why))?)
    };
    let read = input
        .take(longest.saturating_add(1))
        .read_to_end(&mut bytes);
    read.map_err(|why| unread(&why))?;
    if bytes.len() > document::LONGEST {
        return Err(format!(
            "it is longer than {} MiB",
            document::LONGEST / (1024 * 1024)
        ));
    }
    Ok(bytes)
}

fn unread(why: &io::Error) -> String {
    match why.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::IsADirectory => "this is a folder".to_owned(),
        ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        _ => why.to_string(),
    }
}

fn tell(shared: &Shared, report: &Report) -> Result<(), Failure> {
    if shared.json {
        output::one(shared, &json!(report));
    } else if report.problems.is_empty() {
        tell_people(report);
    }
    let Some((last, others)) = report.problems.split_last() else {
        return Ok(());
    };
    if shared.json {
        return Err(Failure("nothing was imported".to_owned()));
    }
    complain(match others {
        [] => "nothing was imported, for this reason:",
        _ => "nothing was imported, for these reasons:",
    });
    for problem in others {
        complain(problem);
    }
    Err(Failure(last.clone()))
}

/// What was done, or what would be.
fn tell_people(report: &Report) {
    for (done, not_yet, counts) in [
        ("added", "would be added", &report.added),
        ("changed", "would be changed", &report.changed),
        ("as it was", "would stay as it is", &report.unchanged),
    ] {
        let what = if report.dry_run { not_yet } else { done };
        if let Some(words) = counts.words() {
            output::line(&format!("{what}: {words}"));
        }
    }
    for note in report.administers.iter().chain(&report.notes) {
        output::line(&format!("note: {note}"));
    }
    if report.dry_run {
        output::line("Nothing was changed: this was a dry run.");
    }
}
