use super::*;
use crate::store::testing::Folder;

struct Place(Folder);

impl Place {
    fn with(test: &str, names: &[&str]) -> Self {
        let dir = Folder::new(test);
        for name in names {
            std::fs::write(dir.join(name), content(name)).unwrap();
        }
        Self(dir)
    }

    fn tidy(&self, keep: Keep, name: &str) -> Tidied {
        self.tidy_at(keep, name, time(name))
    }

    /// After the one of that name was made then.
    fn tidy_at(&self, keep: Keep, name: &str, time: Timestamp) -> Tidied {
        let made = BackupMade {
            time,
            file: self.0.join(name).display().to_string(),
            bytes: 1,
        };
        tidy(&self.0, keep, &made).unwrap()
    }
}

/// How such a file begins.
fn content(name: &str) -> &'static [u8] {
    match name.ends_with(".age") {
        true => b"age-encryption.org/v1\n-> X25519 ",
        false => b"redb\x1a\x0a\xa9\x0d\x0a",
    }
}

const ONE_A_DAY: Keep = Keep {
    daily: 2,
    weekly: 0,
    monthly: 0,
};

fn time(name: &str) -> Timestamp {
    file_name::time_of(name).unwrap()
}

#[test]
fn plain_and_encrypted_ones_count_together() {
    let place = Place::with(
        "tidy-mixed",
        &[
            "doorlight-2026-11-26-030000.redb",
            "doorlight-2026-11-26-030000.redb.age",
            "doorlight-2026-11-27-030000.redb.age",
            "doorlight-2026-11-28-030000.redb",
            "doorlight-2026-11-29-030000.redb.age",
        ],
    );
    let tidied = place.tidy(ONE_A_DAY, "doorlight-2026-11-29-030000.redb.age");
    assert!(tidied.removed == 3 && tidied.failed.is_none(), "{tidied:?}");
    let left = [
        "doorlight-2026-11-28-030000.redb",
        "doorlight-2026-11-29-030000.redb.age",
    ];
    assert_eq!(place.0.names(), left);
    let listed: Vec<String> = list(&place.0)
        .unwrap()
        .into_iter()
        .map(|s| s.name)
        .collect();
    assert_eq!(listed, [left[1], left[0]]);
}

#[test]
fn nothing_but_regular_files_with_exactly_our_names_is_counted_or_removed() {
    let foreign = [
        "doorlight-2026-11-20-030000.redb.part",
        "doorlight-2026-11-20-030000.redb.age.part",
        ".doorlight-2026-11-20-030000.redb.0123456789abcdef.part",
        "doorlight-2026-11-20-030000-mine.redb",
        "doorlight-2026-11-20.redb",
        "doorlight.redb",
        "letter.txt",
    ];
    let ours = "doorlight-2026-11-29-030000.redb";
    let place = Place::with("tidy-foreign", &[&foreign[..], &[ours]].concat());
    let precious = place.0.join("letter.txt");
    let link = "doorlight-2026-11-21-030000.redb";
    std::os::unix::fs::symlink(&precious, place.0.join(link)).unwrap();
    let folder = "doorlight-2026-11-22-030000.redb";
    std::fs::create_dir(place.0.join(folder)).unwrap();
    let dangling = "doorlight-2026-11-30-030000.redb";
    std::os::unix::fs::symlink("/nowhere", place.0.join(dangling)).unwrap();
    let before = place.0.names();
    let none = Keep {
        daily: 0,
        weekly: 0,
        monthly: 0,
    };
    let tidied = place.tidy(none, ours);
    assert_eq!(tidied.removed, 0);
    assert_eq!(place.0.names(), before);
    assert_eq!(std::fs::read(&precious).unwrap(), content("letter.txt"));
    assert_eq!(list(&place.0).unwrap().len(), 1);
}

/// A backup that was made while the clock was a year ahead was the latest for a year: it took the place of every one that
/// was made since.
#[test]
fn a_name_from_the_future_costs_no_backup_of_today_and_is_left_until_its_time() {
    let future = "doorlight-2027-11-29-030000.redb";
    let days = [
        "doorlight-2026-11-27-030000.redb",
        "doorlight-2026-11-28-030000.redb",
        "doorlight-2026-11-29-030000.redb",
    ];
    let place = Place::with("tidy-future", &[&days[..], &[future]].concat());
    place.tidy(ONE_A_DAY, days[2]);
    assert_eq!(place.0.names(), [days[1], days[2], future]);

    // And the other way round: made while the clock was far behind, nothing that is newer is touched.
    let past = "doorlight-1970-01-01-000010.redb";
    std::fs::write(place.0.join(past), content(past)).unwrap();
    place.tidy_at(ONE_A_DAY, past, Timestamp::from_millis(10_500));
    assert_eq!(place.0.names(), [past, days[1], days[2], future]);
}

#[test]
fn the_one_that_was_made_just_now_stays_whatever_the_numbers_and_the_other_names_say() {
    let made = "doorlight-2026-11-29-030000.redb";
    let ahead = "doorlight-2026-11-29-033000.redb";
    let place = Place::with("tidy-made", &[made, ahead]);
    let none = Keep {
        daily: 0,
        weekly: 0,
        monthly: 0,
    };
    // Moments have milliseconds, names have not.
    let at = time(made).plus(Duration::from_millis(999));
    assert_eq!(place.tidy_at(none, made, at).removed, 0);
    assert_eq!(place.0.names(), [made, ahead]);
}

