//! Who may take a backup away, and how many at a time.

use super::testing::{Browser, House, between, set_up};
use crate::model::{Change, Decision, EventKind, Outcome};
use crate::ops::clock;
use crate::server::routes;
use crate::types::Form;
use rouille::{Request, Response};
use std::convert::Infallible;
use std::time::Duration;

const DOWNLOAD: &str = "/admin/backups/download";

/// The answer, unread.
fn ask(house: &House, root: &mut Browser) -> Response {
    root.get(house, "/admin/backups");
    let csrf = between(&root.page, "name=\"csrf\" value=\"", "\"");
    let form = Form::default().with("csrf", &csrf).with("lock", "none");
    let cookies: Vec<_> = root
        .cookies
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    let headers = [
        ("Host", "localhost:8080".to_owned()),
        ("Cookie", cookies.join("; ")),
        (
            "Content-Type",
            "application/x-www-form-urlencoded".to_owned(),
        ),
    ];
    let headers = headers
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
    let request = Request::fake_http("POST", DOWNLOAD, headers, Vec::new());
    routes::handle(&house.ctx, &request, form.encode().as_bytes())
}

fn is_file(response: &Response) -> bool {
    response
        .headers
        .iter()
        .any(|(name, value)| name == "Content-Disposition" && value.starts_with("attachment"))
}

fn downloads(house: &House) -> u64 {
    let counters = house.ctx.store.counters();
    counters.events(EventKind::BackupDownloaded, Outcome::Success)
}

/// Each takes room on the disk while it lasts: whoever began many and read none filled it.
#[test]
fn a_download_that_stalls_keeps_others_out_until_it_ends() {
    let (house, mut root) = set_up("download-one");
    let stalled = ask(&house, &mut root);
    assert!(is_file(&stalled));
    let second = ask(&house, &mut root);
    assert_eq!(second.status_code, 422);
    assert!(!is_file(&second));
    // The data file can be written all the while.
    let commits = house.ctx.store.commits();
    root.get(&house, "/admin/backups");
    assert_eq!(
        root.post(&house, "/admin/keys/rotate", &[("alg", "ES256")]),
        303
    );
    assert!(house.ctx.store.commits() > commits);
    drop(stalled);
    assert!(is_file(&ask(&house, &mut root)));
    assert_eq!(downloads(&house), 2);
    house.ctx.store.close();
}

/// A browser that was left open gives nobody the signing keys.
#[test]
fn whoever_was_not_asked_for_the_password_lately_gets_no_backup() {
    let (house, mut root) = set_up("download-stale");
    let user = house
        .ctx
        .store
        .snapshot()
        .unwrap()
        .view()
        .users_by_name("", 1)
        .unwrap()
        .remove(0);
    let submitted = house.ctx.store.submit(move |view| {
        let mut session = view.sessions_of(user.id, 1)?.remove(0);
        session.authentication.time = clock::now().minus(Duration::from_secs(3_600));
        let reply: Result<(), Infallible> = Ok(());
        Ok(Decision {
            changes: vec![Change::PutSession(Box::new(session))],
            events: Vec::new(),
            reply,
        })
    });
    submitted.unwrap().unwrap();
    assert!(!is_file(&ask(&house, &mut root)));
    for action in ["", "/run", "/off"] {
        root.get(&house, "/admin/backups");
        let address = format!("/admin/backups{action}");
        let typed = [("folder", "/tmp"), ("at", "03:00")];
        assert_ne!(root.post(&house, &address, &typed), 303, "{action}");
        assert!(root.page.contains("name=\"password\""), "{}", root.page);
    }
    assert_eq!(downloads(&house), 0);
    assert_eq!(house.ctx.settings().unwrap().backups.folder, None);
    house.ctx.store.close();
}
