//! What a backup is called, by its moment and its form, and which files bear such a name.
//! Not here: how one is written (`store::backup`), which are kept (`retention`).

use crate::types::Timestamp;

const BEFORE: &str = "doorlight-";
const BY_HAND: &str = "doorlight-by-hand-";
const FORM: &str = "%Y-%m-%d-%H%M%S";

/// What a backup is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A data file.
    Plain,
    /// A data file in the age format (`crypto::age`).
    Encrypted,
}

impl Form {
    const ALL: [Self; 2] = [Self::Plain, Self::Encrypted];

    const fn ending(self) -> &'static str {
        match self {
            Self::Plain => ".redb",
            Self::Encrypted => ".redb.age",
        }
    }
}

/// The name of a backup of that moment: `doorlight-2026-11-29-030000.redb`, in UTC; of one that is encrypted:
/// `doorlight-2026-11-29-030000.redb.age`.
pub fn of(time: Timestamp, form: Form) -> String {
    format!("{BEFORE}{}{}", moment(time), form.ending())
}

/// The name of one that somebody asked for, wherever it goes: in the folder of those that are made by themselves it is none
/// of them, and is never taken away.
pub fn by_hand(time: Timestamp, form: Form) -> String {
    format!("{BY_HAND}{}{}", moment(time), form.ending())
}

/// A moment in the name of a file, in UTC: `2026-11-29-030000`.
pub fn moment(time: Timestamp) -> String {
    let moment = i64::try_from(time.millis())
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .unwrap_or_default();
    moment.strftime(FORM).to_string()
}

/// The moment in such a name of either form, to the second. Nothing else is a backup of ours.
pub fn time_of(file_name: &str) -> Option<Timestamp> {
    Form::ALL
        .into_iter()
        .find_map(|form| time_of_form(file_name, form))
}

/// Which form has such a name.
pub fn form_of(file_name: &str) -> Option<Form> {
    Form::ALL
        .into_iter()
        .find(|form| time_of_form(file_name, *form).is_some())
}

fn time_of_form(file_name: &str, form: Form) -> Option<Timestamp> {
    let text = file_name
        .strip_prefix(BEFORE)?
        .strip_suffix(form.ending())?;
    let moment = jiff::civil::DateTime::strptime(FORM, text).ok()?;
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    let time = Timestamp::from_millis(u64::try_from(moment.as_millisecond()).ok()?);
    // One spelling only: what is removed is what was made.
    (of(time, form) == file_name).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_moment_and_others_tell_none() {
        let time = Timestamp::from_secs(1_795_510_200);
        let (plain, encrypted) = (of(time, Form::Plain), of(time, Form::Encrypted));
        assert_eq!(plain, "doorlight-2026-11-24-085000.redb");
        assert_eq!(encrypted, "doorlight-2026-11-24-085000.redb.age");
        assert_eq!(time_of(&plain), Some(time));
        assert_eq!(time_of(&encrypted), Some(time));
        assert_eq!(form_of(&plain), Some(Form::Plain));
        assert_eq!(form_of(&encrypted), Some(Form::Encrypted));
        assert_eq!(
            by_hand(time, Form::Plain),
            "doorlight-by-hand-2026-11-24-085000.redb"
        );
        for other in [
            by_hand(time, Form::Plain).as_str(),
            by_hand(time, Form::Encrypted).as_str(),
            "doorlight.redb",
            "doorlight-2026-11-24.redb",
            "doorlight-2026-11-24-085000.redb.part",
            "doorlight-2026-11-24-0850000.redb",
            "doorlight-2026-13-24-085000.redb",
            "Doorlight-2026-11-24-085000.redb",
            "doorlight-+2026-11-24-085000.redb",
            "doorlight-2026-11-24-085000-mine.redb",
            "doorlight-2026-11-24-085000.age",
            "doorlight-2026-11-24-085000.redb.age.age",
            "doorlight-2026-11-24-085000.redb.redb.age",
            "doorlight-2026-11-24-085000.redb.AGE",
        ] {
            assert_eq!(time_of(other), None, "{other}");
        }
    }
}
