//! One request, rendered once and sent again and again.

use crate::http::{Answer, member, string_member};
use crate::load::{Caller, Verdict};

#[derive(Clone)]
pub struct Fixed {
    request: Vec<u8>,
    expect: Expect,
}

/// What an answer has to be besides a 200.
#[derive(Clone)]
pub enum Expect {
    /// Whatever it is.
    Any,
    /// The document seen before, byte for byte.
    Body(Vec<u8>),
    /// A member whose value starts like this, as JSON text.
    Member(&'static str, String),
    /// An access token that differs from the one before.
    NewToken(String),
}

impl Fixed {
    pub fn new(request: Vec<u8>, expect: Expect) -> Self {
        Self { request, expect }
    }

    /// The newest access token, where the caller asks for such.
    pub fn token(&self) -> Option<&str> {
        match &self.expect {
            Expect::NewToken(token) => Some(token),
            Expect::Any | Expect::Body(_) | Expect::Member(..) => None,
        }
    }
}

impl Caller for Fixed {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let right = answer.status == 200
            && match &mut self.expect {
                Expect::Any => true,
                Expect::Body(body) => answer.body == body.as_slice(),
                Expect::Member(key, value) => {
                    member(answer.body, key).is_some_and(|rest| rest.starts_with(value.as_bytes()))
                }
                Expect::NewToken(last) => match string_member(answer.body, "access_token") {
                    Some(token) if token != last => {
                        last.clear();
                        last.push_str(token);
                        true
                    }
                    _ => false,
                },
            };
        if right {
            Verdict::Done
        } else {
            Verdict::Wrong(answer.summary())
        }
    }
}

/// Several fixed requests in turn, each an operation.
pub struct Rotating {
    steps: Vec<Fixed>,
    at: usize,
}

impl Rotating {
    /// Connections start at different steps.
    pub fn new(steps: Vec<Fixed>, start: usize) -> Self {
        let at = start % steps.len().max(1);
        Self { steps, at }
    }
}

impl Caller for Rotating {
    fn request(&mut self, out: &mut Vec<u8>) {
        if let Some(step) = self.steps.get_mut(self.at) {
            step.request(out);
        }
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let Some(step) = self.steps.get_mut(self.at) else {
            return Verdict::Wrong("nothing was asked".to_owned());
        };
        let verdict = step.answer(answer);
        self.at = (self.at + 1) % self.steps.len();
        verdict
    }
}

/// One request whose answer is kept, whatever it is.
pub struct Keep {
    request: Vec<u8>,
    pub answer: Option<(u16, Vec<u8>)>,
}

impl Keep {
    pub fn new(request: Vec<u8>) -> Self {
        Self {
            request,
            answer: None,
        }
    }
}

impl Caller for Keep {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        self.answer = Some((answer.status, answer.body.to_vec()));
        Verdict::Done
    }
}
