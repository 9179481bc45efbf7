//! The name under which a client knows a person. OpenID Connect Core §8 (`public`), §8.1 (`pairwise`).
//! Owns: the one answer to "the `sub` of this person for this client". Everything that a client reads or sends asks here.
//! Not here: how a client comes by its sector (`oauth::clients`).

use crate::crypto::seal::SealKey;
use crate::model::Client;
use crate::types::UserId;

/// The `sub`. Pairwise: computed and not stored, of the sector's own key, so that nobody without it finds the person.
pub fn of(user: UserId, client: &Client) -> String {
    match &client.sector {
        Some(sector) => SealKey::new(sector.key.bytes()).tag("sub", &[&user.to_string()]),
        None => user.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sector;
    use crate::oauth::testing::{client, user};

    fn of_sector(host: &str, key: u8) -> Client {
        Client {
            sector: Some(Box::new(Sector {
                host: host.parse().unwrap(),
                key: vec![key; 32].into(),
            })),
            ..client()
        }
    }

    #[test]
    fn section_8_1_one_name_in_a_sector_another_in_the_next_and_never_the_id() {
        let id = user().id;
        let one = of(id, &of_sector("one.example", 1));
        assert_eq!(one, of(id, &of_sector("one.example", 1)));
        assert_ne!(one, of(id, &of_sector("two.example", 2)));
        assert!(!one.contains(&id.to_string()));
        // §8: at most 255 characters of ASCII.
        assert!(one.is_ascii() && one.len() == 43);
        assert_eq!(of(id, &client()), id.to_string());
    }
}
