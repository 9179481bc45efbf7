//! A device that waits for its person (RFC 8628 §3.5): asked for once, polled again and again while nobody answers.
//! Far faster than it may, so nearly every answer is `slow_down`; the server finds it the same way as
//! `authorization_pending`, which comes first.

use super::Application;
use crate::http::{self, Answer, string_member};
use crate::load::{Caller, Verdict};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub struct Poll {
    application: Application,
    /// Rendered once the code is known.
    request: Option<Vec<u8>>,
    polled: bool,
}

impl Poll {
    pub fn new(application: &Application) -> Self {
        Self {
            application: application.clone(),
            request: None,
            polled: false,
        }
    }

    fn headers(&self) -> [(&'static str, &str); 1] {
        [("Authorization", self.application.basic.as_str())]
    }
}

impl Caller for Poll {
    fn request(&mut self, out: &mut Vec<u8>) {
        match &self.request {
            Some(request) => out.extend_from_slice(request),
            None => {
                let host = &self.application.host;
                let fields = [("scope", "openid profile")];
                let asking = http::post(host, "/device_authorization", &self.headers(), &fields);
                out.extend_from_slice(&asking);
            }
        }
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        if self.request.is_none() {
            let Some(code) = string_member(answer.body, "device_code") else {
                return Verdict::Wrong(answer.summary());
            };
            let fields = [("grant_type", GRANT), ("device_code", code)];
            let host = &self.application.host;
            self.request = Some(http::post(host, "/token", &self.headers(), &fields));
            return Verdict::More;
        }
        let expected = if self.polled {
            "slow_down"
        } else {
            "authorization_pending"
        };
        self.polled = true;
        if answer.status == 400 && string_member(answer.body, "error") == Some(expected) {
            Verdict::Done
        } else {
            Verdict::Wrong(answer.summary())
        }
    }
}
