//! What stands around every page: who is signed in, the form token, and a warning where Doorlight was reached under
//! another name than its own.

use crate::server::forms;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::respond::set;
use crate::views::{Notice, Page, Tone};
use rouille::Response;

/// A page with forms: draws it with a token, and sets the cookie that the token hangs on.
pub fn with(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    title: &str,
    draw: impl FnOnce(Page) -> Response,
) -> Response {
    let token = forms::token(incoming, visitor);
    let page = Page {
        person: visitor.map(|visitor| visitor.user.display_name().to_owned()),
        is_admin: visitor.is_some_and(|visitor| visitor.user.admin),
        csrf: token.token,
        ..bare(incoming, title)
    };
    let mut response = draw(page);
    if let Some(cookie) = token.cookie {
        set(&mut response, "Set-Cookie", cookie);
    }
    response
}

/// A page without a form of ours.
pub fn bare(incoming: &Incoming<'_>, title: &str) -> Page {
    Page {
        title: title.to_owned(),
        base: incoming.ctx.config.issuer.path().to_owned(),
        notices: misplaced(incoming).into_iter().collect(),
        ..Page::default()
    }
}

/// Reached under another name or scheme than the issuer's: cookies and redirects would fail strangely, so the page
/// says which line to change.
pub fn misplaced(incoming: &Incoming<'_>) -> Option<Notice> {
    let issuer = &incoming.ctx.config.issuer;
    let host = incoming.request.header("Host").unwrap_or_default();
    let default_port = if issuer.is_https() { ":443" } else { ":80" };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    let same_host = host.eq_ignore_ascii_case(issuer.authority());
    let same_scheme = incoming.request.is_secure() == issuer.is_https();
    if same_host && same_scheme {
        return None;
    }
    let scheme = if incoming.request.is_secure() {
        "https"
    } else {
        "http"
    };
    let (text, line) = if same_host && issuer.is_https() {
        (
            format!(
                "This page came over plain http, but Doorlight's address is {issuer}. If a reverse proxy ends https \
                 in front of Doorlight, start Doorlight with its address:"
            ),
            format!("--trusted-proxy {}", incoming.address()),
        )
    } else {
        (
            format!(
                "You reached Doorlight as {scheme}://{host}, but its address is {issuer}. Open that address, or \
                 start Doorlight with the address that people should use:"
            ),
            format!("--issuer {scheme}://{host}"),
        )
    };
    let line = line
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .take(300)
        .collect();
    Some(Notice {
        tone: Tone::Warning,
        text,
        line: Some(line),
    })
}
