//! Refresh rotation: each connection presents the refresh token that its last answer gave.

use super::Application;
use crate::http::{self, Answer, string_member};
use crate::load::{Caller, Verdict};

pub struct Refresh {
    application: Application,
    token: String,
}

impl Refresh {
    pub fn new(application: &Application, token: String) -> Self {
        Self {
            application: application.clone(),
            token,
        }
    }
}

impl Caller for Refresh {
    fn request(&mut self, out: &mut Vec<u8>) {
        let request = http::post(
            &self.application.host,
            "/token",
            &[("Authorization", &self.application.basic)],
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", &self.token),
            ],
        );
        out.extend_from_slice(&request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let access = string_member(answer.body, "access_token");
        match string_member(answer.body, "refresh_token") {
            Some(next) if answer.status == 200 && access.is_some() && next != self.token => {
                next.clone_into(&mut self.token);
                Verdict::Done
            }
            _ => Verdict::Wrong(answer.summary()),
        }
    }
}
