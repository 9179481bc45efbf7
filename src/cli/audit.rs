//! `doorlight audit`: what happened, newest first.

use super::{Failure, Shared, complain, output, reach};
use crate::server::administration::audit::{self, Wanted};
use crate::types::RequestId;
use serde_json::Value;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Of this person: name or id.
    #[arg(long)]
    person: Option<String>,
    /// Of this application: name or id.
    #[arg(long)]
    application: Option<String>,
    /// Of this kind, such as sign_in.
    #[arg(long)]
    kind: Option<String>,
    /// success or refused.
    #[arg(long)]
    outcome: Option<String>,
    /// Of this request: the id that an error page or a line of the log shows.
    #[arg(long)]
    request: Option<RequestId>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

pub(super) fn run(shared: &Shared, arguments: Arguments) -> Result<(), Failure> {
    let of_request = arguments.request.is_some();
    let wanted = Wanted {
        person: arguments.person.unwrap_or_default(),
        application: arguments.application.unwrap_or_default(),
        kind: arguments.kind.unwrap_or_default(),
        outcome: arguments.outcome.unwrap_or_default(),
        request: arguments
            .request
            .map(|id| id.to_string())
            .unwrap_or_default(),
    };
    reach::read(shared, |view| {
        let filter = wanted.filter(view)?;
        let (mut left, mut before) = (arguments.limit, None);
        let mut found = 0;
        while left > 0 {
            let page = view.events(&filter, before, left.min(1_000))?;
            left = left.saturating_sub(page.events.len());
            found += page.events.len();
            for (key, event) in &page.events {
                let line = audit::line(*key, event);
                if shared.json {
                    output::line(&line.to_string());
                } else {
                    let time = line.get("time").and_then(Value::as_str).unwrap_or_default();
                    output::line(&format!("{time}  {event}"));
                }
            }
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        if found == 0 && of_request && !shared.json {
            complain(
                "no event has this id: the log of the server may have a line that ends with it",
            );
        }
        Ok(())
    })
}
