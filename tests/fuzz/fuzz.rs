//! One binary for all fuzz targets; `FUZZ_TARGET` names the one. A target is a function of bytes that panics when a
//! promise is broken: it asks more than that nothing crashes.
#![no_main]

mod input;
mod key;
mod targets;
mod world;

use doorlight::ops::inspection;
use std::sync::OnceLock;

type Target = fn(&[u8]);

static TARGET: OnceLock<Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: begin(), |data: &[u8]| TARGET.get_or_init(chosen)(data));

/// The program runs itself to look at a data file, as Doorlight's own does.
fn begin() {
    if std::env::args().nth(1).as_deref() != Some(inspection::VERB) {
        inspection::this_program_answers();
        return;
    }
    let answered = inspection::answer();
    std::process::exit(i32::from(answered.is_err()));
}

fn chosen() -> Target {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    match targets::ALL.iter().find(|(known, _)| *known == name) {
        Some((_, target)) => *target,
        None => panic!("FUZZ_TARGET is not the name of a target: {name:?}"),
    }
}
