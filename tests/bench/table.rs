//! The table as text and as Markdown: one line for each scenario and server.

use std::time::Duration;

use crate::measure::Figure;
use crate::scenarios::Budget;

#[derive(Clone, Copy)]
pub enum Unit {
    PerSecond,
    MiB,
    Milliseconds,
    Bytes,
}

pub struct Row {
    pub title: String,
    pub unit: Unit,
    pub budget: Option<Budget>,
    /// One for each server, with its label.
    pub figures: Vec<(char, Figure)>,
}

const COLUMNS: usize = 11;
const TITLES: [&str; COLUMNS] = [
    "what",
    "server",
    "result",
    "to A",
    "p50",
    "p99",
    "written each",
    "generator busy",
    "budget",
    "reached",
    "wrong",
];
/// Columns that only a comparison has.
const COMPARING: [usize; 2] = [1, 3];
/// Columns of text, set to the left.
const LEFT: [usize; 2] = [0, 1];

pub fn text(rows: &[Row]) -> String {
    let lines = cells(rows);
    let widths = widths(&lines);
    let mut text = String::new();
    for line in lines {
        let mut set = String::new();
        for ((column, cell), width) in line.iter().zip(&widths) {
            set.push_str(&pad(*column, cell, *width));
            set.push_str("  ");
        }
        text.push_str(set.trim_end());
        text.push('\n');
    }
    text
}

pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    for (number, line) in cells(rows).iter().enumerate() {
        let cells: Vec<&str> = line.iter().map(|(_, cell)| cell.as_str()).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
        if number == 0 {
            let rules = line
                .iter()
                .map(|(column, _)| if LEFT.contains(column) { "---" } else { "---:" });
            text.push_str(&format!("|{}|\n", rules.collect::<Vec<_>>().join("|")));
        }
    }
    text
}

type Line = Vec<(usize, String)>;

/// The cells with the number of their column, the titles first.
fn cells(rows: &[Row]) -> Vec<Line> {
    let compares = rows.iter().any(|row| row.figures.len() > 1);
    let mut lines = vec![TITLES.map(str::to_owned)];
    for row in rows {
        let first = row.figures.first().map(|(_, figure)| figure.value);
        for (number, (label, figure)) in row.figures.iter().enumerate() {
            let ratio = first
                .filter(|first| number > 0 && *first > 0.0)
                .map(|first| figure.value / first);
            lines.push([
                if number == 0 {
                    row.title.clone()
                } else {
                    String::new()
                },
                label.to_string(),
                row.unit.show(figure.value),
                ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
                figure.p50.map(latency).unwrap_or_default(),
                figure.p99.map(latency).unwrap_or_default(),
                figure
                    .written
                    .map(|bytes| Unit::Bytes.show(bytes))
                    .unwrap_or_default(),
                figure
                    .busy
                    .map(|share| format!("{:.0} %", share * 100.0))
                    .unwrap_or_default(),
                row.budget
                    .map(|budget| row.unit.show_budget(budget))
                    .unwrap_or_default(),
                row.budget
                    .map(|budget| reached(budget, figure))
                    .unwrap_or_default(),
                figure.wrong.to_string(),
            ]);
        }
    }
    let shown = |column: &usize| compares || !COMPARING.contains(column);
    let line = |cells: [String; COLUMNS]| {
        cells
            .into_iter()
            .enumerate()
            .filter(|(column, _)| shown(column))
            .collect()
    };
    lines.into_iter().map(line).collect()
}

fn reached(budget: Budget, figure: &Figure) -> String {
    if budget.is_kept_by(figure.value) {
        "yes"
    } else {
        "no"
    }
    .to_owned()
}

fn widths(lines: &[Line]) -> Vec<usize> {
    let columns = lines.first().map_or(0, Vec::len);
    let width_of = |place: usize| {
        let widths = lines.iter().filter_map(|line: &Line| line.get(place));
        widths
            .map(|(_, cell)| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    (0..columns).map(width_of).collect()
}

fn pad(column: usize, cell: &str, width: usize) -> String {
    if LEFT.contains(&column) {
        format!("{cell:<width$}")
    } else {
        format!("{cell:>width$}")
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::PerSecond if value < 100.0 => format!("{value:.1} /s"),
            Unit::PerSecond => format!("{} /s", thousands(value)),
            Unit::MiB => format!("{value:.2} MiB"),
            Unit::Milliseconds => format!("{value:.1} ms"),
            Unit::Bytes => format!("{} B", thousands(value)),
        }
    }

    fn show_budget(self, budget: Budget) -> String {
        match budget {
            Budget::AtLeast(value) => format!("at least {} /s", thousands(value)),
            Budget::AtMost(0.0) => "none".to_owned(),
            Budget::AtMost(value) => format!("at most {}", self.show(value)),
        }
    }
}

fn latency(latency: Duration) -> String {
    let milliseconds = latency.as_secs_f64() * 1e3;
    match milliseconds {
        ..1.0 => format!("{:.0} µs", milliseconds * 1e3),
        ..100.0 => format!("{milliseconds:.2} ms"),
        _ => format!("{milliseconds:.0} ms"),
    }
}

/// A whole number with a comma between groups of three.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
