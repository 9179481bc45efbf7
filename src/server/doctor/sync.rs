//! How long a write takes until it is on the disk: what every sign-in waits for.

use super::finding::Finding;
use crate::store::placed;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

const CHECK: &str = "speed of the disk";

const WRITES: usize = 10;
const SLOW: Duration = Duration::from_millis(50);

/// Writes beside the data file, into a file without a name: a kill leaves nothing behind, and two rounds do not meet.
pub(super) fn look(data: &Path) -> Finding {
    match measure(placed::folder(data)) {
        Ok(times) => judge(times),
        Err(error) => Finding::fault(
            CHECK,
            format!("nothing can be written beside the data file: {error}"),
        ),
    }
}

fn measure(folder: &Path) -> io::Result<[Duration; WRITES]> {
    let mut file = placed::nameless(folder)?;
    let mut times = [Duration::ZERO; WRITES];
    for time in &mut times {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_all()?;
        *time = begun.elapsed();
    }
    Ok(times)
}

fn judge(mut times: [Duration; WRITES]) -> Finding {
    times.sort();
    let median = times.get(WRITES / 2).copied().unwrap_or_default();
    let worst = times.last().copied().unwrap_or_default();
    let said = format!(
        "a write of 4 KiB is on the disk after {} (median of {WRITES}; the slowest {})",
        milliseconds(median),
        milliseconds(worst)
    );
    if median > SLOW {
        let sign_in = milliseconds(median * 6);
        return Finding::warning(
            CHECK,
            format!(
                "{said}: a sign-in waits about {sign_in} for it. Cheap memory cards are like that; one that was faster \
                 once is dying"
            ),
        );
    }
    Finding::ok(CHECK, said)
}

fn milliseconds(time: Duration) -> String {
    match time.as_micros() {
        micros @ ..10_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        micros => format!("{} ms", micros / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use crate::store::testing::Folder;

    #[test]
    fn a_disk_is_slow_by_its_median_and_not_by_one_write() {
        let fast = Duration::from_micros(1_250);
        let mut times = [fast; WRITES];
        times[3] = Duration::from_secs(1);
        let finding = judge(times);
        assert_eq!(finding.level, Level::Ok);
        assert!(
            finding.found.contains("after 1.2 ms") && finding.found.contains("slowest 1000 ms"),
            "{finding:?}"
        );
        let finding = judge([Duration::from_millis(80); WRITES]);
        assert_eq!(finding.level, Level::Warning);
        assert!(finding.found.contains("about 480 ms"), "{finding:?}");
    }

    #[test]
    fn measuring_leaves_nothing_behind_and_two_do_not_meet() {
        let folder = Folder::new("sync");
        std::thread::scope(|scope| {
            let rounds = [(); 4].map(|()| scope.spawn(|| measure(&folder)));
            for round in rounds {
                let times = round.join().unwrap().unwrap();
                assert!(times.iter().all(|time| !time.is_zero()));
            }
        });
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(look(&folder.join("doorlight.redb")).level, Level::Fault);
    }
}
