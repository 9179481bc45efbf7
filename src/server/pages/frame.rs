//! What stands around every page: who is signed in, the form token, and a warning where Doorlight was reached under
//! another name than its own.

use crate::server::forms;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::respond::set;
use crate::types::{Issuer, RequestId};
use crate::views::{Notice, Page, Tone};
use rouille::Response;

/// A page with forms: draws it with a token, and sets the cookie that the token hangs on.
pub fn with(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    title: &str,
    draw: impl FnOnce(Page) -> Response,
) -> Response {
    let (page, cookie) = with_token(incoming, visitor, title);
    with_cookie(draw(page), cookie)
}

fn with_token(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    title: &str,
) -> (Page, Option<String>) {
    let token = forms::token(incoming, visitor);
    let page = Page {
        person: visitor.map(|visitor| visitor.user.display_name().to_owned()),
        is_admin: visitor.is_some_and(|visitor| visitor.user.admin),
        csrf: token.token,
        ..bare(incoming, title)
    };
    (page, token.cookie)
}

fn with_cookie(mut page: Response, cookie: Option<String>) -> Response {
    if let Some(cookie) = cookie {
        set(&mut page, "Set-Cookie", cookie);
    }
    page
}

/// A page without a form of ours.
pub fn bare(incoming: &Incoming<'_>, title: &str) -> Page {
    Page {
        title: title.to_owned(),
        base: incoming.ctx.config.issuer.path().to_owned(),
        notices: misplaced(incoming).into_iter().collect(),
        request_id: RequestId::current()
            .map(|id| id.to_string())
            .unwrap_or_default(),
        ..Page::default()
    }
}

/// Reached under another name or scheme than the issuer's: cookies and redirects would fail strangely, so the page
/// says which line to change.
pub fn misplaced(incoming: &Incoming<'_>) -> Option<Notice> {
    let issuer = &incoming.ctx.config.issuer;
    let seen = Seen::of(incoming);
    let (text, line) = match (seen.host_is_ours, seen.secure == issuer.is_https()) {
        (true, true) => return None,
        (true, false) if issuer.is_https() => without_https(incoming, &seen),
        _ if seen.by_proxy && issuer.is_https() && seen.is_this_machine() => (
            format!(
                "The proxy in front of Doorlight does not pass on the name that people typed: its Host header says \
                 {}, but Doorlight's address is {issuer}. In nginx this line does it:",
                seen.host
            ),
            Some("proxy_set_header Host $http_host;".to_owned()),
        ),
        _ => elsewhere(incoming, &seen),
    };
    let line = line.map(|line| {
        line.chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .take(300)
            .collect()
    });
    Some(Notice {
        tone: Tone::Warning,
        text,
        line,
    })
}

/// Whether this browser sends its forms from an address that is not the issuer's: they are refused there for ever.
pub fn is_elsewhere(incoming: &Incoming<'_>) -> bool {
    let issuer = &incoming.ctx.config.issuer;
    match incoming.request.header("Origin") {
        // A proxy may hide the scheme; a browser does not.
        Some(origin) if origin == issuer.origin() => false,
        _ => {
            let seen = Seen::of(incoming);
            !seen.host_is_ours || seen.secure != issuer.is_https()
        }
    }
}

/// Whether the page was asked for under another name than the issuer's. A scheme or a name that a proxy hides is no sign of
/// that: forms go through there, for browsers send the name that people typed with them.
pub fn is_under_another_name(incoming: &Incoming<'_>) -> bool {
    let seen = Seen::of(incoming);
    !seen.host_is_ours && !seen.by_proxy
}

/// The address that the request was sent to, as far as the listener believes it.
struct Seen {
    host: String,
    host_is_ours: bool,
    secure: bool,
    /// Whether a trusted proxy sent it.
    by_proxy: bool,
    /// Whether that proxy said by which scheme.
    scheme_said: bool,
}

impl Seen {
    fn of(incoming: &Incoming<'_>) -> Self {
        let config = &incoming.ctx.config;
        let host = incoming.request.header("Host").unwrap_or_default();
        let default_port = if config.issuer.is_https() {
            ":443"
        } else {
            ":80"
        };
        let host = host.strip_suffix(default_port).unwrap_or(host);
        // The listener leaves these fields only where a trusted proxy sent them; a proxy that sends none is the peer.
        let said = |name| incoming.request.header(name).is_some();
        let peer = incoming.address().to_canonical();
        let scheme_said = said("X-Forwarded-Proto");
        Self {
            host: host.to_owned(),
            host_is_ours: host.eq_ignore_ascii_case(config.issuer.authority()),
            secure: incoming.request.is_secure(),
            by_proxy: scheme_said
                || said("X-Forwarded-For")
                || config.trusted_proxies.iter().any(|net| net.contains(&peer)),
            scheme_said,
        }
    }

    fn address(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }

    /// Whether the host is this machine, whatever the scheme.
    fn is_this_machine(&self) -> bool {
        format!("http://{}", self.host).parse::<Issuer>().is_ok()
    }
}

/// The right name, but not by https.
fn without_https(incoming: &Incoming<'_>, seen: &Seen) -> (String, Option<String>) {
    let issuer = &incoming.ctx.config.issuer;
    let begun = format!("This page came over plain http, but Doorlight's address is {issuer}.");
    if seen.by_proxy && seen.scheme_said {
        let text =
            format!("{begun} The proxy in front says that you came by http. Open that address.");
        (text, None)
    } else if seen.by_proxy {
        let text = format!(
            "{begun} The proxy in front of Doorlight does not send the header X-Forwarded-Proto. In nginx this line \
             does it:"
        );
        let line = "proxy_set_header X-Forwarded-Proto $scheme;".to_owned();
        (text, Some(line))
    } else {
        let text = format!(
            "{begun} If a reverse proxy ends https in front of Doorlight, start Doorlight with its address:"
        );
        let line = format!("--trusted-proxy {}", incoming.address());
        (text, Some(line))
    }
}

/// Another name. Only an address that Doorlight would take as its own is offered as such.
fn elsewhere(incoming: &Incoming<'_>, seen: &Seen) -> (String, Option<String>) {
    let config = &incoming.ctx.config;
    let (issuer, address) = (&config.issuer, seen.address());
    let begun = format!("You reached Doorlight as {address}, but its address is {issuer}.");
    if let Ok(candidate) = address.parse::<Issuer>() {
        let text = format!(
            "{begun} Open that address, or start Doorlight with the address that people should use:"
        );
        return (text, Some(format!("--issuer {candidate}")));
    }
    let why = "A name like the one you used needs https: a certificate or a reverse proxy in front of Doorlight (README, \
               “HTTPS without a proxy”), for over plain http everybody on the network can read passwords.";
    if !issuer.is_loopback() {
        return (format!("{begun} Open that address. {why}"), None);
    }
    let text = format!(
        "{begun} {why} To use a Doorlight on a server from your own computer without one, run this there, with the \
         name of the server, and open {issuer}:"
    );
    let near = issuer
        .authority()
        .rsplit_once(':')
        .map_or("80", |(_, port)| port);
    let line = format!("ssh -L {near}:localhost:{} server", config.listen.port());
    (text, Some(line))
}
