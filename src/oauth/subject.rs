//! The names under which a client knows a person and their session. OpenID Connect Core §8 (`public`), §8.1 (`pairwise`).
//! Owns: the one answer to "the `sub` of this person for this client", and the same for `sid`, which would tell two
//! clients as well that they have the same person before them. Everything that a client reads or sends asks here.
//! Not here: how a client comes by its sector (`oauth::clients::sector`).

use crate::crypto::seal::SealKey;
use crate::model::{Client, User};
use crate::types::SessionId;

/// The `sub`. Pairwise: computed and not stored, of the sector's own key, so that nobody without it finds the person. Else
/// the one that all know, which may be of another server.
pub fn of(user: &User, client: &Client) -> String {
    match client.sector {
        Some(_) => named("sub", client, user.id.to_string()),
        None => user.sub(),
    }
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
        let (person, here) = (user(), signed_in().id);
        let (one, two) = (of_sector("one.example", 1), of_sector("two.example", 2));
        for (what, id, ours, again, theirs, public) in [
            (
                "sub",
                person.id.to_string(),
                of(&person, &one),
                of(&person, &one),
                of(&person, &two),
                of(&person, &client()),
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
        let person = user();
        assert_ne!(of(&person, &one), session(SessionId(person.id.0), &one));
    }

    #[test]
    fn a_sub_that_came_along_is_for_those_who_may_all_know_it() {
        let moved = User {
            subject: "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58".parse().ok(),
            ..user()
        };
        assert_eq!(
            of(&moved, &client()),
            "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58"
        );
        let one = of_sector("one.example", 1);
        assert_eq!(of(&moved, &one), of(&user(), &one));
    }
}
