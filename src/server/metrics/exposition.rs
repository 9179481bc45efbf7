//! The text format of Prometheus, version 0.0.4, as far as it is needed here. Names and labels are `&'static str` of
//! ours: no request can make a series, and there is nothing to escape.
//! `prometheus-client` would do the same; the binary has no room for it.

use crate::types::{Counted, histogram};
use std::fmt::Write as _;

/// What the answer says it is.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The labels of a series.
pub type Labels<'l> = &'l [(&'static str, &'static str)];

/// A text that grows by families.
#[derive(Default)]
pub struct Exposition(String);

impl Exposition {
    /// The whole text.
    pub fn finish(self) -> String {
        self.0
    }

    /// Something that only grows, by its labels.
    pub fn counter<'l>(
        &mut self,
        name: &'static str,
        help: &'static str,
        series: impl IntoIterator<Item = (&'l [(&'static str, &'static str)], u64)>,
    ) {
        self.head(name, help, "counter");
        for (labels, value) in series {
            self.sample(name, "", labels, None, value);
        }
    }

    /// Something that is so now.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.gauges(name, help, [(Labels::default(), value)]);
    }

    /// The same, by its labels.
    pub fn gauges<'l>(
        &mut self,
        name: &'static str,
        help: &'static str,
        series: impl IntoIterator<Item = (&'l [(&'static str, &'static str)], u64)>,
    ) {
        self.head(name, help, "gauge");
        for (labels, value) in series {
            self.sample(name, "", labels, None, value);
        }
    }

    /// Durations, in seconds.
    pub fn histogram<'l>(
        &mut self,
        name: &'static str,
        help: &'static str,
        series: impl IntoIterator<Item = (&'l [(&'static str, &'static str)], Counted)>,
    ) {
        self.head(name, help, "histogram");
        for (labels, counted) in series {
            for (bound, up_to) in histogram::BOUNDS.into_iter().zip(counted.up_to) {
                self.sample(name, "_bucket", labels, Some(&seconds(bound)), up_to);
            }
            self.sample(name, "_bucket", labels, Some("+Inf"), counted.all);
            self.sample(name, "_sum", labels, None, seconds(counted.micros));
            self.sample(name, "_count", labels, None, counted.all);
        }
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a text does not fail, here and below.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(
        &mut self,
        name: &str,
        suffix: &str,
        labels: Labels<'_>,
        bound: Option<&str>,
        value: impl std::fmt::Display,
    ) {
        let _ = write!(self.0, "{name}{suffix}");
        let bound = bound.map(|bound| ("le", bound));
        let mut open = '{';
        for (label, text) in labels.iter().copied().chain(bound) {
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
            open = ',';
        }
        if open == ',' {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }
}

/// Microseconds in seconds, exactly.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Histogram;
    use std::time::Duration;

    #[test]
    fn the_text_is_what_prometheus_documents() {
        let histogram = Histogram::new();
        histogram.note(Duration::from_micros(700));
        histogram.note(Duration::from_secs(7));
        let mut text = Exposition::default();
        text.counter(
            "a_total",
            "Counts a.",
            [(&[("kind", "x"), ("of", "y")][..], 3)],
        );
        text.gauge("b", "Is b.", 7);
        text.histogram(
            "c_seconds",
            "Times c.",
            [(Labels::default(), histogram.read())],
        );
        let text = text.finish();
        assert!(text.starts_with(
            "# HELP a_total Counts a.\n# TYPE a_total counter\na_total{kind=\"x\",of=\"y\"} 3\n\
             # HELP b Is b.\n# TYPE b gauge\nb 7\n\
             # HELP c_seconds Times c.\n# TYPE c_seconds histogram\n\
             c_seconds_bucket{le=\"0.00025\"} 0\nc_seconds_bucket{le=\"0.0005\"} 0\nc_seconds_bucket{le=\"0.001\"} 1\n"
        ), "{text}");
        assert!(text.ends_with(
            "c_seconds_bucket{le=\"5\"} 1\nc_seconds_bucket{le=\"+Inf\"} 2\nc_seconds_sum 7.0007\nc_seconds_count 2\n"
        ), "{text}");
    }

    #[test]
    fn seconds_are_exact() {
        for (micros, text) in [
            (0, "0"),
            (1, "0.000001"),
            (250, "0.00025"),
            (10_000_000, "10"),
            (1_500_000, "1.5"),
        ] {
            assert_eq!(seconds(micros), text);
        }
    }
}
