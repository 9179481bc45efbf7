//! Whether a form came from one of our own pages, in this browser. DESIGN §6: a token, and `Origin`/`Sec-Fetch-Site`.

use super::cookies;
use super::incoming::{Incoming, Visitor};
use crate::crypto::digest::base64url;
use crate::crypto::random;
use crate::types::Form;

const PURPOSE: &str = "form";

/// The token for the forms of a page, and the cookie that it hangs on where the browser has none yet.
pub struct FormToken {
    /// The hidden field `csrf`.
    pub token: String,
    /// `Set-Cookie`.
    pub cookie: Option<String>,
}

/// The token of this visitor: bound to their session, or before sign-in to their browser.
pub fn token(incoming: &Incoming<'_>, visitor: Option<&Visitor>) -> FormToken {
    if let Some(visitor) = visitor {
        return FormToken {
            token: session_token(incoming, visitor),
            cookie: None,
        };
    }
    if let Some(browser) = cookies::browser(incoming) {
        return FormToken {
            token: browser_token(incoming, browser),
            cookie: None,
        };
    }
    let browser = base64url(&random::bytes::<16>());
    let cookie = cookies::set_browser(&incoming.ctx.config.issuer, &browser);
    FormToken {
        token: browser_token(incoming, &browser),
        cookie: Some(cookie),
    }
}

/// Whether the form is ours: its token fits, and the browser does not say that it comes from elsewhere.
pub fn is_ours(incoming: &Incoming<'_>, visitor: Option<&Visitor>, form: &Form) -> bool {
    same_origin(incoming) && has_token(incoming, visitor, form)
}

fn has_token(incoming: &Incoming<'_>, visitor: Option<&Visitor>, form: &Form) -> bool {
    let Ok(Some(sent)) = form.one("csrf") else {
        return false;
    };
    let seal = &incoming.ctx.seal;
    match (visitor, cookies::browser(incoming)) {
        (Some(visitor), _) => {
            seal.verify(PURPOSE, &["session", &visitor.session.id.to_string()], sent)
        }
        (None, Some(browser)) => seal.verify(PURPOSE, &["browser", browser], sent),
        (None, None) => false,
    }
}

/// `Origin` must be ours where it is sent, and `Sec-Fetch-Site` must not say cross-site (Fetch Metadata).
pub fn same_origin(incoming: &Incoming<'_>) -> bool {
    let origin = incoming.request.header("Origin");
    let site = incoming.request.header("Sec-Fetch-Site");
    origin.is_none_or(|origin| origin == incoming.ctx.config.issuer.origin())
        && site.is_none_or(|site| matches!(site, "same-origin" | "none"))
}

fn session_token(incoming: &Incoming<'_>, visitor: &Visitor) -> String {
    incoming
        .ctx
        .seal
        .tag(PURPOSE, &["session", &visitor.session.id.to_string()])
}

fn browser_token(incoming: &Incoming<'_>, browser: &str) -> String {
    incoming.ctx.seal.tag(PURPOSE, &["browser", browser])
}
