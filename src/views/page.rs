//! What every page shares: the frame around it, and the small pieces that several pages show.

/// The frame of a page. `csrf` must be set on every page that shows a form or the name of a person.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Title of the browser window, without the product's name.
    pub title: String,
    /// Path of the issuer without a trailing slash: empty, or for example `/id`.
    pub base: String,
    /// Name of the person who is signed in.
    pub person: Option<String>,
    /// Whether that person may open the admin pages.
    pub is_admin: bool,
    /// Token that ties a form to the session (or, before sign-in, to the browser).
    pub csrf: String,
    /// The id of the request that it answers, which the log and the audit log have too; empty where there is none.
    pub request_id: String,
    /// Messages above the content, the most important first.
    pub notices: Vec<Notice>,
}

/// A message above the content.
#[derive(Debug, Clone)]
pub struct Notice {
    /// How serious it is.
    pub tone: Tone,
    /// One or two plain sentences.
    pub text: String,
    /// A line to type or to paste somewhere, shown with a copy button.
    pub line: Option<String>,
}

/// How serious a notice is. Each tone has its own word and sign, so that colour is never the only mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something worked.
    Good,
    /// Something to look after.
    Warning,
    /// Something failed.
    Bad,
}

impl Tone {
    /// CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Warning => "warning",
            Tone::Bad => "bad",
        }
    }

    /// The word read before the message.
    pub fn word(self) -> &'static str {
        match self {
            Tone::Good => "Done",
            Tone::Warning => "Please check",
            Tone::Bad => "Problem",
        }
    }
}

/// A moment, for machines and for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// RFC 3339, for example `2026-11-24T08:50:00Z`.
    pub iso: String,
    /// As people read it, for example `24 Nov 2026, 08:50` or `3 minutes ago`.
    pub text: String,
}

/// A hidden form field that a page carries along.
#[derive(Debug, Clone)]
pub struct Hidden {
    /// Field name.
    pub name: String,
    /// Field value, unescaped.
    pub value: String,
}

/// How an application presents itself to the people who sign in to it.
#[derive(Debug, Clone, Default)]
pub struct ClientFace {
    /// Its name.
    pub name: String,
    /// Address of its picture. Only one below `base`: pages never ask a third party for anything.
    pub logo: Option<String>,
    /// Host and port that it returns people to.
    pub host: String,
    /// Its privacy policy (an http or https address; the caller has checked that).
    pub policy_url: Option<String>,
    /// Its terms of service (likewise).
    pub terms_url: Option<String>,
    /// Whether it registered itself: nobody here vouches for its name.
    pub registered_itself: bool,
    /// Host of the document that describes it; empty where there is none.
    pub described_at: String,
    /// Whether it is told the answer through a program on the person's own device.
    pub on_this_device: bool,
}

impl ClientFace {
    /// First letter of the name, shown where there is no logo.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// First letter of a name in upper case; a dot when there is none.
pub(super) fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "•".to_owned(), |c| c.to_uppercase().collect())
}
