//! Tokens that are called back while the clock is wrong. Whatever was issued before a moment is dead then
//! (`tokens_not_before`).
//! While the clock is behind, what was issued before it went back is dated after that moment: it ends by name, in the same
//! commit. While it is ahead, the moment is a time to come, and whoever it belongs to could do nothing until then: it is the
//! one that the clock should show, and what was issued since ends by name.
//! Grants are in order of time, so a clock that is right has nothing to look at.

use crate::model::{Change, Client, Grant, GrantEnd, User};
use crate::oauth::token::code;
use crate::ops::clock::{self, Doubt};
use crate::server::logout_notices;
use crate::store::{StoreError, View};
use crate::types::{ClientId, GrantId, Timestamp, UserId};
use std::collections::BTreeMap;

/// Grants of a client that are looked at at a time.
const AT_A_TIME: usize = 500;

/// What follows from a decision's changes: this, and whoever is to be told of all of it (`store::Consequences`).
pub fn with_notices(view: &View<'_>, changes: &[Change]) -> Result<Vec<Change>, StoreError> {
    let (now, doubt) = clock::look();
    let mut more = following(view, changes, now, doubt)?;
    if more.is_empty() {
        return logout_notices::owed_by(view, changes);
    }
    let all: Vec<Change> = changes.iter().chain(&more).cloned().collect();
    more.extend(logout_notices::owed_by(view, &all)?);
    Ok(more)
}

fn following(
    view: &View<'_>,
    changes: &[Change],
    now: Timestamp,
    doubt: Option<Doubt>,
) -> Result<Vec<Change>, StoreError> {
    let latest = doubt.map(|doubt| doubt.latest(now).just_after());
    let bounded = |from: Timestamp| latest.map_or(from, |latest| latest.min(from));
    let (users, clients) = put(changes);
    let (mut more, mut later) = (Vec::new(), Vec::new());
    for after in users.into_values() {
        let from = bounded(after.tokens_not_before);
        if !calls_back(
            view.user(after.id)?.map(|u| u.tokens_not_before),
            after.tokens_not_before,
        ) {
            continue;
        }
        later.extend(view.grants_since(after.id, from)?);
        if from != after.tokens_not_before {
            more.push(Change::PutUser(Box::new(User {
                tokens_not_before: from,
                ..after.clone()
            })));
        }
    }
    for after in clients.into_values() {
        let from = bounded(after.tokens_not_before);
        if !calls_back(
            view.client(after.id)?.map(|c| c.tokens_not_before),
            after.tokens_not_before,
        ) {
            continue;
        }
        later.extend(of_client_since(view, after.id, from)?);
        if from != after.tokens_not_before {
            more.push(Change::PutClient(Box::new(Client {
                tokens_not_before: from,
                ..after.clone()
            })));
        }
    }
    let mut later: BTreeMap<GrantId, Grant> = later.into_iter().map(|g| (g.id, g)).collect();
    // What the decision itself says of one stands.
    for change in changes {
        if let Change::PutGrant(grant) = change {
            later.remove(&grant.id);
        }
    }
    let living = later.into_values().filter(|grant| grant.ended.is_none());
    more.extend(living.map(|grant| code::end(grant, GrantEnd::RevokedByPerson, now)));
    Ok(more)
}

/// What the changes leave of each person and each application that they put.
fn put(changes: &[Change]) -> (BTreeMap<UserId, &User>, BTreeMap<ClientId, &Client>) {
    let (mut users, mut clients) = (BTreeMap::new(), BTreeMap::new());
    for change in changes {
        match change {
            Change::PutUser(user) => drop(users.insert(user.id, &**user)),
            Change::PutClient(client) => drop(clients.insert(client.id, &**client)),
            _ => {}
        }
    }
    (users, clients)
}

/// A record that is new has issued nothing.
fn calls_back(before: Option<Timestamp>, after: Timestamp) -> bool {
    before.is_some_and(|before| before != after)
}

