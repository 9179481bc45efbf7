//! The names under which a client knows a person and their session. OpenID Connect Core §8 (`public`), §8.1 (`pairwise`).
//! Owns: the one answer to "the `sub` of this person for this client", and the same for `sid`, which would tell two
//! clients as well that they have the same person before them. Everything that a client reads or sends asks here.
//! Not here: how a client comes by its sector (`oauth::clients::sector`).

use crate::crypto::seal::SealKey;
use crate::model::Client;
use crate::types::{SessionId, UserId};

/// The `sub`. Pairwise: computed and not stored, of the sector's own key, so that nobody without it finds the person.
pub fn of(user: UserId, client: &Client) -> String {
    named("sub", client, user.to_string())
}

/// The `sid` (OpenID Connect Back-Channel Logout 1.0 §2.1, Front-Channel Logout 1.0 §3).
pub fn session(session: SessionId, client: &Client) -> String {
    named("sid", client, session.to_string())
}

fn named(what: &str, client: &Client, id: String) -> String {
    match &client.sector {
        Some(sector) => SealKey::new(sector.key.bytes()).tag(what, &[&id]),
        None => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{client, of_sector, session as signed_in, user};

    #[test]
    fn section_8_1_one_name_in_a_sector_another_in_the_next_and_never_the_id() {
        let (person, here) = (user().id, signed_in().id);
        let (one, two) = (of_sector("one.example", 1), of_sector("two.example", 2));
        for (what, id, ours, again, theirs, public) in [
            (
                "sub",
                person.to_string(),
                of(person, &one),
                of(person, &one),
                of(person, &two),
                of(person, &client()),
            ),
            (
                "sid",
                here.to_string(),
                session(here, &one),
                session(here, &one),
                session(here, &two),
                session(here, &client()),
            ),
        ] {
            assert_eq!(ours, again, "{what}");
            assert_ne!(ours, theirs, "{what}");
            assert_ne!(ours, id, "{what}");
            // §8: at most 255 characters of ASCII.
            assert!(ours.is_ascii() && ours.len() == 43, "{what}");
            assert_eq!(public, id, "{what}");
        }
    }

    #[test]
    fn a_person_and_a_session_of_one_number_have_two_names() {
        let one = of_sector("one.example", 1);
        let id = user().id.0;
        assert_ne!(of(UserId(id), &one), session(SessionId(id), &one));
    }
}
