//! A device that waits for its person (RFC 8628 §3.5): asked for once, polled again and again while nobody answers.
//! Far faster than it may, so nearly every answer is `slow_down`; the server finds it the same way as
//! `authorization_pending`, which comes first, and again where this machine took so long that it was not too fast.

use std::time::{Duration, Instant};

use super::Application;
use crate::http::{self, Answer, string_member};
use crate::load::{Caller, Verdict};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Less than the interval that a device begins with, by more than the server forgives.
const TOO_SOON: Duration = Duration::from_secs(4);

pub struct Poll {
    application: Application,
    /// Rendered once the code is known.
    request: Option<Vec<u8>>,
    /// When the last poll was sent, and the one before.
    polled: [Option<Instant>; 2],
}

impl Poll {
    pub fn new(application: &Application) -> Self {
        Self {
            application: application.clone(),
            request: None,
            polled: [None; 2],
        }
    }

    fn headers(&self) -> [(&'static str, &str); 1] {
        [("Authorization", self.application.basic.as_str())]
    }
}

impl Caller for Poll {
    fn request(&mut self, out: &mut Vec<u8>) {
        match &self.request {
            Some(request) => {
                out.extend_from_slice(request);
                let [last, _] = self.polled;
                self.polled = [Some(Instant::now()), last];
            }
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
        let error = string_member(answer.body, "error").filter(|_| answer.status == 400);
        let [_, before] = self.polled;
        let before = before.map(|at| at.elapsed());
        let is_right = match error {
            Some("slow_down") => before.is_some(),
            Some("authorization_pending") => before.is_none_or(|before| before >= TOO_SOON),
            _ => false,
        };
        if is_right {
            Verdict::Done
        } else {
            Verdict::Wrong(answer.summary())
        }
    }
}
