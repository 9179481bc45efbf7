//! What is noted of every request: its id, in the answer and in each line of the log, and a line of its own where that
//! says something. Never the path as it came, a query or a body: they may hold secrets, and a stranger chooses them.
//! Not here: refusals and what was done (`model::Event`).

use super::incoming::Incoming;
use super::respond::set;
use crate::types::RequestId;
use log::Level;
use rouille::Response;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Lines about error pages: so many at once, and then one in [`EVERY_MS`].
const LINES: u64 = 300;
const EVERY_MS: u64 = 10_000;

/// A request that is being answered.
pub struct Answered {
    id: RequestId,
    begun: Instant,
}

impl Answered {
    /// Gives the request its id. One that the client sent is not looked at.
    pub fn begin() -> Self {
        let id = RequestId::next();
        RequestId::set_current(Some(id));
        Self {
            id,
            begun: Instant::now(),
        }
    }

    /// Puts the id into the answer, and writes the line.
    pub fn end(self, incoming: &Incoming<'_>, response: &mut Response) {
        set(response, "X-Request-Id", self.id.as_str().to_owned());
        let took = self.begun.elapsed();
        let requests = &incoming.ctx.requests;
        requests.note(incoming.route.get(), response.status_code, took);
        self.log(incoming, response, took);
        // Where a handler panics the id stays, for the line that says so; the next request has its own.
        RequestId::set_current(None);
    }

    fn log(&self, incoming: &Incoming<'_>, response: &Response, took: Duration) {
        let route = incoming.route.get().map_or("none", |route| route.path);
        if matches!(route, "/healthz" | "/readyz" | "/metrics") {
            return;
        }
        let status = response.status_code;
        let level = match status {
            500.. => Level::Warn,
            // What the reader of an error page quotes can be found; whoever tries addresses out gets no lines.
            400..=499 if !matches!(status, 404 | 405) && is_page(response) => Level::Info,
            _ => Level::Debug,
        };
        if !log::log_enabled!(target: "request", level)
            || (level != Level::Debug && !LIMIT.admits())
        {
            return;
        }
        log::log!(
            target: "request",
            level,
            method = incoming.known_method(),
            route = route,
            status = status,
            address:% = incoming.address(),
            microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            "answered"
        );
    }
}

fn is_page(response: &Response) -> bool {
    let mut types = response
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
    types.any(|(_, value)| value.starts_with("text/html"))
}

static LIMIT: Limit = Limit::new();

/// So many lines at once, and then one in a while: whoever causes errors must not fill the log.
struct Limit {
    /// Milliseconds since the first line at which the lines so far are paid for.
    paid: AtomicU64,
}

impl Limit {
    const fn new() -> Self {
        Self {
            paid: AtomicU64::new(0),
        }
    }

    fn admits(&self) -> bool {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let since = START.get_or_init(Instant::now).elapsed();
        self.admits_at(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn admits_at(&self, now: u64) -> bool {
        let pay = |paid: u64| {
            let next = paid.max(now).saturating_add(EVERY_MS);
            (next <= now.saturating_add(LINES * EVERY_MS)).then_some(next)
        };
        self.paid
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_errors_gets_few_lines() {
        let limit = Limit::new();
        let lines = |from: u64, to: u64| (from..to).filter(|now| limit.admits_at(*now)).count();
        assert_eq!(lines(0, 60_000), 300 + 5);
        assert_eq!(lines(60_000, 160_000), 10);
        // A quiet hour pays for all of them.
        assert_eq!(lines(4_000_000, 4_001_000), 300);
    }
}