fn of_client_since(
    view: &View<'_>,
    client: ClientId,
    since: Timestamp,
) -> Result<Vec<Grant>, StoreError> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = view.grants(before, AT_A_TIME)?;
        before = page.last().map(|grant| grant.id);
        let is_whole = page.len() == AT_A_TIME;
        let later = page
            .into_iter()
            .take_while(|grant| grant.id.0.time() >= since);
        let later: Vec<Grant> = later.collect();
        let goes_on = is_whole && later.last().map(|grant| grant.id) == before;
        found.extend(later.into_iter().filter(|grant| grant.client == client));
        if !goes_on {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Client, Decision, User};
    use crate::oauth::testing::{NOW, client, grant, user};
    use crate::ops::clock::Way;
    use crate::server::testing::{House, house};
    use crate::types::Id;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn commit(house: &House, changes: Vec<Change>) {
        let submitted = house.ctx.store.submit(move |_| {
            Ok(Decision {
                changes,
                events: Vec::new(),
                reply: Ok::<(), ()>(()),
            })
        });
        submitted.unwrap().unwrap();
    }

    fn made(number: u8, at: Timestamp) -> Grant {
        Grant {
            id: GrantId(Id::new(at, [number; 10])),
            created: at,
            ..grant(&client())
        }
    }

    fn furnished(name: &str) -> House {
        let house = house(name);
        let grants = [
            made(1, NOW.minus(HOUR)),
            made(2, NOW),
            made(3, NOW.plus(HOUR)),
        ];
        let mut changes = vec![
            Change::PutUser(Box::new(user())),
            Change::PutClient(Box::new(client())),
        ];
        changes.extend(grants.map(|grant| Change::PutGrant(Box::new(grant))));
        commit(&house, changes);
        house
    }

    /// Oldest first.
    fn ended(house: &House) -> Vec<bool> {
        let snapshot = house.ctx.store.snapshot().unwrap();
        let grants = snapshot.view().grants(None, 10).unwrap();
        grants
            .iter()
            .rev()
            .map(|grant| grant.ended.is_some())
            .collect()
    }

    fn following_at(house: &House, now: Timestamp, doubt: Option<Doubt>, put: Change) {
        let changes = vec![put];
        let more = {
            let snapshot = house.ctx.store.snapshot().unwrap();
            following(&snapshot.view(), &changes, now, doubt).unwrap()
        };
        commit(house, changes.into_iter().chain(more).collect());
    }

    fn reset(from: Timestamp) -> Change {
        Change::PutUser(Box::new(User {
            tokens_not_before: from,
            ..user()
        }))
    }

    /// Whoever was shut out while the clock was set back kept what they had from before it went back.
    #[test]
    fn whoever_is_shut_out_while_the_clock_is_behind_keeps_nothing_that_is_dated_later() {
        let by_person = furnished("called-back-person");
        following_at(&by_person, NOW, None, reset(user().tokens_not_before));
        assert_eq!(ended(&by_person), [false; 3]);
        following_at(&by_person, NOW, None, reset(NOW));
        // The first is dead by its date.
        assert_eq!(ended(&by_person), [false, true, true]);

        let by_application = furnished("called-back-application");
        let other = Client {
            id: ClientId(Id::new(NOW, [77; 10])),
            name: "Other".to_owned(),
            ..client()
        };
        let of_other = Grant {
            client: other.id,
            ..made(4, NOW.plus(HOUR * 2))
        };
        commit(&by_application, vec![Change::PutClient(Box::new(other))]);
        commit(&by_application, vec![Change::PutGrant(Box::new(of_other))]);
        let reset = Client {
            tokens_not_before: NOW.plus(HOUR),
            ..client()
        };
        // As every decision is asked.
        commit(&by_application, vec![Change::PutClient(Box::new(reset))]);
        assert_eq!(ended(&by_application), [false, false, true, false]);
    }

    /// A password that was set while the clock was a year ahead let nobody in for that year.
    #[test]
    fn whoever_is_reset_while_the_clock_is_ahead_comes_in_when_it_is_right_again() {
        let year = HOUR * 24 * 365;
        let house = furnished("called-back-ahead");
        let meanwhile = made(5, NOW.plus(year));
        commit(&house, vec![Change::PutGrant(Box::new(meanwhile))]);
        let now = NOW.plus(HOUR * 2 + year);
        let doubt = Doubt {
            way: Way::Ahead,
            by: year,
            lasted: HOUR,
        };
        following_at(&house, now, Some(doubt), reset(now));
        let snapshot = house.ctx.store.snapshot().unwrap();
        let after = snapshot.view().user(user().id).unwrap().unwrap();
        assert_eq!(after.tokens_not_before, NOW.plus(HOUR * 2).just_after());
        // What the machine's own time says was before is dead by its date.
        assert_eq!(ended(&house), [false, false, false, true]);
    }
}
