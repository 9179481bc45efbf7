//! What a request to `/authorize` has asked of the person already, carried along in the address and sealed, so that
//! nothing is stored for somebody who only looks at the sign-in page.

use crate::model::PushedRequest;
use crate::server::incoming::{Incoming, Visitor};
use crate::types::{Form, Timestamp};
use std::time::Duration;

const SINCE: &str = "doorlight_since";
const CHOSEN: &str = "doorlight_chosen";
const BEGUN: &str = "doorlight_begun";
/// A mark is for the moment, not for a bookmark.
const LIFE: Duration = PushedRequest::SIGN_IN_LIFE;

/// Marks that held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The person was sent to the sign-in page by this very request at that moment.
    pub sign_in_since: Option<Timestamp>,
    /// The person chose the account they are signed in with.
    pub chosen: bool,
}

/// When this very request was first seen, if it says so. A request that ends with time (RFC 9126 §2.2, RFC 9101 §4) is
/// held against that moment while a person signs in. This mark stays in the form that is passed along.
pub fn begun(incoming: &Incoming<'_>, form: &Form) -> Option<Timestamp> {
    let bare = form.without(SINCE).without(CHOSEN).without(BEGUN);
    open(incoming, BEGUN, &[&bare.encode()], form.text(BEGUN))
}

/// The address of the same request with that mark: what a person may load again.
pub fn begin(incoming: &Incoming<'_>, bare: &Form) -> String {
    let bare = bare.without(BEGUN);
    let mark = mark(incoming, BEGUN, &[&bare.encode()]);
    to_authorize(&bare.with(BEGUN, &mark))
}

/// Takes the marks out of a request.
pub fn take(incoming: &Incoming<'_>, form: &Form, visitor: Option<&Visitor>) -> (Form, Marks) {
    let bare = bare(form);
    let request = bare.encode();
    let session = session_text(visitor);
    let marks = Marks {
        sign_in_since: open(incoming, SINCE, &[&request], form.text(SINCE)),
        chosen: open(incoming, CHOSEN, &[&request, &session], form.text(CHOSEN)).is_some(),
    };
    (bare, marks)
}

/// The request without the marks that [`take`] takes.
pub fn bare(form: &Form) -> Form {
    form.without(SINCE).without(CHOSEN)
}

/// The address to go on with after a sign-in that this request asked for.
pub fn ask_sign_in(incoming: &Incoming<'_>, bare: &Form) -> String {
    to_authorize(
        &bare
            .clone()
            .with(SINCE, &mark(incoming, SINCE, &[&bare.encode()])),
    )
}

/// The address to go on with after the person chose the account they are signed in with.
pub fn chosen(incoming: &Incoming<'_>, bare: &Form, visitor: &Visitor) -> String {
    let session = session_text(Some(visitor));
    to_authorize(
        &bare
            .clone()
            .with(CHOSEN, &mark(incoming, CHOSEN, &[&bare.encode(), &session])),
    )
}

/// The request as an address below the issuer.
pub fn to_authorize(form: &Form) -> String {
    format!("/authorize?{}", form.encode())
}

/// Where to go on: a path of ours, as one of our forms carried it. Anything else becomes the start page, so that no
/// form can lead elsewhere.
pub fn continue_to(text: &str) -> &str {
    let ours = text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if ours { text } else { "/" }
}

/// The request to `/authorize` that a form carried, if it was one.
pub fn request_in(continue_to: &str) -> Option<Form> {
    Form::parse(continue_to.strip_prefix("/authorize?")?.as_bytes()).ok()
}

fn session_text(visitor: Option<&Visitor>) -> String {
    visitor
        .map(|visitor| visitor.session.id.to_string())
        .unwrap_or_default()
}

fn mark(incoming: &Incoming<'_>, name: &str, parts: &[&str]) -> String {
    let at = incoming.now.millis().to_string();
    let parts: Vec<&str> = parts.iter().copied().chain([at.as_str()]).collect();
    format!("{at}.{}", incoming.ctx.seal.tag(name, &parts))
}

fn open(incoming: &Incoming<'_>, name: &str, parts: &[&str], text: &str) -> Option<Timestamp> {
    let (at, tag) = text.split_once('.')?;
    let time = Timestamp::from_millis(at.parse().ok()?);
    let parts: Vec<&str> = parts.iter().copied().chain([at]).collect();
    let holds = incoming.ctx.seal.verify(name, &parts, tag) && incoming.now.is_within(LIFE, time);
    holds.then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_our_own_paths_only() {
        for (given, kept) in [
            ("/authorize?a=b", "/authorize?a=b"),
            ("/admin/keys", "/admin/keys"),
            ("", "/"),
            ("https://evil.example", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/\tevil", "/"),
            ("javascript:alert(1)", "/"),
        ] {
            assert_eq!(continue_to(given), kept, "{given}");
        }
    }
}
