//! `/admin/keys`: the keys that sign tokens, replaced or withdrawn by hand.

use super::desk::{self, Answer, Desk, Done};
use crate::crypto::rotation;
use crate::oauth::keys::algorithm;
use crate::server::administration::keys::{self as operations, KeyLine};
use crate::server::pages::when::when;
use crate::server::respond::{self, Leads};
use crate::views::admin::{Confirm, KeyRow, KeyState, Keys};

const PATH: &str = "/admin/keys";

const DONE: &[Done] = &[
    (
        "rotated",
        "The key was replaced. The new one signs from now on.",
    ),
    ("withdrawn", "The key was withdrawn. Its tokens have ended."),
];

/// `GET /admin/keys`.
pub fn list(desk: &Desk<'_>) -> Answer {
    let snapshot = desk.ctx().store.snapshot()?;
    let lines = operations::list(&snapshot.view(), desk.incoming.now)?;
    let algorithms = operations::algorithms(&snapshot.view())?;
    Ok(desk.page("Keys", DONE, |page| {
        let view = Keys {
            page,
            rows: lines.iter().map(row).collect(),
            algorithms: algorithms.iter().map(|a| a.as_str().to_owned()).collect(),
            published_at: desk.ctx().config.issuer.endpoint("/jwks.json"),
        };
        respond::page(200, Leads::Here, &view)
    }))
}

/// `POST /admin/keys/rotate`.
pub fn rotate(desk: &Desk<'_>) -> Answer {
    let algorithm = algorithm(desk.form.text("alg"))?;
    operations::rotate(desk.ctx(), algorithm, &desk.actor())?;
    Ok(desk.go(PATH, "rotated"))
}

/// `GET /admin/keys/*/withdraw`.
pub fn ask_withdraw(desk: &Desk<'_>) -> Answer {
    let snapshot = desk.ctx().store.snapshot()?;
    let lines = operations::list(&snapshot.view(), desk.incoming.now)?;
    let found = lines.iter().find(|line| line.kid == desk.named);
    let key = desk::known(found, "key", desk.named)?;
    let address = format!("{}{PATH}", desk.base());
    let title = format!("Withdraw this {} key?", key.algorithm.as_str());
    Ok(desk.page(&title, &[], |page| {
        let view = Confirm {
            page,
            section: "keys",
            consequences: vec![
                format!("The key is {}.", key.kid),
                "Every token that was signed with it ends now.".to_owned(),
                "Applications may fail until they fetch the new keys, and may ask people to sign in again.".to_owned(),
                "If only its time has come, replace it instead: then nobody notices.".to_owned(),
            ],
            action: format!("{address}/{}/withdraw", key.kid),
            fields: Vec::new(),
            button: "Withdraw the key".to_owned(),
            back: address.clone(),
        };
        respond::page(200, Leads::Here, &view)
    }))
}

/// `POST /admin/keys/*/withdraw`.
pub fn withdraw(desk: &Desk<'_>) -> Answer {
    operations::withdraw(desk.ctx(), desk.named, &desk.actor())?;
    Ok(desk.go(PATH, "withdrawn"))
}

fn row(line: &KeyLine) -> KeyRow {
    KeyRow {
        kid: line.kid.clone(),
        alg: line.algorithm.as_str().to_owned(),
        state: match line.state {
            rotation::KeyState::Published => KeyState::Published,
            rotation::KeyState::Signing => KeyState::Signing,
            rotation::KeyState::Retired => KeyState::Retired,
        },
        created: when(line.created),
        until: Some(when(line.until)),
    }
}
