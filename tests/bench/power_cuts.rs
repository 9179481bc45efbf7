//! `cargo bench --bench power_cuts [-- --seconds N]`: the power cuts that `store::crash_tests` simulates, for as long as is
//! wanted: five minutes unless told otherwise. Says how many there were; one that lost something ends it, with the seed
//! that finds it again. Not here: what is simulated, and what is compared.

use std::io::{self, BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

const SECONDS: u64 = 300;

fn main() -> ExitCode {
    let Some(seconds) = seconds(std::env::args().skip(1)) else {
        eprintln!("usage: cargo bench --bench power_cuts [-- --seconds N]");
        return ExitCode::from(2);
    };
    match cut(seconds) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("cargo: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Whether there were cuts, and none lost anything. The simulated disk is a part of the library's own tests.
fn cut(seconds: u64) -> io::Result<bool> {
    let mut tests = Command::new(env!("CARGO"))
        .args(["test", "--locked", "--lib", "--"])
        .args(["--nocapture", "no_power_cut_loses"])
        .env("DOORLIGHT_CRASH_SECONDS", seconds.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut told = false;
    for line in tests
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        let line = line?;
        told |= line.contains("1 passed");
        println!("{line}");
    }
    Ok(tests.wait()?.success() && told)
}

fn seconds(mut arguments: impl Iterator<Item = String>) -> Option<u64> {
    let mut seconds = SECONDS;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--seconds" => seconds = arguments.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(seconds)
}
