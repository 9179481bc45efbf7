//! What a browser adds to a request: cookies, the origin, addresses relative to the page.

use url::Url;

use crate::http::{self, Answer};

#[derive(Clone)]
pub struct Browser {
    host: String,
    cookies: Vec<(String, String)>,
}

impl Browser {
    pub fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            cookies: Vec::new(),
        }
    }

    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Keeps the cookies that an answer sets and drops those that it ends.
    pub fn learn(&mut self, answer: &Answer<'_>) {
        for header in answer.headers("set-cookie") {
            let (pair, attributes) = header.split_once(';').unwrap_or((header, ""));
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            self.cookies.retain(|(known, _)| known != name);
            let ended = attributes
                .split(';')
                .any(|attribute| attribute.trim() == "Max-Age=0");
            if !ended && !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    pub fn get(&self, target: &str) -> Vec<u8> {
        let cookies = self.cookie_header();
        let headers = [("Cookie", cookies.as_str())];
        http::get(
            &self.host,
            target,
            headers
                .get(usize::from(cookies.is_empty())..)
                .unwrap_or_default(),
        )
    }

    pub fn post(&self, target: &str, fields: &[(&str, &str)]) -> Vec<u8> {
        let cookies = self.cookie_header();
        let origin = format!("http://{}", self.host);
        let headers = [
            ("Cookie", cookies.as_str()),
            ("Origin", origin.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        let headers = headers
            .get(usize::from(cookies.is_empty())..)
            .unwrap_or_default();
        http::post(&self.host, target, headers, fields)
    }

    fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// The request target of `link` on the page at `page`; none where it leaves the server.
    pub fn resolve(&self, page: &str, link: &str) -> Option<String> {
        let base = Url::parse(&format!("http://{}{page}", self.host)).ok()?;
        let url = base.join(link).ok()?;
        if url.origin() != base.origin() {
            return None;
        }
        let query = url.query().map(|query| format!("?{query}"));
        Some(format!("{}{}", url.path(), query.unwrap_or_default()))
    }
}
