//! An application that registers itself and ends its registration again (RFC 7591, RFC 7592): the file holds as many
//! afterwards as before. With an initial access token, for strangers are slowed down.

use super::Application;
use crate::http::{self, Answer, string_member};
use crate::load::{Caller, Verdict};

/// How many applications one initial access token registers.
pub const USES: u32 = 1_000;

pub struct Registration {
    host: String,
    redirect_uri: String,
    tokens: Vec<String>,
    used: u32,
    step: Step,
}

enum Step {
    Register,
    End { path: String, token: String },
}

impl Registration {
    pub fn new(application: &Application, tokens: Vec<String>) -> Self {
        Self {
            host: application.host.clone(),
            redirect_uri: application.redirect_uri.clone(),
            tokens,
            used: 0,
            step: Step::Register,
        }
    }

    fn take_registration(&mut self, answer: &Answer<'_>) -> Option<Verdict> {
        string_member(answer.body, "client_secret")?;
        let uri = string_member(answer.body, "registration_client_uri")?;
        let path = uri.strip_prefix(&format!("http://{}", self.host))?;
        self.step = Step::End {
            path: path.to_owned(),
            token: string_member(answer.body, "registration_access_token")?.to_owned(),
        };
        (answer.status == 201).then_some(Verdict::More)
    }
}

impl Caller for Registration {
    fn request(&mut self, out: &mut Vec<u8>) {
        let request = match &self.step {
            Step::Register => {
                if self.used == USES {
                    self.tokens.pop();
                    self.used = 0;
                }
                self.used += 1;
                let token = self.tokens.last().map(String::as_str).unwrap_or_default();
                let bearer = format!("Bearer {token}");
                let metadata = format!(r#"{{"redirect_uris":["{}"]}}"#, self.redirect_uri);
                http::post_json(&self.host, "/register", &bearer, &metadata)
            }
            Step::End { path, token } => {
                let bearer = format!("Bearer {token}");
                http::delete(&self.host, path, &[("Authorization", &bearer)])
            }
        };
        out.extend_from_slice(&request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        match self.step {
            Step::Register => self
                .take_registration(answer)
                .unwrap_or_else(|| Verdict::Wrong(answer.summary())),
            Step::End { .. } if answer.status == 204 => {
                self.restart();
                Verdict::Done
            }
            Step::End { .. } => Verdict::Wrong(answer.summary()),
        }
    }

    fn restart(&mut self) {
        self.step = Step::Register;
    }
}