/// Whoever else may write to the folder put empty files there, each the latest of its day: then the good ones went.
#[test]
fn files_that_hold_no_backup_or_are_of_another_user_have_no_good_one_removed() {
    let good = [
        "doorlight-2026-11-27-030000.redb",
        "doorlight-2026-11-28-030000.redb.age",
        "doorlight-2026-11-29-030000.redb",
    ];
    let place = Place::with("tidy-hostile", &good);
    let three = Keep {
        daily: 3,
        ..ONE_A_DAY
    };
    for day in 25..29 {
        let name = place.0.join(format!("doorlight-2026-11-{day}-235959.redb"));
        std::fs::write(name, "").unwrap();
        let name = place.0.join(format!("doorlight-2026-11-{day}-235958.redb"));
        std::fs::write(name, "redb, as it were").unwrap();
    }
    let pipe = place.0.join("doorlight-2026-11-28-235957.redb");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let before = place.0.names();
    let tidied = place.tidy(three, good[2]);
    assert!(tidied.removed == 0 && tidied.failed.is_none(), "{tidied:?}");
    assert_eq!(place.0.names(), before);
    // What is not of the user whose file it is told of is not of ours.
    let mine = std::fs::metadata(place.0.join(good[0])).unwrap().uid();
    let path = place.0.join(good[0]);
    assert!(is_ours(&path, mine) && !is_ours(&path, mine.wrapping_add(1)));
    assert!(!is_ours(&pipe, mine));
}

/// Each power cut in the middle of a backup left a file of its size on the stick for ever.
#[test]
fn what_a_power_cut_left_goes_after_a_day_and_what_looks_like_it_stays() {
    let made = "doorlight-2026-11-29-030000.redb.age";
    let old = ".doorlight-2026-11-28-030000.redb.age.0123456789abcdef.part";
    let stays = [
        // Of today, by its name.
        ".doorlight-2026-11-28-030001.redb.age.0123456789abcdef.part",
        // Of others.
        ".doorlight-2026-11-20-030000.redb.0123456789abcde.part",
        ".doorlight-2026-11-20-030000.redb.0123456789abcdeg.part",
        ".doorlight-2026-11-20.redb.0123456789abcdef.part",
        ".letter.txt.0123456789abcdef.part",
        "doorlight-2026-11-20-030000.redb.0123456789abcdef.part",
    ];
    let written = ".doorlight-2026-11-20-030000.redb.fedcba9876543210.part";
    let place = Place::with("tidy-parts", &[&stays[..], &[made, old, written]].concat());
    let age = |name: &str, time: Timestamp| {
        let file = File::options()
            .write(true)
            .open(place.0.join(name))
            .unwrap();
        let time = UNIX_EPOCH + Duration::from_millis(time.millis());
        file.set_modified(time).unwrap();
    };
    for name in stays.iter().chain(&[old]) {
        age(name, time("doorlight-2026-11-28-025959.redb"));
    }
    // Begun long ago, and still being written.
    age(written, time("doorlight-2026-11-29-025959.redb"));
    let link = ".doorlight-2026-11-21-030000.redb.0123456789abcdef.part";
    std::os::unix::fs::symlink(place.0.join(made), place.0.join(link)).unwrap();
    place.tidy(ONE_A_DAY, made);
    let names = place.0.names();
    assert!(!names.contains(&old.to_owned()), "{names:?}");
    for name in stays.iter().chain(&[made, written, link]) {
        assert!(names.contains(&(*name).to_owned()), "{name}: {names:?}");
    }
}

/// As all are on a stick with FAT, whatever was asked for.
#[test]
fn one_that_others_on_the_machine_can_read_is_known_by_its_mode() {
    let name = "doorlight-2026-11-29-030000.redb";
    let place = Place::with("tidy-open", &[name]);
    for (mode, open) in [
        (0o600, false),
        (0o400, false),
        (0o640, true),
        (0o604, true),
        (0o700, false),
        (0o755, true),
    ] {
        let rights = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(place.0.join(name), rights).unwrap();
        assert_eq!(list(&place.0).unwrap()[0].others_read, open, "{mode:o}");
    }
}

#[test]
fn a_folder_is_tried_out_and_left_as_it_was() {
    let place = Place::with("tried", &["letter.txt"]);
    assert!(!try_out(&place.0).unwrap());
    assert_eq!(place.0.names(), ["letter.txt"]);
    let refused = |path: &Path| try_out(path).unwrap_err().kind();
    assert_eq!(refused(&place.0.join("nowhere")), io::ErrorKind::NotFound);
    assert_eq!(
        refused(&place.0.join("letter.txt")),
        io::ErrorKind::NotADirectory
    );
    assert!(try_out(Path::new("/proc")).is_err());
    assert!(!is_on_other_disk(&place.0, &place.0.join("doorlight.redb")).unwrap());
    assert!(is_on_other_disk(Path::new("/proc"), &place.0.join("doorlight.redb")).unwrap());
    assert!(list(&place.0.join("nowhere")).is_err());
    assert!(room(&place.0).unwrap() > 0);
}
