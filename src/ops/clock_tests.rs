use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn at(counted: Duration) -> Timestamp {
    NOW.plus(counted)
}

fn running() -> Watch {
    Watch::begin(Some(NOW), NOW, Duration::ZERO)
}

fn way(doubt: Option<Doubt>) -> Option<Way> {
    doubt.map(|doubt| doubt.way)
}

#[test]
fn a_clock_that_goes_with_time_is_sure_and_so_is_one_that_is_corrected_a_little() {
    let mut watch = running();
    for minute in 0..10_000 {
        let counted = Duration::from_secs(60 * minute);
        assert_eq!(watch.look(at(counted), counted), None);
    }
    // Forwards, backwards, and a drift that adds up.
    let mut wall = at(HOUR * 199);
    for n in 0..100 {
        let counted = HOUR * (200 + n);
        wall = wall.plus(HOUR + Duration::from_secs(200));
        assert_eq!(watch.look(wall, counted), None);
    }
    assert_eq!(watch.look(wall.minus(BACK), HOUR * 299), None);
}

#[test]
fn a_year_forwards_is_doubted_until_it_is_taken_back() {
    let mut watch = running();
    let doubt = watch.look(at(HOUR).plus(YEAR), HOUR).unwrap();
    assert_eq!((doubt.way, doubt.by), (Way::Ahead, YEAR));
    assert_eq!(doubt.left(), 7 * DAY);
    assert_eq!(doubt.latest(at(HOUR).plus(YEAR)), at(HOUR));
    let later = watch.look(at(2 * HOUR).plus(YEAR), 2 * HOUR).unwrap();
    assert_eq!((later.lasted, later.left()), (HOUR, 7 * DAY - HOUR));
    // Right again: nothing to wait for.
    assert_eq!(watch.look(at(3 * HOUR), 3 * HOUR), None);
    assert_eq!(watch.look(at(4 * HOUR), 4 * HOUR), None);
}

#[test]
fn a_doubt_ends_where_somebody_knows_better_and_only_that_one() {
    let mut watch = running();
    let ahead = at(HOUR).plus(YEAR);
    let doubt = watch.look(ahead, HOUR).unwrap();
    // It has jumped once more before the word was heard.
    let further = ahead.plus(DAY);
    watch.trust(doubt, further, HOUR);
    assert_eq!(way(watch.look(further, HOUR)), Some(Way::Ahead));
    watch.trust(doubt, ahead, HOUR);
    assert_eq!(watch.look(ahead.plus(DAY), HOUR + DAY), None);
    // What was right before is a jump now.
    assert_eq!(
        way(watch.look(at(HOUR + DAY), HOUR + DAY)),
        Some(Way::Behind)
    );
}

#[test]
fn a_doubt_ends_by_itself_after_as_long_as_the_jump_and_a_week_at_most() {
    for (jump, longest) in [(HOUR, HOUR), (3 * DAY, 3 * DAY), (YEAR, 7 * DAY)] {
        let mut watch = running();
        let minute = Duration::from_secs(60);
        assert!(watch.look(at(DAY).plus(jump), DAY).is_some());
        let end = DAY + longest;
        assert!(
            watch
                .look(at(end - minute).plus(jump), end - minute)
                .is_some()
        );
        assert_eq!(watch.look(at(end).plus(jump), end), None);
        // And the other way round: it is the former time now that is doubted.
        let back = watch.look(at(end + minute), end + minute);
        assert_eq!(way(back), Some(Way::Behind));
    }
}

/// A clock that is set back a day has lived through that day again when it is believed.
#[test]
fn a_day_backwards_is_doubted_until_the_clock_has_passed_what_it_had_shown() {
    let mut watch = running();
    let back = at(HOUR).minus(DAY);
    let doubt = watch.look(back, HOUR).unwrap();
    assert_eq!((doubt.way, doubt.latest(back)), (Way::Behind, back));
    let mut counted = HOUR;
    while watch.look(at(counted).minus(DAY), counted).is_some() {
        counted += Duration::from_secs(60);
    }
    assert!(at(counted).minus(DAY) >= at(HOUR));
}

#[test]
fn one_jump_after_the_other_begins_the_wait_anew() {
    let mut watch = running();
    assert!(watch.look(at(HOUR).plus(DAY), HOUR).is_some());
    let counted = HOUR + 23 * HOUR;
    let doubt = watch.look(at(counted).plus(2 * DAY), counted).unwrap();
    assert_eq!(doubt.lasted, Duration::ZERO);
    assert_eq!(
        way(watch.look(at(counted).minus(DAY), counted)),
        Some(Way::Behind)
    );
}

/// A Raspberry Pi has no clock of its own: it starts with the time of its last shutdown, or with none at all.
#[test]
fn a_start_is_compared_with_what_the_file_tells() {
    let begun = |wall| Watch::begin(Some(NOW), wall, DAY).look(wall, DAY);
    assert_eq!(begun(NOW), None);
    assert_eq!(begun(NOW.plus(29 * DAY)), None);
    assert_eq!(begun(NOW.minus(BACK)), None);
    assert_eq!(way(begun(NOW.minus(2 * BACK))), Some(Way::Behind));
    assert_eq!(way(begun(NOW.plus(31 * DAY))), Some(Way::Ahead));
    assert_eq!(way(begun(NOW.minus(HOUR))), Some(Way::Behind));
    assert_eq!(way(begun(Timestamp::from_secs(0))), Some(Way::Behind));
    // A new file has nothing to lose.
    assert_eq!(Watch::begin(None, NOW, DAY).look(NOW, DAY), None);
    // The time comes over the network, some days after the last start: nothing to doubt.
    let mut watch = Watch::begin(Some(NOW), Timestamp::from_secs(0), DAY);
    assert_eq!(watch.look(NOW.plus(5 * DAY), DAY + HOUR), None);
    // What was sure once in this life is held to more strictly.
    assert!(watch.look(NOW.plus(7 * DAY), DAY + 2 * HOUR).is_some());
}

#[test]
fn a_person_is_told_by_how_much_and_for_how_long() {
    let doubt = |way, by| {
        let lasted = HOUR;
        Doubt { way, by, lasted }.to_string()
    };
    let ahead = doubt(Way::Ahead, YEAR);
    assert!(
        ahead.contains("365 days further") && ahead.contains("7 days, nothing"),
        "{ahead}"
    );
    let behind = doubt(Way::Behind, DAY);
    assert!(
        behind.contains("back by 24 hours") && behind.contains("23 hours, app"),
        "{behind}"
    );
}
