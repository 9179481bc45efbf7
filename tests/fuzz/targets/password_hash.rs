//! Stored password hashes, which a file or an import may bring (PHC strings): none makes a check cost more than its
//! bounds, and only the right password matches.

use crate::input;
use doorlight::crypto::password::{Verdict, is_affordable, verify};
use doorlight::types::Secret;

/// The bounds, in KiB and in KiB times passes.
const MEMORY: u64 = 128 * 1024;
const WORK: u64 = 512 * 1024;
/// What a run can afford here: a hundredth of that.
const CHEAP: u64 = 4 * 1024;
const ITERATIONS: u32 = 1_500_000;

pub fn run(data: &[u8]) {
    let Some([password, phc]) = input::text_lines(data) else {
        return;
    };
    let password = Secret::new(password.to_owned());
    if !is_affordable(phc) {
        assert_eq!(verify(&password, phc), Verdict::Mismatch);
        return;
    }
    if phc.starts_with("$pbkdf2-sha") {
        return pbkdf2(&password, phc);
    }
    assert!(phc.starts_with("$argon2"), "{phc}");
    let Some(parameters) = phc
        .split('$')
        .find(|part| part.contains("=") && !part.contains("v="))
    else {
        return;
    };
    let cost = |name: &str, default: u64| {
        let named = parameters
            .split(',')
            .filter_map(|one| one.strip_prefix(name));
        named
            .last()
            .map_or(Some(default), |number| number.parse().ok())
    };
    let (Some(memory), Some(passes)) = (cost("m=", 19 * 1024), cost("t=", 2)) else {
        panic!("no cost in {phc}");
    };
    let work = memory.saturating_mul(passes);
    assert!(memory <= MEMORY && work <= WORK, "{phc}");
    if work <= CHEAP
        && let Verdict::Match { outdated } = verify(&password, phc)
    {
        assert!(outdated, "{phc}");
        let other = Secret::new(format!("{}x", password.expose()));
        assert_eq!(verify(&other, phc), Verdict::Mismatch, "{phc}");
    }
}

fn pbkdf2(password: &Secret, phc: &str) {
    let iterations = phc
        .split("i=")
        .nth(1)
        .and_then(|rest| rest.split('$').next());
    let iterations: u32 = iterations
        .and_then(|number| number.parse().ok())
        .unwrap_or_default();
    assert!((1..=ITERATIONS).contains(&iterations), "{phc}");
    if iterations <= 100
        && let Verdict::Match { outdated } = verify(password, phc)
    {
        assert!(outdated, "{phc}");
        let other = Secret::new(format!("{}x", password.expose()));
        assert_eq!(verify(&other, phc), Verdict::Mismatch, "{phc}");
    }
}
