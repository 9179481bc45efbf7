//! The options of `cargo bench --bench bench -- …`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Measures Doorlight: one table, with the budget beside each figure.
#[derive(Parser)]
#[command(name = "cargo bench --bench bench --")]
pub struct Args {
    /// Run only scenarios whose name contains NAME (repeatable; `--list` shows the names).
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Show the names of the scenarios and end.
    #[arg(long)]
    pub list: bool,
    /// Measured seconds of each round; a tenth more before it is warm-up.
    #[arg(long, value_name = "N", default_value_t = 4.0)]
    pub seconds: f64,
    /// Rounds of each scenario; the table shows medians.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub rounds: usize,
    /// Seconds without a request in which disk writes are counted.
    #[arg(long, value_name = "N", default_value_t = 60.0)]
    pub idle: f64,
    /// Measure this binary; given several times, compare them, round by round in turn.
    #[arg(long, value_name = "PATH", default_value = env!("CARGO_BIN_EXE_doorlight"))]
    pub server: Vec<PathBuf>,
    /// Measure what answers with so many more people in the file, and as many refresh tokens; several numbers, with commas
    /// between them, are compared: 1000,100000,1000000. Makes files of up to a gigabyte.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub grow: Vec<usize>,
    /// Print the table once more as Markdown.
    #[arg(long)]
    pub markdown: bool,
    /// Every scenario for a moment: only wrong answers count, no budget.
    #[arg(long)]
    pub smoke: bool,
    /// Measure GET on any other HTTP/1.1 server instead, with 1, 16 and 64 connections.
    /// Pin that server to another core yourself.
    #[arg(long, value_name = "URL")]
    pub url: Option<url::Url>,
    /// Where the data files go for the time of the run: the file system that is measured.
    #[arg(long, value_name = "PATH", default_value = env!("CARGO_TARGET_TMPDIR"))]
    pub dir: PathBuf,
    /// Append the servers' logs to this file. Writing it counts as disk writes of the server.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How long and how often.
pub struct Plan {
    pub warm_up: Duration,
    pub measured: Duration,
    pub rounds: usize,
    pub starts: usize,
    pub idle: Duration,
    /// Without a request before memory is read or writes are counted.
    pub settle: Duration,
    pub users: usize,
    /// People in the large file.
    pub grown: usize,
    /// Connections that are opened and left alone.
    pub idlers: usize,
}

impl Args {
    pub fn plan(&self) -> Plan {
        if self.smoke {
            return Plan {
                warm_up: Duration::from_millis(50),
                measured: Duration::from_millis(300),
                rounds: 1,
                starts: 3,
                idle: Duration::from_secs(1),
                settle: Duration::from_millis(200),
                users: 4,
                grown: 200,
                idlers: 1_200,
            };
        }
        let measured = duration(self.seconds);
        Plan {
            warm_up: measured / 10,
            measured,
            rounds: self.rounds.max(1),
            starts: 11,
            idle: duration(self.idle),
            settle: Duration::from_secs(2),
            users: 100,
            grown: 100_000,
            idlers: 10_000,
        }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part))
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
