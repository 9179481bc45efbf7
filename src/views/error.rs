//! The page for everything that cannot go on, and the short pages built from it.

use super::Page;
use askama::Template;

/// Something went wrong: what, why, what to do, and the details for whoever set the application up.
#[derive(Debug, Clone, Template)]
#[template(path = "public/error.html", config = "assets/askama.toml")]
pub struct ErrorPage {
    /// The frame; its title is the headline.
    pub page: Page,
    /// What happened, in one or two plain sentences.
    pub explanation: String,
    /// What the reader can do, one sentence each.
    pub advice: Vec<String>,
    /// Code to quote, for example `redirect_uri_not_registered`; empty when there is none.
    pub code: String,
    /// Expected and received values.
    pub details: Vec<TechnicalDetail>,
    /// Where the button leads and what it says.
    pub action: Option<(String, String)>,
}

/// One line of the technical details.
#[derive(Debug, Clone)]
pub struct TechnicalDetail {
    /// What it is, for example `Address received`.
    pub label: String,
    /// The value.
    pub value: String,
}

impl ErrorPage {
    /// A page with an explanation only.
    pub fn new(mut page: Page, title: &str, explanation: &str) -> Self {
        page.title = title.to_owned();
        Self {
            page,
            explanation: explanation.to_owned(),
            advice: Vec::new(),
            code: String::new(),
            details: Vec::new(),
            action: None,
        }
    }

    /// 404.
    pub fn not_found(page: Page) -> Self {
        let home = format!("{}/", page.base);
        let mut this = Self::new(
            page,
            "This page does not exist",
            "The address may be mistyped, or what it showed is gone.",
        );
        this.action = Some((home, "Go to the start page".to_owned()));
        this
    }

    /// 403 for a person without the right to see a page.
    pub fn forbidden(page: Page) -> Self {
        let home = format!("{}/", page.base);
        let mut this = Self::new(
            page,
            "This page is for administrators",
            "You are signed in, but your account may not open this page.",
        );
        this.advice = vec!["Ask the person who runs this server if you need it.".to_owned()];
        this.action = Some((home, "Go to the start page".to_owned()));
        this
    }

    /// 403 for a form that came from elsewhere or was open for too long.
    pub fn stale_form(page: Page) -> Self {
        let mut this = Self::new(
            page,
            "This form is no longer valid",
            "Nothing was changed. The form was open for a long time, or it did not come from this site.",
        );
        this.advice = vec!["Go back, reload the page, and send the form again.".to_owned()];
        this
    }

    /// 403 for a form at another address than Doorlight's own: no waiting and no reloading helps there.
    pub fn wrong_address(page: Page, issuer: &str, there: String) -> Self {
        let mut this = Self::new(
            page,
            "This form works at Doorlight's own address only",
            &format!(
                "Nothing was changed. Doorlight's address is {issuer}, and this page was opened at another one."
            ),
        );
        this.advice = vec![
            "Open the right address, and fill the form in there.".to_owned(),
            "If that leads back here, the proxy in front of Doorlight does not pass on the name that people typed: it \
             has to send its Host header along."
                .to_owned(),
        ];
        this.action = Some((there, "Open the right address".to_owned()));
        this
    }

    /// 503: too much to do, or the data file cannot be written.
    pub fn busy(page: Page) -> Self {
        let mut this = Self::new(
            page,
            "Please try again in a moment",
            "The server is busy or cannot save right now. Nothing was changed.",
        );
        this.advice = vec![
            "Wait a few seconds and reload the page.".to_owned(),
            "If this goes on, the person who runs this server finds the reason in its log."
                .to_owned(),
        ];
        this
    }

    /// 503: a backup is coming in already, or cannot be written down.
    pub fn restore_busy(page: Page) -> Self {
        let mut this = Self::new(
            page,
            "This backup was not taken",
            "Another one is coming in at this moment, or there is no room for it. Nothing was changed.",
        );
        this.advice = vec![
            "Wait until the other upload is over, and try again.".to_owned(),
            "If there is no other, the log of the server says why.".to_owned(),
        ];
        this
    }

    /// 404 or 410: the setup link was used, has expired, or an administrator exists.
    pub fn setup_link_closed(page: Page) -> Self {
        let home = format!("{}/", page.base);
        let mut this = Self::new(
            page,
            "This setup link no longer works",
            "A setup link works once, until a newer one is made, and only while there is no administrator.",
        );
        this.advice = vec![
            "If you have already set up Doorlight, sign in.".to_owned(),
            "If you have not, run “doorlight setup-link” on the server to make a new link."
                .to_owned(),
        ];
        this.action = Some((home, "Sign in".to_owned()));
        this
    }

    /// 404 or 410: a one-time sign-in link was used or has expired.
    pub fn link_closed(page: Page) -> Self {
        let mut this = Self::new(
            page,
            "This link no longer works",
            "A sign-in link works once and for a limited time.",
        );
        this.advice = vec!["Ask the person who sent it to you for a new one.".to_owned()];
        this
    }
}
