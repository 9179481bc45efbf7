//! Requests by the row of the route table that answered, by status, and by how long they took. The row's pattern, never
//! the path as it came: strangers must not make series.

use super::exposition::Exposition;
use crate::server::routes::{ASSETS, ROUTES, Route};
use crate::types::Histogram;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Statuses that are counted by themselves.
const STATUSES: [(u16, &str); 19] = [
    (200, "200"),
    (201, "201"),
    (204, "204"),
    (302, "302"),
    (303, "303"),
    (304, "304"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (409, "409"),
    (410, "410"),
    (413, "413"),
    (415, "415"),
    (429, "429"),
    (500, "500"),
    (502, "502"),
    (503, "503"),
];

/// One row of the table, or what is none.
struct Row {
    method: &'static str,
    route: &'static str,
    by_status: [AtomicU64; STATUSES.len() + 1],
    took: Histogram,
}

impl Row {
    fn new(method: &'static str, route: &'static str) -> Self {
        Self {
            method,
            route,
            by_status: [const { AtomicU64::new(0) }; STATUSES.len() + 1],
            took: Histogram::new(),
        }
    }
}

/// Counts since the start: the rows of the table in its order, then the assets, then what no row answered.
pub struct Requests(Vec<Row>);

impl Default for Requests {
    fn default() -> Self {
        let rows = ROUTES
            .iter()
            .chain([&ASSETS])
            .map(|route| Row::new(route.method, route.path));
        Self(rows.chain([Row::new("any", "none")]).collect())
    }
}

impl Requests {
    /// Counts one that was answered by that row.
    pub fn note(&self, route: Option<&'static Route>, status: u16, took: Duration) {
        let Some(row) = self.0.get(place(route)) else {
            return;
        };
        let status = STATUSES.iter().position(|(known, _)| *known == status);
        if let Some(count) = row.by_status.get(status.unwrap_or(STATUSES.len())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        row.took.note(took);
    }

    /// Only what happened: most rows of the table have one status or none.
    pub fn tell(&self, text: &mut Exposition) {
        let names = STATUSES.iter().map(|(_, name)| *name).chain(["other"]);
        let mut by_status = Vec::new();
        for row in &self.0 {
            for (status, count) in names.clone().zip(&row.by_status) {
                let labels = [
                    ("method", row.method),
                    ("route", row.route),
                    ("status", status),
                ];
                by_status.push((labels, count.load(Ordering::Relaxed)));
            }
        }
        let happened = by_status.iter().filter(|(_, count)| *count > 0);
        text.counter(
            "doorlight_http_requests_total",
            "Requests that were answered, by row of the route table and status.",
            happened.map(|(labels, count)| (labels.as_slice(), *count)),
        );
        let took: Vec<_> = self
            .0
            .iter()
            .map(|row| {
                (
                    [("method", row.method), ("route", row.route)],
                    row.took.read(),
                )
            })
            .filter(|(_, counted)| counted.all > 0)
            .collect();
        text.histogram(
            "doorlight_http_request_duration_seconds",
            "From the whole request to the answer, without sending it.",
            took.iter()
                .map(|(labels, counted)| (labels.as_slice(), *counted)),
        );
    }
}

/// Where the row of a route stands, found by where the route itself does.
fn place(route: Option<&'static Route>) -> usize {
    let Some(route) = route else {
        return ROUTES.len() + 1;
    };
    let from_first = std::ptr::from_ref(route)
        .addr()
        .checked_sub(ROUTES.as_ptr().addr());
    let place = from_first.map(|bytes| bytes / size_of::<Route>());
    place
        .filter(|place| *place < ROUTES.len())
        .unwrap_or(ROUTES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_has_counts_of_its_own() {
        for (n, route) in ROUTES.iter().enumerate() {
            assert_eq!(place(Some(route)), n);
        }
        assert_eq!(place(Some(&ASSETS)), ROUTES.len());
        assert_eq!(place(None), ROUTES.len() + 1);
        assert_eq!(Requests::default().0.len(), ROUTES.len() + 2);
    }

    #[test]
    fn what_happened_is_told_and_nothing_else() {
        let requests = Requests::default();
        let token = ROUTES.iter().find(|route| route.path == "/token");
        requests.note(token, 200, Duration::from_millis(3));
        requests.note(token, 418, Duration::from_millis(3));
        requests.note(None, 404, Duration::ZERO);
        let mut text = Exposition::default();
        requests.tell(&mut text);
        let text = text.finish();
        let counted: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("doorlight_http_requests"))
            .collect();
        assert_eq!(
            counted,
            [
                "doorlight_http_requests_total{method=\"POST\",route=\"/token\",status=\"200\"} 1",
                "doorlight_http_requests_total{method=\"POST\",route=\"/token\",status=\"other\"} 1",
                "doorlight_http_requests_total{method=\"any\",route=\"none\",status=\"404\"} 1",
            ]
        );
        assert!(
            text.contains(
                "duration_seconds_bucket{method=\"POST\",route=\"/token\",le=\"0.005\"} 2\n"
            ),
            "{text}"
        );
    }
}
