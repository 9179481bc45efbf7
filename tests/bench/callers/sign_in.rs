//! Password sign-in: a browser without a session opens `/authorize`, fills in the form and follows
//! the redirects up to the one that carries the code. One operation, one Argon2 hash.

use super::Application;
use super::browser::Browser;
use super::code_flow::{authorize_target, parameter};
use super::form::Form;
use crate::http::Answer;
use crate::load::{Caller, Verdict};

pub struct SignIn {
    application: Application,
    browser: Browser,
    username: String,
    password: String,
    step: Step,
}

enum Step {
    /// `/authorize`, as a browser that knows nobody.
    Start,
    /// Opening a page, before or after the password was sent.
    Visit { target: String, sent: bool },
    Submit {
        target: String,
        hidden: Vec<(String, String)>,
    },
}

impl SignIn {
    pub fn new(application: &Application, username: &str, password: &str) -> Self {
        Self {
            step: Step::Start,
            browser: Browser::new(&application.host),
            application: application.clone(),
            username: username.to_owned(),
            password: password.to_owned(),
        }
    }

    /// A browser that is signed in, once an operation has succeeded.
    pub fn into_browser(self) -> Browser {
        self.browser
    }

    fn first_page(&self) -> String {
        authorize_target(&self.application, "openid", "sign-in")
    }

    fn follow(&mut self, page: &str, link: &str, sent: bool) -> Verdict {
        if link.starts_with(&self.application.redirect_uri) {
            self.step = Step::Start;
            return if sent && parameter(link, "code").is_some() {
                Verdict::Done
            } else {
                Verdict::Wrong(format!(
                    "signed in without a password or without a code: {link}"
                ))
            };
        }
        match self.browser.resolve(page, link) {
            Some(target) => {
                self.step = Step::Visit { target, sent };
                Verdict::More
            }
            None => Verdict::Wrong(format!("the sign-in leads to {link}")),
        }
    }

    fn fill_in(&mut self, page: &str, answer: &Answer<'_>) -> Verdict {
        let text = String::from_utf8_lossy(answer.body);
        let form = Form::with_field(&text, "password").filter(|_| answer.status == 200);
        let Some(form) = form else {
            return Verdict::Wrong(format!("no sign-in form: {}", answer.summary()));
        };
        match self.browser.resolve(page, &form.action) {
            Some(target) => {
                self.step = Step::Submit {
                    target,
                    hidden: form.hidden,
                };
                Verdict::More
            }
            None => Verdict::Wrong(format!("the sign-in form leads to {}", form.action)),
        }
    }
}

impl Caller for SignIn {
    fn request(&mut self, out: &mut Vec<u8>) {
        let request = match &self.step {
            Step::Start => {
                self.browser.forget();
                self.browser.get(&self.first_page())
            }
            Step::Visit { target, .. } => self.browser.get(target),
            Step::Submit { target, hidden } => {
                let mut fields: Vec<(&str, &str)> = hidden
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                fields.push(("username", &self.username));
                fields.push(("password", &self.password));
                self.browser.post(target, &fields)
            }
        };
        out.extend_from_slice(&request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let (page, sent) = match &self.step {
            Step::Start => (self.first_page(), false),
            Step::Visit { target, sent } => (target.clone(), *sent),
            Step::Submit { target, .. } => (target.clone(), true),
        };
        self.browser.learn(answer);
        match answer.redirects_to() {
            Some(link) => self.follow(&page, link, sent),
            None if sent => {
                Verdict::Wrong(format!("the password was not enough: {}", answer.summary()))
            }
            None => self.fill_in(&page, answer),
        }
    }

    fn restart(&mut self) {
        self.step = Step::Start;
    }
}
