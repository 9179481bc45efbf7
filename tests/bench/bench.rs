//! The benchmark: `cargo bench --bench bench` prints one table. Never a timed test: a missed budget
//! is a line in the table, only a wrong answer is an error.
//!
//! | file | what |
//! |---|---|
//! | `args` | options, durations |
//! | `scenarios` | the list with the budget; rates |
//! | `resources` | size, memory, writes while idle |
//! | `files`, `grown` | what depends on the size of the data file, and how a large one is made |
//! | `encrypted` | handshakes of TLS |
//! | `world` | one server with its people and its application |
//! | `process` | the server as a process |
//! | `url_rate` | any other server |
//! | `load`, `connection`, `http` | the load generator |
//! | `callers/` | what a connection asks for, which answers are right |
//! | `measure`, `table` | percentiles and medians, how they are printed |
//! | `machine` | which core does what, what was measured on |

mod args;
mod callers;
mod connection;
mod encrypted;
mod files;
mod grown;
mod http;
mod load;
mod machine;
mod measure;
mod process;
mod resources;
mod scenarios;
mod table;
mod url_rate;
mod world;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Plan};
use machine::Cores;
use measure::Figure;
use scenarios::{ALL, Scenario};
use table::Row;
use world::World;

/// Anything that ends the run.
pub type Attempt<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("A benchmark: run it with `cargo bench --bench bench`.");
        return ExitCode::SUCCESS;
    }
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Attempt<ExitCode> {
    if args.list {
        for scenario in ALL {
            println!("{:<14} {}", scenario.name, scenario.title);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let plan = args.plan();
    std::fs::create_dir_all(&args.dir)?;
    machine::raise_open_files()?;
    let cores = Cores::choose()?;
    let head = machine::describe(&args.dir, cores)?;
    let rows = match &args.url {
        Some(url) => url_rate::rows(url, &plan)?,
        None => compare(args, &plan, cores)?,
    };
    println!("{head}");
    println!("{}", table::text(&rows));
    if args.markdown {
        println!("{}", table::markdown(&rows));
    }
    Ok(verdict(&rows))
}

/// Every wanted scenario on every server, in turn: A B A B.
fn compare(args: &Args, plan: &Plan, cores: Cores) -> Attempt<Vec<Row>> {
    let wanted: Vec<&Scenario> = ALL
        .iter()
        .filter(|scenario| args.wants(scenario.name))
        // Of other files than its own only what answers can say something.
        .filter(|scenario| args.grow.is_empty() || scenario.is_rate())
        .collect();
    if wanted.is_empty() {
        return Err("no scenario has such a name; --list shows them".into());
    }
    let mut worlds = Vec::new();
    let grow = if args.grow.is_empty() {
        &[0][..]
    } else {
        &args.grow
    };
    let servers = args.server.iter();
    let wished = servers.flat_map(|binary| grow.iter().map(move |more| (binary, *more)));
    for (label, (binary, more)) in ('A'..='Z').zip(wished) {
        let users = plan.users + more;
        eprintln!("{label}: {} with {users} users", binary.display());
        let log = args.log.as_deref();
        let mut world = World::create(label, binary, &args.dir, cores, log, plan.users)?;
        if more > 0 {
            world.grow(more)?;
        }
        worlds.push(world);
    }
    let mut rows = Vec::new();
    for scenario in wanted {
        let mut rounds = vec![Vec::new(); worlds.len()];
        for round in 1..=scenario.rounds(plan) {
            for (world, figures) in worlds.iter_mut().zip(&mut rounds) {
                eprintln!("{} {}, round {round}", world.label, scenario.name);
                let figure = scenario.measure(world, plan);
                figures.push(figure.map_err(|error| format!("{}: {error}", scenario.name))?);
            }
        }
        let medians = rounds.iter().map(|figures| Figure::median(figures));
        rows.push(Row {
            title: scenario.title.to_owned(),
            unit: scenario.unit,
            budget: scenario.budget.filter(|_| !args.smoke),
            figures: worlds
                .iter()
                .map(|world| world.label)
                .zip(medians)
                .collect(),
        });
    }
    for world in &mut worlds {
        world.stop()?;
    }
    Ok(rows)
}

fn verdict(rows: &[Row]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for row in rows {
        for (label, figure) in &row.figures {
            if let Some(what) = &figure.first_wrong {
                eprintln!(
                    "bench: {} of {label}: {} wrong, first: {what}",
                    row.title, figure.wrong
                );
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
