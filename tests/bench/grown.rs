//! A data file with very many people, and as many grants with a refresh token each. The store itself writes it, while no
//! server runs: over the command line a hundred thousand passwords would be hashed.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use doorlight::crypto::random;
use doorlight::model::{Authentication, Change, Decision, Grant, RefreshToken, User};
use doorlight::ops::clock;
use doorlight::store::Store;
use doorlight::types::{
    ClientId, GrantId, Id, RefreshTokenId, Secret, SessionId, Timestamp, TokenHash, UserId,
};

use crate::Attempt;

/// Rows of one commit.
const AT_ONCE: usize = 2_000;
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Adds so many people; each has the groups and the password of the first one that is there, and one refresh token.
pub fn fill(data: &Path, people: usize) -> Attempt<()> {
    let store = Store::open(data)?;
    let snapshot = store.snapshot()?;
    let model = snapshot.view().users_by_name("", 1)?;
    let model = model.into_iter().next().ok_or("the file holds nobody")?;
    let clients = snapshot.view().clients(None, 1)?;
    let client = clients.first().ok_or("the file holds no application")?.id;
    drop(snapshot);
    // Ids are in order of time, as if one had come every millisecond until now.
    let begin = clock::now().minus(Duration::from_millis(people as u64));
    let numbers: Vec<usize> = (0..people).collect();
    for chunk in numbers.chunks(AT_ONCE) {
        let changes = chunk
            .iter()
            .map(|number| {
                let time = begin.plus(Duration::from_millis(*number as u64));
                one(&model, client, *number, time)
            })
            .collect::<Attempt<Vec<_>>>()?;
        let Ok(()) = store.submit(move |_| {
            let reply: Result<(), Infallible> = Ok(());
            Ok(Decision {
                changes: changes.into_iter().flatten().collect(),
                events: Vec::new(),
                reply,
            })
        })?;
    }
    store.close();
    Ok(())
}

fn one(model: &User, client: ClientId, number: usize, time: Timestamp) -> Attempt<Vec<Change>> {
    let id = || Id::new(time, random::bytes());
    let name = format!("grown{number:07}");
    let user = User {
        id: UserId(id()),
        email: Some(format!("{name}@example.org")),
        username: name.parse()?,
        admin: false,
        created: time,
        updated: time,
        ..model.clone()
    };
    let grant = Grant {
        id: GrantId(id()),
        client,
        user: user.id,
        session: SessionId(id()),
        offline: true,
        scope: "openid offline_access".parse()?,
        resources: Vec::new(),
        claims: Default::default(),
        authentication: Authentication {
            time,
            amr: vec!["pwd".to_owned()],
        },
        created: time,
        expires: time.plus(YEAR),
        ended: None,
        dpop_jkt: None,
    };
    let token = RefreshToken {
        id: RefreshTokenId(id()),
        hash: TokenHash::of(&Secret::from_random(random::bytes())),
        grant: grant.id,
        created: time,
        expires: time.plus(YEAR),
        rotated: None,
    };
    Ok(vec![
        Change::PutUser(Box::new(user)),
        Change::PutGrant(Box::new(grant)),
        Change::PutRefreshToken(Box::new(token)),
    ])
}
